"""The routes and layers that serve those who run the service: health, readiness, metrics, style, guard, observation."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from suasion.accesslog import AccessLog
from suasion.errors import NotFound, NotReady
from suasion.guard import Guard
from suasion.metrics import Metrics, Reading
from suasion.negotiation import entity_tag, matches
from suasion.observation import Observation
from suasion.settings import Settings

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".js": "text/javascript; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}


def equip(
    app: FastAPI,
    settings: Settings,
    read: Callable[[], Reading],
    log: AccessLog | None,
    most_bytes: Callable[[Scope], int] | None = None,
) -> Metrics:
    """Add the routes and, outside all others, the layers of operation; return the metrics, which `app.state` has too.

    `most_bytes` tells how large the body of a request may be; without it that is the setting.
    `read` tells the state of the engine; it is asked by /healthz, /readyz and /metrics and has to answer from memory.
    Call it after every other add_middleware.
    """
    metrics = Metrics(read, lambda: log.dropped if log else 0)
    app.state.metrics = metrics
    app.add_middleware(Guard, settings=settings, most_bytes=most_bytes)
    app.add_middleware(Observation, settings=settings, metrics=metrics, log=log)

    async def healthz(_: Request) -> Response:
        reading = read()
        document = {"status": "ok", "dataset": _name(reading), "quads": reading.quads}
        return JSONResponse(document, headers={"Cache-Control": "no-store"})

    async def readyz(_: Request) -> Response:
        reading = read()
        refuse_unready(reading)
        document = {
            "status": "ready",
            "dataset": _name(reading),
            "idle": {name: lane.idle for name, lane in reading.lanes.items()},
        }
        return JSONResponse(document, headers={"Cache-Control": "no-store"})

    async def exposition(request: Request) -> Response:
        body, media_type = metrics.exposition(request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": media_type, "Cache-Control": "no-store"})

    for path, endpoint, summary in (
        ("/healthz", healthz, "Whether the service is up, and on which dataset"),
        ("/readyz", readyz, "Whether the service can answer queries"),
    ):
        app.add_api_route(path, endpoint, methods=["GET"], summary=summary)
        app.router.add_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
    app.router.add_route("/metrics", exposition, methods=["GET"], include_in_schema=False)
    app.router.add_route("/static/{name:path}", _files(), methods=["GET"], include_in_schema=False)
    return metrics


def refuse_unready(reading: Reading) -> None:
    """Raise NotReady, with the cause, unless the data are verified and some worker can take a query soon."""
    if not reading.loaded:
        raise NotReady("The data are not loaded and verified.")
    if not reading.living():
        raise NotReady("No worker lives: queries cannot be answered.")


def _name(reading: Reading) -> str | None:
    return f"sha256:{reading.digest}" if reading.digest else None


def _files() -> Callable[[Request], Awaitable[Response]]:
    """Return what answers with the files of the folder `static`, as they are now; who has one already gets 304."""
    folder = Path(__file__).parent / "static"
    bodies = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.suffix in _TYPES}
    tags = {name: entity_tag(body) for name, body in bodies.items()}

    async def answer(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in bodies:
            raise NotFound(f"There is no file {name[:100]!r} here; GET / lists what there is.")
        headers = {"ETag": tags[name], "Cache-Control": "no-cache"}
        if matches(request.headers.get("if-none-match", ""), tags[name]):
            return Response(status_code=304, headers=headers)
        return Response(bodies[name], headers={"Content-Type": _TYPES[Path(name).suffix], **headers})

    return answer
