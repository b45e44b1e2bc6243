"""Errors as RFC 9457 problem documents."""

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from suasion.errors import NotIndexed, Overloaded, SuasionError, TimedOut, Unauthorized
from suasion.prefixes import BASE

MEDIA_TYPE = "application/problem+json"


def response(error: SuasionError) -> Response:
    """Return the response for an error: its problem document, and the headers that belong to it."""
    return Response(json.dumps(document(error), ensure_ascii=False), error.status, headers(error), MEDIA_TYPE)


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
    return response(error)
