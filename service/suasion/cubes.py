"""Rows of a table as observations of the RDF Data Cube Vocabulary (W3C 2014), as lines of N-Quads.

Works on columns of a part of the table at a time: what a value becomes is made once for each value. Nothing of a cell goes into
a line unchecked: literals are escaped and have the form of their datatype, and what goes into an IRI is percent-encoded.
"""

import datetime
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from itertools import chain, compress, repeat
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from suasion.errors import DataFileError
from suasion.keys import Keys
from suasion.layouts import Layout, laid_out
from suasion.mappings import QB, Column, Mapping, Template, Value
from suasion.prefixes import DEF, GRAPH, ID
from suasion.tabular import Table

DATASET = ID + "dataset/"
CATALOGUE = GRAPH + "datasets"
_CODE = ID + "code/"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_RDFS_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
_NOTATION = "http://www.w3.org/2004/02/skos/core#notation"
_NUMBER = r"[+-]?(\d+(\.\d*)?|\.\d+)"
_FORMS = {
    _XSD + "integer": r"[+-]?\d+",
    _XSD + "decimal": _NUMBER,
    _XSD + "double": rf"{_NUMBER}([eE][+-]?\d+)?|[+-]?INF|NaN",
    _XSD + "date": r"\d{4}-\d\d-\d\d",
    _XSD + "gYear": r"-?\d{4}",
    _XSD + "boolean": r"true|false|1|0",
    _XSD + "anyURI": r"[^\x00-\x20<>\"{}|\\^`]+",
}
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")  # RFC 3986, section 2.3
_YEAR = re.compile(r"\d{4}")
_ESCAPES = {ord(c): e for c, e in {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}.items()} | {
    n: f"\\u{n:04X}" for n in (*range(9), 11, 12, *range(14, 32), 127)
}
_MOST_KEPT = 500_000
_SHOWN = 60
Triple = tuple[str, str, str]


@dataclass(slots=True)
class Tally:
    """What became of a table: rows read, observations made, rows left out since they have no value, lines, and, by scheme and
    code, the cells whose code is nobody's.
    """

    rows: int = 0
    observations: int = 0
    empty_rows: int = 0
    quads: int = 0
    ignored_columns: tuple[str, ...] = ()
    unmatched: Counter[tuple[str, str]] = field(default_factory=Counter)


class _Cells(Protocol):
    """What the cells of a column become: `tails` gives what follows the subject in the line of each, None where it is empty.

    It raises _MisfitError for a cell that the column may not have.
    """

    column: Column

    def tails(self, columns: Sequence[Sequence[str]], tally: Tally) -> list[str | None]: ...


class _MisfitError(Exception):
    """A cell, and what is wrong with it."""

    def __init__(self, cell: str, fault: str) -> None:
        super().__init__(cell, fault)
        self.cell = cell
        self.fault = fault


def structure(mapping: Mapping, name: str) -> Iterator[Triple]:
    """Yield the triples on the structure of a dataset (section 6): its components, and what is said of each property."""
    dataset = f"{DATASET}{name}"
    yield dataset, QB + "structure", iri(f"{dataset}#structure")
    yield f"{dataset}#structure", _RDF_TYPE, iri(QB + "DataStructureDefinition")
    seen = set()
    for column in mapping.columns:
        property_ = absolute(column.property, dataset)
        if column.suppressed or property_ in seen:
            continue
        seen.add(property_)
        component = f"{dataset}#component-{column.name}"
        yield f"{dataset}#structure", QB + "component", iri(component)
        yield component, QB + column.role.removesuffix("Property").lower(), iri(property_)
        if property_.startswith(dataset):  # what others have defined is described by them
            yield property_, _RDF_TYPE, iri(QB + column.role)
            yield property_, _RDFS_LABEL, literal(column.titles[0], language="en")
            for key, values in column.properties.items():
                for value in values:
                    yield property_, key, term(value)


