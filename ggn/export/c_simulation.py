"""The loop in C that runs a model of lags freely."""

from __future__ import annotations

from collections.abc import Sequence

from ggn.recurrent import Lags

__all__ = ["simulation"]


def simulation(lags: Lags, prefix: str) -> str:
    """Return the definition of ``void prefix_simulate(int samples, const double *u, double *y)``.

    y (samples, n_y) has the measured outputs in its first `lags.depth` rows, and gets the run.
    """
    nu, ny, f = len(lags.inputs), len(lags.outputs), len(lags.feeds)
    lines = [
        f"/* A free run: y (samples x {ny}) has measured outputs in the first {lags.depth} rows;",
        f" * the others are written; u (samples x {nu}) is the input. */",
        f"void {prefix}_simulate(int samples, const double *u, double *y)",
        "{",
        *_table("outputs", lags.feeds),
        *_table("inputs", lags.taps),
        f"    double x[{lags.n}];",
        *([] if lags.taps else ["    (void)u;"]),
        f"    for (int k = {lags.depth}; k < samples; k++) {{",
    ]
    for count, first, table, source, columns in (
        (f, 0, "outputs", "y", ny),
        (len(lags.taps), f, "inputs", "u", nu),
    ):
        if count:
            place = f"x[{first} + a]" if first else "x[a]"
            lines += [
                f"        for (int a = 0; a < {count}; a++)",
                f"            {place} = {source}[(k - {table}[a][1]) * {columns} + {table}[a][0]];",
            ]
    return "\n".join([*lines, f"        {prefix}_predict(x, y + k * {ny});", "    }", "}", ""])


def _table(name: str, pairs: Sequence[tuple[int, int]]) -> list[str]:
    """Return columns and lags as a table in C, if there are any."""
    if not pairs:
        return []
    each = ", ".join(f"{{{column}, {lag}}}" for column, lag in pairs)
    return [f"    static const int {name}[{len(pairs)}][2] = {{{each}}}; /* column, lag */"]
