"""The text of an update before the parser: passed through the gate, and told the graphs that its request names.

The engine takes no dataset for an update, so `using-graph-uri` and `using-named-graph-uri` (SPARQL 1.1 Protocol, section
2.2.3) become USING clauses, which say the same.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from suasion import gate
from suasion.errors import BadQuery

_KEYWORDS = frozenset(("ADD", "ALL", "BASE", "CLEAR", "COPY", "CREATE", "DATA", "DEFAULT", "DELETE", "DROP", "GRAPH", "INSERT"))
_KEYWORDS |= frozenset(("MOVE", "NAMED", "PREFIX", "SILENT", "TO", "USING", "VERSION", "WHERE", "WITH"))
_Token = tuple[str, str, int, int]


def refuse_hostile(text: str) -> None:
    """Raise BadQuery for LOAD, and for what `gate.pass_through` refuses in any operation of an update."""
    before = ""
    for kind, symbol, _, _ in _outside(text):
        # The engine also reads LOAD where it is glued to SILENT, or to the name that follows it.
        load = symbol.upper().startswith("LOAD") and (kind == "word" or (kind == "name" and before.upper() != "PREFIX"))
        if load:
            raise BadQuery("LOAD is not allowed here: send the triples by the Graph Store Protocol.", {"limit": "load"})
        before = symbol
    for operation in _operations(text):
        gate.pass_through(operation, gate.Limits(characters=len(text)))


def directed(text: str, using: Sequence[str], using_named: Sequence[str]) -> str:
    """Return an update whose WHERE clauses look at the given graphs, which are IRIs as SPARQL writes them: <…>.

    Raises BadQuery when the update itself says USING or WITH (section 2.2.3 forbids both at once), or cannot be read.
    """
    clauses = "".join([f" USING {iri}" for iri in using] + [f" USING NAMED {iri}" for iri in using_named]) + " "
    return "".join(_directed(operation, clauses) for operation in _operations(text))


def forgiving(text: str) -> str:
    """Return an update whose CLEAR GRAPH takes a graph that is not there for one that is empty already, and goes on.

    SPARQL 1.1 Update leaves that open for stores (section 3.1.3); the W3C's test update_base_uri counts on it.
    """
    pairs = pairwise(_outside(text))
    places = [one[3] for one, two in pairs if (one[0], one[1].upper(), two[1].upper()) == ("word", "CLEAR", "GRAPH")]
    cuts = [0, *places, len(text)]
    return " SILENT".join(text[start:end] for start, end in pairwise(cuts))


def _operations(text: str) -> Iterator[str]:
    """Yield the operations of an update, each with the semicolon after it; all together are the text."""
    cuts = [0, *(end for _, symbol, _, end in _outside(text) if symbol == ";"), len(text)]
    return (text[start:end] for start, end in pairwise(cuts) if start < end)


def _directed(operation: str, clauses: str) -> str:
    tokens = list(_outside(operation))
    words = [(symbol.upper(), place) for place, (kind, symbol, _, _) in enumerate(tokens) if kind == "word"]
    if unknown := [word for word, _ in words if word not in _KEYWORDS]:
        raise BadQuery(f"With using-graph-uri, keywords have to stand apart: {unknown[0][:40]!r} is none.")
    if any(word in ("USING", "WITH") for word, _ in words):
        raise BadQuery("The request names graphs by using-graph-uri, and the update by USING or WITH: do one of the two.")
    places = [place for word, place in words if word == "WHERE"]
    if not places:
        return operation
    if len(places) > 1:
        raise BadQuery("The update cannot be read: an operation has two WHERE clauses.")
    place = places[0]
    _, _, start, end = tokens[place]
    pattern = ""
    if tokens[place - 1][1].upper() == "DELETE":  # DELETE WHERE takes no USING, but stands for DELETE {…} WHERE {…}
        closing = [token[3] for token in tokens[place:] if token[1] == "}"]
        pattern = operation[end : closing[0]] if closing else ""
    return operation[:start] + pattern + clauses + operation[start:]


def _outside(text: str) -> Iterator[_Token]:
    """Yield the tokens of a text that stand in no braces, and the outermost braces themselves."""
    depth = 0
    for token in gate.tokens(text):
        depth -= token[:2] == ("other", "}")
        if depth <= 0:
            yield token
        depth += token[:2] == ("other", "{")
