"""Seconds to a target loss, from the same start, of ggn and of what people use instead of it.

    python -m benchmarks.time_to_target --data FOLDER

Every run is float64, on all samples, in this process, and ends at the target or the time limit;
`peers.py` says what each peer does, `peer_problems.py` what the problems are.  Before a peer is
timed on a problem it runs 0.3 s to warm up, and the loss it computes at the start must be ggn's.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peer_problems import Problem, Run, load
from benchmarks.peers import PEERS

PACKAGES = ["numpy", "scipy", "jax", "torch", "torch-levenberg-marquardt", "scikit-learn"]
Rows = list[dict[str, Any]]


def measure(
    problems: list[Problem], names: list[str], seeds: Sequence[int], limit: float
) -> tuple[Rows, list[str]]:
    """Run every peer on every problem from every seed; return the runs, and who was skipped."""
    rows: Rows = []
    skipped: dict[str, None] = {}
    for problem in problems:
        settings = {name: PEERS[name][1] for name in names}
        for seed in seeds:
            for name in names:
                try:
                    if seed == seeds[0]:
                        checked(problem, name, settings[name][0], seed, 0.0, 0.3)
                    tried = [
                        (checked(problem, name, s, seed, problem.target, limit), s)
                        for s in settings[name]
                    ]
                except ImportError as error:
                    skipped[f"{name}: {error}"] = None
                    continue
                run, best = min(tried, key=lambda pair: rank(pair[0]))
                settings[name] = [best]  # the other seeds use what was best on the first
                rows.append(
                    {"problem": problem.label, "target": problem.target, "peer": name,
                     "seed": seed, "setting": best, **asdict(run)}
                )  # fmt: skip
                took = f"{run.seconds:.3g} s" if run.seconds is not None else "missed"
                line = f"{problem.name}, seed {seed}, {name}: {took}, loss {run.best:.2e}"
                print(f"{line}, {run.iterations} iterations", file=sys.stderr, flush=True)
    return rows, list(skipped)


def checked(
    problem: Problem, name: str, setting: Any, seed: int, target: float, limit: float
) -> Run:
    """Run one peer, and insist that its loss at the start is ggn's."""
    w0 = problem.start(seed)
    expected = problem.reference_loss(w0)
    run = PEERS[name][0](problem, w0, target, limit, setting)
    if not abs(run.first - expected) <= 1e-10 * max(1.0, expected):
        raise AssertionError(f"{name} on {problem.name}: loss {run.first!r}, ggn's {expected!r}")
    return run


def rank(run: Run) -> tuple[float, float]:
    return (math.inf if run.seconds is None else run.seconds), run.best


def median_seconds(rows: Rows) -> float:
    """Return the median over seeds; a run that missed the target took for ever."""
    return statistics.median([math.inf if r["seconds"] is None else r["seconds"] for r in rows])


def seconds_cell(rows: Rows, _: Rows, limit: float) -> str:
    middle = median_seconds(rows)
    if math.isinf(middle):
        best = statistics.median([r["best"] for r in rows])
        missed = [r for r in rows if r["seconds"] is None]
        gave_up = all(r["elapsed"] < limit for r in missed)
        return f"{'stuck' if gave_up else f'> {limit:g}'} ({best:.1e})"
    reached = sum(r["seconds"] is not None for r in rows)
    return f"{middle:.2g}" + (f" ({reached} of {len(rows)})" if reached < len(rows) else "")


def ratio_cell(rows: Rows, ours: Rows, limit: float) -> str:
    mine, theirs = median_seconds(ours) if ours else math.inf, median_seconds(rows)
    if math.isinf(mine):
        return "-"
    if math.isfinite(theirs):
        return f"{theirs / mine:.2g}"
    return f"> {max(r['elapsed'] for r in rows) / mine:.2g}"


def pace_cell(rows: Rows, _: Rows, limit: float) -> str:
    each = statistics.median([1e3 * r["elapsed"] / max(r["iterations"], 1) for r in rows])
    return f"{statistics.median([r['iterations'] for r in rows]):g} x {each:.2g}"


