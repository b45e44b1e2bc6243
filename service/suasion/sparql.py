"""The SPARQL 1.1 Protocol for queries, at /sparql, read only; also by the HTTP method QUERY."""

import asyncio
import json
import zlib
from collections.abc import Coroutine
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from suasion import gate
from suasion.answers import Answers
from suasion.engine import Engine, Lane
from suasion.errors import (
    AnswerTooLarge,
    BadParameter,
    BadQuery,
    MethodNotAllowed,
    TimedOut,
    TooLarge,
    UnsupportedMedia,
    WorkerDied,
)
from suasion.exchange import Answer, Question
from suasion.fairness import Budgets
from suasion.negotiation import matches, ranked
from suasion.prefixes import GRAPH

SOLUTION_TYPES = (
    "application/sparql-results+json",
    "application/sparql-results+xml",
    "text/csv",
    "text/tab-separated-values",
)
GRAPH_TYPES = (
    "text/turtle",
    "application/n-triples",
    "application/n-quads",
    "application/trig",
    "application/rdf+xml",
    "application/ld+json",
)
ALIASES = {
    "application/json": ("application/sparql-results+json", "application/ld+json"),
    "application/xml": ("application/sparql-results+xml", "application/rdf+xml"),
    "text/plain": ("application/n-triples",),
}
UNION = GRAPH + "union"
"""Named as default graph, it stands for all graphs of the dataset together."""

