"""What a training run returns: a status that is a sentence, a history, the weights."""

from __future__ import annotations

import copy
import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
from scipy.optimize import OptimizeResult

from ggn.io.files import FilePath
from ggn.io.model import Model

__all__ = [
    "End",
    "Escape",
    "History",
    "Status",
    "TrainResult",
    "best_of",
    "interrupted",
    "lost",
    "pass_on_interrupt",
]

FEW = 6  # numbers that a line has room for


class Status(enum.Enum):
    """Why a run ended; the value is the message."""

    GRADIENT = "The gradient is zero to within tol."
    STEP = "The last step changed the weights by less than tol."
    LOSS = "The last step reduced the loss by less than tol, as predicted."
    TARGET = "The loss reached loss_target."
    VALIDATION = "The loss of samples held out falls no more; the weights of its least are kept."
    CRITERION = "Going on predicts worse, as cross-validation has it; what did best is kept."
    PRECISION = "No step reduces the loss any further in double precision."
    MAX_ITER = "The iteration limit max_iter was reached."
    MAX_SECONDS = "The time limit max_seconds was reached."
    CALLBACK = "The callback asked to stop."
    INTERRUPTED = "Interrupted from the keyboard; these are the weights kept so far."
    LOST = "The samples were lost before the end; these are the weights kept so far."
    SINGULAR = "The step could not be computed because its matrix is singular; try damping."
    CURVATURE = "The loss's curvature vanished where its gradient did not; try step='primal'."
    OVERFLOW = "The step overflowed double precision; these are the last finite weights."
    WANDERED = "The run ended at a larger loss than it had reached; these are its best weights."
    FLAT = "Hidden units are flat on all samples, so no step can move them; start elsewhere."
    STALLED = "Steps have come to reduce the loss no more, though its gradient is not zero."
    PLATEAU = (
        "Most residuals lie where the loss is almost flat, and hardly act: give it a larger scale, "
        "or one chosen from the residuals (ggn.train_robust)."
    )
    ROUNDED = "Inputs or targets lie so far from zero that rounding hides the fit; centre them."
    DIVERGES = "The free run leaves the data behind; these weights are of a shorter horizon."
    BAD_START = "The loss is not finite at the initial weights; try smaller ones."

    @property
    def success(self) -> bool:
        """Whether the run ended because there was nothing more to do."""
        asked = (Status.TARGET, Status.VALIDATION, Status.CRITERION)
        return self in (Status.GRADIENT, Status.STEP, Status.LOSS, Status.PRECISION, *asked)


@dataclass(frozen=True)
class Escape:
    """A saddle that a run has left.

    Attributes
    ----------
    nit : int
        Steps taken before.
    loss, loss_after : float
        J at the saddle, and after the step off it.
    eigenvalue : float
        The lowest of the Hessian at the saddle; vᵀ H_J v, of unit length, along the lowest
        of D⁻¹ H_J D⁻¹ where only that is seen to be negative.
    """

    nit: int
    loss: float
    loss_after: float
    eigenvalue: float


class History:
    """One entry per iterate, the start included; each attribute is a float64 array.

    Attributes
    ----------
    loss : J at the iterate.
    gradient_norm : ‖∇J‖₂ there.
    damping : mu of the step that led there (the start, and off a saddle: nan).
    step_norm : ‖w_k - w_{k-1}‖₂ (the start: nan).
    gain_ratio : actual over predicted reduction of that step (nan as for damping).
    residual : ‖(G + mu D²) d - g‖ / ‖g‖ of that step; 0 for direct solvers (nan likewise).
    seconds : since training began.
    """

    FIELDS = ("loss", "gradient_norm", "damping", "step_norm", "gain_ratio", "residual", "seconds")

    loss: np.ndarray
    gradient_norm: np.ndarray
    damping: np.ndarray
    step_norm: np.ndarray
    gain_ratio: np.ndarray
    residual: np.ndarray
    seconds: np.ndarray

    def __init__(self, rows: Sequence[tuple[float, ...]] | np.ndarray) -> None:
        table = np.array(rows, dtype=np.float64).reshape(-1, len(self.FIELDS))
        for name, column in zip(self.FIELDS, np.ascontiguousarray(table.T), strict=True):
            setattr(self, name, column)

    def __len__(self) -> int:
        return len(self.loss)

    def __repr__(self) -> str:
        if not len(self):
            return "History(empty)"
        return f"History({len(self)} iterates, loss {self.loss[0]:.3g} -> {self.loss[-1]:.3g})"


class End(NamedTuple):
    """The end of a run, in its caller's units."""

    status: Status
    message: str
    w: np.ndarray
    loss: float
    gradient: np.ndarray


