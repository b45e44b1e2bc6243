"""The rows of an answer as readers see them: things by their names, figures in groups of digits, lists of claims folded, and
what no row has left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from suasion.catalog import Column, Query
from suasion.exchange import Term
from suasion.places import Places
from suasion.questions import Page
from suasion.terms import plain

_GROUPED_FROM = 10_000
"""Smaller numbers have no commas: they may be years."""
Values = Sequence[tuple[str, str]]
"""Texts, each with where it leads, "" for nowhere."""


@dataclass(frozen=True, slots=True)
class Head:
    """A column: its name, what it means, and whether its values are folded, as there may be many."""

    name: str
    meaning: str
    folded: bool


@dataclass(frozen=True, slots=True)
class Table:
    """Columns with their rows, and the names of columns without a value in any of these rows."""

    heads: tuple[Head, ...]
    rows: tuple[tuple[Values, ...], ...]
    empty: tuple[str, ...]


def table(page: Page, names: Mapping[str, str], places: Places) -> Table:
    """Return the rows of a page; `names` are those of things by IRI, beside the names that the rows have themselves."""
    query = page.query
    naming = _naming(query, known=bool(names))
    shown = [name for name in query.columns if name not in naming.values()]
    rows = []
    for row in page.rows:
        cells = {name: terms for name, _, terms in page.cells(row)}
        rows.append({name: [*_values(cells, name, naming.get(name), page, names, places)] for name in shown})
    filled = [name for name in shown if any(row[name] for row in rows)]
    heads = tuple(_head(name, query.columns[name]) for name in filled)
    empty = tuple(_words(name) for name in shown if name not in filled)
    return Table(heads, tuple(tuple(row[name] for name in filled) for row in rows), empty)


def number(term: Term) -> str:
    """Return a number as readers are used to: without a fraction of zero, and in groups of three digits from ten thousand on."""
    value = plain(term)
    if isinstance(value, str | bool):
        return term["value"]
    exact = Decimal(str(value))
    whole = exact == exact.to_integral_value()
    grouped = "," if abs(exact) >= _GROUPED_FROM else ""
    return format(int(exact) if whole else exact, grouped if whole else f"{grouped}f")


def _naming(query: Query, *, known: bool) -> dict[str, str]:
    """Return columns of things by the columns that name them; lists only where names are known besides, as theirs are sorted."""
    found: dict[str, str] = {}
    things = [name for name, column in query.columns.items() if column.type == "iri"]
    for name, column in query.columns.items():
        stem = next((name.removesuffix(end) for end in ("_names", "_name") if name.endswith(end)), "")
        if name == "name":
            fitting = [thing for thing in things if not query.columns[thing].is_list][:1]
        elif name.endswith("summary"):
            fitting = [{"summary": "claim", "other_summary": "other"}.get(name, "")]
        else:
            fitting = [stem, f"{stem}s", f"{stem[:-1]}ies"] if stem else []
        thing = next((one for one in fitting if one in things and one not in found), "")
        if thing and query.columns[thing].is_list == column.is_list and (known or not column.is_list):
            found[thing] = name
    return found


def _head(name: str, column: Column) -> Head:
    return Head(_words(name), column.meaning, folded=column.is_list and name.startswith("claims"))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _values(
    cells: Mapping[str, Sequence[Term]], name: str, naming: str | None, page: Page, names: Mapping[str, str], places: Places
) -> Iterator[tuple[str, str]]:
    terms = cells[name]
    own = [term["value"] for term in cells[naming]] if naming and len(cells[naming]) == len(terms) == 1 else []
    for place, term in enumerate(terms):
        if term["type"] == "uri":
            iri = term["value"]
            yield (own[place] if own else names.get(iri) or page.prefixes.shorten(iri)), places.link(iri)
        elif isinstance(told := plain(term), bool):
            yield ("yes" if told else "no"), ""
        else:
            yield number(term), ""
