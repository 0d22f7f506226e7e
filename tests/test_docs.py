"""Guide and README: what they promise to list, and commands that can be typed as they are."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

import ggn
from ggn.activations import BUILT_IN as ACTIVATIONS

ROOT = Path(ggn.__file__).parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
pytestmark = pytest.mark.skipif(not README.exists(), reason="installed without its documents")


def listed():
    """Return the objects that the API's pages list."""
    names = re.findall(r"^   ((?:\w+\.)*\w+)$", (DOCS / "api.rst").read_text(), re.MULTILINE)
    return {f"ggn.{name}" for name in names if not name.startswith("generated")}


def found(name):
    module, _, last = name.rpartition(".")
    while True:
        try:
            home = importlib.import_module(module)
            break
        except ImportError:
            module, _, more = module.rpartition(".")
            last = f"{more}.{last}"
    for part in last.split("."):
        home = getattr(home, part)
    return home


def test_everything_public_is_listed_and_everything_listed_is_there():
    objects = {id(found(name)) for name in listed()}
    objects |= {id(cls) for cls in ACTIVATIONS.values()}  # on a page that the build writes
    for face in (ggn, ggn.surface, ggn.export, ggn.losses, ggn.damping, ggn.steps, ggn.products):
        missing = [
            f"{face.__name__}.{name}"
            for name in face.__all__
            if (inspect.isclass(getattr(face, name)) or inspect.isfunction(getattr(face, name)))
            and id(getattr(face, name)) not in objects
        ]
        assert set(missing) <= PRIVATE, missing


# the base of the built-in losses, and what names are resolved by
PRIVATE = {
    "ggn.losses.Residual",
    *(f"ggn.{room}.resolve" for room in ("losses", "damping", "steps")),
}


def test_every_warning_is_in_the_answers():
    text = (DOCS / "faq.rst").read_text()
    for path in (ROOT / "ggn").rglob("*.py"):
        for name in re.findall(r"^class (\w+)\(UserWarning\)", path.read_text(), re.MULTILINE):
            assert name in text, name


@pytest.mark.parametrize("path", [README, *sorted(DOCS.glob("*.rst"))], ids=lambda path: path.name)
def test_no_command_is_a_bare_ggn(path):
    """The environment's commands are not on the path: python -m ggn, or with the folder."""
    text = path.read_text()
    shell = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    shell += re.findall(r"code-block:: (?:sh|console)\n\n((?:    .*\n|\n)+)", text)
    lines = [line.strip() for block in shell for line in block.splitlines()]
    lines += re.findall(r"`+([^`\n]+)`+", text)
    commands = "train|predict|diagnose|export|demo|reproduce"
    bare = [line for line in lines if re.match(rf"(?:\$ )?ggn (?:{commands})\b", line)]
    assert bare == []


def test_readme_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README.read_text()):
        assert (ROOT / target).exists(), target


def test_no_page_of_the_guide_needs_the_network():
    assert '"sphinx-mathjax-offline"' in (DOCS / "conf.py").read_text()
    for path in (DOCS / "conf.py", *(DOCS / "_static").iterdir()):
        assert not re.search(r"https?://|//cdn", path.read_text()), path.name
