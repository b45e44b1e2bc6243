"""Graphs for reading: the SPARQL 1.1 Graph Store HTTP Protocol (GET, HEAD) and the service description."""

import json
from urllib.parse import urlencode

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from suasion.deadlines import LEAST_SECONDS
from suasion.described import Ask
from suasion.errors import BadGraph, BadParameter, NotAcceptable
from suasion.exchange import GRAPH_TYPES, Question
from suasion.formats import ALIASES
from suasion.negotiation import accept, entity_tag, matches, ranked
from suasion.prefixes import BASE, GRAPH
from suasion.sparql import UNION, Endpoint

_UPDATE = "http://www.w3.org/ns/sparql-service-description#SPARQL11Update"
_GRAPH = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"
_COUNT = "SELECT (COUNT(*) AS ?triples) WHERE { ?s ?p ?o }"
_HTML = "text/html"


def named(request: Request) -> str | None:
    """Return the graph that /graph-store?graph=IRI names, None for ?default (Graph Store HTTP Protocol, section 4.2).

    Raises BadParameter (422) unless exactly one of the two is given.
    """
    names = request.query_params.getlist("graph")
    default = "default" in request.query_params
    if len(names) + default != 1 or len(request.query_params.multi_items()) != 1:
        example = f"/graph-store?graph={BASE}graph/places, or /graph-store?default"
        raise BadParameter("Name one graph, or the default graph.", {"example": example})
    return None if default else names[0]


def below(request: Request, public_url: str) -> str:
    """Return the graph that a path below /graph-store/ names itself (Graph Store HTTP Protocol, section 4.1).

    Raises BadParameter (422) for a query string, BadGraph (400) for a path that is not percent-encoded.
    """
    if request.scope["query_string"]:
        raise BadParameter("The path names the graph itself: leave out the parameters.")
    try:
        return public_url + bytes(request.scope["raw_path"]).decode("ascii")
    except UnicodeDecodeError:
        raise BadGraph("The path is not percent-encoded: encode its UTF-8.") from None


def is_page(request: Request) -> bool:
    """Say whether who reads a graph likes a page best."""
    return request.method in ("GET", "HEAD") and ranked(accept(request), (*GRAPH_TYPES, _HTML), ALIASES)[:1] == (_HTML,)


async def page(request: Request, templates: Environment, ask: Ask, name: str, public_url: str) -> Response:
    """Answer with the page of a named graph of ours: how much it holds and how to get it; 304 when it is known.

    Raises NotFound (404) for a graph that does not exist, and what asking raises.
    """
    iri = GRAPH + name
    found = await ask(Question(_COUNT, default_graphs=(iri,), graph=iri, rows=(0, 1)))
    (row,) = json.loads(found.body)["rows"]
    query = f"SELECT * FROM <{iri}> WHERE {{ ?subject ?predicate ?object }} LIMIT 100"  # noqa: S608 (a link; the graph exists)
    body = templates.get_template("graph.html").render(
        name=name,
        iri=iri,
        triples=int(row["triples"]["value"]),
        types=GRAPH_TYPES,
        url=f"{public_url}{request.url.path}",
        asked=urlencode({"query": query}),
    )
    tag = entity_tag(body.encode())
    headers = {"ETag": tag, "Vary": "Accept", "Cache-Control": "no-cache"}
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return HTMLResponse(body, headers=headers)


async def answer(request: Request, endpoint: Endpoint, client: str, iri: str | None) -> Response:
    """Answer with the triples of a graph, None being the default graph (Graph Store HTTP Protocol, section 5.2).

    Raises BadGraph (400) for a name that is no IRI, NotFound (404) for a graph that does not exist, and what
    Endpoint.respond raises.
    """
    union = iri == UNION
    graph = None if union else iri
    question = Question(
        _GRAPH,
        default_graphs=None if graph is None else (graph,),
        union=union,
        graph_types=_graph_types(request),
        graph=graph,
    )
    return await endpoint.respond(request, question, client, endpoint.deadline_seconds, repeatable=True)


async def described(request: Request, endpoint: Endpoint, client: str, query: str, address: str, *, writable: bool) -> Response:
    """Answer with the SPARQL 1.1 Service Description of the endpoint at an address; `query` constructs it."""
    terms = {
        "endpoint": {"type": "uri", "value": address},
        "dataset": {"type": "uri", "value": address + "#dataset"},
        "default": {"type": "uri", "value": address + "#default"},
        "limits": {"type": "literal", "value": _limits(endpoint, endpoint.most_bytes(request.scope)), "xml:lang": "en"},
    }
    if writable:
        terms["update"] = {"type": "uri", "value": _UPDATE}
    question = Question(query, terms, graph_types=_graph_types(request))
    return await endpoint.respond(request, question, client, endpoint.deadline_seconds, repeatable=True)


def _limits(endpoint: Endpoint, request_bytes: int) -> str:
    return (
        f"A query may take {endpoint.deadline_seconds:g} s, or less by timeout, from {LEAST_SECONDS:g} s on; its answer may have "
        f"{endpoint.answer_bytes:,} bytes, a request body {request_bytes:,} bytes. An answer is whole, or an error, or cut so "
        "that the client sees it; with partial=true rows that are not all may be answered, and say so. Extension functions are "
        "refused, and so are SERVICE and updates unless this description names them."
    )


def _graph_types(request: Request) -> tuple[str, ...]:
    """Return the graph formats that a client accepts, best first. Raises NotAcceptable (406) when there is none."""
    types = ranked(accept(request), GRAPH_TYPES, ALIASES)
    if not types:
        raise NotAcceptable(f"A graph is offered as {', '.join(GRAPH_TYPES)}.", {"offered": list(GRAPH_TYPES)})
    return types
