"""Evaluate a question on a dataset; runs in a worker process only."""

import io
import json
import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING
from xml.parsers import expat

import pyoxigraph as ox

from suasion.exchange import Answer, Question, Term
from suasion.loading import Dataset
from suasion.syntax import described

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SOLUTION_FORMATS = {
    "application/sparql-results+json": ox.QueryResultsFormat.JSON,
    "application/sparql-results+xml": ox.QueryResultsFormat.XML,
    "text/csv": ox.QueryResultsFormat.CSV,
    "text/tab-separated-values": ox.QueryResultsFormat.TSV,
}
GRAPH_FORMATS = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/n-quads": ox.RdfFormat.N_QUADS,
    "application/trig": ox.RdfFormat.TRIG,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "application/ld+json": ox.RdfFormat.JSON_LD,
}
ROWS_TYPE = "application/json"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_NUMBERS = frozenset(
    _XSD + name for name in ("integer", "decimal", "double", "float", "int", "long", "nonNegativeInteger", "gYear")
)


def evaluate(dataset: Dataset, question: Question, prefixes: Mapping[str, str], most_bytes: int) -> Answer:
    """Return the answer to a question; what is wrong with it is an answer too, never an exception."""
    try:
        return _evaluate(dataset, question, prefixes, most_bytes)
    except SyntaxError as error:
        return _misparsed(error.msg)
    except _TooLargeError:
        remedy = "ask for less, or page with LIMIT and OFFSET"
        return Answer(error="AnswerTooLarge", detail=f"The answer is larger than {most_bytes:,} bytes: {remedy}.")
    except OSError as error:
        return Answer(error="BadQuery", detail=f"The query reaches outside, which is not allowed here (SERVICE): {error}")
    except (ValueError, RuntimeError) as error:
        return Answer(error="BadQuery", detail=f"The query cannot be run: {error}")


def _evaluate(dataset: Dataset, question: Question, prefixes: Mapping[str, str], most_bytes: int) -> Answer:
    default = question.default_graphs
    named = question.named_graphs
    if default is None and named is not None:
        default = ()
    if named is None and default is not None:
        named = ()
    store = dataset.union if question.union else dataset.facts
    results = store.query(
        question.query,
        substitutions={ox.Variable(name): _term(term) for name, term in question.terms.items()} or None,
        default_graph=None if default is None or question.union else [ox.NamedNode(iri) for iri in default],
        named_graphs=None if named is None else [ox.NamedNode(iri) for iri in named],
    )
    if isinstance(results, ox.QuerySolutions) and question.rows is not None:
        body = _slice(results, question.rows, question.sort, question.descending)
        if len(body) > most_bytes:
            raise _TooLargeError
        return Answer(ROWS_TYPE, body)
    out = _Spool(most_bytes)
    if isinstance(results, ox.QueryTriples):
        media_type = next((t for t in question.graph_types if t in GRAPH_FORMATS), "")
        if media_type:
            ox.serialize(results, out, GRAPH_FORMATS[media_type], prefixes=dict(prefixes))
    else:
        media_type = next((t for t in question.solution_types if t in SOLUTION_FORMATS), "")
        if media_type:
            results.serialize(out, SOLUTION_FORMATS[media_type])
    if not media_type:
        known = GRAPH_FORMATS if isinstance(results, ox.QueryTriples) else SOLUTION_FORMATS
        return Answer(
            error="NotAcceptable", detail=f"This query is answered as {', '.join(known)}.", extra={"offered": list(known)}
        )
    if media_type.endswith("xml") and (fault := _xml_fault(out.getvalue())):
        other = "JSON" if isinstance(results, ox.QuerySolutions) else "Turtle"
        return Answer(error="NotAcceptable", detail=f"XML cannot carry this answer ({fault}): ask for {other}.")
    return Answer(media_type, out.getvalue())


def _xml_fault(document: bytes) -> str:
    """Return why an XML document is malformed, or "": XML has no control characters, and no names for some predicates."""
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(document, True)
    except expat.ExpatError as error:
        return str(error)
    return ""


def _misparsed(message: str) -> Answer:
    shown, line, column = described(message)
    return Answer(error="BadQuery", detail=f"The query does not parse: {shown}", extra={"line": line, "column": column})


def _slice(results: ox.QuerySolutions, window: tuple[int, int], sort: str, descending: bool) -> bytes:
    names = [variable.value for variable in results.variables]
    offset, limit = window
    rows: list[dict[str, Term]] = []
    total = 0
    for solution in _sorted(results, sort, descending) if sort else results:
        if offset <= total < offset + limit:
            rows.append({name: _json(solution[name]) for name in names if solution[name] is not None})
        total += 1
    return json.dumps({"variables": names, "total": total, "rows": rows}, ensure_ascii=False).encode()


def _sorted(solutions: Iterable[ox.QuerySolution], name: str, descending: bool) -> list[ox.QuerySolution]:
    """Return solutions by a variable: numbers by value before texts in any case; what is unbound comes last in both orders."""
    found = list(solutions)
    bound = [solution for solution in found if solution[name] is not None]
    bound.sort(key=lambda solution: _sort_key(solution[name]), reverse=descending)  # stable, in reverse too
    return bound + [solution for solution in found if solution[name] is None]


def _sort_key(term: object) -> tuple[int, float, str]:
    text = term.value if isinstance(term, ox.NamedNode | ox.Literal) else str(term)
    if isinstance(term, ox.Literal) and term.datatype.value in _NUMBERS:
        with suppress(ValueError):
            number = float(text)
            return (1, 0, text) if math.isnan(number) else (0, number, text)
    return 1, 0, text.casefold()


def _term(term: Term) -> ox.NamedNode | ox.Literal:
    if term["type"] == "uri":
        return ox.NamedNode(term["value"])
    if "xml:lang" in term:
        return ox.Literal(term["value"], language=term["xml:lang"])
    datatype = ox.NamedNode(term["datatype"]) if "datatype" in term else None
    return ox.Literal(term["value"], datatype=datatype)


def _json(term: object) -> Term:
    if isinstance(term, ox.NamedNode):
        return {"type": "uri", "value": term.value}
    if isinstance(term, ox.Literal):
        if term.language:
            return {"type": "literal", "value": term.value, "xml:lang": term.language}
        return {"type": "literal", "value": term.value, "datatype": term.datatype.value}
    return {"type": "bnode", "value": str(term)}


class _TooLargeError(Exception):
    pass


class _Spool(io.BytesIO):
    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def write(self, data: "ReadableBuffer") -> int:
        written = super().write(data)
        if self.tell() > self._most:
            raise _TooLargeError
        return written
