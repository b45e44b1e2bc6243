"""Graphs for reading: the SPARQL 1.1 Graph Store HTTP Protocol (GET, HEAD) and the service description."""

from starlette.requests import Request
from starlette.responses import Response

from suasion.errors import BadParameter, NotAcceptable, NotFound
from suasion.exchange import GRAPH_TYPES, Question
from suasion.formats import ALIASES
from suasion.negotiation import ranked
from suasion.prefixes import BASE
from suasion.sparql import UNION, Endpoint, accept

_GRAPH = "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"


async def indirect(request: Request, endpoint: Endpoint, client: str) -> Response:
    """Answer /graph-store?graph=IRI or ?default with the triples of a graph (Graph Store HTTP Protocol, section 4.2).

    Raises BadParameter (422) unless exactly one of the two is given, NotFound (404) for a graph that does not exist, and
    what Endpoint.respond raises.
    """
    names = request.query_params.getlist("graph")
    default = "default" in request.query_params
    if len(names) + default != 1 or len(request.query_params.multi_items()) != 1:
        example = f"/graph-store?graph={BASE}graph/places, or /graph-store?default"
        raise BadParameter("Name one graph, or the default graph.", {"example": example})
    return await _answer(request, endpoint, client, None if default else names[0])


async def direct(request: Request, endpoint: Endpoint, client: str, iri: str) -> Response:
    """Answer the IRI of a graph with its triples (Graph Store HTTP Protocol, section 4.1). Raises as `indirect` does."""
    return await _answer(request, endpoint, client, iri)


async def described(request: Request, endpoint: Endpoint, client: str, query: str, address: str) -> Response:
    """Answer with the SPARQL 1.1 Service Description of the endpoint at an address; `query` constructs it."""
    terms = {
        "endpoint": {"type": "uri", "value": address},
        "dataset": {"type": "uri", "value": address + "#dataset"},
        "default": {"type": "uri", "value": address + "#default"},
    }
    question = Question(query, terms, graph_types=_graph_types(request))
    return await endpoint.respond(request, question, client, endpoint.deadline_seconds, repeatable=True)


async def _answer(request: Request, endpoint: Endpoint, client: str, iri: str | None) -> Response:
    union = iri == UNION
    if iri is not None and not union and not await endpoint.has_graph(iri):
        raise NotFound(f"There is no graph {iri[:200]}: the service description at /sparql lists them.")
    question = Question(
        _GRAPH, default_graphs=None if iri is None or union else (iri,), union=union, graph_types=_graph_types(request)
    )
    return await endpoint.respond(request, question, client, endpoint.deadline_seconds, repeatable=True)


def _graph_types(request: Request) -> tuple[str, ...]:
    """Return the graph formats that a client accepts, best first. Raises NotAcceptable (406) when there is none."""
    types = ranked(accept(request), GRAPH_TYPES, ALIASES)
    if not types:
        raise NotAcceptable(f"A graph is offered as {', '.join(GRAPH_TYPES)}.", {"offered": list(GRAPH_TYPES)})
    return types
