"""The embedded engine: worker processes that can be ended at the deadline, seen from the HTTP process.

This side never parses, plans or evaluates: a query that loops, or ends its process, costs one worker. Each lane has workers
of its own. A query of the public that still runs after the patience is heavy: its process is niced, and takes one of few slow
places, while the lane gets a new worker at once; so heavy queries never stand before light ones.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum

from suasion import errors
from suasion.exchange import HEAD_BYTES, Answer, Question, Ready, lengths, pack_question, unpack_answer
from suasion.settings import Settings
from suasion.source import Source

_NICE = 10
_WATCH_SECONDS = 0.25
_ERRORS = {kind.__name__: kind for kind in (errors.AnswerTooLarge, errors.BadQuery, errors.NotAcceptable)}


class Lane(StrEnum):
    """Who asks: the public by SPARQL, or the service itself for its curated endpoints."""

    PUBLIC = "public"
    OWN = "own"


@dataclass(slots=True)
class Counts:
    """What happened to workers since the start, for metrics; each only grows."""

    answered: int = 0
    timed_out: int = 0
    died: int = 0
    abandoned: int = 0
    refused: int = 0
    became_slow: int = 0


@dataclass(slots=True, eq=False)
class _Worker:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    pid: int
    pidfd: int

    def end(self) -> None:
        """Kill the process; it holds nothing that needs an orderly end."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        os.close(self.pidfd)
        self.writer.close()


@dataclass(slots=True)
class _Pool:
    """The idle workers of a lane, and how many requests wait for one."""

    idle: asyncio.Queue[_Worker] = field(default_factory=asyncio.Queue)
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Loader:
    """The process that loads the data and forks workers, and the socket on which it is asked to."""

    process: subprocess.Popen[bytes]
    control: socket.socket


def launch(settings: Settings, source: Source) -> Loader:
    """Start to load the data, in a process of its own; it ends with this one."""
    ours, theirs = socket.socketpair()
    limits = [str(settings.worker_memory_bytes), str(settings.answer_bytes)]
    command = [sys.executable, "-m", "suasion.worker", str(theirs.fileno()), source.to_json(), *limits]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # it imports what this process imports
    with theirs:
        process = subprocess.Popen(
            command,
            env=environment,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # what this process says there may be a protocol
            start_new_session=True,
        )
    return Loader(process, ours)


