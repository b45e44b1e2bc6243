"""The SPARQL 1.1 Protocol for queries, at /sparql, read only; also by the HTTP method QUERY."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from suasion import deadlines, federation, formats, gate
from suasion.answers import Answers
from suasion.codings import decoded
from suasion.delivery import Streamed, unless_gone
from suasion.engine import Engine
from suasion.errors import (
    BadParameter,
    BadQuery,
    MethodNotAllowed,
    TooLarge,
    UnknownParameter,
    UnsupportedMedia,
)
from suasion.exchange import GRAPH_TYPES, SOLUTION_TYPES, Answer, Question
from suasion.negotiation import accept, matches
from suasion.prefixes import GRAPH

UNION = GRAPH + "union"
"""Named as default graph, it stands for all graphs of the dataset together."""

MARGIN_SECONDS = 0.5
"""A partial answer is made so long before the deadline, or a quarter of the time before it, if that is less."""

METHODS = "GET, HEAD, POST, QUERY, OPTIONS"
_EXAMPLE = "/sparql?query=SELECT%20*%20WHERE%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D%20LIMIT%2010"
_FORM, _QUERY, _UPDATE = "application/x-www-form-urlencoded", "application/sparql-query", "application/sparql-update"
PARAMETERS = ("query", "default-graph-uri", "named-graph-uri", "version", "timeout", "partial", *formats.PARAMETERS)
UPDATE_PARAMETERS = ("update", "using-graph-uri", "using-named-graph-uri")
_AT_REST = {"queryLn": ("sparql",), "infer": ("true", "false")}
"""What RDF4J sends to any endpoint, with the values that ask for nothing else than is done anyway."""
LABEL = "clientRequestId"
"""Names a request for those who read logs: the W3C's own runner of the protocol tests adds it to each URL."""
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s;"]*)')
CHARSETS = frozenset(("utf-8", "utf8", "us-ascii"))
"""Names of the only encoding that is read, and of a part of it."""
_LONG_BYTES = 64 * 1024
"""A body from this size on is decoded in a thread, so that other requests go on meanwhile."""
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What answers queries: the engine, what it answered before, who asks it and the endpoints of SERVICE (`Assembly.ask`), the
    limits of a request, the endpoints that SERVICE may reach, and who takes updates.
    """

    engine: Engine
    answers: Answers
    ask: Callable[[Question, str, float, tuple[federation.Clause, ...]], Awaitable[Answer]]
    most_bytes: Callable[[Scope], int]
    answer_bytes: int
    deadline_seconds: float
    endpoints: Mapping[str, str]
    update: Callable[[Request, Pairs, str], Awaitable[Response]]

    async def answer(self, request: Request, client: str, base_iri: str) -> Response:
        """Answer a query operation (SPARQL 1.1 Protocol, section 2.1) by GET, POST or QUERY, for a client; pass updates on.

        Relative IRIs in the query are resolved against the base IRI. OPTIONS says which methods there are. Raises BadQuery and
        UnknownParameter (400), MethodNotAllowed (405), NotAcceptable (406), TooLarge (413), UnsupportedMedia (415),
        BadParameter (422), TooManyRequests (429), and what Engine.ask and Remotes.ask raise.
        """
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": METHODS, "Accept-Query": f'"{_QUERY}", "{_FORM}"'})
        pairs = await _parameters(request, self.most_bytes(request.scope))
        if request.method == "POST" and any(name == "update" for name, _ in pairs):
            return await self.update(request, pairs, base_iri)
        _refuse_unknown(pairs)
        limits = gate.Limits()
        query, clauses = federation.split(_query(pairs), self.endpoints, limits)
        repeatable = gate.pass_through(query, limits) and not clauses
        deadline = _deadline(pairs, self.deadline_seconds)
        question = _question(request, pairs, query, base_iri, deadline)
        return await self.respond(request, question, client, deadline, repeatable, clauses)

    async def respond(
        self,
        request: Request,
        question: Question,
        client: str,
        deadline: float,
        repeatable: bool,
        clauses: tuple[federation.Clause, ...] = (),
    ) -> Response:
        """Return the response to a question, 304 when the client has it already; the query ends when the client leaves."""
        headers = {
            "Vary": "Accept",
            "Suasion-Completeness": "complete",
            "Suasion-Deadline-Seconds": f"{deadline:g}",
            "Suasion-Limit-Bytes": str(self.answer_bytes),
        }
        ready = self.engine.ready
        if ready.digest:
            headers["Suasion-Dataset"] = f"sha256:{ready.digest}"
        if repeatable:
            headers |= {"ETag": self.answers.tag(question), "Cache-Control": "no-cache"}
            if matches(request.headers.get("if-none-match", ""), headers["ETag"]):
                return Response(status_code=304, headers=headers)
        else:
            headers["Cache-Control"] = "no-store"

        async def compute() -> Answer:
            return await self.ask(question, client, deadline, clauses)

        found = await unless_gone(request.receive, self.answers.get(question, compute, deadline) if repeatable else compute())
        if found is None:
            return Response(status_code=499)
        if silently := found.extra.get("silently"):
            headers["Suasion-Completeness"] = "truncated; reason=service"
            headers["Suasion-Failed-Services"] = ", ".join(f"<{iri}>" for iri in cast("list[str]", silently))
        if found.truncated:
            headers.pop("ETag", None)
            headers |= {"Suasion-Completeness": f"truncated; reason={found.truncated}", "Cache-Control": "no-store"}
            request.scope["state"]["outcome"] = "truncated"
        if ready != self.engine.ready:  # there was a write meanwhile, so it is open which dataset this is the answer of
            for name in ("Suasion-Dataset", "ETag"):
                headers.pop(name, None)
        media_type = found.media_type + ("; charset=utf-8" if found.media_type.startswith("text/") else "")
        if found.rest:
            return Streamed(found, headers, media_type)
        return Response(found.body, headers=headers, media_type=media_type)


def _question(request: Request, pairs: Pairs, query: str, base_iri: str, deadline: float) -> Question:
    """Return the question of a request; relative IRIs in it are resolved against the base IRI, a partial answer made in time."""
    named = [value for name, value in pairs if name in formats.PARAMETERS]
    accepted = formats.accepted(accept(request), named)
    default = _all(pairs, "default-graph-uri")
    union = UNION in (default or ())
    return Question(
        query=query,
        default_graphs=None if union or default is None else tuple(dict.fromkeys(default)),  # twice would be each triple twice
        named_graphs=_all(pairs, "named-graph-uri"),
        union=union,
        solution_types=tuple(t for t in accepted if t in SOLUTION_TYPES),
        graph_types=tuple(t for t in accepted if t in GRAPH_TYPES),
        base_iri=base_iri,
        partial=deadline - min(MARGIN_SECONDS, deadline / 4) if _partial(pairs) else 0,
    )


async def _parameters(request: Request, most_bytes: int) -> Pairs:
    url_pairs = _pairs(request.scope["query_string"], "URL")
    if request.method in ("GET", "HEAD"):
        if request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers:
            raise BadQuery(f"A {request.method} has no body: send the query in the URL, or by POST.")
        return url_pairs
    if request.method not in ("POST", "QUERY"):
        raise MethodNotAllowed("Queries are sent by GET, POST or QUERY.", {"allow": METHODS})
    content_type = request.headers.get("content-type", "").lower()
    media_type = content_type.partition(";")[0].strip()
    if media_type not in (_FORM, _QUERY) and (media_type != _UPDATE or request.method == "QUERY"):
        raise UnsupportedMedia(f"A query is sent as {_QUERY} or {_FORM}, not as {media_type or 'an unnamed type'}.")
    charset = _CHARSET.search(content_type)
    if charset and charset[1] not in CHARSETS:
        raise UnsupportedMedia(f"A query is sent in UTF-8, not in {charset[1][:40]}.")
    body = await read_body(request, most_bytes)
    if any(name == "query" for name, _ in url_pairs):
        raise BadQuery("A query stands in the URL and another in the body: send one, in the body.")
    if media_type == _FORM:
        return url_pairs + (_pairs(body, "form") if len(body) < _LONG_BYTES else await asyncio.to_thread(_pairs, body, "form"))
    return [*url_pairs, ("update" if media_type == _UPDATE else "query", _text(body, "body"))]


async def read_body(request: Request, most_bytes: int) -> bytes:
    """Read a body, without its coding, up to a limit of bytes before and after decoding."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            raise TooLarge(f"The request body is larger than {most_bytes:,} bytes.", {"limit_bytes": most_bytes})
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding == "identity":
        return bytes(body)
    return await asyncio.to_thread(decoded, bytes(body), coding, most_bytes)


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