def lines(mapping: Mapping, name: str, table: Table, path: Path, keys: Keys, tally: Tally) -> Iterator[str]:
    """Yield parts of the N-Quads of the observations, in the order of the rows; `tally` counts along.

    Raises DataFileError with row and column for a cell that does not fit, and for two rows that are one observation.
    """
    dataset = f"{DATASET}{name}"
    graph = iri(GRAPH + "dataset-" + name)
    layout = laid_out(mapping, table, path)
    tally.ignored_columns = layout.ignored
    read = [_cells(column, layout.places, dataset, graph, keys, path) for column in mapping.columns if not column.suppressed]
    measures = [number for number, cells in enumerate(read) if cells.column.role == "MeasureProperty"]
    common = f" {iri(_RDF_TYPE)} {iri(QB + 'Observation')} {graph} .\n", f" {iri(QB + 'dataSet')} {iri(dataset)} {graph} .\n"
    is_repeated = len({cells.column.property for cells in read}) < len(read)
    seen: dict[str, int] = {}
    first = table.first_row
    for rows in chain.from_iterable(map(layout.parts, table.parts)):
        columns, numbers = layout.columns(rows, first), layout.numbers(rows, first)
        subjects = _subjects(mapping.about, columns, numbers, layout, dataset)
        tails = [_tails(cells, columns, numbers, layout, tally) for cells in read]
        valued = _valued([tails[number] for number in measures])
        tally.rows += len(numbers)
        if not all(valued):
            subjects, numbers = list(compress(subjects, valued)), list(compress(numbers, valued))
            tails = [list(compress(tail, valued)) for tail in tails]
        tally.observations += len(subjects)
        tally.empty_rows += len(valued) - len(subjects)
        _refuse_repeated(subjects, numbers, seen, path)
        lines_of_rows: Iterable[Sequence[str]] = zip(*(repeat(tail, len(subjects)) for tail in common), *tails, strict=True)
        if is_repeated or any(None in tail for tail in tails):  # the same value in two columns is said once
            lines_of_rows = [tuple(filter(None, dict.fromkeys(row))) for row in lines_of_rows]
            tally.quads += sum(map(len, lines_of_rows))
        else:
            tally.quads += len(subjects) * (len(common) + len(tails))
        first += len(rows)
        yield "".join([subject + subject.join(row) for subject, row in zip(subjects, lines_of_rows, strict=True)])


def codes(tally: Tally, name: str) -> Iterator[Triple]:
    """Yield the triples on the codes that are nobody's; how often a code occurs is said in the graph of the dataset only."""
    for (scheme, code), cells in sorted(tally.unmatched.items()):
        node = _code_iri(scheme, code)
        yield DATASET + name, DEF + "unmatchedCode", iri(node)
        yield node, _RDF_TYPE, iri("http://www.w3.org/ns/adms#Identifier")
        yield node, _NOTATION, literal(code)
        yield node, DEF + "identifierScheme", literal(scheme)
        yield node, DEF + "cellCount", literal(str(cells), _XSD + "integer")


def quads(triples: Iterator[Triple], graph: str) -> list[str]:
    """Return lines of N-Quads of a graph, each once."""
    return list(dict.fromkeys(f"{iri(s)} {iri(p)} {o} {iri(graph)} .\n" for s, p, o in triples))


def iri(value: str) -> str:
    """Return an IRI as N-Quads writes it; what it is made of was checked where it came from."""
    return f"<{value}>"


def literal(value: str, datatype: str = "", language: str = "") -> str:
    """Return a literal as N-Quads writes it."""
    suffix = f"@{language}" if language else f"^^{iri(datatype)}" if datatype else ""
    return f'"{value.translate(_ESCAPES)}"{suffix}'


def term(value: Value) -> str:
    """Return a value of a mapping as N-Quads writes it: whole numbers as such, other texts as English."""
    text, is_iri = value
    if is_iri:
        return iri(text)
    return literal(text, _XSD + "integer") if re.fullmatch(r"-?\d+", text) else literal(text, language="en")


