"""Tables of the kinds that people have are read rightly, or refused with what reads them."""

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
