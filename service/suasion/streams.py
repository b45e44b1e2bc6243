"""The bytes of a file on their way to the parser: decompressed, counted, and scanned for what no parser may see."""

import bz2
import gzip
import io
import re
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol
from xml.parsers import expat

from suasion.errors import DataFileError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    import backports.zstd as zstd

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Scan = Callable[[bytes], None]
"""Looks at each part of a file before the parser sees it, an empty one last; raises DataFileError to keep it from there."""

COMPRESSIONS = (".gz", ".bz2", ".zst")
MOST_DEPTH = 64
# What decompressing raises for damaged data; gzip and bz2 also raise OSError without a number.
_DAMAGED = (EOFError, zlib.error, zstd.ZstdError)
_DOCTYPE = b"<!doctype"
_DOCTYPE_ANY_CASE = re.compile(_DOCTYPE, re.IGNORECASE)
_JSON_MARK = re.compile(rb'["\\\[\]{}]')
_CHUNK = 64 * 1024


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class Budget:
    """The bytes that may still be read, of all files together."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._left = most_bytes

    def take(self, number: int, path: Path) -> None:
        """Count bytes of a file. Raises DataFileError above the limit."""
        self._left -= number
        if self._left < 0:
            most = f"more than {self._most:,} bytes, decompressed and with the files before it"
            raise DataFileError(f"{path}: {most}: give less, or raise SUASION_DATA_BYTES.")


class WholeXml:
    """Refuse XML that is not well-formed to its end, or has a document type.

    The entities of a document type can make gigabytes of a few hundred bytes. It is sought everywhere, as the parser takes
    one anywhere; a document that shows one in a comment is refused too. The parser also takes a document cut short as whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = 1
        self._tail = b""
        self._reader = expat.ParserCreate()

    def __call__(self, part: bytes) -> None:
        """Raise DataFileError for what stands in this part, or is missing when it is empty and so the last."""
        window = self._tail + part
        if found := _DOCTYPE_ANY_CASE.search(window):
            line = self._lines - self._tail.count(b"\n") + window.count(b"\n", 0, found.start())
            remedy = "remove it and write its entities out, or convert the file to Turtle"
            raise DataFileError(f"{self._path}, line {line}: RDF/XML with a DOCTYPE is not read: {remedy}.")
        self._lines += part.count(b"\n")
        self._tail = window[1 - len(_DOCTYPE) :]
        try:
            self._reader.Parse(part, not part)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            place = f"line {error.lineno}, column {error.offset + 1}"
            raise DataFileError(f"{self._path}, {place}: {reason}: correct the file, or fetch it again.") from error


class ShallowJson:
    """Refuse JSON that is nested more deeply than MOST_DEPTH: a parser may end its process on it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = 1
        self._depth = 0
        self._in_string = False
        self._escaped = -1

    def __call__(self, part: bytes) -> None:
        """Raise DataFileError when the nesting passes the limit in this part."""
        for mark in _JSON_MARK.finditer(part):
            place, sign = mark.start(), mark[0]
            if place == self._escaped:
                continue
            if self._in_string:
                if sign == b"\\":
                    self._escaped = place + 1
                self._in_string = sign != b'"'
            elif sign == b'"':
                self._in_string = True
            elif sign in b"[{":
                self._depth += 1
                if self._depth > MOST_DEPTH:
                    line = self._lines + part.count(b"\n", 0, place)
                    fault = f"JSON nested more than {MOST_DEPTH} deep is not read"
                    raise DataFileError(f"{self._path}, line {line}: {fault}: flatten it, or convert the file to Turtle.")
            elif sign in b"]}":
                self._depth -= 1
        self._lines += part.count(b"\n")
        self._escaped -= len(part)


class _Source(io.RawIOBase):
    def __init__(self, path: Path, stream: _Readable, budget: Budget, scan: Scan | None, read: Callable[[], None]) -> None:
        super().__init__()
        self._path = path
        self._stream = stream
        self._budget = budget
        self._scan = scan
        self._read = read
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        try:
            part = self._stream.read(len(view))
        except _DAMAGED as error:
            raise _damaged(self._path, error) from error
        except OSError as error:
            if error.errno is None:
                raise _damaged(self._path, error) from error
            raise
        self._budget.take(len(part), self._path)
        if self._scan and not self._ended:
            self._scan(part)
        self._ended = not part
        self._read()
        view[: len(part)] = part
        return len(part)


def opened(path: Path, raw: BinaryIO, budget: Budget, scan: Scan | None, at: Callable[[int], None]) -> io.BufferedReader:
    """Return what an open file holds, decompressed as the end of its name says; `at` is told how far the file is read.

    Reading raises DataFileError for damaged data, above the budget, and for what the scan refuses.
    """
    return io.BufferedReader(_Source(path, _decompressed(raw, path), budget, scan, lambda: at(raw.tell())), _CHUNK)


def _decompressed(raw: BinaryIO, path: Path) -> _Readable:
    suffix = path.suffix.lower()
    if suffix in COMPRESSIONS and not path.stat().st_size:
        raise DataFileError(f"{path}: empty, which no {suffix} file is: fetch it again, or compress it anew.")
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=raw)
    if suffix == ".bz2":
        return bz2.BZ2File(raw)
    if suffix == ".zst":
        stream: _Readable = zstd.ZstdFile(raw)
        return stream
    return raw


def _damaged(path: Path, error: Exception) -> DataFileError:
    reason = str(error).rstrip(".")
    return DataFileError(f"{path}: cannot be decompressed: {reason}: fetch it again, or compress it anew.")
