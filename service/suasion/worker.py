"""The process that loads the data once, forks a worker for each request to do so, and takes over what candidates changed.

Run as `python -m suasion.worker`, with the number of a control socket. On that socket it says Ready (one line of JSON), then
obeys commands of one byte (`exchange.Command`). A fork is answered with its process id, and as file descriptors its socket
and its pidfd. It ends with its parent.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path

from suasion import catalog, checks, hits, loading, observations, projection, writing
from suasion.confinement import confine, die_with_parent
from suasion.errors import DataError, StorageFull
from suasion.evaluation import Outlet, evaluate
from suasion.exchange import (
    HEAD_BYTES,
    Answer,
    Command,
    Ready,
    lengths,
    pack_answer,
    unpack_answer,
    unpack_change,
    unpack_question,
)
from suasion.loading import Dataset
from suasion.prefixes import Prefixes, declared
from suasion.settings import Settings, bundle_folder
from suasion.source import Source
from suasion.textindex import TextIndex
from suasion.writing import Written

STACK_BYTES = 512 * 1024 * 1024
_PART_BYTES = 1024 * 1024
_MANY_QUADS = 50_000
"""From so many on the texts of files are indexed beside the answering of other questions; fewer take less than a second or so."""
_NO_INDEX = "The texts of the data are still being indexed: all else is answered; search again in some seconds."
_CANDIDATE_FILES = 8
"""What a candidate may have open besides its socket, where the number of files is what keeps sockets away."""


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a worker answers from, and its limits: `published` leaves out what was written beside a bundle.

    The index of data that change is made by the worker that needs it: what was written is not read by the loader, and nobody
    waits for an index after each write. Of many texts it is made by a process of its own, while others are answered: `index`
    returns None until then.
    """

    dataset: Dataset
    published: Dataset
    index: Callable[[], TextIndex | None]
    prefixes: Mapping[str, str]
    most_bytes: int
    spool_bytes: int


def main(control_fd: int, source: Source, memory_bytes: int, most_bytes: int, spool_bytes: int) -> None:
    """Load, check a bundle, say Ready, and fork until the parent closes the control socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    control = socket.socket(fileno=control_fd)
    gc.disable()  # what is made while data are loaded stays: looking through it, time and again, takes longer than making it
    prefixes = Prefixes({})
    written = None
    try:
        alone = source.bundle is None and source.writable is not None
        dataset = None if alone else loading.load_source(source, sys.stderr)
        if source.bundle is not None:
            assert dataset
            prefixes = _checked(dataset, source.bundle)
            if source.datasets is not None:
                observations.add(dataset, source.datasets, sys.stderr)
        for folder in catalog.query_folders(_bundle(source), source.queries, files=source.bundle is None):
            projection.refuse_mismatches(folder, catalog.load(folder))
        if source.writable is not None:
            written = writing.opened(source, dataset, sys.stderr)
            dataset = written.dataset
        assert dataset
        published = written.published if written and written.published else dataset
        changing = written is not None and source.bundle is None
        make = partial(_indexed, published, source)
        index: Callable[[], TextIndex | None] = cache(make)
        coming = -1
        if not changing and not source.bundle and len(published.union) > _MANY_QUADS:
            coming = _begun(control, make)
            index = _not_yet
        elif not changing:
            index()
    except DataError as error:
        control.sendall(_line(Ready(fault=str(error))))
        return
    gc.freeze()  # so that workers, which share this memory, do not write to it
    gc.enable()
    control.sendall(_line(written.ready if written else Ready(len(dataset.facts), loading.digest(dataset.facts))))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        if coming >= 0:
            watched: list[socket.socket | int] = [control, coming]
            readable, _, _ = select.select(watched, [], [])
            if coming in readable:
                index, coming = cache(_received(coming) or make), -1
                continue
        if not (byte := control.recv(1)):
            break
        command = Command(byte)
        if command in (Command.COMMIT, Command.DISCARD):
            assert written
            _take_over(control, written, command)
            continue
        desk = _Desk(dataset, published, index, prefixes.table, most_bytes, spool_bytes)
        while not _forked(control, partial(_serve, desk, written, memory_bytes, command)):
            pass  # it was killed before it could be named


def _begun(control: socket.socket, make: Callable[[], TextIndex]) -> int:
    """Fork a process that makes an index, and return where its bytes can be read; none come where it fails."""
    reading, writing_end = os.pipe()
    if os.fork():
        os.close(writing_end)
        return reading
    die_with_parent()
    control.close()
    os.close(reading)
    with suppress(Exception), os.fdopen(writing_end, "wb") as out:
        out.write(make().serialised())
    os._exit(0)


def _received(reading: int) -> Callable[[], TextIndex] | None:
    """Return what gives the index that another process made; None where it failed, so that each worker has to make its own."""
    with os.fdopen(reading, "rb") as stream:
        serialised = stream.read()
    if not serialised:
        return None
    index = TextIndex.restored(serialised)
    return lambda: index


def _not_yet() -> None:
    """Stand for an index that is still being made."""


def _forked(control: socket.socket, serve: Callable[[socket.socket], None]) -> bool:
    """Fork a process that serves one side of a socket, and tell the parent; return whether it lives long enough for that."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        control.close()
        ours.close()
        serve(theirs)
        os._exit(0)
    with ours, theirs:
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        socket.send_fds(control, [pid.to_bytes(4, "big")], [ours.fileno(), pidfd])
        os.close(pidfd)
    return True


