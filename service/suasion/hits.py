"""Text search joined with SPARQL: an index of a store's texts, and its hits as a graph for the length of one query."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyoxigraph as ox

from suasion.errors import DataFileError
from suasion.exchange import Search
from suasion.prefixes import BASE, GRAPH
from suasion.syntax import described
from suasion.textindex import Entry, Found, Role, TextIndex

HITS = ox.NamedNode(GRAPH + "hits")
_VARIABLES = ["thing", "kind", "role", "text"]
_POSITION, _SCORE, _RANK, _MATCHED, _FORM, _LABEL, _KIND = (
    ox.NamedNode(f"{BASE}search#{name}") for name in ("position", "score", "rank", "matched", "form", "label", "kind")
)


def indexed(store: ox.Store, path: Path) -> TextIndex:
    """Return the index of what a query file finds in a store.

    The query selects ?thing ?kind ?role ?text; ?kind may be unbound, and a row whose thing or text is no term of that sort
    is passed over. Raises DataFileError for a file that cannot be read or is no such query, and for a role that is none.
    """
    try:
        solutions = store.query(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise DataFileError(f"{path}, {described(error.msg)[0]}") from error
    except OSError as error:
        raise DataFileError(f"{path}: {error.strerror}: the text index is made by this query.") from error
    except UnicodeDecodeError as error:
        raise DataFileError(f"{path}: byte {error.start} is not UTF-8.") from error
    if not isinstance(solutions, ox.QuerySolutions) or [variable.value for variable in solutions.variables] != _VARIABLES:
        raise DataFileError(f"{path}: what the text index holds is a SELECT of {' '.join('?' + name for name in _VARIABLES)}.")
    return TextIndex(_entries(solutions, path))


@contextmanager
def shown(store: ox.Store, index: TextIndex | None, search: Search | None) -> Iterator[Found | None]:
    """Keep the hits of a search in graph:hits of the store; yield them, None where nothing is searched.

    Nobody else may use the store meanwhile: it is the copy of one worker.
    """
    if index is None or search is None:
        yield None
        return
    found = index.find(search.text, search.most, search.kind, search.within)
    store.extend(_quads(found))
    try:
        yield found
    finally:
        store.remove_graph(HITS)


def _entries(solutions: ox.QuerySolutions, path: Path) -> Iterator[Entry]:
    roles = {role.name.lower(): role for role in Role}
    for thing, kind, role, text in solutions:
        if not isinstance(role, ox.Literal) or role.value not in roles:
            raise DataFileError(f"{path}: {role} is no ?role; there are {', '.join(roles)}.")
        if isinstance(thing, ox.NamedNode | ox.BlankNode) and isinstance(text, ox.Literal):
            yield Entry(
                str(thing), kind.value if isinstance(kind, ox.Literal) else "", roles[role.value], text.value, text.language or ""
            )


def _quads(found: Found) -> Iterator[ox.Quad]:
    matched = ox.Literal(found.matched)
    for position, hit in enumerate(found.hits, start=1):
        thing = ox.BlankNode(hit.thing[2:]) if hit.thing.startswith("_:") else ox.NamedNode(hit.thing[1:-1])
        yield ox.Quad(thing, _POSITION, ox.Literal(position), HITS)
        yield ox.Quad(thing, _SCORE, ox.Literal(hit.score), HITS)
        yield ox.Quad(thing, _RANK, ox.Literal(hit.rank), HITS)
        yield ox.Quad(thing, _MATCHED, matched, HITS)
        yield ox.Quad(thing, _FORM, _literal(hit.form, hit.form_language), HITS)
        yield ox.Quad(thing, _LABEL, _literal(hit.label, hit.label_language), HITS)
        if hit.kind:
            yield ox.Quad(thing, _KIND, ox.Literal(hit.kind), HITS)


def _literal(text: str, language: str) -> ox.Literal:
    return ox.Literal(text, language=language or None)