class Engine:
    """A loader process and its workers. Use `start`, `ask`, `close`, all in one event loop."""

    def __init__(self, settings: Settings, source: Source, loader: Loader | None = None) -> None:
        self.ready = Ready()
        self.counts = Counts()
        self.lost: Callable[[], None] = lambda: signal.raise_signal(signal.SIGTERM)
        """What is done when the process that holds the data has ended: this process ends too, unless its owner says otherwise."""
        self._settings = settings
        self._source = source
        self._pools = {lane: _Pool() for lane in Lane}
        self._slow: dict[_Worker, str] = {}
        self._forking = asyncio.Lock()
        self._refills: set[asyncio.Task[None]] = set()
        self._loader = loader
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Wait until the data are loaded, in a process of its own, and fork the workers.

        Raises DataError, with the sentence of the loader, when the data are at fault; nothing is left running then.
        """
        settings = self._settings
        self._loader = loader = self._loader or launch(settings, self._source)
        line = await asyncio.to_thread(_read_line, loader.control)
        self.ready = Ready(**json.loads(line)) if line else Ready(fault="The process that loads the data ended early.")
        if self.ready.fault:
            await self.close()
            raise errors.DataError(self.ready.fault)
        self._watching = asyncio.create_task(self._watch(loader.process))
        for lane, number in ((Lane.PUBLIC, settings.workers), (Lane.OWN, settings.own_workers)):
            for _ in range(number):
                await self._refill(self._pools[lane])

    async def _watch(self, loader: subprocess.Popen[bytes]) -> None:
        """End this process when the loader ends: no worker could be forked any more; a supervisor starts both anew."""
        while loader.poll() is None:
            await asyncio.sleep(_WATCH_SECONDS)
        self.ready = replace(self.ready, fault="The process that holds the data ended, and the service with it: start it again.")
        self.lost()

    @property
    def loaded(self) -> bool:
        """Whether the data are loaded and verified, and the process that holds them lives."""
        return self._watching is not None and not self._watching.done()

    def idle(self, lane: Lane) -> int:
        """Return how many workers of a lane wait for a question."""
        return self._pools[lane].idle.qsize()

    async def ask(
        self,
        question: Question,
        lane: Lane,
        client: str = "",
        deadline_seconds: float | None = None,
        spent: Callable[[float], None] | None = None,
    ) -> Answer:
        """Return the answer to a question.

        `client` names who may have one slow query at a time ("" is nobody in particular); `spent` is told the seconds that a
        worker was busy, whatever came of it.

        Raises Overloaded when no worker becomes free or no slow place is left, TimedOut at the deadline, WorkerDied when the
        query ended its process, and whatever error the worker names. When the caller is cancelled the query ends.
        """
        deadline = min(deadline_seconds or self._settings.deadline_seconds, self._settings.deadline_seconds)
        pool = self._pools[lane]
        worker = await self._take(pool)
        exchange = asyncio.create_task(_exchange(worker, question))
        started = time.monotonic()
        try:
            if lane is Lane.PUBLIC:
                await asyncio.wait({exchange}, timeout=min(self._settings.patience_seconds, deadline))
                if not exchange.done():
                    self._make_slow(worker, client, pool)
            remaining = deadline - (time.monotonic() - started)
            answer = await asyncio.wait_for(exchange, max(remaining, 0.001))
        except TimeoutError:
            self.counts.timed_out += 1
            self._dismiss(worker, pool)
            remedy = "narrow the query, or ask for a part of it with LIMIT"
            raise errors.TimedOut(f"No answer within {deadline:g} s: {remedy}.", {"limit_seconds": deadline}) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            self.counts.died += 1
            self._dismiss(worker, pool)
            raise errors.WorkerDied("The query needed more memory or a deeper stack than a worker has: simplify it.") from None
        except BaseException as error:
            self.counts.abandoned += isinstance(error, asyncio.CancelledError)
            exchange.cancel()
            self._dismiss(worker, pool)
            raise
        finally:
            if spent:
                spent(time.monotonic() - started)
        self.counts.answered += 1
        if worker in self._slow:
            self._dismiss(worker, pool)
        else:
            pool.idle.put_nowait(worker)
        if answer.error:
            raise _ERRORS[answer.error](answer.detail, dict(answer.extra))
        return answer

    async def close(self) -> None:
        """End the workers and the loader."""
        if self._watching:
            self._watching.cancel()
        await asyncio.gather(*self._refills, return_exceptions=True)
        for worker in self._slow:
            worker.end()
        for pool in self._pools.values():
            while not pool.idle.empty():
                pool.idle.get_nowait().end()
        if self._loader:
            self._loader.control.close()
            self._loader.process.kill()
            await asyncio.to_thread(self._loader.process.wait)

    async def _take(self, pool: _Pool) -> _Worker:
        settings = self._settings
        if pool.idle.empty() and pool.waiting >= settings.queue_length:
            self.counts.refused += 1
            raise errors.Overloaded(f"{pool.waiting} requests wait already: try again in a moment.")
        pool.waiting += 1
        try:
            while True:
                worker = await asyncio.wait_for(pool.idle.get(), settings.queue_seconds)
                if not worker.reader.at_eof():
                    return worker
                self.counts.died += 1  # it was killed while it waited
                self._dismiss(worker, pool)
        except TimeoutError:
            self.counts.refused += 1
            raise errors.Overloaded(f"No worker became free in {settings.queue_seconds:g} s: try again in a moment.") from None
        finally:
            pool.waiting -= 1

    def _make_slow(self, worker: _Worker, client: str, pool: _Pool) -> None:
        """Give a slow place to a query, and a new worker to its lane. Raises Overloaded when there is none for it."""
        if len(self._slow) >= self._settings.slow_workers or (client and client in self._slow.values()):
            self.counts.refused += 1
            whose = "another heavy query of yours runs" if client in self._slow.values() else "as many heavy queries run as may"
            raise errors.Overloaded(f"The query is heavy, and {whose}: try again when it is done, or narrow the query.")
        self._slow[worker] = client
        self.counts.became_slow += 1
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, worker.pid, _NICE)
        self._refill_soon(pool)

    def _dismiss(self, worker: _Worker, pool: _Pool) -> None:
        worker.end()
        if self._slow.pop(worker, None) is None:
            self._refill_soon(pool)

    def _refill_soon(self, pool: _Pool) -> None:
        task = asyncio.create_task(self._refill(pool))
        self._refills.add(task)
        task.add_done_callback(self._refills.discard)

    async def _refill(self, pool: _Pool) -> None:
        try:
            async with self._forking:
                connection, pidfd, pid = await asyncio.to_thread(self._fork)
        except OSError:
            return  # the loader has ended: _watch ends the service
        reader, writer = await asyncio.open_unix_connection(sock=connection)
        pool.idle.put_nowait(_Worker(reader, writer, pid, pidfd))

    def _fork(self) -> tuple[socket.socket, int, int]:
        assert self._loader
        self._loader.control.sendall(b"f")
        said, descriptors, _, _ = socket.recv_fds(self._loader.control, 4, 2)
        if len(descriptors) != 2:
            raise ConnectionError("the process that holds the data has ended")
        connection, pidfd = descriptors
        return socket.socket(fileno=connection), pidfd, int.from_bytes(said, "big")


async def _exchange(worker: _Worker, question: Question) -> Answer:
    worker.writer.write(pack_question(question))
    await worker.writer.drain()
    head_length, body_length = lengths(await worker.reader.readexactly(HEAD_BYTES))
    head = await worker.reader.readexactly(head_length)
    return unpack_answer(head, await worker.reader.readexactly(body_length))


def _read_line(control: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        part = control.recv(65536)
        if not part:
            return b""
        line += part
    return line
