"""A service elsewhere, asked over HTTP by a program that waits: its questions, rows, CSV and SPARQL."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from suasion import __version__, errors
from suasion.errors import BadParameter, SuasionError, Unreached

MOST_BYTES = 256 * 1024 * 1024
_SECONDS = 90.0
_PROBLEM = "https://w3id.org/suasion/problem/"
_ACCEPT = "application/sparql-results+json, text/turtle;q=0.9"


class OverHttp:
    """Asks the service at a URL. Each method raises the error that the service answers with, or Unreached."""

    def __init__(self, url: str) -> None:
        """Take the URL, with or without a path. Raises BadParameter for what is no http or https URL."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise BadParameter(f"{url[:100]!r} is no address of a service: give one such as http://127.0.0.1:8000.")
        self.url = url.rstrip("/")

    def questions(self) -> list[dict[str, Any]]:
        """Return what the service says of its questions: `questions` of /queries."""
        found = self._json("/queries", {}).get("questions")
        if not isinstance(found, list):
            raise Unreached(f"{self.url} is no service of Suasion: /queries does not list questions.")
        return found

    def rows(self, name: str, given: Mapping[str, str]) -> dict[str, Any]:
        """Return the JSON of an answer to a question."""
        return self._json(f"/{quote(name)}.json", given)

    def csv(self, name: str, given: Mapping[str, str]) -> str:
        """Return the CSV of an answer to a question."""
        return self._sent(f"/{quote(name)}.csv", given, "text/csv")[1].decode("utf-8")

    def sparql(self, query: str, union: bool, seconds: float | None) -> tuple[str, bytes, str, str]:
        """Return media type, body and dataset of the answer to a query: SPARQL JSON or Turtle.

        Last come the endpoints that failed silently, "" where none did.
        """
        given = {"timeout": f"{seconds:g}"} if seconds else {}
        if union:
            given["default-graph-uri"] = "https://w3id.org/suasion/graph/union"
        headers, body = self._sent("/sparql", given, _ACCEPT, query.encode("utf-8"))
        silently = headers.get("suasion-failed-services", "")
        if headers.get("suasion-completeness", "complete") != "complete" and not silently:
            raise Unreached(f"{self.url} answered a part of the rows only: {headers['suasion-completeness']}.")
        media_type = headers.get("content-type", "").partition(";")[0]
        return media_type, body, headers.get("suasion-dataset", "").removeprefix("sha256:"), silently

    def close(self) -> None:
        """Do nothing: no connection is kept."""

    def _json(self, path: str, given: Mapping[str, str]) -> dict[str, Any]:
        _, body = self._sent(path, given, "application/json")
        try:
            document = json.loads(body)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise Unreached(f"{self.url}{path} does not answer in JSON: is it a service of Suasion?")
        return document

    def _sent(self, path: str, given: Mapping[str, str], accept: str, query: bytes | None = None) -> tuple[dict[str, str], bytes]:
        address = self.url + path + (f"?{urlencode(given)}" if given else "")
        headers = {"Accept": accept, "User-Agent": f"suasion-python/{__version__}"}
        if query is not None:
            headers["Content-Type"] = "application/sparql-query"
        request = urllib.request.Request(address, data=query, headers=headers)  # noqa: S310 — http or https, see above
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as reply:  # noqa: S310
                body = reply.read(MOST_BYTES + 1)
                told = {name.lower(): value for name, value in reply.headers.items()}
        except urllib.error.HTTPError as error:
            with error:
                raise _answered(error.code, error.read(1024 * 1024), self.url + path) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise Unreached(f"{self.url} is not reached: {reason}.") from None
        if len(body) > MOST_BYTES:
            raise errors.AnswerTooLarge(f"The answer is larger than {MOST_BYTES:,} bytes: ask for less, or by pages.")
        return told, body


def _answered(status: int, body: bytes, address: str) -> SuasionError:
    """Return the error that a problem document tells, of its class; where there is none, that the service is none of ours."""
    try:
        problem = json.loads(body)
        kind = getattr(errors, str(problem["type"]).removeprefix(_PROBLEM), None)
        detail = str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return Unreached(f"{address} answers with status {status}, and no reason that can be read: is it a service of Suasion?")
    if not (isinstance(kind, type) and issubclass(kind, SuasionError)):
        return Unreached(f"{address} answers with status {status}: {detail}")
    extra = {name: value for name, value in problem.items() if name not in ("type", "title", "status", "detail")}
    return kind(detail, extra)
