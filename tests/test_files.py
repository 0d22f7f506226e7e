"""Files are whole or not there."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys

import numpy as np
import pytest

import ggn
from ggn.io import Model
from ggn.io.files import check_writable, replacing


@pytest.fixture
def model():
    return Model(ggn.MLP((2, 3, 1)), np.ones(13))


@pytest.fixture
def path(tmp_path, model):
    path = tmp_path / "model.npz"
    model.save(path)
    return path


def entries(path):
    return sorted(os.listdir(path.parent))


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), MemoryError(), OSError(errno.EIO, "bad")])
def test_a_save_broken_off_leaves_the_old_file(path, model, monkeypatch, fault):
    before = path.read_bytes()

    def savez(stream, **arrays):
        stream.write(b"PK\x03\x04 half a model")
        stream.flush()
        assert len(entries(path)) == 2  # it is being written beside the old one
        raise fault

    monkeypatch.setattr(np, "savez", savez)
    with pytest.raises(type(fault)):
        model.save(path)
    assert path.read_bytes() == before
    assert entries(path) == [path.name]


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_is_named(path, model, monkeypatch, function):
    before = path.read_bytes()

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, function, full)
    with pytest.raises(OSError, match="No space left") as caught:
        model.save(path)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == before
    assert entries(path) == [path.name]


def test_saving_replaces_through_a_link_and_keeps_the_mode(path, model):
    path.chmod(0o640)
    link = path.with_name("link.npz")
    link.symlink_to(path)
    other = Model(model.net, np.zeros(model.net.n_weights))
    other.save(link)
    assert link.is_symlink()
    assert not Model.load(path).w.any()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_new_file_has_the_usual_mode(tmp_path, path):
    usual = tmp_path / "usual"
    usual.touch()
    assert path.stat().st_mode == usual.stat().st_mode


def test_a_device_is_written_not_replaced():
    with replacing(os.devnull) as stream:
        stream.write(b"gone")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_places_that_cannot_be_written(tmp_path, path, monkeypatch):
    for bad, kind in (
        (tmp_path, IsADirectoryError),
        (tmp_path / "none" / "m.npz", FileNotFoundError),
        (path / "m.npz", NotADirectoryError),
    ):
        with pytest.raises(kind) as caught:
            check_writable(bad)
        assert caught.value.filename == str(bad)
        with pytest.raises(kind), replacing(bad):
            pass
    check_writable(path)
    check_writable(tmp_path / "new.npz")
    monkeypatch.setattr(os, "access", lambda *_: False)
    for bad in (path, tmp_path / "new.npz"):
        with pytest.raises(PermissionError):
            check_writable(bad)
    assert entries(path) == [path.name]


def left_by(path):
    """Return what a writer leaves that is killed."""
    command = f"""if True:
        import os, signal
        from ggn.io.files import replacing
        with replacing({str(path)!r}) as stream:
            stream.write(b"half")
            stream.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", command], check=False)
    return [path.with_name(name) for name in entries(path) if name.startswith(".ggn-")]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path, model):
    path, other = tmp_path / ("m" * 200 + ".npz"), tmp_path / "other.npz"
    (left,) = left_by(path)
    (kept,) = (file for file in left_by(other) if file != left)
    assert left.read_bytes() == b"half"
    model.save(path)
    assert not left.exists()  # its own
    assert kept.exists()  # of another file, whose next writer it is for
    model.save(other)
    assert entries(path) == sorted([path.name, other.name])


def test_two_that_write_one_file_do_not_disturb_each_other(path, model):
    before = path.read_bytes()
    with replacing(path) as first:
        first.write(b"first")
        with replacing(path) as second:
            second.write(b"second")
        assert path.read_bytes() == b"second"
    assert before != path.read_bytes() == b"first"
    assert entries(path) == [path.name]
