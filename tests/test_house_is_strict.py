"""A breach of each rule, seeded into a copy of the house, turns that rule red."""

import functools
from pathlib import Path

import house
import pytest
from source_tree import Tree

import ggn

PACKAGE = Tree(Path(ggn.__file__).parent)


class Copy:
    """The package's source in a folder of its own, to be spoilt."""

    def __init__(self, root):
        self.root = root
        for path, text in PACKAGE.text.items():
            self.write(PACKAGE.label(path), text)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def append(self, name, text):
        self.write(name, (self.root / name).read_text(encoding="utf-8") + text)

    def replace(self, name, old, new):
        text = (self.root / name).read_text(encoding="utf-8")
        assert text.count(old) >= 1, f"{name} has no {old!r} to spoil"
        self.write(name, text.replace(old, new, 1))


def breaches(tree):
    return {rule.__name__: set(rule(tree)) for rule in house.RULES}


@functools.cache
def known():
    return breaches(PACKAGE)


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path / "ggn")


def test_an_unspoilt_copy_keeps_the_rules_that_the_house_keeps(copy):
    assert breaches(Tree(copy.root)) == known()


# name of the seed: (what is done to the copy, the rule that must see it, words of its sentence)
SEEDS = {
    "a_long_pxi_that_names_blas": (
        lambda c: (
            c.write(
                "_core/hidden.pxi",
                "from scipy.linalg.cython_blas cimport dgemm\n" + "# filler\n" * 497,
            ),
            c.append("_core/door.pyx", '\ninclude "hidden.pxi"\n'),
        ),
        {
            "short_files": "498 lines",
            "blas_has_one_entrance": "_core/hidden.pxi",
            "known_kinds": "_core/hidden.pxi",
            "plain_imports": "_core/door.pyx: an include",
        },
    ),
    "import_module_of_a_room_above": (
        lambda c: c.append(
            "network/architecture.py",
            '\nimport importlib\n\ncli = importlib.import_module("ggn.command.cli")\n',
        ),
        {"imports_are_statements": "network/architecture.py"},
    ),
    "import_module_by_a_name_put_together": (
        lambda c: c.append(
            "network/architecture.py",
            '\nfrom importlib import import_module\n\ncli = import_module(f"ggn.{__name__}")\n',
        ),
        {"imports_are_statements": "network/architecture.py"},
    ),
    "import_module_by_a_variable": (
        lambda c: c.append(
            "io/files.py",
            "\nimport importlib\n\n\ndef load(name):\n    return importlib.import_module(name)\n",
        ),
        {"imports_are_statements": "io/files.py"},
    ),
    "import_module_under_another_name": (
        lambda c: c.append(
            "io/files.py", '\nfrom importlib import import_module as get\n\nget("ggn.command")\n'
        ),
        {"imports_are_statements": "io/files.py"},
    ),
    "import_module_of_what_is_no_extra": (
        lambda c: c.replace("__init__.py", '("dask",', '("command", "dask",'),
        {"imports_are_statements": "'command' is not an extra"},
    ),
    "name_in_the_face_owned_above_it": (
        lambda c: c.replace("__init__.py", '"narx": "ggn.recurrent"', '"main": "ggn.command"'),
        {"imports_are_statements": "'ggn.command' is not below the face"},
    ),
    "import_module_in_the_face_but_outside_getattr": (
        lambda c: c.append("__init__.py", '\nimportlib.import_module("ggn.command")\n'),
        {"imports_are_statements": "__init__.py"},
    ),
    "dunder_import": (
        lambda c: c.append("losses/base.py", '\nsurface = __import__("ggn.surface")\n'),
        {"imports_are_statements": "losses/base.py"},
    ),
    "modules_of_another_package": (
        lambda c: c.append("network/__init__.py", '\nclasses_of("ggn.command", object)\n'),
        {"imports_are_statements": "network/__init__.py"},
    ),
    "modules_of_a_package_asked_for_in_a_module": (
        lambda c: c.append("losses/base.py", "\nclasses_of(__name__, object)\n"),
        {"imports_are_statements": "losses/base.py"},
    ),
    "modules_of_a_package_under_another_name": (
        lambda c: c.replace("steps/__init__.py", "import classes_of", "import classes_of as of"),
        {"imports_are_statements": "steps/__init__.py"},
    ),
    "the_registry_imports_a_room": (
        lambda c: c.replace(
            "validation/__init__.py", '(f"{package}.{file.name}")', '("ggn.command")'
        ),
        {"imports_are_statements": "validation/__init__.py"},
    ),
    "sys_modules": (
        lambda c: c.append("losses/base.py", '\nimport sys\n\nsys.modules["ggn.command"]\n'),
        {"imports_are_statements": "losses/base.py"},
    ),
    "exec": (
        lambda c: c.append("losses/base.py", '\nexec("import ggn.command")\n'),
        {"imports_are_statements": "losses/base.py"},
    ),
    "a_circle_of_two_modules_of_a_package": (
        lambda c: (
            c.write("surface/a.py", "from ggn.surface.b import g\n"),
            c.write("surface/b.py", "def g():\n    from ggn.surface import a\n"),
        ),
        {"no_circles": "ggn.surface.a, ggn.surface.b"},
    ),
    "a_circle_of_three_modules_for_type_checkers": (
        lambda c: (
            c.write("surface/a.py", "import ggn.surface.b\n"),
            c.write("surface/b.py", "from ggn.surface import c_\n"),
            c.write(
                "surface/c_.py",
                "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n"
                "    from ggn.surface.a import x\n",
            ),
        ),
        {"no_circles": "ggn.surface.a, ggn.surface.b, ggn.surface.c_"},
    ),
    "a_module_that_imports_its_own_face": (
        lambda c: c.append("losses/residual.py", "\nfrom ggn.losses import resolve\n"),
        {"no_circles": "ggn.losses, ggn.losses.residual"},
    ),
    "the_face_imports_the_command_line": (
        lambda c: c.replace(
            "__init__.py",
            "from ggn.fit.train",
            "from ggn.command import cli\nfrom ggn.fit.train",
        ),
        {"imports_point_down": "may not import command"},
    ),
    "the_face_imports_an_extra": (
        lambda c: c.replace("__init__.py", "from ggn import ", "from ggn import plot, "),
        {"imports_point_down": "may not import plot"},
    ),
    "the_face_imports_an_unknown_room": (
        lambda c: (
            c.write("cellar.py", ""),
            c.replace("__init__.py", "from ggn.fit.train", "import ggn.cellar\nfrom ggn.fit.bayes"),
        ),
        {"imports_point_down": "may not import cellar"},
    ),
    "the_face_imports_out_of_order": (
        lambda c: (
            c.replace("__init__.py", "from ggn.losses import Loss\n", ""),
            c.replace(
                "__init__.py",
                "from ggn.activations",
                "from ggn.losses import Loss\nfrom ggn.activations",
            ),
        ),
        {"tidy_faces": "not sorted by module"},
    ),
    "the_face_offers_out_of_order": (
        lambda c: c.replace(
            "__init__.py", '    "MLP",\n    "Activation",', '    "Activation",\n    "MLP",'
        ),
        {"tidy_faces": "__all__ is not sorted"},
    ),
    "a_face_offers_what_it_has_not": (
        lambda c: c.replace("io/__init__.py", '"Model"]', '"Model", "tables"]'),
        {"tidy_faces": "__all__ has tables"},
    ),
    "a_function_that_hides_a_module": (
        lambda c: c.append("losses/__init__.py", "\n\ndef residual():\n    pass\n"),
        {"modules_stay_visible": "ggn.losses.residual"},
    ),
    "an_upward_import": (
        lambda c: c.append("activations/__init__.py", "\nfrom ggn.losses.base import Loss\n"),
        {"imports_point_down": "activations may not import losses"},
    ),
    "an_upward_import_in_a_function": (
        lambda c: c.append("steps/base.py", "\n\ndef f():\n    import ggn.surface.rank\n"),
        {"imports_point_down": "steps may not import surface"},
    ),
    "an_upward_import_for_type_checkers": (
        lambda c: c.append(
            "steps/base.py",
            "\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n"
            "    from ggn.fit.run import Run\n",
        ),
        {"imports_point_down": "steps may not import fit"},
    ),
    "an_upward_import_in_a_stub": (
        lambda c: c.append("_core/door.pyi", "\nfrom ggn.network import MLP\n"),
        {"imports_point_down": "_core may not import network"},
    ),
    "a_room_that_imports_ggn_itself": (
        lambda c: c.append("io/table.py", "\nimport ggn\n"),
        {"imports_point_down": "io may not import ggn itself"},
    ),
    "a_room_that_imports_a_kernel": (
        lambda c: c.append("losses/base.py", "\nfrom ggn._core import matmul\n"),
        {"imports_point_down": "losses may not import _core.matmul"},
    ),
    "a_room_that_goes_round_the_face": (
        lambda c: c.append("losses/base.py", "\nfrom ggn._core.door import metric\n"),
        {"imports_point_down": "losses may not import _core.door"},
    ),
    "the_machine_imports_a_kernel": (
        lambda c: c.append("_core/machine.py", "\nimport ggn._core.matmul\n"),
        {"imports_point_down": "_core may not import _core.matmul"},
    ),
    "the_face_of_compiled_code_imports_a_kernel": (
        lambda c: c.append("_core/__init__.py", "\nfrom ggn._core.matmul import SIMD\n"),
        {"imports_point_down": "_core may not import _core.matmul"},
    ),
    "a_kernel_as_an_attribute": (
        lambda c: c.append("losses/base.py", "\nfrom ggn import _core\n\n_core.matmul\n"),
        {"compiled_code_stays_behind_the_door": "_core.matmul is a module of compiled code"},
    ),
    "a_function_of_the_door_that_hides_a_kernel": (
        lambda c: c.replace("_core/__init__.py", "    descend,\n", "    descent,\n"),
        {"modules_stay_visible": "descent hides the module ggn._core.descent"},
    ),
    "a_relative_import": (
        lambda c: c.append("steps/base.py", "\nfrom ..fit import run\n"),
        {"plain_imports": "a relative import"},
    ),
    "a_star_import": (
        lambda c: c.append("fit/run.py", "\nfrom numpy import *\n"),
        {"plain_imports": "fit/run.py"},
    ),
    "a_star_cimport": (
        lambda c: c.append("_core/solve.pyx", "\nfrom ggn._core.matmul cimport *\n"),
        {"plain_imports": "_core/solve.pyx"},
    ),
    "a_room_too_many": (
        lambda c: [c.write(f"attic{i}.py", "") for i in range(house.MOST_ROOMS)],
        {"few_rooms": "more than", "imports_point_down": "attic0 has no place in the order"},
    ),
    "an_unknown_kind_of_file": (
        lambda c: c.write("surface/table.f90", "end\n"),
        {"known_kinds": "surface/table.f90"},
    ),
    "a_short_pxi": (
        lambda c: c.write("_core/part.pxi", ""),
        {"known_kinds": "_core/part.pxi"},
    ),
    "a_part_of_the_door_under_another_name": (
        lambda c: (
            c.write("_core/part.pxd", "cdef int x = 1\n"),
            c.append("_core/door.pyx", "\ninclude 'part.pxd'\n"),
        ),
        {"plain_imports": "_core/door.pyx: an include"},
    ),
    "a_memoryview_in_a_kernel": (
        lambda c: c.append(
            "_core/solve.pyx", "\ncdef void f(double[:, ::1] A) noexcept nogil:\n    pass\n"
        ),
        {"compiled_code_stays_behind_the_door": "a memoryview"},
    ),
    "a_kernel_that_includes_another": (
        lambda c: c.append("_core/matmul.pyx", '\nif True:\n    include "sweep.pyx"\n'),
        {"plain_imports": "_core/matmul.pyx: an include"},
    ),
    "an_include_from_outside": (
        lambda c: c.append("_core/rows.c", '\n#include "../../secret.h"\n'),
        {"plain_imports": "secret.h"},
    ),
    "numpy_in_a_kernel": (
        lambda c: c.append("_core/solve.pyx", "\nimport numpy as np\n"),
        {"compiled_code_stays_behind_the_door": "imports numpy"},
    ),
    "a_kernel_that_needs_the_gil": (
        lambda c: c.append("_core/solve.pyx", "\ncdef double f(double x):\n    return x\n"),
        {"compiled_code_stays_behind_the_door": "a kernel that may raise or needs the GIL"},
    ),
    "a_kernel_with_a_function_of_python_s": (
        lambda c: c.append("_core/solve.pyx", "\ndef f():\n    pass\n"),
        {"compiled_code_stays_behind_the_door": "a function of Python's"},
    ),
    "compiled_code_in_another_room": (
        lambda c: c.write("surface/fast.pyx", "cdef int x = 1\n"),
        {"compiled_code_stays_behind_the_door": "surface/fast.pyx"},
    ),
    "a_kernel_that_imports_a_room": (
        lambda c: c.append("_core/solve.pyx", "\nfrom ggn._core.machine import memory\n"),
        {"imports_point_down": "compiled code may not import _core"},
    ),
    "a_kernel_that_imports_another_room": (
        lambda c: c.append("_core/solve.pyx", "\nfrom ggn.losses import Loss\n"),
        {"imports_point_down": "compiled code may not import losses"},
    ),
    "a_circle_of_kernels": (
        lambda c: c.append("_core/matmul.pyx", "\nfrom ggn._core.sweep cimport Net\n"),
        {"no_circles": "ggn._core.matmul, ggn._core.sweep"},
    ),
    "a_circle_of_kernels_over_several_lines": (
        lambda c: c.append("_core/matmul.pyx", "\nfrom ggn._core cimport (\n    sweep,\n)\n"),
        {"no_circles": "ggn._core.matmul, ggn._core.sweep"},
    ),
    "a_circle_of_c_files": (
        lambda c: c.append("_core/simd.h", '\n#include "rows.h"\n#include "simd.h"\n'),
        {"no_circles": "_core/simd.h"},
    ),
    "an_overlong_c_file": (
        lambda c: c.append("_core/rows.c", "/* more */\n" * house.MOST_LINES),
        {"short_files": "_core/rows.c"},
    ),
    "an_overlong_c_file_beside_a_pyx_of_its_name": (
        lambda c: c.write("_core/solve.c", "int x;\n" * (house.MOST_LINES + 1)),
        {"short_files": "_core/solve.c"},
    ),
    "fortran_called_from_c": (
        lambda c: c.append("_core/rows.c", "\nextern void dgemm_(char *, char *);\n"),
        {"blas_has_one_entrance": "_core/rows.c"},
    ),
    "fortran_declared_by_a_kernel": (
        lambda c: c.append("_core/solve.pyx", "\ncdef extern void dpotrf_(char *) nogil\n"),
        {"blas_has_one_entrance": "_core/solve.pyx"},
    ),
}


@pytest.mark.parametrize("name", SEEDS)
def test_a_seeded_breach_is_seen(copy, name):
    spoil, seen_by = SEEDS[name]
    spoil(copy)
    tree = Tree(copy.root)
    for rule, words in seen_by.items():
        new = set(getattr(house, rule)(tree)) - known()[rule]
        assert any(words in sentence for sentence in new), f"{rule} is blind to it: {new}"


def test_every_rule_has_a_seed():
    assert {rule for _, seen_by in SEEDS.values() for rule in seen_by} == {
        rule.__name__ for rule in house.RULES
    }
