"""Files that are either whole or not there: written beside, then put in place at once."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = ["FilePath", "check_writable", "replacing"]

FilePath = str | os.PathLike[str]


@contextlib.contextmanager
def replacing(path: FilePath) -> Iterator[BinaryIO]:
    """Open a binary stream whose contents become the file only if the block ends well.

    On any failure or interrupt the old file stays and nothing else is left
    behind.  A path that is no regular file (a device, a pipe) is written directly.
    """
    name = os.fspath(path)
    target = Path(os.path.realpath(name))  # through a symbolic link, which stays one
    if target.exists() and not target.is_file():
        with open(name, "wb") as stream:
            yield stream
        return
    check_writable(name)
    temporary = target.with_name(f".ggn-{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.filename in (None, str(temporary)) and error.errno:
            raise OSError(error.errno, error.strerror, name) from error  # not the temporary name
        raise


def check_writable(path: FilePath) -> None:
    """Raise the OSError that writing the file would meet, without touching it."""
    name = os.fspath(path)
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
