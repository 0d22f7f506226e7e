"""Reading a table: one grammar, one meaning of a number, and bounded whatever the file holds."""

import contextlib
import csv
import io
import os
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ggn.io import text
from ggn.io.numerals import Numerals, is_missing, looks_numeric
from ggn.io.records import Records
from ggn.io.table import Table
from ggn.io.text import Text
from ggn.io.written import csv_text, harmless, original


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data.csv"


# one grammar


@given(
    st.lists(st.lists(st.text('ab ",;\n\t|'), min_size=2, max_size=4), max_size=4),
    st.sampled_from(",;|\t"),
)
def test_what_the_csv_module_writes_is_read_back(rows, mark):
    stream = io.StringIO()
    csv.writer(stream, delimiter=mark, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    lines = stream.getvalue().splitlines(keepends=True)
    assert list(Records(iter(lines), mark)) == rows


@given(st.text('ab",; \n', max_size=30))
def test_rows_are_those_of_the_csv_module(content):
    """Where it reads a text strictly, and no cell has spaces around its quotes."""
    lines = content.splitlines(keepends=True)
    reader = csv.reader(iter(lines), strict=True)
    try:
        theirs = [row for row in reader if len(row) > 1 or "".join(row).strip()]
    except csv.Error:
        return
    if ' "' in content or '" ' in content:
        return
    ours = [row for row in Records(iter(lines), ",") if len(row) > 1 or row[0].strip()]
    assert ours == theirs


def test_an_error_in_the_grammar_names_the_line():
    rows = iter(Records(iter(["a,b\n", '1,"x\n', 'y" z\n']), ","))
    assert next(rows) == ["a", "b"]
    with pytest.raises(ValueError, match="line 3: 'z' follows a closing quote"):
        next(rows)


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('  "a b"  1 2 \n', ["a b", "1", "2"]),
        ('"a" "b"   \n', ["a", "b"]),
        ("\t1\t 2", ["1", "2"]),
        ('1 "2"', ["1", "2"]),
    ],
)
def test_runs_of_blanks(line, cells):
    assert list(Records(iter([line]), " ")) == [cells]


# one meaning of a number


@given(
    st.lists(st.text("0123456789+-.,eE_ '\u00a0\u2212naif", max_size=9), min_size=1, max_size=5),
    st.sampled_from([".", ","]),
    st.sampled_from([None, "'", " "]),
)
def test_many_cells_are_read_as_each_of_them(cells, decimal, thousands):
    numerals = Numerals(decimal, thousands)
    together = numerals.values(cells)
    if together is not None:
        assert together == [numerals.value(cell) for cell in cells]


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([".", ","]))
def test_every_float_is_read_in_either_notation(value, decimal):
    cell = repr(value).replace(".", decimal)
    assert Numerals(decimal).value(cell) == value
    assert Numerals(decimal).values([cell, f" {cell} "]) == [value, value]
    assert looks_numeric(cell)
    assert not is_missing(cell)


@pytest.mark.parametrize(
    ("cell", "decimal", "thousands"),
    [
        ("1,23,456", ".", ","),
        ("1234,567", ".", ","),
        ("12,34", ".", ","),
        ("1.234", ",", None),
        ("1,2,3", ",", None),
        ("1_000", ".", None),
        ("\u0661", ".", None),
        ("inf", ".", None),
        ("1e999", ".", None),
    ],
)
def test_what_is_no_number_in_a_notation(cell, decimal, thousands):
    with pytest.raises(ValueError):  # noqa: PT011  the sentence is that of fault
        Numerals(decimal, thousands).value(cell)
    assert Numerals(decimal, thousands).values([cell]) is None
    assert Numerals(decimal, thousands).fault(cell)


# options that cannot be


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": "comme"}, "delimiter must be one of .* did you mean 'comma'"),
        ({"delimiter": "1"}, "delimiter must be one of"),
        ({"delimiter": '"'}, "delimiter must be one of"),
        ({"decimal": "x"}, "decimal must be a point or a comma, got 'x'"),
        ({"thousands": "."}, "thousands must be .*not the decimal mark, got '.'"),
        ({"thousands": "_"}, "thousands must be"),
        ({"encoding": "utf-9"}, "encoding must be the name of one.*got 'utf-9'"),
        ({"encoding": "hex"}, "encoding must be the name of one"),
        ({"encoding": "utf-16"}, "is not utf-16 text: line 1 has the byte"),
        ({"missing": "skip"}, "missing must be refuse or drop, got 'skip'"),
        ({"header": 0}, "header must be an integer of at least 1"),
        ({"header": 9}, "has no header in line 9, as --header says"),
    ],
)
def test_options(path, options, message):
    path.write_text("x,y\n1,2\n3,4\n5,6")
    with pytest.raises(ValueError, match=message):
        Table(path, **options)


