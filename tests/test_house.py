"""The house keeps its rules; `test_house_is_strict.py` shows that they bite."""

import ast
import re
import tomllib
from pathlib import Path

import house
import pytest
from source_tree import Tree, outside_functions

import ggn

HOUSE = Tree(Path(ggn.__file__).parent)
TESTS = Tree(Path(__file__).parent)


@pytest.mark.parametrize("rule", house.RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps(rule):
    assert rule(HOUSE) == []


def test_test_files_can_be_read_in_one_sitting():
    assert house.short_files(TESTS, house.MOST_LINES_OF_TESTS) == []


def test_importing_ggn_does_not_import_scipy_stats():
    """It is a third of the time of `import ggn`; those who need it import it where they do."""
    found = [
        HOUSE.label(path)
        for path in HOUSE.files(".py")
        if HOUSE.room(path) not in house.EXTRAS
        for node in outside_functions(HOUSE.ast(path))
        if isinstance(node, ast.Import | ast.ImportFrom) and "scipy.stats" in whole_names(node)
    ]
    assert found == []


def whole_names(node):
    package = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    names = [package + alias.name for alias in node.names]
    return {".".join(name.split(".")[:2]) for name in names}


def test_the_public_face():
    """What the package offers is what it says."""
    for name in ggn.__all__:
        assert hasattr(ggn, name)
    assert {"MLP", "train", "linearize", "Activation", "Loss", "Status", "TrainResult"} <= set(
        ggn.__all__
    )


def test_every_package_is_shipped():
    """The list in pyproject.toml, from which wheels are made, names the folders that there are."""
    root = Path(ggn.__file__).parents[1]
    stated = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {
        ".".join(path.parent.relative_to(root).parts) for path in root.glob("ggn/**/__init__.py")
    }
    assert set(stated["tool"]["setuptools"]["packages"]) == folders


def test_the_map_names_the_files_that_there_are():
    """CONTRIBUTING's: each file of the rooms that it looks into, and none that is not there."""
    root = Path(ggn.__file__).parents[1]
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text[text.index("| files | own |") :].split("\n\n")[0]
    named = set()
    for row in table.splitlines()[2:]:
        room = ""
        for name in re.findall(r"`([^`]+)`", row.split("|")[1]):
            room = name.split("/")[0] if "/" in name else room
            named.add(name if "/" in name else f"{room}/{name}")
    rooms = {name.split("/")[0] for name in named} - {"steps"}  # a file there is a step
    labels = {HOUSE.label(path) for path in HOUSE.text}
    assert named - labels == set()
    sources = {n for n in labels if n.endswith((".py", ".pyx", ".c")) and "__init__" not in n}
    assert {n for n in sources if n.split("/")[0] in rooms} - named == set()
