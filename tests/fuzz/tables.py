"""Tables of text: those people have, changed, and random ones, through reader and command line."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import tempfile

import numpy as np
from csv_kinds import KINDS

from fuzz.bytes import mutated
from ggn.command import cli
from ggn.io.table import Table

CELLS = [
    "1", "-2.5", "3e5", "nan", "inf", "", "NA", "x", "1,5", '"a"', '"a;b"', '"', "2024-01-31", "1e999", "١٢", "−1",
    "0x1", "1_0", " 7 ", "'=1", "=1+1", "\x1b[2J", "TRUE", "9" * 500, "1e-400", "#", "%", "1.2.3", "+", "-", "1 000",
]  # fmt: skip
OPTIONS = {
    "delimiter": [None, None, "comma", ";", "tab", "space", "|", "a", "", '"', "^", "\\t", "::"],
    "decimal": [".", ".", ",", ";", ""],
    "thousands": [None, None, ",", ".", "'", " ", "x"],
    "encoding": [None, None, "utf-8", "cp1252", "utf-16", "utf-16-le", "ascii", "base64", "none", "utf-7", "idna",
                 "punycode", "unicode_escape", "rot13", "hex", "utf-32", "shift_jis", "undefined", "\0"],
    "missing": ["refuse", "drop", "drop", "no"],
    "header": [None, None, None, 1, 2, 5, 0, -1, 10**9, 10**30],
}  # fmt: skip
# what a table is trained on as; rows of a series are in the order of time
COMMANDS = [
    [], [], ["--missing", "drop"], ["--lags", "1,1"], ["--lags", "2,0", "--free-run"], ["--lags", "1,0", "--missing", "drop"],
    ["--states", "1"], ["--states", "2", "--missing", "drop"], ["--lags", "0,0"], ["--lags", "1"], ["--lags", "-1,9"],
    ["--lags", "9" * 30 + ",1"], ["--states", "9" * 30], ["--states", "0"], ["--lags", "1,1", "--bayesian"],
]  # fmt: skip


def case(rng: np.random.Generator):
    """Return the call that reads a changed table."""
    if rng.random() < 0.8:
        content = KINDS[int(rng.integers(len(KINDS)))].content
        data = content.encode() if isinstance(content, str) else content
        data = mutated(data, rng) if rng.random() < 0.9 else data
    else:
        data = _random(rng)
    options = {
        name: values[int(rng.integers(len(values)))]
        for name, values in OPTIONS.items()
        if rng.random() < 0.25
    }
    if rng.random() < 0.02:
        more = COMMANDS[int(rng.integers(len(COMMANDS)))]
        return functools.partial(commanded, data, int(rng.integers(2**31)), more)
    return functools.partial(read, data, options)


def _random(rng: np.random.Generator) -> bytes:
    mark = str(rng.choice([",", ";", "\t", "|", " ", ", ", "^"]))
    end = str(rng.choice(["\n", "\r\n", "\r"]))
    width = int(rng.integers(1, 6))
    lines = []
    for _ in range(int(rng.integers(0, 8))):
        n = width if rng.random() < 0.8 else int(rng.integers(0, 9))
        lines.append(mark.join(CELLS[int(rng.integers(len(CELLS)))] for _ in range(n)))
    return (end.join(lines) + end * int(rng.integers(0, 3))).encode(
        str(rng.choice(["utf-8", "utf-16", "utf-8-sig"])), "replace"
    )


def read(data: bytes, options) -> None:
    with _file(data) as path:
        table = Table(path, **options)
        table.understood()
        table.hint()
        with contextlib.suppress(ValueError):
            table.read()
        names = [name for name in table.names if name]
        table.rows(names[:1], text=names[1:2], labels=names[2:3])
        table.require(["z"])


def commanded(data: bytes, seed: int, more: list[str]) -> None:
    """Train on the table by the command line, which words every fault itself."""
    with _file(data) as path:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.main(
                [
                    "train",
                    path,
                    "--target",
                    "y",
                    "--hidden",
                    "2",
                    "--max-iter",
                    "2",
                    "--seed",
                    str(seed),
                    *more,
                ]
            )
        said = err.getvalue()
        assert status in (0, 1, 2), status
        assert "Traceback" not in said, said
        assert "\x1b" not in said + out.getvalue()
        if status == 2:
            assert said.startswith("ggn: error: "), said


@contextlib.contextmanager
def _file(data: bytes):
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=folder) as at:
        path = os.path.join(at, "t.csv")
        with open(path, "wb") as stream:
            stream.write(data)
        yield path
