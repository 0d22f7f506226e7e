"""The stub of the compiled door says what the door does."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ggn import _core
from ggn._core import door

# Names, order, defaults and kinds of arguments are compared, for which NumPy's types need not be
# known, whose stubs take long to read; `mypy ggn` checks the types that the stub is written with.
CONFIG = """
[mypy]
ignore_missing_imports = True
disable_error_code = valid-type
[mypy-numpy.*]
follow_imports = skip
follow_imports_for_stubs = True
"""


def test_stub_agrees_with_the_door(tmp_path, pytestconfig):
    (tmp_path / "mypy.ini").write_text(CONFIG)
    run = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "ggn._core.door",
         "--mypy-config-file", str(tmp_path / "mypy.ini")],
        capture_output=True,
        text=True,
        check=False,
        cwd=pytestconfig.rootpath,
        env={**os.environ, "MYPY_CACHE_DIR": str(tmp_path / "cache")},
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


def test_python_calls_the_compiled_functions_themselves():
    """Their room's face hands on all that the stub names, with nothing in between."""
    stub = ast.parse(Path(_core.__file__).with_name("door.pyi").read_text(encoding="utf-8"))
    names = {
        node.target.id if isinstance(node, ast.AnnAssign) else node.name
        for node in stub.body
        if isinstance(node, ast.AnnAssign | ast.FunctionDef | ast.ClassDef)
    }
    assert set(_core.__all__) == {name for name in names if not name.startswith("_")}
    assert all(getattr(_core, name) is getattr(door, name) for name in _core.__all__)


def test_no_function_takes_none_for_a_layout():
    """It would be a pointer to nowhere: each file of the door has to say so to its compiler."""
    stub = ast.parse(Path(_core.__file__).with_name("door.pyi").read_text(encoding="utf-8"))
    of_layouts = [
        node
        for node in stub.body
        if isinstance(node, ast.FunctionDef) and node.args.args[0].arg == "layout"
    ]
    assert len(of_layouts) > 15
    numbers = {"int": 1, "float": 1.0, "bool": True}
    for node in of_layouts:
        given = [numbers.get(ast.unparse(arg.annotation)) for arg in node.args.args]
        with pytest.raises(TypeError, match="layout"):
            getattr(_core, node.name)(*given)
