"""The guide's table of the paper has all that is numbered, and names code and tests that exist."""

import functools
import importlib
import re
from pathlib import Path

import paper_numbers
import pytest

ROOT = Path(__file__).parents[1]
TABLE = (ROOT / "docs" / "paper.rst").read_text(encoding="utf-8")
CORRECTIONS = (ROOT / "docs" / "how_it_works.rst").read_text(encoding="utf-8")
CORRECTIONS = CORRECTIONS[CORRECTIONS.index(".. _corrections:") :]
TEST = r"``(test_\w+\.py::\w+)``"
NAMES = {*re.findall(r"``([^`]+)``", TABLE), *re.findall(TEST, CORRECTIONS)}
FORMS = {"arXiv": paper_numbers.ARXIV, "CVPR": paper_numbers.CVPR}
KINDS = sorted(paper_numbers.ARXIV, key=len, reverse=True)


def rows(text):
    """Return the rows of a list-table, without its head, as lists of cells."""
    table = re.split(r"^   \* - ", text[text.index(":widths:") :], flags=re.MULTILINE)[2:]
    return [[" ".join(cell.split()) for cell in row.split("\n     - ")] for row in table]


def labels(cell):
    """Yield (form, kind, number) of a row's first cell: "eq. 2-4, 8; Remark 5 (arXiv): what"."""
    for group in cell.split(":")[0].split("; "):
        found = re.fullmatch(
            rf"({'|'.join(map(re.escape, KINDS))}) (.+?)(?: \((arXiv|CVPR)\))?", group
        )
        if not found:  # a row of something that has no number
            assert not re.search(r"\d", group) or "*" in group, group
            continue
        kind, numbers, form = found.groups()
        for part in numbers.split(", "):
            first, _, last = part.partition("-")
            span = range(int(first), int(last) + 1) if last else [part]
            for number in span:
                for name in (form,) if form else FORMS:
                    yield name, kind, str(number)


def thing(name):
    """Return what a dotted name means: the longest importable module, then attributes."""
    parts = name.split(".")
    for i in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:i]))
        except ImportError:
            continue
        return functools.reduce(getattr, parts[i:], module)
    raise AssertionError(f"{name} cannot be imported")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_name_of_the_tables_exists(name):
    if "::" not in name:
        assert thing(name) is not None
        return
    file, test = name.split("::")
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert re.search(rf"^def {test}\(", text, flags=re.MULTILINE), f"{file} has no {test}"


@pytest.mark.parametrize("form", FORMS)
def test_all_that_is_numbered_has_one_row(form):
    """Of each printed form, and nothing that is not in it."""
    found = [
        (kind, number)
        for row in rows(TABLE)
        for name, kind, number in labels(row[0])
        if name == form
    ]
    expected = [(kind, number) for kind, numbers in FORMS[form].items() for number in numbers]
    assert len(found) == len(set(found)), "a number has two rows"
    assert set(found) == set(expected)


def test_every_row_has_code_and_a_test_or_says_why_not():
    """A row names a test, or the middle cell begins with a dash and the reason."""
    for row in rows(TABLE):
        assert len(row) == 3, row
        _, code, test = row
        if code.startswith("–"):
            assert len(code) > 10, row
        else:
            assert "``" in code, row
            assert re.search(TEST, test), row


def test_every_correction_is_shown_by_a_test():
    """But for what no test can show, which says why not."""
    for row in rows(CORRECTIONS):
        assert len(row) == 4, row
        assert re.search(TEST, row[3]) or row[3].startswith("–"), row


def test_there_is_no_eq_10():
    assert all("10" not in form["eq."] for form in FORMS.values())
