"""`python -m benchmarks`: every table, at one and two BLAS threads.

python -m benchmarks                 all (about ten minutes)
python -m benchmarks kernels         assemblies, iterations, activations
python -m benchmarks grid            forms and plans over a grid of shapes
python -m benchmarks many [FITS]     many small fits, against joblib
python -m benchmarks peers [...]     time to a target loss; see --help
python -m benchmarks estimators FOLDER   test errors beside scikit-learn's own
"""

from __future__ import annotations

import os
import subprocess
import sys

KERNELS = ("assembly", "iteration", "activations")


def run(module: str, threads: int, *more: str) -> None:
    """Run one module's main in a process of its own, with so many threads."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    print(f"\n=== {module}, {threads} BLAS thread{'s' * (threads > 1)}", flush=True)
    environment = {**os.environ, **dict.fromkeys(names, str(threads))}
    subprocess.run([sys.executable, "-m", f"benchmarks.{module}", *more], env=environment)


def main(words: list[str]) -> None:
    """Run what was asked for."""
    what, more = (words[0], words[1:]) if words else ("all", [])
    if what not in ("all", "kernels", "grid", "many", "peers", "estimators"):
        sys.exit(__doc__)
    for threads in (1, 2):
        if what in ("all", "kernels"):
            for module in KERNELS:
                run(module, threads)
    if what in ("all", "grid"):
        run("grid", 1)
    if what in ("all", "many"):
        run("many", 1, *more)
    if what in ("all", "peers"):
        run("time_to_target", 1, *more)
    if what in ("all", "estimators"):
        run("estimators", 1, *more)


if __name__ == "__main__":
    main(sys.argv[1:])
