"""What `ggn train` prints when it is done: what was trained, how it ended, how well it does."""

from __future__ import annotations

import argparse
import os
import textwrap
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ggn.command import report
from ggn.command.objective import loss_to_go_on, objective_text
from ggn.command.outliers import hint_of_far_inputs, hint_of_outliers, outliers
from ggn.command.training import Fit, why_units
from ggn.command.training_data import TrainingData
from ggn.command.words import said
from ggn.fit.result import Status
from ggn.fit.scores import correlation, median_error, r2, rmse
from ggn.io import Model, terminal
from ggn.io.classes import Classes
from ggn.network import MLP
from ggn.surface import diagnose
from ggn.validation import count

__all__ = [
    "DIAGNOSED",
    "binary",
    "class_table",
    "class_text",
    "curves_label",
    "hint_lines",
    "network_text",
    "starts",
    "stopped",
    "summary",
    "ways",
]

DIAGNOSED = 1000  # weights: as quick as ten iterations and one dense factorisation


def summary(
    args: argparse.Namespace,
    data: TrainingData,
    model: Model,
    fit: Fit,
    seconds: float,
    saved: str,
) -> str:
    """Return the report."""
    F = model.predict(data.X)
    pieces = [report.fields([*_fields(args, data, model, fit, seconds, F)])]
    pieces.append(f"{'model':<12}{terminal.visible(saved)}")  # a path is not to be wrapped
    table, hints = (_classes if data.classes is not None else _numbers)(args, data, model, fit, F)
    return "\n".join([*pieces, "", table, *hint_lines(hints)])


def hint_lines(hints: list[str]) -> list[str]:
    """Return those that there are, each below a blank line."""
    return [
        "\n" + textwrap.fill(f"hint: {hint}", report.WIDTH, break_on_hyphens=False)
        for hint in hints
        if hint
    ]


def curves_label(data: TrainingData) -> str:
    """Return what the curves of --plot show."""
    if data.classes is not None:
        return "cross-entropy"
    return f"RMSE of {data.targets[0]}" if len(data.targets) == 1 else "RMSE in standard units"


def _fields(
    args: argparse.Namespace,
    data: TrainingData,
    model: Model,
    fit: Fit,
    seconds: float,
    F: np.ndarray,
) -> Iterator[tuple[str, str]]:
    result, net = fit.best, model.net
    counts = f"{os.path.basename(args.file)}: {count(len(data.X), 'row')}, {data.parts()}"
    yield "data", "; ".join([counts, *data.said])
    names = report.shorten(f"{', '.join(data.inputs)} -> {', '.join(data.targets)}", 100)
    columns = f"{count(len(data.inputs), 'input')}, {count(len(data.targets), 'target')}"
    yield "columns", f"{columns}: {names}"
    if data.classes is not None and data.numbers is not None:
        sizes = np.bincount(data.numbers, minlength=len(data.classes.labels))
        yield "classes", class_text(data.classes, sizes)
    yield from data.notes()
    weights = count(net.n_weights, "weight")
    yield "network", f"{network_text(net)}; {weights}{why_units(args, data, net)}"
    kept = data.start is not None and loss_to_go_on(args, data.start) is not None
    text = objective_text(fit.loss, args, data.units[3], fit.l2, kept, fit.chosen)
    units = " in standard units" if data.classes is None else " with the penalty" * (fit.l2 > 0.0)
    yield "loss", f"{text}; {result.fun:.6g}{units}"
    if args.bayesian:
        yield "evidence", _evidence(fit, data)
    if args.restarts > 1:
        yield "starts", starts(args, fit)
    which = "" if fit.kept is None else f"; weights of iteration {fit.kept} kept"
    yield "run", f"{count(result.nit, 'iteration')}, {seconds:.2f} s{which}"
    yield "stopped", stopped(args, fit)
    if "noise_std" in result and fit.loss.scale is not None:
        yield "outliers", outliers(data.Y - F, result.noise_std, model.y_scale)
    if net.n_weights <= DIAGNOSED and not fit.interrupted and args.patience is None:
        found = diagnose(
            net, result.w, *data.standard(), fit.loss, l2=result.l2,
            sample_weight=data.weights(),
        )  # fmt: skip
        yield "verdict", found.verdict.value


def stopped(args: argparse.Namespace, fit: Fit) -> str:
    """Return why the run that is kept ended."""
    if fit.best.status is Status.VALIDATION:
        return f"The validation loss has not fallen for {count(args.patience, 'iteration')}."
    text = said(fit.best.status)
    if fit.interrupted and fit.best.status is not Status.INTERRUPTED:
        text += " A later start was interrupted."
    return text


def class_text(classes: Classes, sizes: np.ndarray) -> str:
    """Return labels, how many rows of each there are, and what a row counts."""
    pieces = [f"{label} ({n})" for label, n in zip(classes.labels, sizes, strict=True)]
    if classes.weights is not None:
        pieces = [f"{p[:-1]}, weight {w:.3g})" for p, w in
                  zip(pieces, classes.weights, strict=True)]  # fmt: skip
    return ", ".join(pieces)


def _evidence(fit: Fit, data: TrainingData) -> str:
    result = fit.best
    unit = data.units[3]
    noise = f"{result.noise_std * unit[0]:.4g}" if len(unit) == 1 else (
        f"{result.noise_std:.4g} standard deviations")  # fmt: skip
    return (
        f"{result.effective_parameters:.1f} of {len(result.w)} weights determined by the data; "
        f"noise {noise}; log evidence {result.log_evidence:.6g}"
    )


