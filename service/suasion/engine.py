"""The embedded engine: worker processes that can be ended at the deadline, seen from the HTTP process.

This side never parses, plans or evaluates: a query that loops, or ends its process, costs one worker.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from suasion import errors
from suasion.exchange import HEAD_BYTES, Answer, Question, Ready, lengths, pack_question, unpack_answer
from suasion.settings import Settings


@dataclass(slots=True)
class _Worker:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    pidfd: int

    def end(self) -> None:
        """Kill the process; it holds nothing that needs an orderly end."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        os.close(self.pidfd)
        self.writer.close()


class Engine:
    """A loader process and its idle workers. Use `start`, `ask`, `close`, all in one event loop."""

    def __init__(self, settings: Settings, bundle: Path) -> None:
        self.ready = Ready()
        self._settings = settings
        self._bundle = bundle
        self._idle: asyncio.Queue[_Worker] = asyncio.Queue()
        self._forking = asyncio.Lock()
        self._refills: set[asyncio.Task[None]] = set()
        self._loader: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None

    async def start(self) -> None:
        """Load the bundle in a process of its own and fork the workers.

        Raises DataError, with the sentence of the loader, when the data are at fault; nothing is left running then.
        """
        ours, theirs = socket.socketpair()
        settings = self._settings
        limits = [str(settings.worker_memory_bytes), str(settings.answer_bytes)]
        command = [sys.executable, "-m", "suasion.worker", str(theirs.fileno()), str(self._bundle), *limits]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # it imports what this process imports
        self._loader = await asyncio.create_subprocess_exec(
            *command, env=environment, pass_fds=[theirs.fileno()], start_new_session=True
        )
        theirs.close()
        self._control = ours
        line = await asyncio.to_thread(_read_line, ours)
        self.ready = Ready(**json.loads(line)) if line else Ready(fault="The process that loads the data ended early.")
        if self.ready.fault:
            await self.close()
            raise errors.DataError(self.ready.fault)
        for _ in range(settings.workers):
            await self._refill()

    async def ask(self, question: Question, deadline_seconds: float | None = None) -> Answer:
        """Return the answer to a question.

        Raises Overloaded when no worker becomes free, TimedOut at the deadline, WorkerDied when the query ended its
        process, and whatever error the worker names.
        """
        deadline = min(deadline_seconds or self._settings.deadline_seconds, self._settings.deadline_seconds)
        try:
            worker = await asyncio.wait_for(self._idle.get(), self._settings.queue_seconds)
        except TimeoutError:
            waited = self._settings.queue_seconds
            raise errors.Overloaded(f"No worker became free in {waited:g} s: try again in a moment.") from None
        try:
            answer = await asyncio.wait_for(_exchange(worker, question), deadline)
        except TimeoutError:
            self._replace(worker)
            remedy = "narrow the query, or ask for a part of it with LIMIT"
            raise errors.TimedOut(f"No answer within {deadline:g} s: {remedy}.", {"limit_seconds": deadline}) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            self._replace(worker)
            raise errors.WorkerDied("The query needed more memory or a deeper stack than a worker has: simplify it.") from None
        except BaseException:
            self._replace(worker)
            raise
        self._idle.put_nowait(worker)
        if answer.error:
            raise getattr(errors, answer.error)(answer.detail, dict(answer.extra))
        return answer

    async def close(self) -> None:
        """End the workers and the loader."""
        await asyncio.gather(*self._refills, return_exceptions=True)
        while not self._idle.empty():
            self._idle.get_nowait().end()
        if self._control:
            self._control.close()
        if self._loader:
            with suppress(ProcessLookupError):
                self._loader.kill()
            await self._loader.wait()

    def _replace(self, worker: _Worker) -> None:
        worker.end()
        task = asyncio.create_task(self._refill())
        self._refills.add(task)
        task.add_done_callback(self._refills.discard)

    async def _refill(self) -> None:
        async with self._forking:
            connection, pidfd = await asyncio.to_thread(self._fork)
        reader, writer = await asyncio.open_unix_connection(sock=connection)
        self._idle.put_nowait(_Worker(reader, writer, pidfd))

    def _fork(self) -> tuple[socket.socket, int]:
        assert self._control
        self._control.sendall(b"f")
        _, (connection, pidfd), _, _ = socket.recv_fds(self._control, 1, 2)
        return socket.socket(fileno=connection), pidfd


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