def _refuse_unknown(pairs: Pairs) -> None:
    """Raise BadQuery for an update, UnknownParameter for a name or a value that would be ignored otherwise."""
    if any(name in UPDATE_PARAMETERS for name, _ in pairs):
        raise BadQuery("This request only reads: send a query; an update is sent by POST, where it is allowed.")
    for name, value in pairs:
        if name not in (*PARAMETERS, LABEL) and value.lower() not in _AT_REST.get(name, ()):
            raise UnknownParameter(
                f"/sparql has no parameter {name[:60]!r}, or not with this value; it has {', '.join(PARAMETERS)}.",
                {"parameters": list(PARAMETERS)},
            )


def _query(pairs: Pairs) -> str:
    queries = [value for name, value in pairs if name == "query"]
    if len(queries) != 1 or not queries[0].strip():
        found = "no query" if len(queries) < 2 else f"{len(queries)} queries"
        raise BadQuery(f"There is {found} in the request: send exactly one parameter query.", {"example": _EXAMPLE})
    refuse_versions(pairs)
    return queries[0]


def refuse_versions(pairs: Pairs) -> None:
    """Raise BadQuery where the version of SPARQL is given more than once (SPARQL 1.2 Protocol)."""
    if sum(name == "version" for name, _ in pairs) > 1:
        raise BadQuery("The version of SPARQL is given more than once: send one parameter version, or none.")


def _deadline(pairs: Pairs, most_seconds: float) -> float:
    """Return the seconds that a query may take: those of the parameter timeout, or the limit when it names more or none."""
    given = _all(pairs, "timeout")
    if given is None:
        return most_seconds
    return min(deadlines.seconds(" ".join(given)), most_seconds)


def _partial(pairs: Pairs) -> bool:
    """Return whether the client takes a part of the rows for an answer."""
    given = _all(pairs, "partial") or ("false",)
    if given not in (("true",), ("false",)):
        raise BadParameter("partial says whether rows that are not all may be answered: give it once, true or false.")
    return given == ("true",)


def _all(pairs: Pairs, name: str) -> tuple[str, ...] | None:
    return tuple(value for key, value in pairs if key == name) or None
