"""A file of text in memory: its encoding, and the bounds of what is read."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
from collections.abc import Iterator

from ggn.validation import ArgumentError, describe

__all__ = ["Text"]

LARGEST = 2**30  # bytes of a pipe or a device, whose size is not known beforehand
LONGEST = 2**26  # bytes of one line
PIECE = 2**20
# of names of hosts, and of Python's own texts
NO_CHARACTERS = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined")
# longer marks first: that of UTF-32 begins as that of UTF-16
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Text:
    r"""The text of a file, to be gone through line by line as often as wanted.

    Parameters
    ----------
    path : path
    encoding : str, optional
        By default what the file's byte order mark says, and UTF-8 without one.

    Attributes
    ----------
    path : str
    encoding : str

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not text in this encoding, a line is longer than 64 MiB, or a
        pipe or a device gives more than 1 GiB.

    Examples
    --------
    >>> import os, tempfile
    >>> from ggn.io.text import Text
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "data.csv")
    ...     with open(path, "w", encoding="utf-16") as stream:
    ...         _ = stream.write("größe\n1\n")
    ...     text = Text(path)
    >>> text.encoding, list(text.lines())
    ('utf-16', ['größe\n', '1\n'])
    """

    def __init__(self, path: str | os.PathLike[str], encoding: str | None = None) -> None:
        self.path = os.fsdecode(path)
        if encoding is not None:
            _check_encoding(encoding)
        self._bytes = _bounded(self.path)
        marked = next((name for mark, name in MARKS if self._bytes.startswith(mark)), None)
        if encoding is None:
            self.encoding = marked or "utf-8"
        elif marked == "utf-8-sig" and codecs.lookup(encoding).name == "utf-8":
            self.encoding = marked
        else:
            self.encoding = encoding
        self._check(given=encoding is not None)

    def lines(self) -> Iterator[str]:
        r"""Return an iterator over the lines, each with its end, which is always `\n`."""
        return io.TextIOWrapper(io.BytesIO(self._bytes), encoding=self.encoding, newline=None)

    def _check(self, *, given: bool) -> None:
        try:
            text = self._bytes.decode(self.encoding)
            next(self.lines(), None)  # a stream of UTF-16 must have a mark, bytes need not
        except UnicodeDecodeError as error:
            before = self._bytes[: error.start].decode(self.encoding, "ignore")
            name = self.encoding.upper().removesuffix("-SIG") if not given else self.encoding
            raise ValueError(
                f"{self.path} is not {name} text: line {before.count(chr(10)) + 1} has the byte "
                f"0x{self._bytes[error.start]:02x}; --encoding says what it is written in "
                "(cp1252 if by Excel in western Europe)"
            ) from error
        except UnicodeError as error:
            raise ValueError(f"{self.path} is not {self.encoding} text: {error}") from error
        if "\0" in text:
            likely = "utf-16-be" if self._bytes[:1] == b"\0" else "utf-16-le"
            raise ValueError(
                f"{self.path} is not {self.encoding} text: line "
                f"{text.count(chr(10), 0, text.index(chr(0))) + 1} has a NUL character; "
                f"--encoding {likely} reads UTF-16 without a byte order mark"
            )


def _check_encoding(encoding: str) -> None:
    known = False
    with contextlib.suppress(LookupError, ValueError, TypeError):
        io.TextIOWrapper(io.BytesIO(), encoding=encoding)  # not from bytes to bytes, as base64
        known = codecs.lookup(encoding).name not in NO_CHARACTERS
    if not known:
        raise ArgumentError(
            "encoding",
            f"must be the name of one, as utf-8, cp1252 or utf-16, got {describe(encoding)}",
        )


def _bounded(path: str) -> bytes:
    """Return the bytes of a file, which need not have an end."""
    kept = io.BytesIO()
    since = 0  # the last end of a line
    with open(path, "rb") as stream:
        largest = max(LARGEST, os.fstat(stream.fileno()).st_size)
        while piece := stream.read(PIECE):
            last = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
            longest = since + len(piece) if last < 0 else 0
            since = longest if last < 0 else len(piece) - 1 - last
            if longest > LONGEST:
                raise ValueError(f"{path} has a line of more than {LONGEST >> 20} MiB")
            if kept.tell() + len(piece) > largest:
                raise ValueError(f"{path} has not ended after {largest >> 20} MiB")
            kept.write(piece)
    return kept.getvalue()
