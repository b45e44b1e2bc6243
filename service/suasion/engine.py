"""The embedded engine: worker processes that can be ended at the deadline, seen from the HTTP process.

This side never parses, plans or evaluates: a query that loops, or ends its process, costs one worker. Each lane has workers
of its own. A query that has computed for the patience is heavy: its process is niced, and takes one of few slow places of the
lane, while the lane gets a new worker at once; so heavy queries never stand before light ones. A long answer comes in parts, as
its reader takes them; it needs a slow place from the first.
"""

import asyncio
import json
import os
import select
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
from suasion.exchange import (
    HEAD_BYTES,
    Answer,
    Change,
    Command,
    Question,
    Ready,
    lengths,
    pack_answer,
    pack_change,
    pack_question,
    unpack_answer,
)
from suasion.metrics import LaneReading
from suasion.settings import Settings
from suasion.source import Source

_NICE = 10
_WATCH_SECONDS = 0.25
_ENDING_SECONDS = 5.0
_LOOK_SECONDS = 0.01
_WAITING = 5
"""A query that computes little is heavy after so many times the patience: it waits for something else than a processor."""


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
    changed: int = 0
    streamed: int = 0
    truncated: int = 0


@dataclass(slots=True, eq=False)
class _Worker:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    pid: int
    pidfd: int
    generation: int
    left: bool = False
    """Whether it has left its lane for a slow place, and a new one has come instead."""

    def computed(self) -> float:
        """Return the processor seconds of the process so far, by its clock (Linux, include/linux/posix-timers.h)."""
        with suppress(OSError):
            return time.clock_gettime((~self.pid << 3) | 2)
        return 0

    def end(self) -> None:
        """Kill the process; it holds nothing that needs an orderly end. May be called more than once."""
        if self.writer.is_closing():
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        os.close(self.pidfd)
        self.writer.close()


@dataclass(slots=True)
class _Pool:
    """The idle workers of a lane, how many requests wait for one, and who holds its slow places."""

    places: int
    slow: dict[_Worker, str] = field(default_factory=dict)
    idle: asyncio.Queue[_Worker] = field(default_factory=asyncio.Queue)
    waiting: int = 0
    waited_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Loader:
    """The process that loads the data and forks workers, and the socket on which it is asked to."""

    process: subprocess.Popen[bytes]
    control: socket.socket


