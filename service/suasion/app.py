"""Wiring: one application from settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from suasion import __version__, catalog, curated, home, problems, sparql
from suasion.catalog import Query
from suasion.engine import Engine
from suasion.errors import MethodNotAllowed, NotFound, QueryFileError, SuasionError
from suasion.openapi import curated_operation, sparql_operation
from suasion.prefixes import Prefixes, declared
from suasion.settings import Settings, bundle_folder

RESERVED = frozenset({"", "sparql", "queries", "healthz", "openapi.json", "docs", "id", "def", "graph"})
READ_METHODS = "GET, HEAD, OPTIONS"


def create_app(settings: Settings) -> FastAPI:
    """Return the application; its workers start and end with it.

    Raises DataError at once for query files or a prefix table at fault, and on start-up for data at fault.
    """
    bundle = bundle_folder(settings)
    prefixes = declared(bundle)
    queries = catalog.load(bundle / "queries" / "api")
    _refuse_reserved(queries)
    engine = Engine(settings, bundle)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            await engine.start()
        except SuasionError as error:
            app.state.fault = error
            raise
        yield
        await engine.close()

    app = FastAPI(
        title="Suasion",
        version=__version__,
        summary="The claims of an article in international relations, as a knowledge graph.",
        description="Each answer says whether it is complete; each row leads to its claim and the place in the source.",
        license_info={"name": "CC BY 4.0 (ontology and data)", "url": "https://creativecommons.org/licenses/by/4.0/"},
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.fault = None
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST", "OPTIONS"],
        allow_headers=["*"],
        expose_headers=["Link", "Suasion-Completeness", "Suasion-Dataset", "Suasion-Total"],
    )
    app.add_exception_handler(SuasionError, problems.handle)
    app.add_exception_handler(HTTPException, _http_problem)

    async def answer_sparql(request: Request) -> Response:
        return await sparql.answer(request, engine, settings.request_bytes)

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    app.router.add_route("/sparql", answer_sparql, methods=methods, include_in_schema=False)
    app.add_api_route("/sparql", answer_sparql, methods=["GET"], openapi_extra=sparql_operation(), response_class=Response)

    async def healthz() -> Response:
        return JSONResponse({"status": "ok", "dataset": f"sha256:{engine.ready.digest}", "quads": engine.ready.quads})

    async def front() -> Response:
        return HTMLResponse(home.page(queries, engine.ready))

    async def query_text(name: str) -> Response:
        for query in queries:
            if query.name == name.removesuffix(".rq"):
                return PlainTextResponse(query.text)
        raise NotFound(f"There is no query {name!r}; GET / lists them.")

    app.add_api_route("/", front, summary="What there is to ask", response_class=HTMLResponse)
    app.add_api_route("/healthz", healthz, summary="Whether the service is up, and on which dataset")
    app.add_api_route(
        "/queries/{name:path}", query_text, summary="The SPARQL of a curated question", response_class=PlainTextResponse
    )
    for query in queries:
        _add_curated(app, query, engine, settings, prefixes)
    return app


def _add_curated(app: FastAPI, query: Query, engine: Engine, settings: Settings, prefixes: Prefixes) -> None:
    async def answer(request: Request) -> Response:
        return await curated.answer(request, query, "", engine, prefixes, settings.page_rows)

    async def answer_as(request: Request, extension: str) -> Response:
        return await curated.answer(request, query, extension, engine, prefixes, settings.page_rows)

    path = f"/{query.name}"
    operation = curated_operation(query, settings.page_rows)
    app.add_api_route(path, answer, methods=["GET"], openapi_extra=operation, response_class=Response)
    app.router.add_route(path, answer, methods=["HEAD"], include_in_schema=False)
    app.add_api_route(path + ".{extension}", answer_as, methods=["GET", "HEAD"], include_in_schema=False)
    app.router.add_route(path, _allowed, methods=["OPTIONS"], include_in_schema=False)


def _refuse_reserved(queries: tuple[Query, ...]) -> None:
    for query in queries:
        if query.name.partition("/")[0] in RESERVED:
            raise QueryFileError(f"queries/api/{query.name}.rq: this path is taken: name the file otherwise.")


async def _allowed(_: Request) -> Response:
    return Response(status_code=204, headers={"Allow": READ_METHODS})


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.scope["path"][:100]
    if error.status_code == 405:
        return problems.response(MethodNotAllowed(f"{path} answers {READ_METHODS} only.", {"allow": READ_METHODS}))
    return problems.response(NotFound(f"There is nothing at {path}; GET / lists what there is."))