METHODS = "GET, HEAD, POST, QUERY, OPTIONS"
_EXAMPLE = "/sparql?query=SELECT%20*%20WHERE%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D%20LIMIT%2010"
_FORM, _QUERY = "application/x-www-form-urlencoded", "application/sparql-query"
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What answers queries: the engine, what it answered before, what clients may use, and the limits of a request."""

    engine: Engine
    answers: Answers
    budgets: Budgets | None
    request_bytes: int
    deadline_seconds: float

    async def answer(self, request: Request, client: str) -> Response:
        """Answer a query operation (SPARQL 1.1 Protocol, section 2.1) by GET, POST or QUERY, for a client.

        OPTIONS says which methods there are. Raises BadQuery (400), MethodNotAllowed (405), NotAcceptable (406), TooLarge
        (413), UnsupportedMedia (415), BadParameter (422), TooManyRequests (429), and what Engine.ask raises.
        """
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": METHODS, "Accept-Query": f'"{_QUERY}"'})
        question, deadline, repeatable = _question(request, await _parameters(request, self.request_bytes), self.deadline_seconds)
        return await self.respond(request, question, client, deadline, repeatable)

    async def respond(self, request: Request, question: Question, client: str, deadline: float, repeatable: bool) -> Response:
        """Return the response to a question, 304 when the client has it already; the query ends when the client leaves."""
        headers = {
            "Vary": "Accept",
            "Suasion-Completeness": "complete",
            "Suasion-Deadline-Seconds": f"{deadline:g}",
        }
        if digest := self.engine.ready.digest:
            headers["Suasion-Dataset"] = f"sha256:{digest}"
        if repeatable:
            headers |= {"ETag": self.answers.tag(question), "Cache-Control": "no-cache"}
            if matches(request.headers.get("if-none-match", ""), headers["ETag"]):
                return Response(status_code=304, headers=headers)
        else:
            headers["Cache-Control"] = "no-store"

        async def compute() -> Answer:
            return await self._ask(question, client, deadline)

        found = await _unless_gone(request, self.answers.get(question, compute, deadline) if repeatable else compute())
        if found is None:
            return Response(status_code=499)
        charset = "; charset=utf-8" if found.media_type.startswith("text/") else ""
        return Response(found.body, headers=headers, media_type=found.media_type + charset)

    async def has_graph(self, iri: str) -> bool:
        """Say whether the dataset has a graph of this name. Raises BadParameter (422) for what is no IRI."""
        question = Question("SELECT ?s WHERE { ?s ?p ?o } LIMIT 1", default_graphs=(iri,), rows=(0, 1))
        try:
            found = await self.answers.get(question, lambda: self.engine.ask(question, Lane.PUBLIC))
        except BadQuery:
            raise BadParameter(f"graph={iri[:80]!r} is no IRI: give an absolute one.") from None
        return bool(json.loads(found.body)["total"])

    async def _ask(self, question: Question, client: str, deadline: float) -> Answer:
        """Ask the engine at the cost of a client."""
        if self.budgets is None:
            return await self.engine.ask(question, Lane.PUBLIC, client, deadline)
        budgets = self.budgets
        budgets.admit(client)
        try:
            return await self.engine.ask(
                question, Lane.PUBLIC, client, deadline, lambda seconds: budgets.charge(client, seconds, failed=False)
            )
        except (BadQuery, TimedOut, AnswerTooLarge, WorkerDied):
            budgets.charge(client, 0, failed=True)
            raise


def _question(request: Request, pairs: Pairs, deadline_seconds: float) -> tuple[Question, float, bool]:
    """Return the question of a request, its deadline in seconds, and whether it answers the same each time."""
    offered = (*SOLUTION_TYPES, *GRAPH_TYPES, *ALIASES)
    ranking = ranked(request.headers.get("accept", ""), offered)
    accepted = tuple(dict.fromkeys(t for one in ranking for t in ALIASES.get(one, (one,))))
    default = _all(pairs, "default-graph-uri")
    union = UNION in (default or ())
    query = _query(pairs)
    repeatable = gate.pass_through(query, gate.Limits())
    question = Question(
        query=query,
        default_graphs=None if union else default,
        named_graphs=_all(pairs, "named-graph-uri"),
        union=union,
        solution_types=tuple(t for t in accepted if t in SOLUTION_TYPES),
        graph_types=tuple(t for t in accepted if t in GRAPH_TYPES),
    )
    return question, _deadline(pairs, deadline_seconds), repeatable


async def _unless_gone(request: Request, coming: Coroutine[None, None, Answer]) -> Answer | None:
    """Wait for an answer, or for the client to leave: then the query is cancelled, and None returned."""
    answering = asyncio.ensure_future(coming)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return await answering if answering.done() else None
    finally:
        leaving.cancel()
        answering.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _parameters(request: Request, most_bytes: int) -> Pairs:
    url_pairs = _pairs(request.scope["query_string"], "URL")
    if request.method in ("GET", "HEAD"):
        return url_pairs
    if request.method not in ("POST", "QUERY"):
        raise MethodNotAllowed("Queries are sent by GET, POST or QUERY.", {"allow": METHODS})
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in (_FORM, _QUERY):
        raise UnsupportedMedia(f"A query is sent as {_QUERY} or {_FORM}, not as {media_type or 'an unnamed type'}.")
    body = await read_body(request, most_bytes)
    if any(name == "query" for name, _ in url_pairs):
        raise BadQuery("A query stands in the URL and another in the body: send one, in the body.")
    return url_pairs + (_pairs(body, "form") if media_type == _FORM else [("query", _text(body, "body"))])


async def read_body(request: Request, most_bytes: int) -> bytes:
    """Read a body, gzip decoded, up to a limit of bytes before and after decoding."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip"):
        raise UnsupportedMedia(f"A body is sent as it is or with Content-Encoding: gzip, not {coding[:40]}.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            raise TooLarge(f"The request body is larger than {most_bytes:,} bytes.", {"limit_bytes": most_bytes})
    if coding == "identity":
        return bytes(body)
    inflating = zlib.decompressobj(wbits=31)
    try:
        plain = inflating.decompress(bytes(body), most_bytes + 1)
    except zlib.error as error:
        raise BadQuery(f"The request body is no gzip: {error}.") from None
    if len(plain) > most_bytes:
        raise TooLarge(f"The decoded request body is larger than {most_bytes:,} bytes.", {"limit_bytes": most_bytes})
    if not inflating.eof:
        raise BadQuery("The request body is a gzip that was cut off.")
    return plain


def _pairs(encoded: bytes, place: str) -> Pairs:
    try:
        return parse_qsl(_text(encoded, place), keep_blank_values=True, errors="strict", max_num_fields=100)
    except UnicodeDecodeError:
        raise BadQuery(f"The parameters of the {place} are not UTF-8.") from None
    except ValueError as error:
        raise BadQuery(f"The parameters of the {place} cannot be read: {error}.") from None


def _text(encoded: bytes, place: str) -> str:
    try:
        return encoded.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadQuery(f"Byte {error.start} of the {place} is not UTF-8.") from None


def _query(pairs: Pairs) -> str:
    if any(name in ("update", "using-graph-uri", "using-named-graph-uri") for name, _ in pairs):
        raise BadQuery("This endpoint only reads: send a query, not an update.")
    queries = [value for name, value in pairs if name == "query"]
    if len(queries) != 1 or not queries[0].strip():
        found = "no query" if len(queries) < 2 else f"{len(queries)} queries"
        raise BadQuery(f"There is {found} in the request: send exactly one parameter query.", {"example": _EXAMPLE})
    return queries[0]


def _deadline(pairs: Pairs, most_seconds: float) -> float:
    """Return the seconds that a query may take: those of the parameter timeout, or the limit when it names more or none."""
    given = _all(pairs, "timeout")
    if given is None:
        return most_seconds
    try:
        seconds = float(given[0])
    except ValueError:
        seconds = 0
    if len(given) > 1 or not seconds > 0:
        raise BadParameter("timeout is the seconds that the query may take: give one number above 0, such as 5.")
    return min(seconds, most_seconds)


def _all(pairs: Pairs, name: str) -> tuple[str, ...] | None:
    return tuple(value for key, value in pairs if key == name) or None
