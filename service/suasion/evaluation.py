"""Evaluate a question on a dataset; runs in a worker process only."""

import io
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from xml.parsers import expat

import pyoxigraph as ox

from suasion.errors import SuasionError
from suasion.exchange import GRAPH_TYPES, SOLUTION_TYPES, Answer, Question, Term
from suasion.inlining import inlined
from suasion.loading import Dataset
from suasion.syntax import described

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

ROWS_TYPE = "application/json"
_UNKNOWN_FUNCTION = re.compile(r"The custom (?:aggregate )?function <[^>]*> is not supported")


def evaluate(dataset: Dataset, question: Question, prefixes: Mapping[str, str], most_bytes: int) -> Answer:
    """Return the answer to a question; what is wrong with it is an answer too, never an exception."""
    try:
        return _evaluate(dataset, question, prefixes, most_bytes)
    except SyntaxError as error:
        return _misparsed(error.msg)
    except SuasionError as error:
        return Answer(error=type(error).__name__, detail=error.detail, extra=error.extra)
    except _TooLargeError:
        remedy = "ask for less, or page with LIMIT and OFFSET"
        return Answer(error="AnswerTooLarge", detail=f"The answer is larger than {most_bytes:,} bytes: {remedy}.")
    except OSError as error:
        return Answer(error="BadQuery", detail=f"The query reaches outside, which is not allowed here (SERVICE): {error}")
    except (ValueError, RuntimeError) as error:
        unknown = _UNKNOWN_FUNCTION.match(str(error))
        kind = "UnknownFunction" if unknown else "BadQuery"
        return Answer(error=kind, detail=f"The query cannot be run: {error}")


def _evaluate(dataset: Dataset, question: Question, prefixes: Mapping[str, str], most_bytes: int) -> Answer:
    default = question.default_graphs
    named = question.named_graphs
    if default is None and named is not None:
        default = ()
    if named is None and default is not None:
        named = ()
    if question.graph is not None and (refusal := _missing(dataset, question.graph)):
        return refusal
    store = dataset.union if question.union else dataset.facts
    query, failures = inlined(question)
    results = store.query(
        query,
        base_iri=question.base_iri or None,
        substitutions={ox.Variable(name): _term(term) for name, term in question.terms.items()} or None,
        default_graph=None if default is None or question.union else [ox.NamedNode(iri) for iri in default],
        named_graphs=None if named is None else [ox.NamedNode(iri) for iri in named],
    )
    if isinstance(results, ox.QuerySolutions) and question.rows is not None:
        body = _slice(results, *question.rows)
        if len(body) > most_bytes:
            raise _TooLargeError
        return Answer(ROWS_TYPE, body, extra=failures)
    out = _Spool(most_bytes)
    if isinstance(results, ox.QueryTriples):
        media_type = next((t for t in question.graph_types if t in GRAPH_TYPES), "")
        if media_type:
            ox.serialize(results, out, ox.RdfFormat.from_media_type(media_type), prefixes=dict(prefixes))
    else:
        media_type = next((t for t in question.solution_types if t in SOLUTION_TYPES), "")
        if media_type:
            results.serialize(out, ox.QueryResultsFormat.from_media_type(media_type))
    if not media_type:
        known = GRAPH_TYPES if isinstance(results, ox.QueryTriples) else SOLUTION_TYPES
        return Answer(
            error="NotAcceptable", detail=f"This query is answered as {', '.join(known)}.", extra={"offered": list(known)}
        )
    if media_type.endswith("xml") and (fault := _xml_fault(out.getvalue())):
        other = "JSON" if isinstance(results, ox.QuerySolutions) else "Turtle"
        return Answer(error="NotAcceptable", detail=f"XML cannot carry this answer ({fault}): ask for {other}.")
    return Answer(media_type, out.getvalue(), extra=failures)


def _missing(dataset: Dataset, graph: str) -> Answer | None:
    """Return what to answer when there is no graph of this name, not even an empty one; None when there is one."""
    try:
        if dataset.facts.contains_named_graph(ox.NamedNode(graph)):
            return None
    except ValueError:
        return Answer(error="BadGraph", detail=f"graph={graph[:80]!r} is no IRI: give an absolute one.")
    return Answer(error="NotFound", detail=f"There is no graph {graph[:200]}: the service description at /sparql lists them.")


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


def _slice(results: ox.QuerySolutions, offset: int, limit: int) -> bytes:
    names = [variable.value for variable in results.variables]
    rows: list[dict[str, Term]] = []
    total = 0
    for solution in results:
        if offset <= total < offset + limit:
            rows.append({name: _json(solution[name]) for name in names if solution[name] is not None})
        total += 1
    return json.dumps({"variables": names, "total": total, "rows": rows}, ensure_ascii=False).encode()


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
