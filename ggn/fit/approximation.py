"""What `ggn.approximate` returns: the network, the error between the nodes, why it stopped."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn.fit.construction import Construction
from ggn.fit.target import SampledTarget, Target
from ggn.fit.trial import EPS, Stage, Stop
from ggn.io.model import Model
from ggn.network import MLP

__all__ = ["Approximation", "reason"]


@dataclass(frozen=True)
class Approximation:
    """A network that approximates a function; call it as the function, print it for a report.

    Attributes
    ----------
    model : Model
        The network with the units of inputs and values; `ggn.export` takes it.
    error : float
        The largest error found between the nodes, relative to half the target's range
        there, (max - min) / 2; for a constant, itself.  It is measured on what `predict`
        returns, and is a lower bound of the largest error there is.
    worst : tuple of float
        Where it was found.
    points : int
        On how many points; nothing was fitted to them or decided by them.
    tol : float
    converged : bool
        Whether error <= tol.
    message : str
        Why no more was done, in a sentence.
    stages : tuple of Stage
    seconds : float
    evaluations : int
        Of the function; 0 for samples.
    """

    model: Model
    error: float
    worst: tuple[float, ...]
    points: int
    tol: float
    converged: bool
    message: str
    stages: tuple[Stage, ...]
    seconds: float
    evaluations: int

    @property
    def net(self) -> MLP:
        """The network; its inputs and outputs are in the model's units."""
        return self.model.net

    @property
    def w(self) -> np.ndarray:
        """Its weights, (N,)."""
        return self.model.w

    def predict(self, X: Any) -> np.ndarray:
        """Return the approximation at the rows of X, as `Model.predict` does.

        Parameters
        ----------
        X : array_like, (T, n0)
            1-D is accepted where n0 = 1.

        Returns
        -------
        ndarray, (T, 1)

        Raises
        ------
        ValueError
            For wrong shapes, dtypes or non-finite numbers.
        """
        return self.model.predict(X)

    def __call__(self, *x: Any) -> np.ndarray:
        """Return the approximation at x: one number or array per variable, of one shape."""
        if len(x) != self.net.n_inputs:
            raise ValueError(f"x must be {self.net.n_inputs} numbers or arrays, got {len(x)}")
        arrays = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in x))
        X = np.stack([a.ravel() for a in arrays], axis=1)
        return self.predict(X).reshape(arrays[0].shape)

    def __str__(self) -> str:
        asked = f", {self.evaluations} evaluations" if self.evaluations else ""
        where = ", ".join(f"{x:.6g}" for x in self.worst)
        rows = [
            ("error", f"{self.error:.1e} of half the range, the largest found between the nodes, "
                      f"on {self.points} fresh points; at ({where})"),
            ("tol", f"{self.tol:.1e}: {'reached' if self.converged else 'not reached'}"),
            ("network", f"{self.net!r}; {self.net.n_weights} weights"),
            ("stopped", self.message),
            ("time", f"{self.seconds:.2g} s{asked}"),
        ]  # fmt: skip
        lines = [
            textwrap.fill(text, 88, initial_indent=f"{name:<12}", subsequent_indent=" " * 12)
            for name, text in rows
        ]
        if self.stages:
            lines += ["", "stage  units      by     slope   error before   after   seconds"]
        for k, s in enumerate(self.stages, start=1):
            slope = "-" if np.isnan(s.slope) else f"{s.slope:.3g}"
            lines.append(
                f"{k:<7}{s.units:>5}{s.how:>10}{slope:>8}{s.size:>13.1e}{s.error:>10.1e}"
                f"{s.seconds:>9.2g}"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Approximation({self.net!r}, error {self.error:.1e}, tol {self.tol:.1e})"


def reason(built: Construction, stop: Stop, error: float, at: str) -> str:
    """Return in a sentence why an error above tol was left."""
    target = built.target
    rounding, own = target.rounding, built.rounding
    fell = f"; the last doubling of the units divided the error by {built.fall:.3g}"
    fell = fell if np.isfinite(built.fall) else ""
    if stop is Stop.INTERRUPTED:
        return "Interrupted from the keyboard; this is what there was."
    if error < 100.0 * rounding and rounding > 2.0 * EPS:
        return (
            f"Rounding of the values themselves is {rounding:.1e} of half their range, which "
            "an offset makes large."
        )
    if stop is Stop.REACHED:
        return "The error is within tol at all points that were watched, but not at all fresh ones."
    if stop is Stop.SECONDS:
        return f"max_seconds leaves no time for more units{fell}."
    if isinstance(target, SampledTarget):
        return _of_samples(built, target)
    if stop is Stop.UNITS:
        return f"max_units was reached{fell}."
    if built.rough:
        return (
            f"Doubling the units divided the error by {built.fall:.2g} only: the function has a "
            "kink, a jump or a singularity, or is steeper than the nodes can tell; the error is "
            f"largest at ({at})."
        )
    if error < 20.0 * own:
        return f"Rounding of the network's own sum, about {own:.1e}, leaves nothing to go by."
    return "No further stage reduced the error to a half."


def _of_samples(built: Construction, target: Target) -> str:
    """Return what keeps an approximation of samples from tol."""
    Z, u = target.nodes(0, False, built.rng)
    at_nodes = float(np.abs(u - built.sum.forward(Z)).max())
    if 4.0 * at_nodes > built.error:
        return (
            f"The error at the samples, {at_nodes:.1e}, is as large as between them, and more "
            "units do not help: what is left looks like noise, or is not smooth."
        )
    return (
        f"The error at the samples, {at_nodes:.1e}, is smaller than between them, {built.error:.1e}"
        ": more samples are needed."
    )
