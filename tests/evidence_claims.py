"""What each kind of evidence claims, as a check of its fields: yields what is false."""

from __future__ import annotations

import functools
import itertools

import mpmath as mp
import numpy as np
import reference
from evidence_claims_outputs import idle_output, least, quasi_separated
from exact import exact, norm

EPS = float(np.finfo(np.float64).eps)
OWN = ("squared_hinge", "poisson", "huber")  # whose H_E is part of what the user gives
KINKED = ("relu", "leaky_relu", "elu", "softsign")


class Place:
    """A point, and what its evidence speaks of, each computed when first asked for."""

    def __init__(self, known, d):
        self.known, self.p, self.w, self.d = known, known.problem, known.w, d
        self.text = ""  # the sentence that is being checked

    @functools.cached_property
    def J(self):  # noqa: N802
        return self.p.J(self.w)

    @functools.cached_property
    def rounding(self):
        """By what J in double precision may be off: its own rounding, and that of the outputs."""
        J, error = abs(float(self.J)), np.linalg.norm(self.output_rounding()) / len(self.p.X) ** 0.5
        return 100.0 * EPS * J + 10.0 * (2.0 * J**0.5 * error + error**2)

    @functools.cached_property
    def D(self):  # noqa: N802
        """sqrt(h) rms(x) sd(y), the first factor for all weights, rms(x) for those of inputs, sd(y)
        for hidden layers; penalty added in squares."""
        p = self.p
        c = p.shares.astype(float)
        y = p.Y[np.argmax(c > 0.0)][None]
        sd = np.sqrt(np.mean(c @ (p.Y - c @ p.Y) ** 2))
        sd = sd or np.abs(p.Y).max() or 1.0
        if p.loss.name == "softmax_cross_entropy":
            q = np.exp(y) / np.exp(y).sum()
            h = float(np.mean(q * (1.0 - q)))
        elif p.loss.name == "logistic":
            h = float(np.mean(1.0 / (2.0 + 2.0 * np.cosh(y))))
        elif p.loss.name == "smooth_lp":
            h = p.loss.power * p.loss.size ** (p.loss.power - 2.0)
        elif p.loss.name in OWN:
            h = float(np.mean(p.loss.twin.hessian(y, y))) or 1.0
        elif p.loss.name == "blake_zisserman":
            h = 2.0 / (1.0 + p.loss.power)
        else:
            h = 2.0
        rms = np.sqrt(c @ p.X**2)
        rms[rms == 0.0] = 1.0
        parts = []
        for layer in range(len(p.sizes) - 1):
            rows, units = p.spec.shape(layer + 1)
            D = np.full((rows, units), np.sqrt(h) * (1.0 if layer == len(p.sizes) - 2 else sd))
            if layer == 0:
                D[: p.sizes[0]] *= rms[:, None]
            parts.append(D)
        return np.sqrt(reference.pack(parts) ** 2 + 2.0 * np.asarray(p.l2))

    @functools.cached_property
    def H(self):  # noqa: N802
        return self.p.hessian(self.w).astype(float)

    @functools.cached_property
    def eigenvalues(self):
        """Of H_J."""
        return np.linalg.eigvalsh(self.H)

    @functools.cached_property
    def scaled(self):
        """Of D⁻¹ H_J D⁻¹."""
        return np.linalg.eigvalsh(self.H / np.outer(self.D, self.D))

    @functools.cached_property
    def smooth(self):
        """Whether differences of the gradient are a Hessian: no net input at a kink."""
        return not any(n in KINKED for n in self.p.names) or self.nearest_kink > 1e-7

    @functools.cached_property
    def nearest_kink(self):
        phi = self.p._sweep(self.w)[0]
        Ws = reference.unpack(self.p.spec, exact(self.w))
        z = [np.abs((a @ W).astype(float)).min()
             for a, W, n in zip(phi, Ws, self.p.names, strict=False) if n in KINKED]  # fmt: skip
        return min(z, default=np.inf)

    def output_rounding(self):
        """By what each output may be off, (nL,): errors of products and σ, carried forwards."""
        p = self.p
        phi, slopes = self.p._sweep(self.w)
        error = np.zeros_like(p.X)
        for layer, W in enumerate(reference.unpack(p.spec, np.abs(self.w))):
            inputs = np.abs(phi[layer].astype(float))
            carried = np.hstack([error, np.zeros((len(p.X), 1))]) if p.bias else error
            z = carried @ W + EPS * (inputs @ W)
            out = phi[layer + 1].astype(float)[:, : W.shape[1]]
            error = np.abs(slopes[layer].astype(float)) * z + EPS * np.abs(out)
        rows = self.counts
        return np.linalg.norm(error[rows], axis=0) + EPS * np.linalg.norm(p.Y[rows], axis=0)

    @functools.cached_property
    def counts(self):
        """The samples of a weight above 0; the others do not count."""
        return slice(None) if self.p.weights is None else self.p.weights > 0.0


