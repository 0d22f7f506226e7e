"""Reading tables: every dialect that is read, and every fault that is named."""

from __future__ import annotations

import numpy as np
import pytest

from ggn.io.rows import CellError
from ggn.io.table import Table
from ggn.io.written import csv_text


@pytest.fixture
def table(tmp_path):
    """Return a function that writes a file and opens it."""

    def write(content, **options):
        path = tmp_path / "data.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Table(path, **options)

    return write


EXPECTED = [[1.0, -2.5], [3e4, 4.0]]


@pytest.mark.parametrize(
    "content",
    [
        "x,y\n1,-2.5\n3e4,4\n",
        "x,y\n1,-2.5\n3e4,4",
        "x,y\r\n1,-2.5\r\n3e4,4\r\n",
        "x,y\r1,-2.5\r3e4,4\r",
        "\ufeffx,y\n1,-2.5\n3e4,4\n",
        " x , y\n 1 , -2.5\n 3e4 , 4 \n",
        "x;y\n1;-2.5\n3e4;4\n",
        "x\ty\n1\t-2.5\n3e4\t4\n",
        '"x","y"\n1,-2.5\n3e4,4\n',
        '"x","y"\n"1","-2.5"\n"3e4","4"\n',
        '"x"; "y"\n"1"; "-2.5"\n3e4; "4"\n',
        "\n\nx,y\n\n1,-2.5\n   \n3e4,4\n\n\n",
        "x,y\n1.,-2.50\n+3E+4,04\n",
    ],
)
def test_dialects(table, content):
    data = table(content)
    assert data.names == ("x", "y")
    np.testing.assert_array_equal(data.read(), EXPECTED, strict=True)
    np.testing.assert_array_equal(data.read(["y"]), np.array(EXPECTED)[:, 1:])
    np.testing.assert_array_equal(data.read(["y", "x"]), np.array(EXPECTED)[:, ::-1])


def test_one_column_and_one_row(table):
    np.testing.assert_array_equal(table("y\n5\n").read(), [[5.0]])
    np.testing.assert_array_equal(table("a,b\n5,6\n").read(["b"]), [[6.0]])


def test_names_may_hold_anything(table):
    data = table('"speed, m/s";größe;"say ""when"""\n1;2;3\n')
    assert data.names == ("speed, m/s", "größe", 'say "when"')
    assert data.delimiter == ";"


def test_columns_not_asked_for_may_hold_anything(table):
    data = table('id,x,note,y\na,1,,2\nb,3,"long, with a\nsecond line",4\n')
    np.testing.assert_array_equal(data.read(["x", "y"]), [[1.0, 2.0], [3.0, 4.0]])
    data = table("id,x\nnan,1\nwords and words,2\n")
    np.testing.assert_array_equal(data.read(["x"]), [[1.0], [2.0]])


def test_floats_are_read_to_the_bit(table, rng):
    values = rng.standard_normal((500, 4)) * 10.0 ** rng.integers(-300, 300, (500, 4))
    values[0] = [5e-324, 1.7976931348623157e308, -0.0, 0.1]
    data = table("".join(csv_text(list("abcd"), values)))
    np.testing.assert_array_equal(data.read(), values)
    np.testing.assert_array_equal(data.read(["d", "b"]), values[:, [3, 1]])
    assert np.signbit(data.read()[0, 2])


def test_columns_may_be_asked_for_twice(table):
    np.testing.assert_array_equal(table("x,y\n1,2\n").read(["x", "y", "x"]), [[1.0, 2.0, 1.0]])


# faults


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("\ufeff", "is empty"),
        (
            "1,2.5\n3,4\n",
            "has no header: its first line holds numbers.* hold the names, separated as",
        ),
        (b"x,y\n1,2\n\xe9,3\n", "is not UTF-8 text: line 3 has the byte 0xe9"),
        ("# x\n\n% y\n", "is empty, but for comments"),
        (b"x,y\n1,\0002\n", "line 2 has a NUL character; --encoding utf-16-le"),
    ],
)
def test_files_without_a_usable_header(table, content, message):
    check(lambda: table(content), message)


