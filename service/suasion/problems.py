"""Errors as RFC 9457 problem documents, and as pages for those who would rather have a page."""

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from suasion.errors import Gone, NotAcceptable, NotFound, NotIndexed, Overloaded, SuasionError, TimedOut, Unauthorized
from suasion.negotiation import ranked
from suasion.prefixes import BASE, ID

MEDIA_TYPE = "application/problem+json"
_OFFERED = (MEDIA_TYPE, "application/json", "text/html")
_LINKED = ("example", "question", "replaced_by")
"""Members that a page shows as links."""
_MOST_WORDS = 60


def response(error: SuasionError, scope: Scope) -> Response:
    """Return the response to a request that met an error: a page where the client likes that best, else the problem document.

    The application has the templates of pages as `state.pages`; without them there are no pages.
    """
    told = {**headers(error), "Vary": "Accept"}
    templates = getattr(scope["app"].state, "pages", None) if "app" in scope else None
    if templates and _likes_pages(scope):
        body = templates.get_template("refused.html").render(**page(error, scope["path"]))
        return Response(body, error.status, told, "text/html; charset=utf-8")
    return Response(json.dumps(document(error), ensure_ascii=False), error.status, told, MEDIA_TYPE)


def page(error: SuasionError, path: str) -> dict[str, Any]:
    """Return what the page of an error tells, and where it leads: nowhere but to paths of this service."""
    members = error.extra
    example, question, instead = (members.get(name) for name in _LINKED)
    words = path.rpartition("/")[2].replace("-", " ").replace("_", " ").strip()[:_MOST_WORDS]
    sought = words if isinstance(error, NotFound | Gone) else ""
    return {
        "error": error,
        "name": type(error).__name__,
        "phrase": HTTPStatus(error.status).phrase,
        "example": example if isinstance(example, str) and example.startswith("/") and not example.startswith("//") else "",
        "question": f"/{quote(question)}.html" if isinstance(question, str) else "",
        "instead": [(str(iri), _link(str(iri))) for iri in instead] if isinstance(instead, list) else [],
        "words": sought,
        "search": f"/search.html?{urlencode({'text': sought, 'limit': 20})}",
        "details": [(name.replace("_", " "), _text(told)) for name, told in members.items() if name not in _LINKED],
    }


def _likes_pages(scope: Scope) -> bool:
    accept = b", ".join(value for name, value in scope["headers"] if name == b"accept").decode("latin-1")
    try:
        return ranked(accept, _OFFERED)[:1] == ("text/html",)
    except NotAcceptable:
        return False


def _link(iri: str) -> str:
    return "/doc/" + quote(iri.removeprefix(ID)) if iri.startswith(ID) else ""


def _text(told: object) -> str:
    return ", ".join(map(str, told)) if isinstance(told, list | tuple) else str(told)


def headers(error: SuasionError) -> dict[str, str]:
    """Return the headers that belong to an error. What ran out of time says so where an answer says whether it is complete."""
    found = {}
    if isinstance(error, TimedOut):
        found["Suasion-Completeness"] = "timed out"
    if isinstance(error, NotIndexed | Overloaded):
        found["Retry-After"] = "2"
    if isinstance(error, Unauthorized):  # RFC 6750, section 3
        fault = ', error="invalid_token"' if "error" in error.extra else ""
        found["WWW-Authenticate"] = f'Bearer realm="suasion"{fault}'
    if offered := error.extra.get("allow"):
        found["Allow"] = str(offered)
    return found


def document(error: SuasionError) -> dict[str, object]:
    """Return the members of the problem document of an error."""
    body: dict[str, object] = {
        "type": f"{BASE}problem/{type(error).__name__}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
    }
    if isinstance(error, TimedOut):
        body["completeness"] = "timed out"
    return body | error.extra


def note(scope: Scope, error: SuasionError) -> None:
    """Leave the name of an error in the state of a request, as the outcome that log and metrics tell."""
    scope.setdefault("state", {})["outcome"] = type(error).__name__


async def handle(request: Request, error: Exception) -> Response:
    """Answer any SuasionError that an endpoint raises."""
    assert isinstance(error, SuasionError)
    note(request.scope, error)
    return response(error, request.scope)
