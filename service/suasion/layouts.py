"""Where a table has the columns of a mapping; a wide table, with a column for each year, becomes long on the way.

Each row of a wide table becomes as many as there are columns whose heading has the form that the mapping declares
(`:headingPattern`): in each, the column has one of their cells, and the virtual column what the heading over it says.
"""

import re
from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import TypeVar

from suasion.errors import DataFileError
from suasion.mappings import Column, Mapping
from suasion.tabular import CHUNK_ROWS, Rows, Table

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns of a mapping in a table of `width` columns.

    `places` says for each name which of the `columns` it is, and `ignored` are the headings that no column has. In a wide table
    `wide` are the places of the columns that become rows, with their `headings` and `meanings`, what these say.
    """

    path: Path
    width: int
    places: Map[str, int]
    ignored: tuple[str, ...]
    wide: tuple[int, ...] = ()
    headings: tuple[str, ...] = ()
    meanings: tuple[str, ...] = ()

    def parts(self, rows: Rows) -> list[Rows]:
        """Cut rows into parts that do not become too long."""
        size = CHUNK_ROWS // (len(self.wide) or 1) or 1
        return [rows[start : start + size] for start in range(0, len(rows), size)]

    def columns(self, rows: Rows, first: int) -> list[Sequence[str]]:
        """Return the cells by columns; `first` is the number that the file gives the first row.

        Raises DataFileError for a row that has more or fewer cells than the head.
        """
        if any(map(self.width.__ne__, map(len, rows))):
            number, cells = next((n, len(row)) for n, row in enumerate(rows, start=first) if len(row) != self.width)
            raise DataFileError(f"{self.path}, row {number}: {cells} cells, where the head has {self.width}: mend the row.")
        columns: list[Sequence[str]] = list(zip(*rows, strict=True))
        if not self.wide:
            return columns
        read = frozenset(self.places.values())
        long = [self._repeated(column) if place in read else () for place, column in enumerate(columns)]
        cells_of_rows = zip(*(columns[place] for place in self.wide), strict=True)
        return [*long, list(chain.from_iterable(cells_of_rows)), self.meanings * len(rows)]

    def numbers(self, rows: Rows, first: int) -> Sequence[int]:
        """Return for each row that `columns` gives the number that the file gives it."""
        numbers = range(first, first + len(rows))
        return self._repeated(numbers) if self.wide else numbers

    def heading(self, column: Column, index: int) -> str:
        """Return the heading over a cell of a column, by the index of its row in what `columns` gives."""
        return self.headings[index % len(self.headings)] if column.pattern or column.virtual else column.titles[0]

    def _repeated(self, column: Sequence[_T]) -> Sequence[_T]:
        return list(chain.from_iterable(map(repeat, column, repeat(len(self.wide)))))


def wanted(mapping: Mapping, head: Sequence[str]) -> list[str]:
    """Return the headings of a table that a mapping reads."""
    return [title for title in head if any(_has(column, title.strip()) for column in mapping.columns)]


def laid_out(mapping: Mapping, table: Table, path: Path) -> Layout:
    """Return where a table has the columns of a mapping.

    Raises DataFileError for a column that is missing or there twice, and for a wide table of which no column becomes rows, or
    two say the same.
    """
    heads = [title.strip() for title in table.head]
    places = {}
    wide: list[int] = []
    meanings: list[str] = []
    for column in mapping.columns:
        if column.virtual:
            places[column.name] = len(heads) + 1
            continue
        found = [place for place, head in enumerate(heads) if _has(column, head)]
        if column.pattern:
            wide, meanings = found, [_said(column.pattern, heads[place]) for place in found]
        if not found or (len(set(meanings)) < len(found) if column.pattern else len(found) > 1):
            said = "there are several columns" if found else "there is no column"
            shown = " or ".join(map(repr, column.titles))
            if column.pattern:
                shown = f"{'that say the same ' if found else ''}with a heading of the form {column.pattern.pattern!r}"
            raise DataFileError(f"{path}: {said} {shown}, which {mapping.path} reads as {column.name!r}: mend one of them.")
        places[column.name] = len(heads) if column.pattern else found[0]
    read = {*places.values(), *wide}
    ignored = tuple(title for place, title in enumerate(table.head) if place not in read and title.strip())
    return Layout(path, len(heads), places, ignored, tuple(wide), tuple(heads[place] for place in wide), tuple(meanings))


def _has(column: Column, heading: str) -> bool:
    return bool(column.pattern.fullmatch(heading)) if column.pattern else not column.virtual and heading in column.titles


def _said(pattern: re.Pattern[str], heading: str) -> str:
    """Return the part of a heading that the pattern has in its first group, or all of it."""
    match = pattern.fullmatch(heading)
    return (match[1 if pattern.groups else 0] or "") if match else ""
