"""A dataset in worker processes of this program's own, asked by a program that waits; no HTTP.

The engine lives in an event loop in a thread of its own, so that it serves any thread, also one that runs an event loop.
"""

import asyncio
import json
import threading
import weakref
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import Any, TypeVar

from suasion import renderings
from suasion.assembly import Assembly, assembled
from suasion.errors import NotReady
from suasion.exchange import Answer, Question
from suasion.questions import Page, ask
from suasion.settings import Settings
from suasion.source import Source

_ALL = (0, 10**9)
_T = TypeVar("_T")


class Embedded:
    """Asks a source. Each method raises what the service would answer with; NotReady when it is closed."""

    def __init__(self, settings: Settings, source: Source) -> None:
        """Load the source and start workers. Raises DataError for data or query files at fault."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="suasion", daemon=True)
        self._thread.start()
        try:
            self._assembly = self._run(_started(settings, source))
        except BaseException:
            _ended(self._loop, self._thread)
            raise
        self._end = weakref.finalize(self, _closed, self._assembly, self._loop, self._thread)

    def questions(self) -> list[dict[str, Any]]:
        """Return what the service would say of its questions at /queries."""
        from suasion.curated import listed  # it takes the modules of the web in

        found = listed(self._open().backing.queries)["questions"]
        assert isinstance(found, list)
        return found

    def rows(self, name: str, given: Mapping[str, str]) -> dict[str, Any]:
        """Return the JSON of an answer to a question."""
        document = json.loads(renderings.json_text(self._page(name, given), self._open().settings.public_url))
        assert isinstance(document, dict)
        return document

    def csv(self, name: str, given: Mapping[str, str]) -> str:
        """Return the CSV of an answer to a question."""
        return renderings.csv_text(self._page(name, given), "")

    def sparql(self, query: str, union: bool, seconds: float | None) -> tuple[str, bytes, str, str]:
        """Return media type, body and dataset of the answer to a query: rows as SPARQL JSON has them, or Turtle.

        Last come the endpoints that failed silently, "" where none did.
        """
        assembly = self._open()
        answer = self._run(_whole(assembly, Question(query, union=union, rows=_ALL), seconds or 0))
        silently = answer.extra.get("silently", [])
        assert isinstance(silently, list)
        return answer.media_type, answer.body, assembly.engine.ready.digest, ", ".join(f"<{iri}>" for iri in silently)

    def close(self) -> None:
        """End the workers and the thread; may be called more than once."""
        self._end()

    def _page(self, name: str, given: Mapping[str, str]) -> Page:
        backing = self._open().backing
        return self._run(ask(backing.queries[name], given, backing))

    def _open(self) -> Assembly:
        if not self._end.alive:
            raise NotReady("The graph is closed: open it again with suasion.open.")
        if not self._assembly.engine.loaded:
            raise NotReady("The process that holds the data has ended: open the graph again with suasion.open.")
        return self._assembly

    def _run(self, coming: Coroutine[Any, Any, _T]) -> _T:
        """Wait for what the loop computes; an interrupt ends it."""
        future = asyncio.run_coroutine_threadsafe(coming, self._loop)
        try:
            return future.result()
        except CancelledError:
            raise NotReady("The graph was closed before the answer came.") from None
        finally:
            future.cancel()


async def _whole(assembly: Assembly, question: Question, seconds: float) -> Answer:
    """Return an answer with all its parts."""
    answer = await assembly.sparql(question, deadline_seconds=seconds)
    if answer.rest is None:
        return answer
    parts = [answer.body]
    try:
        while part := await answer.rest.part():
            parts.append(part)
    finally:
        answer.rest.close()
    return replace(answer, body=b"".join(parts), rest=None)


async def _started(settings: Settings, source: Source) -> Assembly:
    assembly = assembled(settings, source)
    assembly.engine.lost = lambda: None  # the next question says so; this program goes on
    await assembly.engine.start()
    return assembly


def _closed(assembly: Assembly, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    async def end() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await assembly.engine.close()

    asyncio.run_coroutine_threadsafe(end(), loop).result()
    _ended(loop, thread)


def _ended(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    stop: Callable[[], None] = loop.stop
    loop.call_soon_threadsafe(stop)
    thread.join()
    loop.close()