class TrainResult(OptimizeResult):
    """A `scipy.optimize.OptimizeResult` with these fields.

    Attributes
    ----------
    w : ndarray, (N,)
        The weights; also under SciPy's name `x`.  Those of least loss, if the run
        ended with others.
    fun : float
        J(w), penalty included.
    jac : ndarray, (N,)
        ∇J(w).
    success : bool
    status : Status
    message : str
        The status's sentence.
    nit, nfev, njev : int
        Steps taken, evaluations of J, linearizations.
    history : History
    step : Step
        How steps were computed.
    escapes : list of Escape
        The saddles left, with escape_saddles=True.
    net : MLP
    loss : Loss
    l2 : float or ndarray (N,)
    sample_weight : ndarray (T,) or None
        What was trained, and how; so pictures, exports and `ggn.diagnose` take the result as
        it is.
    state : State
        Damping, metric and step at the end, which ``ggn.train(..., w0=fit)`` goes on with; a
        `Model`, and its file, has the weights alone.
    validation_losses, test_losses : ndarray
        Mean loss of the samples held out at each iterate, the start included; where given.
    kept : int
        The iterate of least validation loss, whose weights these are.

    Examples
    --------
    >>> import numpy as np
    >>> print(TrainResult(w=np.linspace(-1.0, 2.0, 25), fun=0.5, status=Status.GRADIENT))
         w: array (25,), -1 to 2
       fun: 0.5
    status: Status.GRADIENT
    """

    # whether it is of no ordinary network, and has a `diagnose` that `ggn.diagnose` calls
    diagnoses_itself: ClassVar[bool] = False

    def __repr__(self) -> str:
        """One line per field; arrays by what they are, not by all their numbers."""
        shown = {key: value for key, value in self.items() if not self._twice(key)}
        width = max(map(len, shown), default=0)
        return "\n".join(f"{key:>{width}}: {_line(value)}" for key, value in shown.items())

    def __dir__(self) -> list[str]:
        """Fields, methods and properties; SciPy's has the fields alone."""
        return sorted({*object.__dir__(self), *self})

    def predict(self, X: Any) -> np.ndarray:
        """Return the outputs (T, nL) for inputs X (T, n0), as `Model.predict` does.

        Of an estimator's fit in the units of the data, as it was trained inside a Model.
        """
        predicted: np.ndarray = self.as_model().predict(X)
        return predicted

    def as_model(self) -> Model:
        """Return the Model that it was trained inside, or one of what the fit has."""
        if isinstance(self.get("model"), Model):
            return self.model
        names = self.get("input_names"), self.get("target_names")
        return Model(self.net, self.w, *names, loss=self.get("loss"), l2=self.get("l2"))

    def save(self, path: FilePath) -> None:
        """Write it as a `Model` to a file, which `Model.load` reads.

        With the posterior of `ggn.train_bayesian`, where that is what made it.

        Raises
        ------
        OSError
            If the file cannot be written; one that was there before is left intact.

        Examples
        --------
        >>> import tempfile, ggn
        >>> fit = ggn.train(ggn.MLP((2, 3, 1)), *ggn.problems.xor(), max_iter=20)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fit.save(f"{folder}/model.npz")
        ...     bool((ggn.Model.load(f"{folder}/model.npz").w == fit.w).all())
        True
        """
        model = copy.copy(self.as_model())
        model.posterior = model.posterior or getattr(self, "posterior", None)
        model.save(path)

    def _twice(self, key: str) -> bool:
        """Whether a field is another under SciPy's name."""
        return key == "x" and self[key] is self.get("w")


def _line(value: Any) -> str:
    """Return what a value is, in one line."""
    if isinstance(value, np.ndarray) and value.size > FEW:
        text = f"array {value.shape}"
        if value.dtype.kind == "f" and np.isfinite(value).all():
            text += f", {value.min():.3g} to {value.max():.3g}"
        return text
    if isinstance(value, TrainResult):
        return f"{type(value).__name__}, fun {value.get('fun')}"
    several = isinstance(value, (list, tuple))
    if several and (len(value) > FEW or any(isinstance(one, TrainResult) for one in value)):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, enum.Enum):
        return str(value)
    text = value if isinstance(value, str) else repr(value)
    lines = text.splitlines() or [""]
    return lines[0] if len(lines) == 1 else f"{lines[0]} ..."


Result = TypeVar("Result", bound=TrainResult)


def best_of(best: Result, runs: Iterable[TrainResult]) -> Result:
    """Return the best of several runs, which says so where Ctrl-C has ended them all."""
    if any(run.status is Status.INTERRUPTED for run in runs):
        interrupted(best)
    return best


def interrupted(result: TrainResult) -> None:
    """Say that it was Ctrl-C that ended a run."""
    status = Status.INTERRUPTED
    result.update(status=status, message=status.value, success=False)


def lost(result: TrainResult, error: Exception) -> None:
    """Say that the samples were lost, and why, unless Ctrl-C came first."""
    if result.status is not Status.INTERRUPTED:
        status = Status.LOST
        result.update(status=status, message=f"{status.value} {error}", success=False)


def pass_on_interrupt(result: TrainResult) -> None:
    """Raise the KeyboardInterrupt that `train` has taken as the wish to stop only itself."""
    if result.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
