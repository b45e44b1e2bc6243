"""Tables of files, as rows of texts: CSV and TSV by the standard library, Excel, Parquet and Stata by libraries of their own.

Empty cells and missing values are "", whole numbers have no decimal point, dates are YYYY-MM-DD, and true is "true".
"""

import csv
import datetime
import io
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from suasion.errors import DataFileError, NotInstalled
from suasion.mappings import Dialect
from suasion.streams import COMPRESSIONS, Budget, opened

CHUNK_ROWS = 20_000
TEXT_ENDINGS = (".csv", ".tsv", ".txt")
ENDINGS = (*TEXT_ENDINGS, ".xlsx", ".parquet", ".dta")
Rows = Sequence[Sequence[str]]
_PACKAGES = {".xlsx": "python-calamine", ".parquet": "polars", ".dta": "pandas"}


@dataclass(frozen=True, slots=True)
class Table:
    """A head, and rows in parts; `first_row` is the number that the file gives the first of them, as a spreadsheet counts."""

    head: tuple[str, ...]
    parts: Iterator[Rows]
    first_row: int


@contextmanager
def read(
    path: Path, dialect: Dialect, wanted: Callable[[Sequence[str]], Sequence[str]], at: Callable[[float], None]
) -> Iterator[Table]:
    """Open a table, of the columns that `wanted` picks of its head where the format allows; `at` is told the share read.

    Raises DataFileError for a file that cannot be read, and NotInstalled where the library of its format is missing.
    """
    kind = _ending(path)
    try:
        if kind in TEXT_ENDINGS:
            separator = Dialect("\t", dialect.encoding, dialect.quote, dialect.skip) if kind == ".tsv" else dialect
            with _text_table(path, separator, at) as table:
                yield table
        else:
            with {".xlsx": _excel, ".parquet": _parquet, ".dta": _stata}[kind](path, wanted, at) as table:
                yield table
    except ImportError as error:
        raise NotInstalled(f"{path}: {kind} files need {error.name}: pip install {_PACKAGES[kind]}.") from None
    except OSError as error:
        raise DataFileError(f"{path}: {(error.strerror or str(error)).lower()}: check the name and who may read it.") from error


def _ending(path: Path) -> str:
    plain = path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path
    kind = plain.suffix.lower()
    if kind not in ENDINGS or (plain != path and kind not in TEXT_ENDINGS):
        allowed = f"{' '.join(ENDINGS)}, or a text file with {' '.join(COMPRESSIONS)}"
        raise DataFileError(f"{path}: the ending tells no table: name it {allowed}.")
    return kind


@contextmanager
def _text_table(path: Path, dialect: Dialect, at: Callable[[float], None]) -> Iterator[Table]:
    size = path.stat().st_size or 1
    with (
        path.open("rb") as raw,
        opened(path, raw, Budget(sys.maxsize), None, lambda done: at(done / size)) as stream,
        io.TextIOWrapper(stream, dialect.encoding, newline="") as lines,
    ):
        reader = csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)
        with _told(path, dialect.skip, reader):
            for _ in islice(lines, dialect.skip):
                pass
            head = tuple(next(reader, ()))
        yield Table(head, _text_parts(path, dialect.skip, reader), dialect.skip + 2)


def _text_parts(path: Path, skip: int, reader: Any) -> Iterator[Rows]:
    with _told(path, skip, reader):
        while part := list(islice(reader, CHUNK_ROWS)):
            yield part


@contextmanager
def _told(path: Path, skip: int, reader: Any) -> Iterator[None]:
    """Say where a text that follows some lines is no CSV."""
    try:
        yield
    except csv.Error as error:
        said = f"line {skip + reader.line_num}: {error}: mend the file, or the dialect of the mapping"
    except UnicodeDecodeError as error:
        place = f"about line {skip + reader.line_num + 1}: byte {error.object[error.start]:#x}"
        said = f'{place} is not {error.encoding}: say "encoding" in the "dialect" of the mapping'
    else:
        return
    raise DataFileError(f"{path}, {said}.")


@contextmanager
def _excel(path: Path, _: object, at: Callable[[float], None]) -> Iterator[Table]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        rows = iter(CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False))
    except CalamineError as error:
        raise _damaged(path, error) from None
    head = tuple(map(_text, next(rows, ())))

    def parts() -> Iterator[Rows]:
        while part := [list(map(_text, row)) for row in islice(rows, CHUNK_ROWS)]:
            at(0.5)  # the library reads the whole sheet at once
            yield part

    yield Table(head, parts(), 2)


@contextmanager
def _parquet(path: Path, wanted: Callable[[Sequence[str]], Sequence[str]], at: Callable[[float], None]) -> Iterator[Table]:
    import polars
    from polars.exceptions import PolarsError

    try:
        frame = polars.scan_parquet(path, glob=False)
        schema = frame.collect_schema()
        total = frame.select(polars.len()).collect().item() or 1
    except PolarsError as error:
        raise _damaged(path, error) from None
    head = tuple(wanted(schema.names()))
    texts = [_polars_text(polars.col(name), schema[name].is_float()) for name in head]

    def parts() -> Iterator[Rows]:
        for first in range(0, total, CHUNK_ROWS):
            try:
                part = frame.select(texts).slice(first, CHUNK_ROWS).collect().rows()
            except PolarsError as error:
                raise _damaged(path, error) from None
            at(first / total)
            yield part

    yield Table(head, parts(), 2)


def _polars_text(column: Any, is_float: bool) -> Any:
    import polars

    text = column.cast(polars.String)
    if is_float:
        text = polars.when(column.is_nan()).then(None).otherwise(text).str.replace(r"\.0$", "")
    return text.fill_null("")


@contextmanager
def _stata(path: Path, _: object, at: Callable[[float], None]) -> Iterator[Table]:
    import pandas

    try:
        with pandas.read_stata(path, chunksize=CHUNK_ROWS, convert_categoricals=False) as reader:
            first = next(reader, None)

            def parts() -> Iterator[Rows]:
                part = first
                while part is not None and len(part):
                    at(0.5)  # the library does not say how many rows there are
                    yield list(zip(*([_text(cell) for cell in part[name].to_numpy()] for name in part.columns), strict=True))
                    part = next(reader, None)

            yield Table(() if first is None else tuple(map(str, first.columns)), parts(), 2)
    except (ValueError, StopIteration, struct.error) as error:
        raise _damaged(path, error) from None


def _text(cell: Any) -> str:
    """Return a cell as a text.

    >>> [_text(cell) for cell in (2006.0, 1.5, True, None, float("nan"), datetime.date(2006, 1, 2))]
    ['2006', '1.5', 'true', '', '', '2006-01-02']
    """
    if isinstance(cell, str):
        return cell
    if cell is None or cell != cell:  # not-a-number and not-a-time are unlike themselves
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat()
    return str(cell).removesuffix(".0")


def _damaged(path: Path, error: Exception) -> DataFileError:
    reason = " ".join(str(error).split()).rstrip(".")[:200]
    return DataFileError(f"{path}: cannot be read: {reason}: fetch it again, or save it anew.")
