"""The order of the house: every import points down one list; one door; files of a readable size."""

import ast
import re
from pathlib import Path

import pytest

import ggn

ROOT = Path(ggn.__file__).parent

# A module (or package) may import those before it, and nothing else of ours.
ORDER = [
    "validation", "_core",
    "machine",
    "activations", "losses", "network",
    "linearization",
    "damping", "steps", "fit",
    "products",
    "surface",
    "problems", "io",
    "export",
    "sklearn",
    "plot", "paper",
    "command", "__main__",
]  # fmt: skip
MOST_LINES = 350

MODULES = sorted(p for p in ROOT.rglob("*.py") if p != ROOT / "__init__.py")
CYTHON = sorted([*ROOT.rglob("*.pyx"), *ROOT.rglob("*.pxd")])
STUBS = sorted(ROOT.rglob("*.pyi"))
# a .c file beside a .pyx of its name is Cython's output
C_FILES = sorted(
    p for p in [*ROOT.rglob("*.c"), *ROOT.rglob("*.h")] if not p.with_suffix(".pyx").exists()
)
WRITTEN = [ROOT / "__init__.py", *MODULES, *CYTHON, *STUBS, *C_FILES]


def label(path):
    return path.relative_to(ROOT).as_posix()


def room(path):
    """Return the module or package, one level below ggn, that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path):
    """Yield (module below ggn, line) of everything a Python file imports from ggn."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] == "ggn":
                    yield (parts[1] if len(parts) > 1 else "ggn itself"), node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{label(path)}:{node.lineno}: a relative import"
            parts = (node.module or "").split(".")
            if parts == ["ggn"]:
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif parts[0] == "ggn":
                yield parts[1], node.lineno


def code_of(path):
    """Return a Cython file without comments and docstrings."""
    text = re.sub(r'""".*?"""', '""', path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"#.*", "", text)


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_imports_point_down_the_list(path):
    here = room(path)
    if here == "_kernels":
        assert list(imports(path)) == []
        return
    assert here in ORDER, f"{here} has no place in the order yet"
    for name, line in imports(path):
        assert name in ORDER, f"{label(path)}:{line} imports {name}, not a module of the list"
        assert name == here or ORDER.index(name) < ORDER.index(here), (
            f"{label(path)}:{line}: {here} may not import {name}"
        )


def test_the_list_names_no_ghosts():
    present = {room(path) for path in MODULES} | {"_core"}
    assert set(ORDER) <= present


@pytest.mark.parametrize("path", CYTHON, ids=label)
def test_compiled_code_stays_behind_the_door(path):
    """It imports only kernels of ours; BLAS by one file, memoryviews and Python by the door."""
    code = code_of(path)
    for module in re.findall(r"^\s*(?:from|c?import)\s+(ggn[\w.]*)", code, flags=re.MULTILINE):
        assert module.startswith("ggn._kernels")
    if label(path) == "_core.pyx":
        return
    # double[::1], double[:, ::1], and the like
    assert not re.search(r"\w\s*\[(?:\s*:(?::1)?\s*,)*\s*::?1?\s*\]", code)
    assert "memoryview" not in code
    assert not re.search(r"^\s*def\s", code, flags=re.MULTILINE)
    for signature in re.findall(r"^\s*cdef[^=\n]*?\w+\((?:[^()]*)\)([^\n]*)", code, re.MULTILINE):
        assert "noexcept nogil" in signature, f"a kernel that may raise or needs the GIL: {path}"


@pytest.mark.parametrize("path", [*MODULES, *CYTHON, *STUBS, ROOT / "__init__.py"], ids=label)
def test_blas_has_one_entrance(path):
    names = set(re.findall(r"cython_(?:blas|lapack)", path.read_text(encoding="utf-8")))
    assert bool(names) == (label(path) == "_kernels/blas.pxd")


@pytest.mark.parametrize("path", [*MODULES, *CYTHON, *STUBS, ROOT / "__init__.py"], ids=label)
def test_no_wildcard_imports(path):
    assert not re.search(r"^\s*(?:from\s.*)?c?import\s*\*", path.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("path", WRITTEN, ids=label)
def test_files_can_be_read_in_one_sitting(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES, f"{label(path)} has {lines} lines"


def test_the_public_face():
    """What the package offers is what it says."""
    for name in ggn.__all__:
        assert hasattr(ggn, name)
    assert {"MLP", "train", "linearize", "Activation", "Loss", "Status", "TrainResult"} <= set(
        ggn.__all__
    )
