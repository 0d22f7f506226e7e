"""Tables of the kinds that people have are read rightly, or refused with what reads them."""

import random

import numpy as np
import pytest
from csv_kinds import KINDS

from ggn.io.table import Table


def written(folder, content):
    path = folder / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_kind(tmp_path, kind):
    path = written(tmp_path, kind.content)

    def read():
        return Table(path, **kind.options).read(kind.columns)

    if kind.values is None:
        with pytest.raises(ValueError, match=kind.refusal) as caught:
            read()
        assert "data.csv" in str(caught.value)
        assert "\n" not in str(caught.value)
    else:
        np.testing.assert_array_equal(read(), np.array(kind.values), strict=True)
    if kind.said is not None:
        assert Table(path, **kind.options).understood() == kind.said


def test_there_are_kinds_enough():
    assert len({kind.content for kind in KINDS}) >= 60
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert all((kind.values is None) == bool(kind.refusal) for kind in KINDS)


PIECES = [*'",;\n\r\t |#\0\xff-=', "NA", "sep=", "\ufeff"]
OPTIONS = [
    {},
    {"missing": "drop"},
    {"decimal": ","},
    {"thousands": " "},
    {"delimiter": "space"},
    {"delimiter": "semicolon"},
    {"encoding": "latin-1"},
    {"encoding": "utf-16"},
    {"header": 2},
]


def mutated(content, dice):
    """Return a file with some pieces put in, left out or doubled."""
    content = bytearray(content if isinstance(content, bytes) else content.encode())
    for _ in range(dice.choice([1, 1, 2, 5])):
        at, kind = dice.randrange(len(content) + 1), dice.randrange(3)
        if kind == 0:
            content[at:at] = dice.choice(PIECES).encode("utf-8") * dice.choice([1, 1, 2, 50])
        elif kind == 1:
            del content[at : at + dice.randint(1, 5)]
        else:
            content[at:at] = content[at : at + dice.randint(1, 30)] * dice.choice([1, 20])
    return bytes(content)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_file_holds_is_read_or_refused_in_a_sentence(tmp_path, seed):
    dice = random.Random(seed)
    read, sentences = 0, []
    for _ in range(500):
        path = written(tmp_path, mutated(dice.choice(KINDS).content, dice))
        try:
            table = Table(path, **dice.choice(OPTIONS))
            values = table.read()
            assert values.shape[1] == len(table.columns())
            assert np.isfinite(values).all()
            read += 1
        except ValueError as error:
            sentences.append(str(error))
    assert all(s.startswith(str(path)) and s.isprintable() and len(s) < 2500 for s in sentences)
    assert read > 20
