"""The access log: one JSON object a line on standard error, written by a thread, so that a full pipe stops no request."""

import json
import queue
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from secrets import token_bytes
from typing import TextIO

from suasion.settings import Settings

MOST_WAITING = 10_000
"""Lines that may wait to be written; the next ones are dropped and counted."""


class AccessLog:
    """Takes lines in the event loop and writes them in a thread of its own, which the first line starts."""

    def __init__(self, stream: TextIO) -> None:
        self.dropped = 0
        self._stream = stream
        self._lines: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None

    def write(self, fields: Mapping[str, object]) -> None:
        """Write one line, soon; never waits."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="access log", daemon=True)
            self._thread.start()
        try:
            self._lines.put_nowait(json.dumps(fields, separators=(",", ":")) + "\n")
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what waits, as far as that takes no more than a second."""
        if self._thread:
            with suppress(queue.Full):
                self._lines.put(None, timeout=0.5)
            self._thread.join(0.5)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            with suppress(OSError, ValueError):  # the stream is gone; requests go on
                self._stream.write(line)
                if self._lines.empty():
                    self._stream.flush()
        with suppress(OSError, ValueError):
            self._stream.flush()


class Pseudonyms:
    """Names for addresses: the same within a run, and not to be undone, as the salt is random and kept nowhere."""

    def __init__(self) -> None:
        self._salt = token_bytes(16)

    def name(self, address: str) -> str:
        """Return 16 hexadecimal digits for an address."""
        return blake2b(address.encode(), digest_size=8, key=self._salt).hexdigest()


def opened(settings: Settings) -> AccessLog | None:
    """Return the access log that the settings ask for, None for none."""
    wanted = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    return AccessLog(sys.stderr) if wanted else None
