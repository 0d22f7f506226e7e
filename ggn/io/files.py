"""Files that are either whole or not there: written beside, then put in place at once."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from io import BufferedWriter
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

__all__ = ["FilePath", "check_writable", "replacing"]

FilePath = str | os.PathLike[str]


@contextlib.contextmanager
def replacing(path: FilePath) -> Iterator[BinaryIO]:
    """Open a binary stream whose contents become the file only if the block ends well.

    On any failure or interrupt the old file stays and nothing else is left
    behind; what a process leaves that is killed, the next one that writes the file
    removes.  A path that is no regular file (a device, a pipe) is written directly.
    """
    name = os.fsdecode(path)
    target = Path(os.path.realpath(name))  # through a symbolic link, which stays one
    if target.exists() and not target.is_file():
        with open(name, "wb") as stream:
            yield stream
        return
    check_writable(name)
    _remove_left(target)
    new, temporary = _begun(target)
    try:
        with new:
            yield new
            new.flush()
            os.fsync(new.fileno())
            if fcntl is not None:  # while it is locked
                _put(temporary, target)
        if fcntl is None:
            _put(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.filename in (None, str(temporary)) and error.errno:
            raise OSError(error.errno, error.strerror, name) from error  # not the temporary name
        raise


def _begun(target: Path) -> tuple[BufferedWriter, Path]:
    """Return a new file that is to become the target, locked, and its name."""
    while True:
        name = target.with_name(f"{_begin(target)}{secrets.token_hex(8)}.tmp")
        stream = open(name, "xb")  # noqa: SIM115 - the caller closes it
        if _lock(stream) is not False and name.exists():
            return stream, name
        stream.close()  # another one that writes took it for left


def _put(temporary: Path, target: Path) -> None:
    if target.exists():
        shutil.copymode(target, temporary)
    os.replace(temporary, target)


def _remove_left(target: Path) -> None:
    """Remove what writers of this file have left that were killed."""
    for left in target.parent.glob(f"{_begin(target)}*.tmp"):
        with contextlib.suppress(OSError), open(left, "rb") as stream:
            if _lock(stream):
                left.unlink()


def _begin(target: Path) -> str:
    """Return how the names of files begin that are to become this one, whatever its length."""
    return f".ggn-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}-"


def _lock(stream: BinaryIO) -> bool | None:
    """Lock a file as long as it is open, which a kill ends too; None where that cannot be done.

    On Windows a file that is open cannot be removed, and needs no lock.
    """
    if fcntl is None:
        return True
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def check_writable(path: FilePath) -> None:
    """Raise the OSError that writing the file would meet, without touching it."""
    name = os.fsdecode(path)
    target = Path(os.path.realpath(name))
    code = 0
    if target.is_dir():
        code = errno.EISDIR
    elif target.exists():
        code = 0 if os.access(target, os.W_OK) else errno.EACCES
    elif not target.parent.is_dir():
        code = errno.ENOTDIR if target.parent.exists() else errno.ENOENT
    if not code and (target.is_file() or not target.exists()):
        code = 0 if os.access(target.parent, os.W_OK) else errno.EACCES
    if code:
        raise OSError(code, os.strerror(code), name)