def _serve(desk: _Desk, written: Written | None, memory_bytes: int, command: Command, requests: socket.socket) -> None:
    if command is Command.FORK:
        _work(requests, memory_bytes, partial(_answer_all, requests, desk))
    elif written:
        _work(requests, memory_bytes, partial(_change_once, requests, written), files=_CANDIDATE_FILES)


def _checked(dataset: Dataset, bundle: Path) -> Prefixes:
    """Return the prefix table of a bundle; raise DataError when its data break a check."""
    prefixes = declared(bundle)
    checks.refuse_faults(checks.run(dataset.union, bundle, prefixes))
    return prefixes


def _bundle(source: Source) -> Path:
    """Return the bundle of a source; for RDF files that which came with the package."""
    return source.bundle or bundle_folder(Settings())


def _indexed(dataset: Dataset, source: Source) -> TextIndex:
    """Return the index of the texts of a dataset. Workers take it over as it is when it was made before they are forked."""
    file = "article.rq" if source.bundle else "files.rq"
    return hits.indexed(dataset.union, _bundle(source) / "queries" / "index" / file)


def _line(ready: Ready) -> bytes:
    return json.dumps(asdict(ready)).encode() + b"\n"


def _take_over(control: socket.socket, written: Written, command: Command) -> None:
    """Put a change in force, or remove what is left of one that was given up; say Ready, or that there is no room."""
    if command is Command.DISCARD:
        written.folder.tidy(written.generation)
        control.sendall(_line(written.ready))
        return
    try:
        control.sendall(_line(written.commit(unpack_answer(*_frame(control)))))
    except StorageFull as error:
        control.sendall(_line(Ready(fault=str(error))))


def _frame(connection: socket.socket) -> tuple[bytes, bytes]:
    """Return head and body of the next frame. Raises EOFError when the other side has closed."""
    head_length, body_length = lengths(_exactly(connection, HEAD_BYTES))
    return _exactly(connection, head_length), _exactly(connection, body_length)


def _exactly(connection: socket.socket, number: int) -> bytes:
    data = bytearray()
    while len(data) < number:
        part = connection.recv(min(number - len(data), _PART_BYTES))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


def _work(requests: socket.socket, memory_bytes: int, do: Callable[[], None], files: int = 0) -> None:
    """Do something confined, in a thread: deep queries get a large stack, and the engine makes blank nodes of its own.

    (Its generator of random numbers belongs to a thread and is copied by a fork; a new thread has a new one.)
    """
    die_with_parent()
    confine(memory_bytes, requests.fileno() + 1 + files)
    threading.stack_size(STACK_BYTES)
    thread = threading.Thread(target=do)
    thread.start()
    thread.join()


def _change_once(requests: socket.socket, written: Written) -> None:
    """Read a change, make it, and answer with the difference."""
    with requests, suppress(EOFError, ConnectionError):
        requests.sendall(pack_answer(writing.candidate(written, unpack_change(*_frame(requests)))))


def _answer_all(requests: socket.socket, desk: _Desk) -> None:
    outlet = Outlet(lambda part: requests.sendall(pack_answer(part)), desk.spool_bytes)
    with requests, requests.makefile("rb") as stream:
        while head := stream.read(HEAD_BYTES):
            head_length, body_length = lengths(head)
            question = unpack_question(json.loads(stream.read(head_length)), stream.read(body_length))
            try:
                dataset = desk.published if question.published else desk.dataset
                index = desk.index() if question.search else None
                if question.search and index is None:
                    requests.sendall(pack_answer(Answer(error="NotIndexed", detail=_NO_INDEX)))
                    return  # the worker that comes instead may have it
                answer = evaluate(dataset, question, desk.prefixes, desk.most_bytes, outlet, index)
            except MemoryError:
                answer = Answer(error="AnswerTooLarge", detail="The query needs more memory than a worker has.")
            requests.sendall(pack_answer(answer))


if __name__ == "__main__":
    main(int(sys.argv[1]), Source.from_json(sys.argv[2]), *map(int, sys.argv[3:]))
