"""Wiring: one application from settings."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from shutil import disk_usage

from fastapi import FastAPI
from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Match, Route

from suasion import (
    __version__,
    accesslog,
    bulk,
    catalog,
    curated,
    editor,
    federation,
    graphs,
    guide,
    home,
    linked,
    linkedapi,
    offprints,
    openapi,
    operation,
    pictures,
    problems,
    publication,
    reconciling,
    reference,
    renderings,
    sparql,
    tokens,
    tools,
    updates,
)
from suasion.asking import Asking, own_queries
from suasion.assembly import Assembly, assembled
from suasion.catalog import Query
from suasion.clients import client_address
from suasion.codings import Coding
from suasion.cors import ReadingCors
from suasion.doorway import Answering, Doorway
from suasion.engine import Engine, Lane, Loader
from suasion.errors import DataError, MethodNotAllowed, NotFound, SuasionError
from suasion.exchange import GRAPH_TYPES
from suasion.fairness import client_key
from suasion.formats import ALIASES
from suasion.metrics import Reading
from suasion.negotiation import accept, best, ranked
from suasion.pagecache import PageCache
from suasion.pages import Pages
from suasion.places import Places
from suasion.prefixes import GRAPH
from suasion.processes import living_workers
from suasion.remote import Remotes
from suasion.settings import Settings, own_folder
from suasion.source import Source

_SUMMARY = "The claims of an article in international relations, as a knowledge graph."
_DESCRIPTION = "Each answer says whether it is complete; each row leads to its claim and the place in the source."
_LICENCE = {"name": "CC BY 4.0 (ontology and data)", "url": "https://creativecommons.org/licenses/by/4.0/"}


def create_app(
    settings: Settings, given: Source | None = None, loader: Loader | None = None, words: Mapping[str, str] | None = None
) -> FastAPI:
    """Return the application; its workers start and end with it. Without a source it serves the bundle of the settings.

    Questions are those of the bundle, or for RDF files those that fit any data, and those of the folder of the source. A loader
    that was launched before is taken over.

    Raises DataError at once for query files or a prefix table at fault, and on start-up for data at fault.
    """
    parts = assembled(settings, given, loader)
    engine, queries, backing, source = parts.engine, parts.queries, parts.backing, parts.source
    by_name = backing.queries
    files = tuple(file.name for file in source.files) or (() if source.bundle else (str(source.writable),))
    described = (parts.bundle / "queries" / "describe" / "service.rq").read_text(encoding="utf-8")
    allowed = tokens.opened(settings)
    log = accesslog.opened(settings)
    description = federation.described(described, parts.remotes.endpoints)
    writes = updates.Updates(engine, allowed, settings.write_bytes, settings.request_bytes)
    endpoint = sparql.Endpoint(
        engine=engine,
        answers=parts.answers,
        ask=parts.ask,
        most_bytes=writes.most_bytes,
        answer_bytes=settings.answer_bytes,
        deadline_seconds=settings.deadline_seconds,
        endpoints=parts.remotes.endpoints,
        update=writes.update,
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            await engine.start()
        except SuasionError as error:
            app.state.fault = error
            raise
        yield
        if engine.ready.fault:
            app.state.fault = DataError(engine.ready.fault)
        await engine.close()
        if log:
            log.close()

    app = FastAPI(
        title="Suasion",
        version=__version__,
        summary=f"SPARQL over {', '.join(files)}." if files else _SUMMARY,
        description="Each answer says whether it is complete." if files else _DESCRIPTION,
        license_info=None if files else _LICENCE,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=lambda route: f"service_{route.name}",
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.fault = None
    app.state.address = f"http://{settings.host}:{settings.port}"

    def public_url() -> str:
        """Where clients reach the service: never what their Host header says."""
        return settings.public_url or str(app.state.address)

    app.add_middleware(
        ReadingCors,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST", "QUERY", "OPTIONS"],
        allow_headers=["*"],
        expose_headers=[
            "ETag",
            "Link",
            "Suasion-Deadline-Seconds",
            "Suasion-Failed-Services",
            "Suasion-Limit-Bytes",
            *curated.HEADERS,
        ],
    )
    app.add_middleware(Coding)
    free_bytes = partial(_free_bytes, source.writable)
    operation.equip(app, settings, lambda: _reading(engine, parts.remotes, free_bytes), log, writes.most_bytes)
    app.add_exception_handler(SuasionError, problems.handle)
    app.add_exception_handler(HTTPException, _http_problem)

    async def answer_sparql(request: Request) -> Response:
        if request.method in ("GET", "HEAD") and not request.scope["query_string"]:
            address, writable = f"{public_url()}/sparql", allowed is not None
            return await graphs.described(request, endpoint, _client(request), description, address, writable=writable)
        return await endpoint.answer(request, _client(request), source.base_iri or f"{public_url()}/sparql")

    async def answer_store(request: Request) -> Response:
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            writes.operation(request)  # who may not write is told no more
        if request.method == "POST" and not request.scope["query_string"]:
            return await writes.new_graph(request, f"{public_url()}/graph-store")
        iri = graphs.named(request) if request.method != "OPTIONS" else None
        return await answer_graph(request, iri, iri or f"{public_url()}/graph-store?default")

    async def answer_graph_below(request: Request) -> Response:
        iri = graphs.below(request, public_url())
        return await answer_graph(request, iri, iri)

    async def answer_named_graph(request: Request) -> Response:
        if graphs.is_page(request):
            return await graphs.page(request, pages, backing.ask, request.path_params["name"], public_url())
        iri = GRAPH + request.path_params["name"]
        return await answer_graph(request, iri, iri)

    async def answer_graph(request: Request, iri: str | None, base: str) -> Response:
        match request.method:
            case "OPTIONS":
                return Response(status_code=204, headers={"Allow": writes.methods})
            case "GET" | "HEAD":
                return await graphs.answer(request, endpoint, _client(request), iri)
            case _:
                return await writes.graph(request, iri, base)

    offered = tools.offered(parts, public_url)

    def mcp_server() -> Answering:
        from suasion.mcpserver import McpServer  # slow: only where agents come

        return McpServer(parts, offered)

    methods = ["GET", "HEAD", "POST", "QUERY", "PUT", "PATCH", "DELETE", "OPTIONS"]
    for path, answer in (
        ("/sparql", answer_sparql),
        ("/sparql/", answer_sparql),
        ("/graph-store", answer_store),
        ("/graph-store/{path:path}", answer_graph_below),
        ("/graph/{name}", answer_named_graph),
    ):
        allowed_methods = methods if answer is answer_sparql else [method for method in methods if method != "QUERY"]
        app.router.add_route(path, answer, methods=allowed_methods, include_in_schema=False)
    app.router.routes.append(Route("/mcp", Doorway(mcp_server, settings.request_bytes), methods=methods))
    for method in ("GET", "POST"):
        extra = openapi.sparql_operation(method)
        name = str(extra["operationId"])
        app.add_api_route(
            "/sparql", answer_sparql, methods=[method], operation_id=name, openapi_extra=extra, response_class=Response
        )

    pages = app.state.pages = home.templates(files)

    page_cache = PageCache(settings.cache_bytes)
    documents = linked.opened(parts, pages, public_url, page_cache, str(app.summary), app.description, words)
    own = own_queries(parts.bundle) if source.bundle else {}
    front_page = home.opened(pages, Asking(backing, own, parts.state), files, documents.counts, public_url, page_cache)

    async def front(request: Request) -> Response:
        types = ranked(accept(request), ("text/html", *GRAPH_TYPES), ALIASES)
        if types and types[0] != "text/html":
            return await linked.dataset_document(request, documents)
        return await home.answer(request, front_page)

    site = curated.Site(backing, Pages(pages, documents.places), public_url, parts.state, page_cache)

    async def question_list(request: Request) -> Response:
        linked.refuse_parameters(request)
        if best(accept(request), ("application/json", "text/html")) == "text/html":
            return HTMLResponse(site.pages.questions(queries), headers={"Vary": "Accept"})
        return JSONResponse(curated.listed(by_name), headers={"Vary": "Accept"})

    examples = catalog.examples(parts.bundle) if source.bundle else ()
    published = {query.name: query for query in (*queries, *examples)}

    async def question_data(request: Request) -> Response:
        linked.refuse_parameters(request)
        return Response(publication.document(published.values(), public_url()), media_type="text/turtle; charset=utf-8")

    async def question_file(request: Request) -> Response:
        linked.refuse_parameters(request)
        asked = request.path_params["name"]
        for ending in ("/context.jsonld", ".ttl", ".rq", ""):
            query = published.get(asked.removesuffix(ending)) if asked.endswith(ending) else None
            if query and ending == "/context.jsonld":
                return JSONResponse(renderings.context(query), media_type="application/ld+json")
            if query and ending == ".ttl":
                return Response(publication.document([query], public_url()), media_type="text/turtle; charset=utf-8")
            if query:
                return PlainTextResponse(query.text)
        raise NotFound(f"There is no query {asked[:100]!r}; GET /queries lists them.", {"example": "/queries"})

    async def receipt(request: Request) -> Response:
        linked.refuse_parameters(request)
        return await curated.verify(request.path_params["id"], site)

    async def interface(_: Request) -> Response:
        base = app.openapi()
        described = linkedapi.paths(bundle=source.bundle is not None)
        return JSONResponse(await openapi.document({**base, "paths": {**base["paths"], **described}}, backing))

    tried = queries[0].name if queries else "name"
    for path, shown, summary, kind, extra in (
        ("/", front, "What there is to ask", HTMLResponse, openapi.front_operation()),
        ("/queries", question_list, "All curated questions, as JSON or as a page", JSONResponse, openapi.list_operation()),
        ("/queries.ttl", question_data, "All curated questions as SHACL executables", Response, openapi.turtle_operation()),
        ("/queries/{name:path}", question_file, "The SPARQL of a curated question", Response, openapi.query_operation(tried)),
        ("/receipts/{id}", receipt, "Whether an answer is still the same", JSONResponse, openapi.receipt_operation()),
        ("/openapi.json", interface, "This description", JSONResponse, {}),
    ):
        app.add_api_route(path, shown, methods=["GET"], summary=summary, response_class=kind, openapi_extra=extra)
        app.router.add_route(path, shown, methods=["HEAD"], include_in_schema=False)
        app.router.add_route(path, _allowed, methods=["OPTIONS"], include_in_schema=False)
    app.router.routes += reference.routes(pages) + editor.routes(pages, parts)
    if source.bundle:
        _add_codes(app, parts, pages, documents.places, public_url)
        app.router.routes += pictures.routes(pages, backing, own, public_url, parts.state, words or {}, page_cache)
    app.router.routes += offprints.routes(documents, _allowed)
    app.router.routes += linked.routes(documents, _allowed)
    app.router.routes += guide.routes(guide.opened(own_folder(), pages, public_url, bundle=not files))
    for query in queries:
        _add_curated(app, query, site)
    return app


def _client(request: Request) -> str:
    return client_key(client_address(request.scope), request.headers.get("user-agent", ""))


def _reading(engine: Engine, remotes: Remotes, free_bytes: Callable[[], int | None]) -> Reading:
    ready = engine.ready
    return Reading(
        digest=ready.digest or None,
        loaded=engine.loaded,
        quads=ready.quads,
        living=living_workers,
        lanes={lane.value: engine.reading(lane) for lane in Lane},
        counts=asdict(engine.counts),
        services=remotes.resting(),
        free_bytes=free_bytes,
    )


def _free_bytes(folder: Path | None) -> int | None:
    return None if folder is None else disk_usage(folder).free


def _add_curated(app: FastAPI, query: Query, site: curated.Site) -> None:
    async def answer(request: Request) -> Response:
        return await curated.answer(request, query, "", site)

    async def answer_as(request: Request) -> Response:
        return await curated.answer(request, query, request.path_params["format"], site)

    for path, shown in ((f"/{query.name}", answer), (f"/{query.name}.{{format}}", answer_as)):
        app.router.add_route(path, shown, methods=["GET", "HEAD"], include_in_schema=False)
        app.router.add_route(path, _allowed, methods=["OPTIONS"], include_in_schema=False)


def _add_codes(app: FastAPI, parts: Assembly, pages: Environment, places: Places, public_url: Callable[[], str]) -> None:
    """Add tables of codes at /resolve, and reconciliation."""
    backing, most_bytes = parts.backing, parts.settings.request_bytes
    service = reconciling.Service(
        crosswalks=parts.crosswalks,
        ask=backing.ask,
        search=backing.queries["search"].text,
        prefixes=backing.prefixes,
        pages=pages,
        places=places,
        public_url=public_url,
        most_bytes=most_bytes,
    )

    async def resolve(request: Request) -> Response:
        return await bulk.answer(request, parts.crosswalks, backing.dataset(), backing.prefixes, most_bytes)

    given: list[reconciling.Entry] = [
        ("/resolve", resolve, "POST", Response, openapi.table_operation(bulk.PARAMETERS)),
        *service.entries(),
    ]
    for path, answer, method, kind, extra in given:
        name = f"{path[1:].replace('/', '_')}{'_by_post' if method == 'POST' else ''}"
        app.add_api_route(path, answer, methods=[method], name=name, response_class=kind, openapi_extra=extra)
        if method == "GET":
            app.router.add_route(path, answer, methods=["HEAD"], include_in_schema=False)
        methods = "GET, HEAD, POST, OPTIONS" if path in ("/resolve", "/reconcile") else updates.READ_METHODS
        app.router.add_route(path, _offering(methods), methods=["OPTIONS"], include_in_schema=False)
    app.router.add_route("/reconcile/view", service.view, methods=["GET", "HEAD"], include_in_schema=False)
    app.router.add_route("/reconcile/view", _allowed, methods=["OPTIONS"], include_in_schema=False)


def _offering(methods: str) -> Callable[[Request], Awaitable[Response]]:
    async def offered(_: Request) -> Response:
        return Response(status_code=204, headers={"Allow": methods})

    return offered


async def _allowed(_: Request) -> Response:
    return Response(status_code=204, headers={"Allow": updates.READ_METHODS})


def _methods(request: Request) -> str:
    """Return the methods that the routes at the path of a request answer."""
    routes = [route for route in request.app.router.routes if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in routes if isinstance(route, Route) for method in route.methods or ()}))


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.scope["path"][:100]
    if error.status_code == 405:
        allowed = _methods(request)
        return problems.response(MethodNotAllowed(f"{path} answers {allowed} only.", {"allow": allowed}), request.scope)
    return problems.response(NotFound(f"There is nothing at {path}; GET / lists what there is."), request.scope)
