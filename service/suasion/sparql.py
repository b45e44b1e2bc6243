"""The SPARQL 1.1 Protocol for queries, at /sparql, read only."""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from suasion import gate
from suasion.engine import Engine
from suasion.errors import BadQuery, MethodNotAllowed, TooLarge, UnsupportedMedia
from suasion.exchange import Question
from suasion.negotiation import ranked
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
ALIASES = {"application/json": SOLUTION_TYPES[0], "application/xml": SOLUTION_TYPES[1], "text/plain": "application/n-triples"}
UNION = GRAPH + "union"
"""Named as default graph, it stands for all graphs of the dataset together."""

METHODS = "GET, HEAD, POST, OPTIONS"
_EXAMPLE = "/sparql?query=SELECT%20*%20WHERE%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D%20LIMIT%2010"
Pairs = list[tuple[str, str]]


async def answer(request: Request, engine: Engine, most_bytes: int) -> Response:
    """Answer a query operation: GET, POST of a form, or POST of a query (SPARQL 1.1 Protocol, section 2.1).

    OPTIONS says which methods there are. Raises BadQuery (400), MethodNotAllowed (405), NotAcceptable (406), TooLarge (413),
    UnsupportedMedia (415), and what Engine.ask raises.
    """
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": METHODS})
    pairs = await _parameters(request, most_bytes)
    accept = request.headers.get("accept", "")
    offered = (*SOLUTION_TYPES, *GRAPH_TYPES, *ALIASES)
    accepted = tuple(dict.fromkeys(ALIASES.get(t, t) for t in ranked(accept, offered)))
    default = _all(pairs, "default-graph-uri")
    named = _all(pairs, "named-graph-uri")
    union = UNION in (default or ())
    query = _query(pairs)
    gate.refuse(query, gate.Limits())
    question = Question(
        query=query,
        default_graphs=None if union else default,
        named_graphs=named,
        union=union,
        solution_types=tuple(t for t in accepted if t in SOLUTION_TYPES),
        graph_types=tuple(t for t in accepted if t in GRAPH_TYPES),
    )
    found = await engine.ask(question)
    headers = {
        "Vary": "Accept",
        "Suasion-Completeness": "complete",
        "Suasion-Dataset": f"sha256:{engine.ready.digest}",
    }
    charset = "; charset=utf-8" if found.media_type.startswith("text/") else ""
    return Response(found.body, headers=headers, media_type=found.media_type + charset)


async def _parameters(request: Request, most_bytes: int) -> Pairs:
    url_pairs = _pairs(request.scope["query_string"], "URL")
    if request.method in ("GET", "HEAD"):
        return url_pairs
    if request.method != "POST":
        raise MethodNotAllowed("Queries are sent by GET or POST.", {"allow": METHODS})
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await _body(request, most_bytes)
    if media_type == "application/x-www-form-urlencoded":
        if any(name == "query" for name, _ in url_pairs):
            raise BadQuery("The query stands in the URL of a POST: send it in the form.")
        return url_pairs + _pairs(body, "form")
    if media_type == "application/sparql-query":
        if any(name == "query" for name, _ in url_pairs):
            raise BadQuery("There are two queries, in the URL and in the body: send one.")
        return [*url_pairs, ("query", _text(body, "body"))]
    accepted = "application/sparql-query or application/x-www-form-urlencoded"
    raise UnsupportedMedia(f"A query is posted as {accepted}, not as {media_type or 'an unnamed type'}.")


async def _body(request: Request, most_bytes: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            raise TooLarge(f"The request body is larger than {most_bytes:,} bytes.", {"limit_bytes": most_bytes})
    return bytes(body)


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
        found = "no query" if not queries or len(queries) == 1 else f"{len(queries)} queries"
        raise BadQuery(f"There is {found} in the request: send exactly one parameter query.", {"example": _EXAMPLE})
    return queries[0]


def _all(pairs: Pairs, name: str) -> tuple[str, ...] | None:
    return tuple(value for key, value in pairs if key == name) or None
