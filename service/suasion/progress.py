"""How far the reading of files has come, on a terminal: share, rate and remaining time; silent on anything else."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

_SILENT_SECONDS = 0.5
_INTERVAL_SECONDS = 0.2
_CLEAR = "\r\x1b[K"
_MEGABYTE = 1_000_000


class Meter:
    """One line that is written over, and cleared at the end of a `with`; nothing is shown of what is done at once."""

    def __init__(self, total: int, stream: TextIO | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._stream = stream if stream is not None and stream.isatty() else None
        self._clock = clock
        self._started = clock()
        self._next = self._started + _SILENT_SECONDS
        self._shown = False

    def __enter__(self) -> "Meter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._stream and self._shown:
            self._stream.write(_CLEAR)
            self._stream.flush()

    def at(self, done: int, name: str) -> None:
        """Show that so many bytes of the total are read, and which file is being read."""
        now = self._clock()
        if self._stream is None or now < self._next:
            return
        self._next = now + _INTERVAL_SECONDS
        self._shown = True
        self._stream.write(_CLEAR + _line(done, self._total, now - self._started, name))
        self._stream.flush()


def _line(done: int, total: int, seconds: float, name: str) -> str:
    """Return the words of the line.

    >>> _line(50_000_000, 200_000_000, 4.0, "a.nt")
    '25 %, 50 of 200 MB, 12.5 MB/s, 0:12 left: a.nt'
    """
    rate = done / seconds
    left = round((total - done) / rate) if done else 0
    share = done * 100 // total if total else 100
    remaining = f"{left // 60}:{left % 60:02} left" if done else "starting"
    sizes = f"{done / _MEGABYTE:.0f} of {total / _MEGABYTE:.0f} MB"
    shown = "".join(c if c.isprintable() else "?" for c in name)[:40]
    return f"{share} %, {sizes}, {rate / _MEGABYTE:.1f} MB/s, {remaining}: {shown}"
