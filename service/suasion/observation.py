"""The outermost layer of the application: each request gets an id, a line in the log and its place in the metrics."""

import re
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from suasion import problems
from suasion.accesslog import AccessLog, Pseudonyms
from suasion.clients import client_address, note_client
from suasion.errors import Failed, Overloaded
from suasion.metrics import Metrics
from suasion.settings import Settings

_ID = re.compile(rb"[A-Za-z0-9-]{1,64}")
_UNMATCHED = "none"


@dataclass(slots=True)
class _Seen:
    """What was sent of a response so far."""

    status: int = 0
    size: int = 0
    whole: bool = False


class Observation:
    """Names, times, counts and logs the requests of an application, and answers for it when it fails.

    In `scope["state"]` it leaves `request_id` and the client address; from there it takes `outcome`, `query_hash`, `lane` and
    the name of the `token`, and from `failure` the trace of a fault that was answered, where an endpoint put them.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics, log: AccessLog | None) -> None:
        self.app = app
        self._settings = settings
        self._metrics = metrics
        self._log = log
        self._pseudonyms = Pseudonyms()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and tell what became of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.monotonic()
        state = scope.setdefault("state", {})
        identifier = state["request_id"] = _identifier(scope["headers"])
        note_client(scope, self._settings.trusted_proxies)
        seen = _Seen()

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                message = {**message, "headers": [*message.get("headers", []), (b"x-request-id", identifier.encode())]}
            elif message["type"] == "http.response.body":
                seen.size += len(message.get("body", b"")) if scope["method"] != "HEAD" else 0
                seen.whole = not message.get("more_body", False)
            await send(message)

        failure = ""
        try:
            await self.app(scope, receive, send_on)
        except ClientDisconnect:
            state.setdefault("outcome", "ClientLeft")
        except Exception as error:
            failure = "".join(traceback.format_exception(error, limit=-8))
            state["outcome"] = "Failed"
            if seen.status:
                raise  # the server cuts the connection, so that half an answer is not taken for a whole one
            failed = Failed("The service itself failed; its log has the cause under this id.", {"request_id": identifier})
            await problems.response(failed, scope)(scope, receive, send_on)
        except BaseException:
            state["outcome"] = "Stopped"
            if not seen.status:
                with suppress(Exception):
                    stopped = Overloaded("The service stops: ask again in a moment.")
                    await problems.response(stopped, scope)(scope, receive, send_on)
            raise
        finally:
            self._note(scope, seen, time.monotonic() - started, failure or str(state.get("failure", "")))

    def _note(self, scope: Scope, seen: _Seen, seconds: float, failure: str) -> None:
        state = scope["state"]
        route = _template(scope)
        status = seen.status or None
        outcome = str(state.get("outcome", _outcome(seen)))
        self._metrics.served(route, str(status or "none"), outcome, seconds, seen.size)
        if self._log is None:
            return
        fields: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "id": state["request_id"],
            "method": scope["method"][:20],
            "route": route,
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
            "bytes": seen.size,
            "outcome": outcome,
        }
        for name in ("query_hash", "lane", "token"):
            if name in state:
                fields[name] = str(state[name])
        match self._settings.log_client:
            case "hash":
                fields["client"] = self._pseudonyms.name(client_address(scope))
            case "address":
                fields["client"] = client_address(scope)
        if failure:
            fields["failure"] = failure
        self._log.write(fields)


def _template(scope: Scope) -> str:
    """Return the template of the route that took a request, such as /queries/{name:path}; never its path."""
    if "route" in scope:
        return str(scope["route"].path)
    if "endpoint" in scope:
        for route in scope["app"].routes:
            if getattr(route, "endpoint", None) is scope["endpoint"] and route.path_regex.match(scope["path"]):
                return str(route.path)
    return _UNMATCHED


def _outcome(seen: _Seen) -> str:
    if not seen.whole or seen.status == 499:
        return "ClientLeft"
    return "ok" if seen.status < 400 else "refused"


def _identifier(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """Return the id that a request brings along, when it brings one of good form, else a new one."""
    given = [value for name, value in headers if name == b"x-request-id"]
    return given[0].decode("ascii") if len(given) == 1 and _ID.fullmatch(given[0]) else token_hex(16)