def launch(settings: Settings, source: Source) -> Loader:
    """Start to load the data, in a process of its own; it ends with this one."""
    ours, theirs = socket.socketpair()
    limits = [str(settings.worker_memory_bytes), str(settings.answer_bytes), str(settings.spool_bytes)]
    command = [sys.executable, "-m", "suasion.worker", str(theirs.fileno()), source.to_json(), *limits]
    # It imports what this process imports; and where the engine panics, one line on standard error says enough.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "RUST_BACKTRACE": "0"}
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
    """A loader process and its workers. Use `start`, `ask`, `change`, `close`, all in one event loop."""

    def __init__(self, settings: Settings, source: Source, loader: Loader | None = None) -> None:
        self.ready = Ready()
        self.counts = Counts()
        self.lost: Callable[[], None] = lambda: signal.raise_signal(signal.SIGTERM)
        """What is done when the process that holds the data has ended: this process ends too, unless its owner says otherwise."""
        self._settings = settings
        self._source = source
        self._pools = {Lane.PUBLIC: _Pool(settings.slow_workers), Lane.OWN: _Pool(settings.own_slow_workers)}
        self._forking = asyncio.Lock()
        self._changing = asyncio.Lock()
        self._changes_waiting = 0
        self._change: asyncio.Task[Answer] | None = None
        self._given_up = asyncio.Event()
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

    def reading(self, lane: Lane) -> LaneReading:
        """Return what a lane does at this moment."""
        pool = self._pools[lane]
        return LaneReading(pool.idle.qsize(), pool.waiting, pool.waited_seconds, len(pool.slow))

    async def ask(
        self,
        question: Question,
        lane: Lane,
        client: str = "",
        deadline_seconds: float | None = None,
        spent: Callable[[float], None] | None = None,
    ) -> Answer:
        """Return the answer to a question; of a long one the first part, with the rest, which the caller has to close.

        `client` names who may have one slow query at a time ("" is nobody in particular); `spent` is told the seconds that a
        worker was busy, whatever came of it.

        The engine panics where ORDER BY meets values of which it finds no total order, so a query with ORDER BY that ended its
        process is evaluated once more, with values of each kind together.

        Raises Overloaded when no worker becomes free or no slow place is left, TimedOut at the deadline, WorkerDied when the
        query ended its process, and whatever error the worker names. When the caller is cancelled the query ends.
        """
        deadline = min(deadline_seconds or self._settings.deadline_seconds, self._settings.deadline_seconds)
        started = time.monotonic()
        try:
            return await self._ask_once(question, lane, client, deadline, spent)
        except errors.WorkerDied:
            left = deadline - (time.monotonic() - started)
            if left <= 0 or "ORDER" not in question.query.upper():
                raise
        return await self._ask_once(replace(question, kinds_apart=True), lane, client, left, spent)

    async def _ask_once(
        self, question: Question, lane: Lane, client: str, deadline: float, spent: Callable[[float], None] | None
    ) -> Answer:
        pool = self._pools[lane]
        worker = await self._take(pool)
        started = time.monotonic()
        exchange = asyncio.create_task(_exchange(worker, pack_question(question)))
        rest = None
        try:
            if not await _is_light(exchange, worker, self._settings.patience_seconds, deadline):
                self._take_place(worker, client, pool)
                self._leave(worker, pool)
            remaining = deadline - (time.monotonic() - started)
            answer = await asyncio.wait_for(exchange, max(remaining, 0.001))
            if answer.more:
                await self._wait_for_place(worker, client, pool, started + self._settings.patience_seconds)
                rest = _Rest(self, worker, pool, started, deadline, spent)
                self.counts.streamed += 1
                return replace(answer, rest=rest)
        except TimeoutError:
            self.counts.timed_out += 1
            self._dismiss(worker, pool)
            raise _timed_out(deadline) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            self.counts.died += 1
            self._dismiss(worker, pool)
            raise _died() from None
        except BaseException as error:
            self.counts.abandoned += isinstance(error, asyncio.CancelledError)
            exchange.cancel()
            self._dismiss(worker, pool)
            raise
        finally:
            if spent and rest is None:
                spent(time.monotonic() - started)
        self.counts.answered += 1
        self.counts.truncated += bool(answer.truncated)
        if answer.truncated == "deadline":
            self._dismiss(worker, pool)  # it still works on the query
        else:
            self._give_back(worker, pool)
        _raise_error(answer)
        return answer

    async def change(self, change: Change) -> Answer:
        """Make a change, durably, one at a time; every question that is asked afterwards sees it.

        The answer has `created` and `changed` in `extra`. Raises Overloaded when too many wait, TimedOut at the deadline of
        changes, WorkerDied when the change ended its process, StorageFull when there is no room on disk, and whatever error
        the candidate names; nothing is changed then. When the caller is cancelled before the change is put in force, nothing
        is changed either.
        """
        await self._await_turn()
        given_up = self._given_up = asyncio.Event()
        self._change = asyncio.create_task(self._changed(change, given_up))
        self._change.add_done_callback(self._turn_over)
        try:
            return await asyncio.shield(self._change)
        except asyncio.CancelledError:
            given_up.set()
            raise

    def _turn_over(self, change: asyncio.Task[Answer]) -> None:
        self._changing.release()
        if not change.cancelled():
            change.exception()  # seen, though nobody may wait for it any more

    async def _await_turn(self) -> None:
        """Wait until no other change is being made. Raises Overloaded when that takes too long."""
        settings = self._settings
        if self._changes_waiting >= settings.queue_length:
            self.counts.refused += 1
            raise errors.Overloaded(f"{self._changes_waiting} writes wait already: try again in a moment.")
        self._changes_waiting += 1
        try:
            await asyncio.wait_for(self._changing.acquire(), settings.queue_seconds)
        except TimeoutError:
            self.counts.refused += 1
            raise errors.Overloaded(f"Other writes took longer than {settings.queue_seconds:g} s: try again.") from None
        finally:
            self._changes_waiting -= 1

    async def _changed(self, change: Change, given_up: asyncio.Event) -> Answer:
        """Make a change; it goes on by itself when the caller leaves, so that nothing is left half-done."""
        worker = await self._forked(Command.CANDIDATE)
        try:
            answer = await self._candidate(worker, change, given_up)
        except BaseException:
            await self._discard(worker)
            raise
        finally:
            worker.end()
        _raise_error(answer)
        if answer.extra["changed"]:
            await self._put_in_force(answer)
        return answer

    async def _candidate(self, worker: _Worker, change: Change, given_up: asyncio.Event) -> Answer:
        """Have a fork of the loader make a change, unless the caller leaves meanwhile."""
        seconds = self._settings.change_seconds
        exchange = asyncio.create_task(_exchange(worker, pack_change(change)))
        leaving = asyncio.create_task(given_up.wait())
        try:
            await asyncio.wait({exchange, leaving}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if exchange.done():
                return exchange.result()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.counts.died += 1
            raise errors.WorkerDied(
                "The write needed more memory or a deeper stack than a worker has, so nothing was changed: make it in parts."
            ) from None
        finally:
            exchange.cancel()
            leaving.cancel()
        if given_up.is_set():
            self.counts.abandoned += 1
            raise errors.TimedOut("The client left before the write was done, so nothing was changed.")
        self.counts.timed_out += 1
        raise errors.TimedOut(
            f"The write was not done within {seconds:g} s, so nothing was changed: make it in parts.", {"limit_seconds": seconds}
        )

    async def _put_in_force(self, answer: Answer) -> None:
        """Have the loader take over a change, and dismiss the workers that do not know of it; busy ones when they are done."""
        async with self._forking:
            ready = await asyncio.to_thread(self._told, Command.COMMIT.value + pack_answer(answer))
            if ready.fault:
                await asyncio.to_thread(self._told, Command.DISCARD.value)
                raise errors.StorageFull(ready.fault)
            self.ready = ready
        self.counts.changed += 1
        for pool in self._pools.values():
            while not pool.idle.empty():
                self._dismiss(pool.idle.get_nowait(), pool)

    async def _discard(self, worker: _Worker) -> None:
        """End a candidate, wait until it has ended, and have removed what it left on disk."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(worker.pidfd, signal.SIGKILL)
        ending = select.poll()
        ending.register(worker.pidfd, select.POLLIN)
        await asyncio.to_thread(ending.poll, _ENDING_SECONDS * 1000)
        async with self._forking:
            await asyncio.to_thread(self._told, Command.DISCARD.value)

    def _told(self, message: bytes) -> Ready:
        """Send a command to the loader, and return what it says."""
        assert self._loader
        self._loader.control.sendall(message)
        line = _read_line(self._loader.control)
        if not line:
            raise ConnectionError("the process that holds the data has ended")
        return Ready(**json.loads(line))

    async def close(self) -> None:
        """End the workers and the loader, once a change that is being made is in force or given up."""
        if self._change:
            self._given_up.set()
            await asyncio.wait([self._change])
        if self._watching:
            self._watching.cancel()
        await asyncio.gather(*self._refills, return_exceptions=True)
        for pool in self._pools.values():
            for worker in pool.slow:
                worker.end()
            while not pool.idle.empty():
                pool.idle.get_nowait().end()
        if self._loader:
            self._loader.control.close()
            self._loader.process.kill()
            while self._loader.process.poll() is None:  # without a thread: none can be had while the interpreter ends
                await asyncio.sleep(_LOOK_SECONDS)

    async def _take(self, pool: _Pool) -> _Worker:
        settings = self._settings
        if pool.idle.empty() and pool.waiting >= settings.queue_length:
            self.counts.refused += 1
            raise errors.Overloaded(f"{pool.waiting} requests wait already: try again in a moment.")
        pool.waiting += 1
        started = time.monotonic()
        try:
            while True:
                async with asyncio.timeout(settings.queue_seconds):  # wait_for would make a task of its own
                    worker = await pool.idle.get()
                if worker.generation == self.ready.number and not worker.reader.at_eof():
                    return worker
                self.counts.died += worker.generation == self.ready.number  # it was killed while it waited
                self._dismiss(worker, pool)
        except TimeoutError:
            self.counts.refused += 1
            raise errors.Overloaded(f"No worker became free in {settings.queue_seconds:g} s: try again in a moment.") from None
        finally:
            pool.waiting -= 1
            pool.waited_seconds += time.monotonic() - started

    def _take_place(self, worker: _Worker, client: str, pool: _Pool) -> None:
        """Give a slow place to a query. Raises Overloaded when there is none for it."""
        if not _has_place(pool, client):
            self.counts.refused += 1
            own = client and client in pool.slow.values()
            whose = "another heavy query of yours runs" if own else "as many heavy queries run as may"
            raise errors.Overloaded(f"The query is heavy, and {whose}: try again when it is done, or narrow the query.")
        pool.slow[worker] = client

    async def _wait_for_place(self, worker: _Worker, client: str, pool: _Pool, until: float) -> None:
        """Give a slow place to a long answer, which most readers leave soon. Raises Overloaded when none comes free in time."""
        while worker not in pool.slow:
            if _has_place(pool, client) or time.monotonic() > until:
                self._take_place(worker, client, pool)
            else:
                await asyncio.sleep(_LOOK_SECONDS)

    def _leave(self, worker: _Worker, pool: _Pool) -> None:
        """Make a worker slow, and give its lane a new one."""
        worker.left = True
        self.counts.became_slow += 1
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, worker.pid, _NICE)
        self._refill_soon(pool)

    def _give_back(self, worker: _Worker, pool: _Pool) -> None:
        if worker.left or worker.generation != self.ready.number:
            self._dismiss(worker, pool)
        else:
            pool.slow.pop(worker, None)
            pool.idle.put_nowait(worker)

    def _dismiss(self, worker: _Worker, pool: _Pool) -> None:
        worker.end()
        pool.slow.pop(worker, None)
        if not worker.left:
            self._refill_soon(pool)

    def _refill_soon(self, pool: _Pool) -> None:
        task = asyncio.create_task(self._refill(pool))
        self._refills.add(task)
        task.add_done_callback(self._refills.discard)

    async def _refill(self, pool: _Pool) -> None:
        try:
            worker = await self._forked(Command.FORK)
        except OSError:
            return  # the loader has ended: _watch ends the service
        pool.idle.put_nowait(worker)

    async def _forked(self, command: Command) -> _Worker:
        """Return a new worker. Raises OSError when the loader has ended."""
        async with self._forking:
            generation = self.ready.number
            connection, pidfd, pid = await asyncio.to_thread(self._fork, command)
        reader, writer = await asyncio.open_unix_connection(sock=connection)
        return _Worker(reader, writer, pid, pidfd, generation)

    def _fork(self, command: Command) -> tuple[socket.socket, int, int]:
        assert self._loader
        self._loader.control.sendall(command.value)
        said, descriptors, _, _ = socket.recv_fds(self._loader.control, 4, 2)
        if len(descriptors) != 2:
            raise ConnectionError("the process that holds the data has ended")
        connection, pidfd = descriptors
        return socket.socket(fileno=connection), pidfd, int.from_bytes(said, "big")


class _Rest:
    """The parts of a long answer after the first. Its worker ends at the deadline, whether its reader reads or not."""

    def __init__(
        self,
        engine: Engine,
        worker: _Worker,
        pool: _Pool,
        started: float,
        deadline: float,
        spent: Callable[[float], None] | None,
    ) -> None:
        self._engine = engine
        self._worker = worker
        self._pool = pool
        self._started = started
        self._deadline = deadline
        self._spent = spent
        self._fault: errors.SuasionError | None = None
        self._done = False
        loop = asyncio.get_running_loop()
        passed = time.monotonic() - started
        self._timers = [loop.call_later(max(deadline - passed, 0), self._expire)]
        if not worker.left:
            patience = engine._settings.patience_seconds
            self._timers.append(loop.call_later(max(patience - passed, 0), engine._leave, worker, pool))

    async def part(self) -> bytes:
        """Return the next part, b"" after the last. Raises TimedOut, WorkerDied, and what the worker names."""
        if self._done and self._fault is None:
            return b""
        try:
            answer = await _read(self._worker)
        except (asyncio.IncompleteReadError, ConnectionError):
            self._end("died", _died())
            assert self._fault
            raise self._fault from None
        if not answer.more:
            self._end("answered")
            _raise_error(answer)
        return answer.body

    def close(self) -> None:
        """End the query, if it is not done."""
        self._end("abandoned", errors.Unanswered("The answer was given up by its reader."))

    def _expire(self) -> None:
        self._end("timed_out", _timed_out(self._deadline))

    def _end(self, event: str, fault: errors.SuasionError | None = None) -> None:
        """Let go of the worker, once: give it back, or end it for a fault."""
        if self._done:
            return
        self._done, self._fault = True, fault
        for timer in self._timers:
            timer.cancel()
        setattr(self._engine.counts, event, getattr(self._engine.counts, event) + 1)
        if fault:
            self._engine._dismiss(self._worker, self._pool)
        else:
            self._engine._give_back(self._worker, self._pool)
        if self._spent:
            self._spent(time.monotonic() - self._started)


async def _is_light(exchange: asyncio.Task[Answer], worker: _Worker, patience: float, deadline: float) -> bool:
    """Wait for an answer as long as its query is light: it has not used the patience up, by computing or by waiting."""
    started, used = time.monotonic(), worker.computed()
    until = min(deadline, patience * _WAITING)
    left = min(patience, deadline)
    while left > 0:
        await asyncio.wait({exchange}, timeout=max(left, _LOOK_SECONDS))
        if exchange.done():
            return True
        left = min(patience - (worker.computed() - used), until - (time.monotonic() - started))
    return False


def _has_place(pool: _Pool, client: str) -> bool:
    return len(pool.slow) < pool.places and not (client and client in pool.slow.values())


def _timed_out(deadline: float) -> errors.TimedOut:
    remedy = "narrow the query, or ask for a part of it with LIMIT"
    return errors.TimedOut(f"No answer within {deadline:g} s: {remedy}.", {"limit_seconds": deadline})


def _died() -> errors.WorkerDied:
    return errors.WorkerDied("The query needed more memory or a deeper stack than a worker has: simplify it.")


def _raise_error(answer: Answer) -> None:
    if answer.error:
        raise errors.kinds()[answer.error](answer.detail, dict(answer.extra))


async def _exchange(worker: _Worker, frame: bytes) -> Answer:
    """Send a worker a question or a change, and return what it says to it, or the first part of that."""
    worker.writer.write(frame)
    await worker.writer.drain()
    return await _read(worker)


async def _read(worker: _Worker) -> Answer:
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
