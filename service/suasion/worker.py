"""The process that loads the data once and forks a worker for each request to do so.

Run as `python -m suasion.worker`, with the number of a control socket. On that socket it says Ready (one line of JSON),
then answers each byte with a fork: its process id, and as file descriptors its socket and its pidfd. It ends with its parent.
"""

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from suasion import catalog, checks, loading, projection
from suasion.confinement import confine, die_with_parent
from suasion.errors import DataError
from suasion.evaluation import evaluate
from suasion.exchange import HEAD_BYTES, Answer, Ready, lengths, pack_answer, unpack_question
from suasion.loading import Dataset
from suasion.prefixes import Prefixes, declared
from suasion.source import Source

STACK_BYTES = 512 * 1024 * 1024


def main(control_fd: int, source: Source, memory_bytes: int, most_bytes: int) -> None:
    """Load, check a bundle, say Ready, and fork until the parent closes the control socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    control = socket.socket(fileno=control_fd)
    try:
        dataset = loading.load_source(source, sys.stderr)
        prefixes = Prefixes({}) if source.bundle is None else _checked(dataset, source.bundle)
        for folder in catalog.query_folders(source.bundle, source.queries):
            projection.refuse_mismatches(folder, catalog.load(folder))
    except DataError as error:
        control.sendall(_line(Ready(fault=str(error))))
        return
    control.sendall(_line(Ready(len(dataset.facts), loading.digest(dataset.facts))))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while control.recv(1):
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            control.close()
            ours.close()
            _work(theirs, dataset, prefixes.table, memory_bytes, most_bytes)
            os._exit(0)
        theirs.close()
        pidfd = os.pidfd_open(pid)
        socket.send_fds(control, [pid.to_bytes(4, "big")], [ours.fileno(), pidfd])
        ours.close()
        os.close(pidfd)


def _checked(dataset: Dataset, bundle: Path) -> Prefixes:
    """Return the prefix table of a bundle; raise DataError when its data break a check."""
    prefixes = declared(bundle)
    checks.refuse_faults(checks.run(dataset.union, bundle, prefixes))
    return prefixes


def _line(ready: Ready) -> bytes:
    return json.dumps(asdict(ready)).encode() + b"\n"


def _work(requests: socket.socket, dataset: Dataset, prefixes: Mapping[str, str], memory_bytes: int, most_bytes: int) -> None:
    """Answer questions until the other side closes; deep queries get a large stack, hence the thread."""
    die_with_parent()
    confine(memory_bytes, requests.fileno() + 1)
    threading.stack_size(STACK_BYTES)
    thread = threading.Thread(target=_answer_all, args=(requests, dataset, prefixes, most_bytes))
    thread.start()
    thread.join()


def _answer_all(requests: socket.socket, dataset: Dataset, prefixes: Mapping[str, str], most_bytes: int) -> None:
    with requests, requests.makefile("rb") as stream:
        while head := stream.read(HEAD_BYTES):
            head_length, _ = lengths(head)
            question = unpack_question(json.loads(stream.read(head_length)))
            try:
                answer = evaluate(dataset, question, prefixes, most_bytes)
            except MemoryError:
                answer = Answer(error="AnswerTooLarge", detail="The query needs more memory than a worker has.")
            requests.sendall(pack_answer(answer))


if __name__ == "__main__":
    main(int(sys.argv[1]), Source.from_json(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
