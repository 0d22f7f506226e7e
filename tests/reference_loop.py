"""The oracle of networks in a loop: sample by sample, derivatives by complex step.

    o_i = sum_p net_p(w_p, z_i) + L z_i,   z_i = (o_{i - delay_a, output_a} for a < f;  given_i)

Plain loops over nested lists; nothing of ggn's is used.
"""

from dataclasses import dataclass

import numpy as np
import reference

STEP = 1e-40


@dataclass(frozen=True)
class LoopSpec:
    """Parts are (sizes, activation names, biases, first output); windows their lengths."""

    parts: tuple
    n: int
    k: int
    feeds: tuple
    linear: bool
    lengths: tuple

    def nets(self, complex_safe=True):
        return [
            (reference.named_spec(sizes, names, bias, complex_safe=complex_safe), row)
            for sizes, names, bias, row in self.parts
        ]

    @property
    def depth(self):
        return max((d for _, d in self.feeds), default=0)

    @property
    def n_weights(self):
        return sum(reference.n_weights(s) for s, _ in self.nets()) + self.linear * self.n * self.k


def simulate(spec, w, given, before):
    """Outputs (T, k) for given (T, n - f) and before (windows, depth, k): 1, 2, ... samples before."""
    out, i = [], 0
    for window, length in enumerate(spec.lengths):
        own = []
        for age in range(length):
            fed = [
                own[age - d][o] if age >= d else before[window, d - age - 1, o]
                for o, d in spec.feeds
            ]
            own.append(step(spec, w, np.concatenate([fed, given[i]])))
            i += 1
        out += own
    return np.array(out)


def step(spec, w, z):
    """o of one sample."""
    o, first = np.zeros(spec.k, dtype=complex), 0
    for net, row in spec.nets():
        N = reference.n_weights(net)
        values = reference.forward(net, w[first : first + N], z[np.newaxis])[0][-1][0]
        o[row : row + len(values)] += values
        first += N
    if spec.linear:
        o += w[first:].reshape(spec.k, spec.n) @ z
    return o


def jacobian(spec, w, given, before):
    """Derivatives (T, k, N + before.size): by the weights, then by what was before."""
    p = np.concatenate([w, before.ravel()])
    columns = []
    for j in range(len(p)):
        moved = p.astype(complex)
        moved[j] += 1j * STEP
        O = simulate(spec, moved[: len(w)], given, moved[len(w) :].reshape(before.shape))
        columns.append(O.imag / STEP)
    return np.stack(columns, axis=-1)


def random_spec(rng, names):
    """An autoregressive model, or one with states, of a random shape."""
    lengths = tuple(int(n) for n in rng.integers(1, 9, size=rng.integers(1, 9)))
    given, state = int(rng.integers(0, 3)), bool(rng.integers(0, 2))
    if state:
        nx, ny = int(rng.integers(1, 4)), int(rng.integers(1, 3))
        k, feeds = nx + ny, [(o, 1) for o in range(nx)]
        rows = [(nx, 0), (ny, nx)]
    else:
        k = int(rng.integers(1, 3))
        feeds = [(o, int(d)) for o in range(k) for d in lags(rng)]
        rows = [(k, 0)]
    n = len(feeds) + given
    parts = []
    for outputs, row in rows:
        hidden = tuple(int(h) for h in rng.integers(1, 11, size=rng.integers(0, 3)))
        kinds = (*tuple(rng.choice(names, size=len(hidden))), "identity")
        if rng.integers(0, 4) == 0:
            kinds = (*kinds[:-1], "tanh")
        bias = tuple(bool(b) for b in rng.integers(0, 2, size=len(hidden) + 1))
        parts.append(((n, *hidden, outputs), tuple(map(str, kinds)), bias, row))
    linear = state and bool(rng.integers(0, 2))
    return LoopSpec(tuple(parts), n, k, tuple(feeds), linear, lengths)


def lags(rng):
    return sorted({int(d) for d in rng.integers(1, 5, size=rng.integers(1, 4))})
