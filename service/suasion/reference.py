"""The interactive reference of the HTTP interface at /docs: Swagger UI, served from here, over /openapi.json."""

from importlib.util import find_spec
from pathlib import Path

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from suasion.errors import NotFound
from suasion.guard import CONTENT_SECURITY_POLICY

ASSETS = ("swagger-ui-bundle.js", "swagger-ui.css")
"""Files of Swagger UI, as the package fastapi-offline carries them."""
_PICTURES = {"Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; img-src 'self' data:"}
_KEPT = {"Cache-Control": "public, max-age=3600"}


def routes(templates: Environment) -> list[Route]:
    """Return the routes of the page, of what starts it, and of the files that it needs; none leads elsewhere."""
    body = templates.get_template("reference.html").render()
    assets = {name: _folder() / name for name in ASSETS} | {"start.js": Path(__file__).parent / "static" / "reference.js"}

    async def page(_: Request) -> Response:
        return HTMLResponse(body, headers=_PICTURES)

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in assets:
            raise NotFound(f"There is no file {name[:60]!r} here; /docs is the page.")
        return FileResponse(assets[name], headers=_KEPT)

    return [Route("/docs", page, include_in_schema=False), Route("/docs/{name}", asset, include_in_schema=False)]


def _folder() -> Path:
    """Return where the package keeps the files, without importing it: its code is not needed."""
    spec = find_spec("fastapi_offline")
    assert spec and spec.origin
    return Path(spec.origin).parent / "static"
