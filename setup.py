"""Compile the kernels; all metadata is in pyproject.toml."""

import sys
from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, setup

if sys.platform == "win32":
    flags = ["/O2"]
else:
    # No trapping math and no errno let the compiler vectorise selections and sqrt;
    # -ffast-math would change results, and at link time the whole process's rounding.
    flags = ["-O3", "-fno-math-errno", "-fno-trapping-math"]


def extension(name, *c_sources):
    """One compiled module and the C files it is linked with."""
    return Extension(
        f"ggn.{name}",
        [f"ggn/{name.replace('.', '/')}.pyx", *(f"ggn/_kernels/{c}" for c in c_sources)],
        include_dirs=["ggn/_kernels"],
        depends=glob("ggn/_kernels/*.h"),
        extra_compile_args=flags,
    )


setup(
    ext_modules=cythonize(
        [
            extension("_kernels.sweep", "rows.c", "activation_loops.c"),
            extension("_kernels.normal", "rows.c", "pair_products.c"),
            extension("_kernels.kernel"),
            extension("_kernels.matmul", "small_products.c"),
            extension("_kernels.directional", "rows.c"),
            extension("_kernels.solve"),
            extension("_kernels.point", "loss_loops.c"),
            extension("_kernels.descent"),
            extension("_kernels.layout", "activation_loops.c", "loss_loops.c"),
            extension("_kernels.matrix_door"),
            extension("_kernels.output_layer"),
            extension("_kernels.statespace"),
            extension("_kernels.statespace_along"),
            extension("_kernels.statespace_door"),
            extension("_kernels.recursion", "recursion_loops.c", "rows.c", "activation_loops.c"),
            extension("_kernels.recursion_door", "recursion_loops.c"),
            extension("_core", "activation_loops.c"),
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