def starts(args: argparse.Namespace, fit: Fit) -> str:
    """Return how the starts ended."""
    runs = [run for run in fit.restarts.runs if run.nit or run.status is not Status.MAX_SECONDS]
    runs = runs or [fit.best]
    what, values = "loss at the end", [run.fun for run in runs]
    if "log_evidence" in fit.best:
        what, values = "log evidence", [run.log_evidence for run in runs]
    elif "validation_losses" in fit.best:
        what = "validation loss"
        values = [min(run.validation_losses, default=np.nan) for run in runs]
    done = f"{len(runs)} of {args.restarts}" if len(runs) < args.restarts else f"{len(runs)}"
    spread = f"{min(values):.4g} to {max(values):.4g}, median {np.median(values):.4g}"
    if len(runs) == 1:
        spread = f"{values[0]:.4g}"
    return f"{done}, number {fit.place + 1} kept; {what} {spread}"


def _numbers(
    args: argparse.Namespace, data: TrainingData, model: Model, fit: Fit, F: np.ndarray
) -> tuple[str, list[str]]:
    """Return the table of errors, and what they suggest."""
    robust = fit.loss.scale is not None
    measures: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
        "RMSE": rmse, "R2": r2}  # fmt: skip
    if robust:
        measures = {"median abs. error": median_error, **measures}
    found = {
        part: {name: measure(data.Y[rows], F[rows]) for name, measure in measures.items()}
        for part, rows in data.rows.items()
        if len(rows)
    }
    if "test" in found:
        for part, scores in found.items():
            rows = data.rows[part]
            scores["R"] = correlation(data.Y[rows], F[rows])
    hint = report.overfitting(
        data.targets,
        found,
        model.y_scale,
        weights=model.net.n_weights,
        residuals=data.Y[data.rows["train"]].size,
        l2=fit.l2,
        ways=ways(args, fit),
    )
    held = found["validation"]["R2"] if "validation" in found else None
    far = [] if robust else [
        hint_of_outliers(data.targets, data.Y, held), hint_of_far_inputs(data.inputs, data.X)
    ]  # fmt: skip
    return report.scores(data.targets, found), [*far, hint, _binary(data), _constant(data)]


def ways(args: argparse.Namespace, fit: Fit) -> list[str]:
    """Return what else may be done against overfitting, where the penalty was chosen already."""
    if not fit.chosen and args.patience is None:
        return []
    found = ["--restarts 5"] if args.restarts == 1 and args.warm_start is None else []
    found.append("fewer units (--hidden)")
    return found if args.patience is not None or args.bayesian else [*found, "--patience 10"]


def _constant(data: TrainingData) -> str:
    """Return that a target does not vary."""
    for name, values in zip(data.targets, data.Y.T, strict=True):
        if (values == values[0]).all():
            return (
                f"{report.shorten(name, 30)} is {values[0]:.6g} in all rows: there is nothing to "
                "learn, and R2 is not defined"
            )
    return ""


def _binary(data: TrainingData) -> str:
    for name, values in zip(data.targets, data.Y.T, strict=True):
        if len(values) > 2 and set(np.unique(values).tolist()) == {0.0, 1.0}:
            return binary(name)
    return ""


def binary(name: str) -> str:
    """Return that a target may be one of classes."""
    return (
        f"{report.shorten(name, 30)} is 0 or 1 in all rows: --task classification fits "
        "the probability of 1 instead of the number"
    )


def _classes(
    args: argparse.Namespace, data: TrainingData, model: Model, fit: Fit, F: np.ndarray
) -> tuple[str, list[str]]:
    """Return the table of accuracies, and what they suggest."""
    classes, numbers = data.classes, data.numbers
    assert classes is not None
    assert numbers is not None
    logarithms, told = classes.logarithms(F), classes.indices(F)
    often = np.bincount(numbers[data.rows["train"]]).argmax()  # always told: the baseline
    found = {
        part: (
            len(rows),
            float(np.mean(told[rows] == numbers[rows])),
            float(-logarithms[rows, numbers[rows]].mean()),
            float(np.mean(numbers[rows] == often)),
        )
        for part, rows in data.rows.items()
        if len(rows)
    }
    table, hints = class_table(found, fit.l2)
    return table, [hint_of_far_inputs(data.inputs, data.X), *hints]


def class_table(
    found: Mapping[str, tuple[int, float, float, float]], l2: float
) -> tuple[str, list[str]]:
    """Return a table of rows, accuracy, log-loss and baseline of each part, and a hint of them."""
    lines = [f"{'part':<14}{'rows':>8}{'accuracy':>11}{'log-loss':>11}{'baseline':>11}"]
    lines += [
        f"{part:<14}{n:>8}{right:>11.4f}{loss:>11.5g}{base:>11.4f}"
        for part, (n, right, loss, base) in found.items()
    ]
    hint, train = "", found["train"][2]
    if "validation" in found and found["validation"][2] > 1.5 * train + 0.1:
        hint = (
            f"validation log-loss is {found['validation'][2]:.3g}, training log-loss "
            f"{train:.3g} (overfitting); {report.penalties(l2)}"
        )
    return "\n".join(lines), [hint]


def network_text(net: MLP) -> str:
    """Return sizes and activations."""
    names = [a.name for a in net.activations[:-1]]
    return (
        f"{'-'.join(map(str, net.sizes))}, {', '.join(names if len(set(names)) > 1 else names[:1])}"
    )