def absolute(url: str, dataset: str) -> str:
    """Return a URL of a mapping, which is whole, or follows the IRI of the dataset."""
    return dataset + url if url.startswith("#") else url


def _subjects(
    about: Template, columns: Sequence[Sequence[str]], numbers: Sequence[int], layout: Layout, dataset: str
) -> list[str]:
    start, *texts = absolute(about.texts[0], dataset), *about.texts[1:]
    parts: list[Sequence[str]] = []
    for name in about.names:
        if name == "_row":
            parts.append(list(map(str, numbers)))
        else:
            cells = columns[layout.places[name]]
            if not _UNRESERVED.fullmatch("".join(cells)):
                encoded = {cell: quote(cell.strip(), safe="") for cell in set(cells)}
                cells = [encoded[cell] for cell in cells]
            parts.append(cells)
    if not parts:
        return [f"<{start}>"] * len(numbers)
    pattern = ("<" + start).replace("%", "%%") + "".join("%s" + text.replace("%", "%%") for text in texts) + ">"
    return [pattern % values for values in zip(*parts, strict=True)]


def _valued(measures: list[list[str | None]]) -> list[bool]:
    """Say of each row whether one of the measures has a value."""
    if any(None not in tails for tails in measures):
        return [True] * len(measures[0])
    return [any(values) for values in zip(*measures, strict=True)]


def _refuse_repeated(subjects: list[str], numbers: Sequence[int], seen: dict[str, int], path: Path) -> None:
    fresh = dict(zip(subjects, numbers, strict=True))
    if len(fresh) == len(subjects) and seen.keys().isdisjoint(fresh):
        seen.update(fresh)
        return
    for subject, number in zip(subjects, numbers, strict=True):
        if subject in seen:
            remedy = 'add the columns that tell them apart to "aboutUrl" of the mapping'
            raise DataFileError(f"{path}, row {number}: the same observation as row {seen[subject]}, {subject}: {remedy}.")
        seen[subject] = number


def _tails(
    cells: _Cells, columns: Sequence[Sequence[str]], numbers: Sequence[int], layout: Layout, tally: Tally
) -> list[str | None]:
    try:
        return cells.tails(columns, tally)
    except _MisfitError as misfit:
        index = columns[layout.places[cells.column.name]].index(misfit.cell)
        shown = misfit.cell if len(misfit.cell) <= _SHOWN else misfit.cell[:_SHOWN] + "…"
        said = f"row {numbers[index]}, column {layout.heading(cells.column, index)}: {shown!r} {misfit.fault}"
        raise DataFileError(f'{layout.path}, {said}: mend it, or the mapping ("datatype", "null").') from None


def _cells(column: Column, places: Map[str, int], dataset: str, graph: str, keys: Keys, path: Path) -> _Cells:
    before, after = f" {iri(absolute(column.property, dataset))} ", f" {graph} .\n"
    place = places[column.name]
    if column.scheme:
        if column.scheme not in keys.schemes:
            known = ", ".join(sorted(keys.schemes))
            raise DataFileError(f"{path}: the mapping names the scheme {column.scheme!r}, which is not known: it takes {known}.")
        return _Codes(column, place, places.get(column.code_year), before, after, keys)
    if column.value:
        texts = (absolute(column.value.texts[0], dataset), *column.value.texts[1:])
        return _Texts(column, place, lambda cell: before + iri(quote(cell, safe="").join(texts)) + after)
    if column.datatype:
        return _Literals(column, place, before, after)
    return _Texts(column, place, lambda cell: before + literal(cell, language=column.language) + after)


class _Texts:
    """Cells that may have any text."""

    def __init__(self, column: Column, place: int, made: Callable[[str], str]) -> None:
        self.column = column
        self._place = place
        self._made = made
        self._kept: dict[str, str | None] = {}

    def tails(self, columns: Sequence[Sequence[str]], _: Tally) -> list[str | None]:
        """Make of each value what it becomes, once."""
        cells = columns[self._place]
        if len(self._kept) > _MOST_KEPT:
            self._kept.clear()
        for cell in set(cells) - self._kept.keys():
            plain = cell.strip()
            self._kept[cell] = None if _is_null(self.column, cell) else self._made(plain)
        return [self._kept[cell] for cell in cells]


