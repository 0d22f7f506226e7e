"""One iteration: Gauss-Newton against backpropagation, and against the same in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import ggn
from benchmarks.assembly import machine
from benchmarks.timing import medians
from ggn import damping, steps
from ggn.fit import compiled
from ggn.linearization import Linearization, Objective


def numpy_gradient(
    Ws: list[np.ndarray], X: np.ndarray, Y: np.ndarray
) -> tuple[float, list[np.ndarray]]:
    """Return mean squared loss and gradients of a tanh network, as one writes it in NumPy."""
    T = len(X)
    A = [X]
    for i, W in enumerate(Ws):
        Z = A[-1] @ W[:-1] + W[-1]
        A.append(np.tanh(Z) if i < len(Ws) - 1 else Z)
    delta = 2.0 * (A[-1] - Y) / T
    grads = [np.empty(0)] * len(Ws)
    for i in range(len(Ws) - 1, -1, -1):
        grads[i] = np.vstack([A[i].T @ delta, delta.sum(axis=0)])
        if i > 0:
            delta = (delta @ Ws[i][:-1].T) * (1.0 - A[i] ** 2)
    return float(np.sum((A[-1] - Y) ** 2)) / T, grads


def torch_gradient(Ws: list[np.ndarray], X: np.ndarray, Y: np.ndarray):
    """Return a function that does one full-batch gradient step's work in PyTorch, or None."""
    try:
        import torch
    except ImportError:
        return None
    layers: list[torch.nn.Module] = []
    for i, W in enumerate(Ws):
        linear = torch.nn.Linear(len(W) - 1, W.shape[1], dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(W[:-1].T.copy()))
            linear.bias.copy_(torch.tensor(W[-1].copy()))
        layers += [linear] + ([torch.nn.Tanh()] if i < len(Ws) - 1 else [])
    model = torch.nn.Sequential(*layers)
    x, y = torch.tensor(X), torch.tensor(Y)

    def step() -> None:
        model.zero_grad()
        loss = ((model(x) - y) ** 2).sum(1).mean()
        loss.backward()

    return step


def backpropagation(sizes: tuple[int, ...], T: int) -> dict[str, float]:
    """Return seconds of one BP iteration, one LM iteration, and BP in NumPy and PyTorch."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(T, sizes[0])), rng.normal(size=(T, sizes[-1]))
    net = ggn.MLP(sizes)
    w = net.initial_weights(0, "fan_in")
    data, Ws = Objective(net, X, Y), [np.ascontiguousarray(W) for W in net.unpack(w)]
    metric = damping.LevenbergMarquardt().metric(data)
    primal = steps.Primal()

    def bp() -> None:
        w - 0.01 * Linearization(data, w).gradient

    def lm() -> None:
        at = Linearization(data, w, 0.0)
        prepared = primal.prepare(at, metric)
        d = prepared.solve(0.01)
        d = d + 0.5 * prepared.accelerate(d)
        data.value(w - d)

    def plain_lm() -> None:
        prepared = primal.prepare(Linearization(data, w, 0.0), metric)
        data.value(w - prepared.solve(0.01))

    calls = [bp, lm, plain_lm, lambda: numpy_gradient(Ws, X, Y)]
    torch_step = torch_gradient(Ws, X, Y)
    if torch_step is not None:
        calls.append(torch_step)
    names = ["bp", "lm", "lm without acceleration", "bp numpy", "bp torch"]
    return dict(zip(names, medians(*calls, seconds=3.0), strict=False))


def numpy_lm_iteration(net: ggn.MLP, w: np.ndarray, X: np.ndarray, Y: np.ndarray):
    """Return a function doing one LM iteration of F(n0, n, 1), tanh, in plain NumPy."""
    T = len(X)

    def step() -> None:
        W1, W2 = net.unpack(w)
        A = np.tanh(X @ W1[:-1] + W1[-1])
        r = A @ W2[:-1] + W2[-1] - Y
        D = (1.0 - A**2) * W2[:-1].T
        J = np.hstack(
            [
                (D[:, :, None] * np.hstack([X, np.ones((T, 1))])[:, None, :]).reshape(T, -1),
                A,
                np.ones((T, 1)),
            ]
        )
        scale = np.sqrt(np.einsum("ij,ij->j", J, J))
        B = J / scale
        d = (B.T @ np.linalg.solve(B @ B.T + 0.01 * np.eye(T), r[:, 0])) / scale
        v = w - d
        V1, V2 = net.unpack(v)
        float(np.mean((np.tanh(X @ V1[:-1] + V1[-1]) @ V2[:-1] + V2[-1] - Y) ** 2))

    return step


def small() -> dict[str, float]:
    """Return seconds of F(2,20,1), T = 20: an iteration here, by Python's loop, in NumPy; a start.

    An iteration is what a longer run takes more than a shorter one; both are of 5 and 15 steps
    (or as many as there are), from the same weights.
    """
    X, Y = ggn.problems.four_regions(20, rng=0)
    net = ggn.MLP((2, 20, 1))
    w0 = net.initial_weights(0)
    suits = compiled.suits

    def fit(steps: int, python: bool = False, **options: Any) -> Callable[[], object]:
        def run() -> None:
            compiled.suits = (lambda *_: False) if python else suits  # type: ignore[assignment]
            ggn.train(net, X, Y, tol=0.0, max_iter=steps, **options)
            compiled.suits = suits

        return run

    few, more, least, most, plain, start = medians(
        fit(5, w0=w0), fit(15, w0=w0), fit(5, True, w0=w0), fit(15, True, w0=w0),
        numpy_lm_iteration(net, w0, X, Y), fit(0), seconds=5.0,
    )  # fmt: skip
    return {
        "compiled": (more - few) / 10,
        "Python's loop": (most - least) / 10,
        "NumPy": plain,
        "train(max_iter=0)": start,
    }


def main() -> None:
    """Print the figures."""
    print(machine())
    t = backpropagation((2, 10, 10, 4), 1000)
    print("F(2,10,10,4), T = 1000, tanh, microseconds of one iteration:")
    for name, seconds in t.items():
        print(f"  {name:<26}{1e6 * seconds:>9.0f}{seconds / t['bp']:>8.2f} x BP")
    for peer in ("bp numpy", "bp torch"):
        if peer in t:
            print(f"  our BP / {peer}: {t['bp'] / t[peer]:.2f}")
    t = small()
    print("F(2,20,1), T = 20, microseconds of one LM iteration, and of a run without any:")
    for name, seconds in t.items():
        print(f"  {name:<26}{1e6 * seconds:>9.1f}{seconds / t['NumPy']:>8.2f} x NumPy")


if __name__ == "__main__":
    main()