def off(given, true, relative, absolute=0.0):
    """Whether a number is not the true one."""
    return not abs(float(given) - float(true)) <= relative * abs(float(true)) + absolute


def matrix_of(at, value, what):
    """A number is an eigenvalue of the matrix that the sentence speaks of: H_J, unless it says
    that weights are in units of the data, which makes it D⁻¹ H_J D⁻¹."""
    own, other = (
        np.abs(values - value).min() > 1e-3 * abs(value) + 1e-7 * EPS**0.25 * np.abs(values).max()
        for values in (at.eigenvalues, at.scaled)
    )
    if (other and own) or (own and "units of the data" not in at.text):
        whose = "of no matrix known" if other else "of D⁻¹ H_J D⁻¹"
        yield f"{what} is not an eigenvalue of H_J but {whose}: {value:.3g}"


def bound(at, f):
    """J is `gap` above `bound`, a proven lower bound."""
    if off(f["gap"], max(at.J - f["bound"], 0), 1e-6, at.rounding):
        yield f"gap: {f['gap']:.3g}, J - bound is {float(at.J - f['bound']):.3g}"
    yield from below(at, f["bound"])


def below(at, value):
    least = at.J if at.known.least is None else min(at.J, at.known.least)
    if value > float(least) * (1.0 + 1e-12) + 1e-300:
        yield f"bound above the J of given weights: {value:.6g} > {float(least):.6g}"


def obstruction(at, f):
    """Its bound, number of samples, and count of weights."""
    o = f["obstruction"]
    yield from below(at, o.lower_bound)
    p = at.p
    _, group = np.unique(p.X, axis=0, return_inverse=True)
    group = group.ravel()
    if o.kind.name == "EQUAL_INPUTS":
        c = p.shares
        Y, total = exact(p.Y), mp.mpf(0)
        apart = []
        for k in range(group.max() + 1):
            rows = np.flatnonzero(group == k)
            mean = (c[rows, None] * Y[rows]).sum(axis=0) / c[rows].sum()
            total += (c[rows, None] * (Y[rows] - mean) ** 2).sum()
            if np.ptp(p.Y[rows], axis=0).any():
                apart += list(rows)
        if p.loss.name == "squared" and off(o.lower_bound, total, 1e-9):
            yield f"bound of equal inputs: {o.lower_bound:.6g}, not {float(total):.6g}"
        if not set(map(int, o.samples)) <= set(map(int, apart)):
            yield "samples with equal inputs: more than there are"
    if o.kind.name == "FEW_WEIGHTS" and not len(at.w) < (group.max() + 1) * p.sizes[-1]:
        yield "few weights: they are not"


def separated(at, f):
    """J falls to 0 as the output layer's weights grow, and no finite weights reach it."""
    values = []
    for factor in (1, 4, 64, 4096):
        w = exact(at.w)
        reference.unpack(at.p.spec, w)[-1][:] *= factor
        values.append(at.p.J(w))
    if not values[0] > 0:
        yield "J is 0 at finite weights: here"
    elif not (all(a > b for a, b in itertools.pairwise(values)) or values[-1] == 0):
        yield "J does not fall: as the output weights grow"