def grid(results: dict[str, Any], cell: Callable[[Rows, Rows, float], str], markdown: bool) -> str:
    """Return a table with a row per problem and a column per peer."""
    rows: Rows = results["runs"]
    peers = [n for n in PEERS if any(r["peer"] == n for r in rows)]
    lines = [["problem", "target", *peers]]
    for label in dict.fromkeys(r["problem"] for r in rows):
        here = [r for r in rows if r["problem"] == label]
        parts = {n: [r for r in here if r["peer"] == n] for n in peers}
        cells = [
            cell(p, parts.get("ggn", []), results["limit"]) if p else "" for p in parts.values()
        ]
        lines.append([label, f"{here[0]['target']:g}", *cells])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    bar, edge = ("|", "| ") if markdown else ("", "")
    text = [
        edge + f" {bar} ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + f" {bar}"
        for line in lines
    ]
    if markdown:
        text.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(line.rstrip() for line in text)


def table(results: dict[str, Any], markdown: bool = False) -> str:
    """Return the tables of times, ratios and iterations, and under what conditions they are."""
    seeds = len(results["seeds"])
    titles = {
        f"Seconds to the target, median of {seeds} starts (missed: best loss)": seconds_cell,
        "Times ggn's": ratio_cell,
        "Iterations (or evaluations, for L-BFGS) x milliseconds each": pace_cell,
    }
    parts = [f"{title}\n\n{grid(results, cell, markdown)}" for title, cell in titles.items()]
    compiled = {
        r["problem"]: r["extra"]["compile_seconds"]
        for r in results["runs"]
        if "compile_seconds" in r["extra"]
    }
    notes = [f"{key}: {value}" for key, value in results["conditions"].items()]
    if compiled:
        notes.append(
            f"JAX compiled {statistics.median(compiled.values()):.2g} s a problem, not counted"
        )
    several = [f"{name} {len(tried)}" for name, (_, tried) in PEERS.items() if len(tried) > 1]
    notes.append(
        f"settings tried on the first start, the best kept: {', '.join(several)}; others 1"
    )
    notes += [f"skipped: {reason}" for reason in results["skipped"]]
    return "\n\n".join([*parts, "\n".join(f"* {n}" if markdown else n for n in notes)])


def conditions(threads: int) -> dict[str, str]:
    """Return the machine, the threads, the versions and the date."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    versions = [f"ggn {importlib.import_module('ggn').__version__}"]
    for package in PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    return {
        "machine": f"{cpu}, {os.cpu_count()} cores, {platform.system()}",
        "threads": f"{threads} (NumPy's BLAS: {blas})",
        "versions": f"Python {platform.python_version()}, {', '.join(versions)}",
        "date": datetime.date.today().isoformat(),
    }


def environment(threads: int) -> dict[str, str]:
    """Return what sets the threads of OpenBLAS, MKL, OpenMP (torch) and XLA."""
    flags = f"--xla_cpu_multi_thread_eigen={str(threads > 1).lower()}"
    names = ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"]
    return {
        **dict.fromkeys(names, str(threads)),
        "XLA_FLAGS": f"{flags} intra_op_parallelism_threads={threads}",
    }


def main(argv: Sequence[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = argparse.ArgumentParser(prog="time_to_target", description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="folder of yacht.csv, concrete.csv, airfoil.csv")
    parser.add_argument("--quick", action="store_true", help="1 seed, 5 s a run")
    parser.add_argument("--limit", type=float, help="seconds a run (default: 30)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--problems", help="names, separated by commas (default: all)")
    parser.add_argument("--peers", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--json", metavar="FILE", help="write every run to FILE")
    args = parser.parse_args(argv)
    wanted = environment(args.threads)
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        # libraries read these when they are loaded, so a new process has to
        root = str(Path(__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        command = [sys.executable, "-m", "benchmarks.time_to_target", *argv]
        return subprocess.run(
            command, env={**os.environ, **wanted, "PYTHONPATH": path}, check=False
        ).returncode

    problems, skipped = load(args.data)
    if args.problems:
        problems = [p for p in problems if p.name in args.problems.split(",")]
    names = args.peers.split(",") if args.peers else list(PEERS)
    if not problems or not set(names) <= set(PEERS):
        parser.error(f"--problems and --peers must name known ones, of {', '.join(PEERS)}")
    limit = args.limit or (5.0 if args.quick else 30.0)
    seeds = range(1 if args.quick else 3)
    runs, absent = measure(problems, names, seeds, limit)
    results = {
        "conditions": conditions(args.threads), "limit": limit, "seeds": list(seeds),
        "skipped": [*skipped, *absent], "runs": runs,
    }  # fmt: skip
    print(table(results, args.markdown))
    if args.json:
        Path(args.json).write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
