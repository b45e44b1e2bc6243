"""Evaluate a question on a dataset; runs in a worker process only."""

import io
import json
import math
import re
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from xml.parsers import expat

import pyoxigraph as ox

from suasion.errors import SuasionError
from suasion.exchange import GRAPH_TYPES, SOLUTION_TYPES, Answer, Question, Term
from suasion.hits import shown
from suasion.inlining import inlined
from suasion.loading import Dataset
from suasion.ordering import by_kind_first
from suasion.prefixes import BASE
from suasion.serialising import serialise, write_dump
from suasion.syntax import described
from suasion.textindex import TextIndex

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

ROWS_TYPE = "application/json"
ROWS_BYTES = 64 * 1024 * 1024
"""Most bytes of an answer in rows, which is never sent in parts."""
PART_BYTES = 64 * 1024
_TSV = ox.QueryResultsFormat.TSV
_Results = ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples
_UNKNOWN_FUNCTION = re.compile(r"The custom (?:aggregate )?function <[^>]*> is not supported")
_XSD = "http://www.w3.org/2001/XMLSchema#"
_NUMBERS = frozenset(
    _XSD + name for name in ("integer", "decimal", "double", "float", "int", "long", "nonNegativeInteger", "gYear")
)


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where the parts of a long answer go, and how many bytes are gathered before the first one is sent."""

    send: Callable[[Answer], None]
    spool_bytes: int


def evaluate(
    dataset: Dataset,
    question: Question,
    prefixes: Mapping[str, str],
    most_bytes: int,
    outlet: Outlet | None = None,
    index: TextIndex | None = None,
) -> Answer:
    """Return the answer to a question; what is wrong with it is an answer too, never an exception.

    With an outlet, an answer above its spool is sent there in parts, and the last part, or what is wrong, is returned. Without
    an index a search has no hits.
    """
    try:
        with shown(dataset.union if question.union else dataset.facts, index, question.search) as found:
            answer = _answered(dataset, question, prefixes, most_bytes, outlet)
        if found is None or answer.error:
            return answer
        return replace(answer, extra={**answer.extra, "cut": found.cut, "matched": found.matched})
    except SyntaxError as error:
        return _misparsed(error.msg)
    except SuasionError as error:
        return Answer(error=type(error).__name__, detail=error.detail, extra=error.extra)
    except _XmlError as error:
        return Answer(error="NotAcceptable", detail=f"XML cannot carry this answer ({error}): ask for {error.other}.")
    except _TooLargeError:
        remedy = "ask for less, or page with LIMIT and OFFSET"
        return Answer(error="AnswerTooLarge", detail=f"The answer is larger than {most_bytes:,} bytes: {remedy}.")
    except OSError as error:
        return Answer(error="BadQuery", detail=f"The query reaches outside, which is not allowed here (SERVICE): {error}")
    except (ValueError, RuntimeError) as error:
        unknown = _UNKNOWN_FUNCTION.match(str(error))
        kind = "UnknownFunction" if unknown else "BadQuery"
        return Answer(error=kind, detail=f"The query cannot be run: {error}")


def _answered(
    dataset: Dataset, question: Question, prefixes: Mapping[str, str], most_bytes: int, outlet: Outlet | None
) -> Answer:
    if question.partial and outlet and (partial := _Partial(dataset, question, outlet.spool_bytes).answer()):
        return partial
    return _evaluate(dataset, question, prefixes, most_bytes, outlet)


def _evaluate(
    dataset: Dataset, question: Question, prefixes: Mapping[str, str], most_bytes: int, outlet: Outlet | None
) -> Answer:
    if question.dump:
        out = _Body(question.dump, most_bytes, outlet, "N-Quads", {})
        write_dump(dataset.facts, out, question.dump, prefixes)
        return out.finished()
    if question.graph is not None and (refusal := _missing(dataset, question.graph)):
        return refusal
    results, failures = _query(dataset, question)
    if isinstance(results, ox.QuerySolutions) and question.statements:
        return _statements(results, question, prefixes, most_bytes)
    if isinstance(results, ox.QuerySolutions) and question.rows is not None:
        body = _slice(results, question.rows, question.sort, question.descending)
        if len(body) > min(most_bytes, ROWS_BYTES):
            raise _TooLargeError
        return Answer(ROWS_TYPE, body, extra=failures)
    is_graph = isinstance(results, ox.QueryTriples)
    offered: tuple[str, ...] = GRAPH_TYPES if is_graph else SOLUTION_TYPES
    media_type = _first(question.graph_types if is_graph else question.solution_types, offered)
    if not media_type:
        return Answer(
            error="NotAcceptable", detail=f"This query is answered as {', '.join(offered)}.", extra={"offered": list(offered)}
        )
    out = _Body(media_type, most_bytes, outlet, "Turtle" if is_graph else "JSON", failures)
    serialise(results, out, media_type, prefixes)
    return out.finished()


def _statements(results: ox.QuerySolutions, question: Question, prefixes: Mapping[str, str], most_bytes: int) -> Answer:
    """Return a slice of solutions as the statements that they are, in the format that the client prefers of graphs."""
    media_type = _first(question.graph_types, GRAPH_TYPES)
    offset, limit = question.rows or (0, sys.maxsize)
    total = 0
    quads: dict[ox.Quad, None] = {}
    for solution in results:
        if offset <= total < offset + limit:
            quads[ox.Quad(solution["subject"], solution["predicate"], solution["object"], solution["graph"])] = None
        total += 1
    out = _Body(media_type, min(most_bytes, ROWS_BYTES), None, "Turtle", {"total": total})
    serialise(quads, out, media_type, prefixes)
    return out.finished()


def _first(accepted: tuple[str, ...], offered: tuple[str, ...]) -> str:
    """Return the media type that the client prefers of those offered, "" when it accepts none."""
    return next((media_type for media_type in accepted if media_type in offered), "")


def _query(dataset: Dataset, question: Question) -> tuple[_Results, Mapping[str, object]]:
    """Return what the query gives, and which endpoints of SERVICE failed."""
    default = question.default_graphs
    named = question.named_graphs
    if default is None and named is not None:
        default = ()
    if named is None and default is not None:
        named = ()
    store = dataset.union if question.union else dataset.facts
    query, failures = inlined(question)
    if question.kinds_apart:
        query = by_kind_first(query)
    results = store.query(
        query,
        base_iri=question.base_iri or None,
        substitutions={ox.Variable(name): _term(term) for name, term in question.terms.items()} or None,
        default_graph=None if default is None or question.union else [ox.NamedNode(iri) for iri in default],
        named_graphs=None if named is None else [ox.NamedNode(iri) for iri in named],
    )
    return results, failures


def _missing(dataset: Dataset, graph: str) -> Answer | None:
    """Return what to answer when there is no graph of this name, not even an empty one; None when there is one."""
    try:
        if dataset.facts.contains_named_graph(ox.NamedNode(graph)):
            return None
    except ValueError:
        return Answer(error="BadGraph", detail=f"graph={graph[:80]!r} is no IRI: give an absolute one.")
    return Answer(error="NotFound", detail=f"There is no graph {graph[:200]}: the service description at /sparql lists them.")


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


class _XmlError(Exception):
    """XML has no control characters, and RDF/XML no names for some predicates: ask for `other` instead."""

    def __init__(self, fault: str, other: str) -> None:
        super().__init__(fault)
        self.other = other


class _Body(io.BytesIO):
    """What a serialiser writes: kept whole up to the spool of an outlet; beyond it, sent there in parts as it comes.

    XML is read along, so that no malformed document ends well.
    """

    def __init__(self, media_type: str, most: int, outlet: Outlet | None, other: str, extra: Mapping[str, object]) -> None:
        super().__init__()
        self._extra = extra
        self._media_type = media_type
        self._most = most
        self._outlet = outlet
        self._enough = outlet.spool_bytes if outlet else 0
        self._size = 0
        self._other = other
        self._reader = expat.ParserCreate(namespace_separator=" ") if media_type.endswith("xml") else None

    def write(self, data: "ReadableBuffer") -> int:
        written = super().write(data)
        self._size += written
        if self._size > self._most:
            raise _TooLargeError
        if self._outlet and self.tell() > self._enough:
            self._outlet.send(Answer(self._media_type, self._taken(last=False), extra=self._extra, more=True))
            self._enough = PART_BYTES
        return written

    def finished(self) -> Answer:
        """Return the last part, or the whole where it is the only one."""
        return Answer(self._media_type, self._taken(last=True), extra=self._extra)

    def _taken(self, last: bool) -> bytes:
        taken = self.getvalue()
        self.seek(0)
        self.truncate()
        if self._reader:
            try:
                self._reader.Parse(taken, last)
            except expat.ExpatError as error:
                raise _XmlError(str(error), self._other) from None
        return taken


@dataclass(slots=True)
class _Partial:
    """A SELECT whose rows are gathered, in a thread of its own, until the time is up or they are too many bytes."""

    dataset: Dataset
    question: Question
    most_bytes: int
    head: str | None = None
    rows: list[str] = field(default_factory=list)
    truncated: str = ""
    failures: Mapping[str, object] = field(default_factory=dict)
    failure: BaseException | None = None

    def answer(self) -> Answer | None:
        """Return the rows found in time; None for a query of another form, or in a format that is not there.

        Without any row it waits on: the deadline ends the process then. Raises what the query raises.
        """
        media_type = _first(self.question.solution_types, SOLUTION_TYPES)
        gathering = threading.Thread(target=self._gather, daemon=True)
        gathering.start()
        gathering.join(self.question.partial)
        if gathering.is_alive() and not self.rows:
            gathering.join()
        rows, unfinished = list(self.rows), gathering.is_alive()
        if self.failure:
            raise self.failure
        if self.head is None or not media_type:
            return None
        truncated = "deadline" if unfinished else self.truncated
        document = "\n".join((self.head, *rows, "")).encode()
        out = _Body(media_type, sys.maxsize, None, "JSON", self.failures)
        serialise(ox.parse_query_results(document, format=_TSV), out, media_type, {})
        whole = out.finished()
        return replace(whole, body=_marked(whole.body, media_type, truncated), truncated=truncated)

    def _gather(self) -> None:
        try:
            results, self.failures = _query(self.dataset, self.question)
            if not isinstance(results, ox.QuerySolutions) or self.question.rows is not None:
                return
            self.head = "\t".join(str(variable) for variable in results.variables)
            size = 0
            for solution in results:
                row = "\t".join("" if term is None else _tsv(term) for term in solution)
                size += len(row) + 1
                if size > self.most_bytes:
                    self.truncated = "bytes"
                    return
                self.rows.append(row)
        except BaseException as error:  # handed on to the thread that waits
            self.failure = error


def _tsv(term: object) -> str:
    return f"<<( {term} )>>" if isinstance(term, ox.Triple) else str(term)


def _marked(body: bytes, media_type: str, truncated: str) -> bytes:
    """Return a document that says that it is truncated, by a link in its head, where its format has such links."""
    if not truncated:
        return body
    problem = f"{BASE}problem/{'TimedOut' if truncated == 'deadline' else 'AnswerTooLarge'}".encode()
    if media_type.endswith("json"):
        return body.replace(b'{"head":{', b'{"head":{"link":["' + problem + b'"],', 1)
    if media_type.endswith("xml"):
        return body.replace(b"</head>", b'<link href="' + problem + b'"/></head>', 1)
    return body