def test_names_that_are_numbers_are_taken_where_they_are_said_to_be_names(table):
    """As pandas writes a frame of which no column was named."""
    content = "# made today\n0,1,2\n1.5,2.0,3.0\n"
    check(lambda: table(content), "if these are the names, --header 2 says so")
    found = table(content, header=2)
    assert found.names == ("0", "1", "2")
    np.testing.assert_array_equal(found.read(["2", "0"]), [[3.0, 1.5]])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x,y\n", "has a header but no rows"),
        ("x,y", "has a header but no rows"),
        ("x,y\n\n \n", "has a header but no rows"),
        ("x,y\n1,2\n3\n", "line 3: 1 cell, but the header names 2 columns"),
        ("x,y\n1,2\n\n3,4,5\n", "line 4: 3 cells, but the header names 2 columns"),
        ("x,y\n1,2,3\n4,5,6\n", "line 2: 3 cells, but the header names 2 columns"),
        ("x\n1,2\n3,4\n", "line 2, column 'x': '1,2' is not a number; --decimal , reads it as 1.2"),
        ("x,y\n1,2\n1,\n", "line 3, column 'y': the cell is empty"),
        ("x,y\n , 2\n", "line 2, column 'x': the cell is empty"),
        ('x,y\n1,""\n', "line 2, column 'y': the cell is empty"),
        ("x,y\n1,2\nabc,3\n", "line 3, column 'x': 'abc' is not a number"),
        ("x,y\n1,NA\n", "line 2, column 'y': 'NA' stands for a missing value; --missing"),
        ("x,y\n1,1_000\n", "line 2, column 'y': '1_000' is not a number"),
        ("x,y\n1,0x10\n", "line 2, column 'y': '0x10' is not a number"),
        ("x;y\n1;2\n1,5;2\n", "line 3, column 'x': '1,5' is not a number; --decimal ,"),
        (
            "x,y\n1,2\n3,nan\n",
            "line 3, column 'y': 'nan' stands for a missing value; --missing drop",
        ),
        ("x,y\n1,-inf\n", "line 2, column 'y': '-inf' is not finite"),
        ("x,y\n1,1e999\n", "line 2, column 'y': '1e999' is not finite"),
        ('x,y\n1,2\n3,"4\n5,6\n', "line 3: a quote is opened and never closed"),
        ('x,y\n1,"2"5\n', "line 2: '5' follows a closing quote"),
        ("x,y\n1," + 200 * "z" + "\n", "line 2, column 'y': str 'zzz.* is not a number"),
    ],
)
def test_rows_that_cannot_be_used(table, content, message):
    data = table(content)
    check(data.read, message)


def check(action, message):
    with pytest.raises(ValueError, match=message) as caught:
        action()
    assert "data.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_line_is_that_of_the_file_after_cells_of_several_lines(table):
    data = table('note,x\n"one\ntwo\nthree",1\nfour,!\n')
    check(lambda: data.read(["x"]), "line 5, column 'x': '!' is not a number")


def test_ragged_rows_are_seen_beside_columns_not_asked_for(table):
    check(lambda: table("a,x\nt,1\nt,2,3\n").read(["x"]), "line 3: 3 cells")
    check(lambda: table("x,a\n1,t\n2\n").read(["x"]), "line 3: 1 cell,")


def test_a_stray_quote_does_not_swallow_rows(table):
    data = table('x,note\n1,"a\n2,b\n3,"c\n4,d\n')
    check(lambda: data.read(["x"]), "line 4")


def test_a_missing_column_is_named_with_its_neighbours(table):
    data = table("speed,depth\n1,2\n")
    check(lambda: data.read(["spede"]), "no column 'spede'; it has speed, depth; the nearest is 's")
    check(lambda: data.require(["z"], "which y needs"), "no column 'z', which y needs; .* depth$")
    data.require(["depth", "speed"])
    wide = table(",".join(f"c{i}" for i in range(30)) + "\n")
    check(lambda: wide.require(["q"]), r"c18, c19 \.\.\. \(30 in all\)$")


@pytest.mark.parametrize("header", ["x y", "x & y", "x:y"])
def test_columns_not_told_apart_are_pointed_out(table, header):
    data = table(header + "\n1:2\n")
    check(lambda: data.require(["z"]), "line 1 was read as the name of one column: --delimiter")
    data = table("x\n1\n")
    with pytest.raises(ValueError, match=r"no column 'y'; it has x$"):
        data.read(["y"])


def test_a_bad_cell_names_its_column(table):
    data = table("x,y\n1,\n")
    with pytest.raises(CellError) as caught:
        data.read(["y", "x"])
    assert caught.value.column == "y"


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Table(tmp_path / "none.csv")
    with pytest.raises(IsADirectoryError):
        Table(tmp_path)


# writing


def test_written_floats_read_back_as_themselves(table, rng):
    values = rng.standard_normal((5000, 2)) / 3.0  # more than one piece
    pieces = list(csv_text(["a, b", 'c"'], values))
    assert len(pieces) == 3
    data = table("".join(pieces))
    assert data.names == ("a, b", 'c"')
    np.testing.assert_array_equal(data.read(), values)


def test_floats_are_written_as_short_as_they_can_be():
    text = "".join(csv_text(["y"], np.array([[0.1], [1e22], [1 / 3], [-0.0]])))
    assert text == "y\n0.1\n1e+22\n0.3333333333333333\n-0.0\n"
