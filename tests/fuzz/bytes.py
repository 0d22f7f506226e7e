"""Mutations of bytes: what transfers, editors and malice do to a file."""

from __future__ import annotations

import numpy as np

SPLICES = [
    b"\x00", b"\xff" * 8, b"\n" * 50, b'"', b"nan", b"inf", b"1e999", b"-", b"9" * 400, b",", b";", b"\t",
    b"\xef\xbb\xbf", b"\xff\xfe", b"{", b"[" * 200, b"\\u0000", b"null", b"true", b"1e308", b"NA", b"#", b"=1+1",
    b"\r", b"'", b"sep=;\n", b"0x10", b"1_000", b"\x80\x04", b"PK\x03\x04", b"-1", b"18446744073709551616",
]  # fmt: skip


def mutated(data: bytes, rng: np.random.Generator, most: int = 4) -> bytes:
    """Return the bytes after a few random changes."""
    for _ in range(int(rng.integers(1, most + 1))):
        data = _changed(data, rng)
    return data


def _changed(data: bytes, rng: np.random.Generator) -> bytes:
    n = len(data)
    i, j = sorted(int(k) for k in rng.integers(0, n + 1, 2))
    j = min(j, i + int(2 ** rng.uniform(0, 10)))
    kind = int(rng.integers(8))
    if kind == 0:  # a bit
        if not n:
            return data
        i = min(i, n - 1)
        return data[:i] + bytes([data[i] ^ (1 << int(rng.integers(8)))]) + data[i + 1 :]
    if kind == 1:  # a byte or a few
        return data[:i] + rng.bytes(int(rng.integers(1, 5))) + data[i + int(rng.integers(0, 5)) :]
    if kind == 2:  # cut out
        return data[:i] + data[j:]
    if kind == 3:  # twice
        return data[:j] + data[i:j] * int(rng.integers(1, 4)) + data[j:]
    if kind == 4:  # truncated
        return data[:i] if rng.random() < 0.5 else data[i:]
    if kind == 5:  # elsewhere
        k = int(rng.integers(0, n + 1))
        return data[:k] + data[i:j] + data[k:]
    splice = SPLICES[int(rng.integers(len(SPLICES)))]
    return data[:i] + splice + (data[j:] if kind == 6 else data[i:])
