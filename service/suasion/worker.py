"""The process that loads the data once and forks a worker for each request to do so.

Run as `python -m suasion.worker`, with the number of a control socket. On that socket it says Ready (one line of JSON),
then answers each byte with a fork: the socket of the new worker and its pidfd, as file descriptors. It ends with its parent.
"""

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import pyoxigraph as ox

from suasion import checks, loading
from suasion.confinement import confine, die_with_parent
from suasion.errors import DataError
from suasion.evaluation import evaluate
from suasion.exchange import HEAD_BYTES, Answer, Ready, lengths, pack_answer, unpack_question
from suasion.loading import Dataset
from suasion.prefixes import declared

STACK_BYTES = 512 * 1024 * 1024


def main(control_fd: int, bundle: Path, memory_bytes: int, most_bytes: int) -> None:
    """Load, say Ready, and fork until the parent closes the control socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    control = socket.socket(fileno=control_fd)
    try:
        prefixes = declared(bundle)
        dataset = loading.load(bundle)
        checks.refuse_faults(checks.run(dataset.union, bundle, prefixes))
    except DataError as error:
        control.sendall(_line(Ready(fault=str(error))))
        return
    control.sendall(_line(Ready(len(dataset.facts), digest(dataset.facts))))
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
        socket.send_fds(control, [b"w"], [ours.fileno(), pidfd])
        ours.close()
        os.close(pidfd)


def digest(store: ox.Store) -> str:
    """Return the SHA-256, in hexadecimal, of the sorted N-Quads of a store without blank nodes (its RDFC-1.0 form)."""
    lines = ox.serialize(store, format=ox.RdfFormat.N_QUADS) or b""
    return sha256(b"".join(sorted(lines.splitlines(keepends=True)))).hexdigest()


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
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
