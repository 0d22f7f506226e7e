"""What a release is made of says one thing: versions, floors, pins, lists of files."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ggn

ROOT = Path(ggn.__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
pytestmark = pytest.mark.skipif(not WORKFLOWS, reason="installed without its repository")


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def project():
    return tomllib.loads(text("pyproject.toml"))


def test_versions_agree():
    version = project()["project"]["version"]
    released = version.removesuffix(".dev0")
    assert ggn.__version__ == version
    assert re.search(r"^version: (.+)$", text("CITATION.cff"), re.MULTILINE)[1] == released
    recipe = text("packaging/conda-forge/recipe.yaml")
    assert re.search(r'^  version: "(.+)"$', recipe, re.MULTILINE)[1] == released


def test_what_is_released_is_dated():
    version = project()["project"]["version"]
    log = re.findall(r"^## (.+)$", text("CHANGELOG.md"), re.MULTILINE)
    assert log[0] == "Unreleased"
    if version.endswith(".dev0"):
        return
    day = re.search(r"^date-released: (.+)$", text("CITATION.cff"), re.MULTILINE)[1]
    assert log[1] == f"{version} ({day})"


def test_the_recipe_has_the_floors_of_the_project():
    declared = project()
    needs = [line.replace(" ", "") for line in declared["project"]["dependencies"]]
    needs += [line.lower() for line in declared["build-system"]["requires"]]
    recipe = re.findall(
        r"^\s+- ([\w-]+) (>=[\d.]+)$", text("packaging/conda-forge/recipe.yaml"), re.M
    )
    assert set(needs) <= {"".join(pair) for pair in recipe}


def test_wheels_and_classifiers_name_the_same_pythons():
    declared = project()
    wheels = re.findall(r"cp3(\d+)-", declared["tool"]["cibuildwheel"]["build"])
    said = re.findall(r"Python :: 3\.(\d+)", "\n".join(declared["project"]["classifiers"]))
    assert wheels == said
    assert declared["project"]["requires-python"] == f">=3.{said[0]}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_may_little_and_run_what_was_read(path):
    """Actions are pinned by the hash of a commit; a token that may write is one job's."""
    workflow = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)", workflow)
    assert used
    assert [name for name in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name)] == []
    assert "\npermissions:\n  contents: read\n" in workflow
    assert workflow.count("persist-credentials: false") == sum("/checkout@" in n for n in used)
    assert workflow.count(": write") == (path.stem == "wheels")


@pytest.mark.parametrize("name", ["fast.txt", "shared.txt"])
def test_lists_of_tests_name_files_that_are_there(name):
    paths = text(f"tests/{name}").split()
    assert len(paths) >= 5
    assert [path for path in paths if not (ROOT / path.partition("::")[0]).is_file()] == []


def test_commands_are_told_of():
    told = text("CONTRIBUTING.md")
    commands = [path.name for path in (ROOT / "tools").iterdir() if path.name != "copy"]
    assert [name for name in commands if f"`tools/{name}" not in told] == []


@pytest.mark.parametrize("name", ggn.__all__)
def test_each_public_name_is_there_in_a_new_process(name):
    """In this one somebody has imported it before: a plant that is only loaded comes first."""
    code = f"import ggn; ggn.{name}; assert '{name}' in dir(ggn)"
    if name in ("recurrent", "surface", "export", "narx"):  # of the rest ggn itself imports
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert hasattr(ggn, name)