class _Literals:
    """Cells of a datatype; none of its forms has a character that needs an escape."""

    def __init__(self, column: Column, place: int, before: str, after: str) -> None:
        self.column = column
        self._place = place
        self._before = f'{before}"'
        self._after = f'"^^{iri(column.datatype)}{after}'
        form = _FORMS[column.datatype]
        self._one = re.compile(form, re.ASCII)
        self._all = re.compile(rf"(?:{form})(?:\n(?:{form}))*+", re.ASCII)
        self._name = column.datatype.removeprefix(_XSD)

    def tails(self, columns: Sequence[Sequence[str]], _: Tally) -> list[str | None]:
        """Look at all cells at once, and at each only where one of them is something else."""
        cells = columns[self._place]
        before, after = self._before, self._after
        if self._name != "date" and not {*self.column.null}.intersection(cells) and self._all.fullmatch("\n".join(cells)):
            return [before + cell + after for cell in cells]
        return [None if _is_null(self.column, cell) else before + self._checked(cell) + after for cell in cells]

    def _checked(self, cell: str) -> str:
        plain = cell.strip()
        if not self._one.fullmatch(plain) or (self._name == "date" and not _is_day(plain)):
            raise _MisfitError(cell, f"is no {self._name}")
        return plain


class _Codes:
    """Cells that are codes of a scheme, of a year that another column may have."""

    def __init__(self, column: Column, place: int, year_place: int | None, before: str, after: str, keys: Keys) -> None:
        self.column = column
        self._place = place
        self._year_place = year_place
        self._before = before
        self._after = after
        self._keys = keys
        self._kept: dict[str, str | None] = {}
        self._dated: dict[str, dict[str, str]] = {}
        self._nobody: dict[str, tuple[str, str]] = {}

    def tails(self, columns: Sequence[Sequence[str]], tally: Tally) -> list[str | None]:
        """Look each code up once, or once a year where it is of one thing now and of another then."""
        cells = columns[self._place]
        for cell in set(cells) - self._kept.keys():
            self._kept[cell] = None if _is_null(self.column, cell) else self._tail(cell.strip(), None)
            if self._year_place is not None and self._keys.is_dated(self.column.scheme, cell):
                self._dated[cell] = {}
        if self._dated and self._year_place is not None:
            pairs = zip(cells, columns[self._year_place], strict=True)
            tails = [self._of_year(cell, year) if cell in self._dated else self._kept[cell] for cell, year in pairs]
        else:
            tails = [self._kept[cell] for cell in cells]
        counts = Counter(tails)
        for tail, code in self._nobody.items():
            if counts[tail]:
                tally.unmatched[code] += counts[tail]
        return tails

    def _of_year(self, cell: str, year: str) -> str:
        by_year = self._dated[cell]
        if year not in by_year:
            by_year[year] = self._tail(cell.strip(), int(year[:4]) if _YEAR.match(year) else None)
        return by_year[year]

    def _tail(self, code: str, year: int | None) -> str:
        scheme = self.column.scheme
        thing = self._keys.thing(scheme, code, year)
        tail = self._before + iri(thing or _code_iri(scheme, code)) + self._after
        if not thing:
            self._nobody[tail] = (scheme, code)
        return tail


def _is_null(column: Column, cell: str) -> bool:
    if cell.strip() not in column.null:
        return False
    if column.required:
        raise _MisfitError(cell, "is empty, and may not be")
    return True


def _is_day(cell: str) -> bool:
    try:
        return bool(datetime.date.fromisoformat(cell))
    except ValueError:
        return False


def _code_iri(scheme: str, code: str) -> str:
    return f"{_CODE}{quote(scheme, safe='')}/{quote(code, safe='')}"