def fit_is_exact(at, f):
    """No output is off by more than ten times its rounding."""
    residual = (at.p.outputs(at.w) - exact(at.p.Y))[at.counts]
    size = np.array([float(norm(r)) for r in residual.T])
    worst = (size / np.maximum(at.output_rounding(), 1e-300)).max()
    if worst > 10.0:
        yield f"residual over ten times the outputs' rounding: {worst:.3g} times"


def nearly_exact(at, f):
    """The share of the targets' deviation."""
    residual = (at.p.outputs(at.w) - exact(at.p.Y))[at.counts]
    size = np.array([float(norm(r)) for r in residual.T])
    Y = at.p.Y[at.counts]
    spread = np.linalg.norm(Y - Y.mean(axis=0), axis=0)
    spread = np.where(spread > 0.0, spread, np.linalg.norm(Y, axis=0))
    share = (size / np.where(spread > 0.0, spread, 1.0)).max()
    if off(f["share"], share, 1e-2, 10.0 * EPS):
        yield f"share: {f['share']:.3g}, not {share:.3g}"


def certificate(at, f):
    """Rank of P, the part of ε in its row span; and w is not critical beside a visible fall."""
    c = f["certificate"]
    P = reference.jacobian(at.p.spec, at.w, at.p.X)
    s = np.linalg.svd(P, compute_uv=False)
    if c.rank is not None:
        # of inputs in other units a rank may be that of scaled rows: beside zeros only
        clear = s[(s < 0.1 * EPS * max(P.shape) * s[0]) | (s > 1e3 * EPS * max(P.shape) * s[0])]
        if len(clear) == len(s) and c.rank.rank != int(np.sum(s > 10 * EPS * max(P.shape) * s[0])):
            yield f"rank of P: {c.rank.rank}, not {int(np.sum(s > 1e-14 * s[0]))}"
    if "is critical" in str(c) and at.d.verdict.name == "NOT_STATIONARY":
        yield f"w is critical beside a visible fall: promised {at.d.promised:.3g}"


def saturation(at, f):
    """Which units are flat on which samples: |σ'| <= sqrt(eps) of its maximum on |z| <= 1."""
    slopes = at.p._sweep(at.w)[1]
    for unit in f["saturation"].units:
        name = at.p.names[unit.layer - 1]
        grid = np.abs(reference.ACTIVATIONS[name][1](np.linspace(-1.0, 1.0, 41))).max()
        share = np.abs(slopes[unit.layer - 1][:, unit.unit].astype(float)) / grid
        edge = np.abs(share / EPS**0.5 - 1.0) < 1e-6
        flat = set(np.flatnonzero((share <= EPS**0.5) & ~edge))
        said = set(map(int, unit.samples)) - set(np.flatnonzero(edge))
        if flat != said:
            yield f"saturated samples: {len(said)}, not {len(flat)}"
        lost, edge = int(np.sum(share <= EPS)), int(np.sum(np.abs(share / EPS - 1.0) < 1e-6))
        if abs(unit.vanished - lost) > edge:
            yield "vanished slopes: another count"


def ray(at, f):
    """J along the ray; and it levels off from above."""
    r = f["ray"]
    for factor, J in zip(r.factors, r.losses, strict=True):
        true = at.p.J(exact(r.w) + (mp.mpf(float(factor)) - 1) * exact(r.direction))
        if off(J, true, 1e-9, at.rounding):
            yield f"J on the ray: {J:.6g}, not {float(true):.6g}"
    if r.infimum and at.p.J(exact(r.w) + 15 * exact(r.direction)) > at.J:
        yield "J rises along the ray: at 50 digits"