# bounds


def test_a_header_longer_than_the_csv_module_takes(path):
    names = [f"{'long' * 10} {i}" for i in range(10_000)]
    values = np.arange(20_000.0).reshape(2, -1)
    path.write_text("".join(csv_text(names, values)))
    table = Table(path)
    assert len(",".join(table.names)) > 131_072
    np.testing.assert_array_equal(table.read(), values)
    np.testing.assert_array_equal(table.read(names[::-1]), values[:, ::-1])
    path.write_text(f"{'n' * 200_000},y\n1,2\n")
    np.testing.assert_array_equal(Table(path).read(), [[1.0, 2.0]])


def test_blank_lines_of_any_number(path):
    path.write_bytes(b"\n" * 200_000 + b"x,y\n" + b"\n" * 200_000 + b"1,2\n" + b" \n" * 100_000)
    np.testing.assert_array_equal(Table(path).read(), [[1.0, 2.0]])
    path.write_bytes(b"y\n1\n" + b"\n" * 200_000)
    np.testing.assert_array_equal(Table(path).read(), [[1.0]])


SIZE = 2**16


@pytest.mark.parametrize(
    "content",
    [
        "x,y\n" + "\n" * SIZE,
        "," * SIZE,
        "x,y\n" + "," * SIZE,
        'x,y\n1,"' + "3,4\n" * (SIZE // 4),
        "x,y\n" + '"' * (SIZE + 1),
        'x,y\n"' + '""' * (SIZE // 2) + "x",
        "x y\n" + " " * SIZE + '"1" 2',
        "# x\n" * (SIZE // 4),
        "x,y\n" + "1" * SIZE,
        "x,y\n" + "-" * SIZE + ",1\n",
        "x;y\n" + "1,111" * (SIZE // 5) + ";1\n",
        "\n".join(["1,2"] * (SIZE // 4)),
        "x,y\n" + "1,2\n" * SIZE,
        "a," * (SIZE // 2) + "a\n" + "1," * (SIZE // 2) + "1\n",
    ],
    ids=lambda content: repr(content[:8]),
)
def test_memory_is_a_multiple_of_the_file(path, content):
    path.write_text(content)
    tracemalloc.start()
    try:
        with contextlib.suppress(ValueError):
            Table(path).read()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 * len(content)


def test_no_more_than_a_million_columns(path):
    path.write_text("," * 2**20)
    with pytest.raises(ValueError, match="more than 1048576 columns, read as separated by commas"):
        Table(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
@pytest.mark.parametrize(
    ("piece", "message"),
    [(b"1,2," * 1000, "a line of more than 64 MiB"), (b"1,2\n" * 1000, "not ended after 64 MiB")],
)
def test_a_pipe_without_end(tmp_path, piece, message, monkeypatch):
    monkeypatch.setattr(text, "LARGEST", 2**26)
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)

    def pour():
        with contextlib.suppress(BrokenPipeError), open(pipe, "wb") as stream:
            while True:
                stream.write(piece)

    thread = threading.Thread(target=pour, daemon=True)
    thread.start()
    with pytest.raises(ValueError, match=message):
        Text(pipe)
    thread.join()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_with_an_end(tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    thread = threading.Thread(target=pipe.write_bytes, args=(b"x,y\n1,2\n",), daemon=True)
    thread.start()
    table = Table(pipe)
    thread.join()
    np.testing.assert_array_equal(table.read(), [[1.0, 2.0]])
    np.testing.assert_array_equal(table.read(["y"]), [[2.0]])


# text that acts


@given(st.text("'=+-@\t\rab1. "))
def test_a_text_comes_back_from_a_spreadsheet(name):
    assert original(harmless(name)) == name


@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0", "+1+cmd", "-2+3", "@SUM(A1)", "\t=1", " =1"]
)
def test_a_spreadsheet_runs_no_name(path, name):
    content = "".join(csv_text([name, "y"], np.array([[1.0, 2.0]]), (name, [name])))
    for row in csv.reader(io.StringIO(content)):
        assert not any(cell.lstrip()[:1] in ("=", "+", "-", "@") for cell in row)
    path.write_text(f"{name},y\n1,2\n", newline="")
    own = Table(path).names[0]
    path.write_text("".join(csv_text(["y"], np.array([[2.0]]), (own, [own]))))
    assert Table(path).names == (own, "y")
    assert Table(path).rows(["y"], [own]).text == [[own]]


def test_a_message_does_not_act_on_a_terminal(path):
    path.write_text("\x1b[2Jx,\u202ey\n\x1b]0;title\x07,2\n")
    table = Table(path)
    for action in (lambda: table.require(["z"]), table.read, lambda: table.read(["\x1b[2J"])):
        with pytest.raises(ValueError, match=r"data\.csv") as caught:
            action()
        assert str(caught.value).isprintable()
