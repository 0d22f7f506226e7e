"""Compile the kernels; all metadata is in pyproject.toml."""

import sys
from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, setup

CORE = "ggn/_core"

if sys.platform == "win32":
    flags = ["/O2"]
else:
    # No trapping math and no errno let the compiler vectorise selections and sqrt;
    # -ffast-math would change results, and at link time the whole process's rounding.
    flags = ["-O3", "-fno-math-errno", "-fno-trapping-math"]


def extension(name, *c_sources):
    """One compiled module and the C files it is linked with."""
    return Extension(
        f"ggn._core.{name}",
        [f"{CORE}/{name}.pyx", *(f"{CORE}/{c}" for c in c_sources)],
        include_dirs=[CORE],
        depends=glob(f"{CORE}/*.h"),
        extra_compile_args=flags,
    )


setup(
    ext_modules=cythonize(
        [
            extension("sweep", "rows.c", "activation_loops.c"),
            extension("normal", "rows.c", "pair_products.c"),
            extension("scatter"),
            extension("kernel"),
            extension("matmul", "small_products.c"),
            extension("directional", "rows.c"),
            extension("solve", "small_factor.c"),
            extension("point", "loss_loops.c"),
            extension("squares_door", "loss_loops.c"),
            extension("trial"),
            extension("descent"),
            extension("layout", "activation_loops.c", "loss_loops.c"),
            extension("matrix_door"),
            extension("ridge"),
            extension("initial", "activation_loops.c", "loss_loops.c"),
            extension("data_door", "column_loops.c", "activation_loops.c"),
            extension("output_layer"),
            extension("statespace"),
            extension("statespace_along"),
            extension("statespace_door"),
            extension("recursion", "recursion_loops.c", "rows.c", "activation_loops.c"),
            extension("recursion_door", "recursion_loops.c"),
            extension("door", "activation_loops.c"),
        ],
        compiler_directives={
            "language_level": "3",
            "boundscheck": False,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
            "autotestdict": False,
            "freethreading_compatible": True,
        },
    )
)