def falls(at, f):
    """The relative gradient; and J falls by that much along the gradient or a step of it."""
    P = reference.jacobian(at.p.spec, at.w, at.p.X) / at.D[:, None]
    g = at.p.gradient(at.w).astype(float)
    c = np.repeat(at.p.shares.astype(float), at.p.sizes[-1])
    error = at.p.loss.gradient(at.p.outputs(at.w), exact(at.p.Y)).astype(float).ravel()
    size = np.linalg.norm(P * np.sqrt(c)) * np.linalg.norm(np.sqrt(c) * error)
    size += np.linalg.norm(2.0 * np.asarray(at.p.l2) * at.w / at.D)
    relative = np.linalg.norm(g / at.D) / size
    plain = at.p.loss.name == "squared"  # others weigh P with their curvature
    if plain and at.p.weights is None and off(f["relative"], relative, 0.05, 1e-15):
        yield f"relative gradient: {f['relative']:.3g}, not {relative:.3g}"
    if not 0.0 <= f["relative"] <= 1.0 + 1e-9:
        yield f"relative gradient not in 0 ... 1: {f['relative']:.3g}"
    error = 1e-6 + at.rounding / float(at.J)
    if "percent" in f and off(f["percent"], 100.0 * f["fall"] / float(at.J), error):
        yield "percent: not the fall's"
    if f["fall"] > float(at.J - lowest(at, g)) * (1.0 + 1e-6) + at.rounding:
        yield f"fall: {f['fall']:.3g} is not to be had along the gradient or a Newton step"


def lowest(at, g):
    """The least J along the gradient, and along Newton's step with |λ|, in weights D w; next to
    a kink, along those of either side."""
    best, off_kink = at.J, 1e-9 * np.random.default_rng(0).normal(size=len(at.w))
    steps = downhill(at, g, at.H)
    for w in () if at.smooth else (at.w + off_kink, at.w - off_kink):
        steps += downhill(at, at.p.gradient(w).astype(float), at.p.hessian(w).astype(float))
    for step in steps:
        for t in 2.0 ** -np.arange(-2.0, 26.0):
            best = min(best, at.p.J(at.w - t * step))
    return best


def downhill(at, g, H):
    """The gradient, of unit length, and Newton's steps with |λ| cut off at several sizes."""
    H = H / np.outer(at.D, at.D)
    values, V = np.linalg.eigh(H) if np.isfinite(H).all() else (np.ones(len(g)), np.eye(len(g)))
    top = np.abs(values).max() or 1.0
    steps = [g / at.D**2 / (np.linalg.norm(g / at.D**2) or 1.0)]
    for cut in (1e-15, 1e-13, 1e-10, 1e-6):
        size = np.maximum(np.abs(values), cut * top)
        steps.append(V @ ((V.T @ (g / at.D)) / size) / at.D)
    return steps


def convex(at, f):
    """J is no further above its least value than promised."""
    least = at.known.least
    if least is not None and at.J - least > 2.0 * f["promised"] + at.rounding:
        yield f"promise: {f['promised']:.1g}, but J can fall by {float(at.J - least):.3g}"


def negative(at, f):
    if at.smooth:
        yield from matrix_of(at, f["lowest"], "the lowest")
        if not at.eigenvalues[0] < 0.0:
            yield "H_J has no negative eigenvalue: at 50 digits"


def descent(at, f):
    true = at.J - at.p.J(exact(at.w) + mp.mpf(float(f["t"])) * exact(at.d.descent))
    if off(f["fall"], true, 1e-6, at.rounding):
        yield f"fall along .descent: {f['fall']:.6g}, not {float(true):.6g}"


def nearby_zero(at, f):
    """Newton's method at 50 digits finds a zero of the gradient that near."""
    zero = f["zero"]
    if not at.smooth:
        return
    if zero.steps == 0:
        P = reference.jacobian(at.p.spec, at.w, at.p.X)
        if norm(at.p.gradient(at.w)) > 1e-10 * (1.0 + np.linalg.norm(P)) * (1.0 + float(at.J)):
            yield f"gradient zero to rounding: it is {float(norm(at.p.gradient(at.w))):.3g}"
        return
    found = at.p.polish(at.w, rounds=2)
    if found is None:
        yield "no zero of the gradient near: Newton's method at 50 digits finds none"
        return
    moved = np.linalg.norm(at.D * (found - exact(at.w)).astype(float)) / np.linalg.norm(at.D * at.w)
    if moved > 10.0 * zero.moved + 1e-12:
        yield f"the zero is further: {moved:.3g} of the weights, not {zero.moved:.3g}"


def positive(at, f):
    """How many eigenvalues are positive, the smallest of them, and how many are zero."""
    if not at.smooth:
        return
    yield from matrix_of(at, f["least"], "the smallest")
    scaled = np.sort(at.scaled)
    count = int(np.sum(scaled > f["tolerance"] * 0.99))
    if f["positive"] != count:
        yield f"positive eigenvalues: {f['positive']}, not {count}"
    if "zeros" in f and f["zeros"] != int(np.sum(np.abs(at.p.curvatures(at.w)) < 1e-9)):
        yield f"zeros along which J is constant: {f['zeros']}, H has another number"


def inertia(at, f):
    if not at.smooth:
        return
    near = np.abs(np.abs(at.scaled) / (f["tolerance"] or 1.0) - 1.0) < 0.05
    above = int(np.sum((at.scaled > f["tolerance"]) & ~near))
    below_ = int(np.sum((at.scaled < -f["tolerance"]) & ~near))
    if not (above <= f["positive"] <= above + near.sum()):
        yield f"positive eigenvalues: {f['positive']}, not {above}"
    if not (below_ <= f["negative"] <= below_ + near.sum()):
        yield f"negative eigenvalues: {f['negative']}, not {below_}"


def at_kink(at, f):
    if at.nearest_kink > 1e-6:
        yield f"no net input is at a kink: the nearest is {at.nearest_kink:.3g} off"


def over_kink(at, f):
    if not {"relu", "leaky_relu"} & set(at.p.names):
        yield "no activation of the network has a kink"


def large(at, f):
    if off(f["largest"], np.abs(at.w).max(), 1e-12):
        yield "largest weight: another"


def promised(at, f):
    """Σ (vᵀ g)² / 2 max(|λ|, τ), of D⁻¹ H_J D⁻¹ and τ its tolerance; at most J - bound."""
    if at.d.spectrum is None or not at.smooth:
        return
    values, V = np.linalg.eigh(at.H / np.outer(at.D, at.D))
    along = V.T @ (at.p.gradient(at.w).astype(float) / at.D)
    true = np.sum(along**2 / (2.0 * np.maximum(np.abs(values), at.d.spectrum.tolerance)))
    true = min(true, float(at.J) - at.d.lower_bound)
    if off(f["promised"], true, 0.5, at.rounding):
        yield f"promise: {f['promised']:.3g}, not {true:.3g}"


def nothing(at, f):
    yield from ()


CLAIMS = {
    "AT_BOUND": bound, "BOUND_AT_INFINITY": bound, "OBSTRUCTION": obstruction,
    "SEPARATED": separated, "EXACT": fit_is_exact, "NEARLY_EXACT": nearly_exact,
    "CERTIFICATE": certificate, "SATURATION": saturation, "RUNAWAY_RAY": ray, "FALLS": falls,
    "FALLS_BY_SHARE": falls, "CONVEX": convex, "NEGATIVE_EIGENVALUE": negative,
    "DESCENT": descent, "NEARBY_ZERO": nearby_zero, "POSITIVE": positive,
    "POSITIVE_BUT_FLAT": positive, "POSITIVE_BUT_LEVEL": positive,
    "ONE_SIDED": inertia, "NO_DESCENT": inertia,
    "UNEXPLAINED_ZEROS": inertia, "AT_KINK": at_kink, "LARGE_WEIGHTS": large,
    "OVER_KINK": over_kink, "FALL_NOT_SEEN": promised, "NO_HESSIAN": nothing, "PENALISED": nothing,
    "NO_NEARBY_ZERO": nothing, "IDLE_OUTPUT": idle_output, "LEAST": least,
    "QUASI_SEPARATED": quasi_separated,
}  # fmt: skip
