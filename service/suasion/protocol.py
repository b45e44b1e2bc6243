"""HTTP/1.1 on a connection, as uvicorn speaks it, with limits on what a slow or greedy client may hold.

Nothing here is timed for each connection: the server looks at all of them once in a while and asks each whether it is overdue.
"""

import asyncio
import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from suasion.settings import Settings

BODY_BYTES_PER_SECOND = 16 * 1024
"""A body may take a second more for each so many bytes that came: slow networks pass, dripping does not."""
WRITE_BYTES_PER_SECOND = 256
"""A reader who takes less, over the time that a write may stall, counts as stalled."""
UNWANTED_BYTES = 64 * 1024
"""What is read, and thrown away, of a body after its request was answered; then the connection is cut."""
HEAD_BYTES = 256 * 1024
"""The most bytes of a request line and headers; what is over the limit of a URL, but not over this, gets a problem document."""
LINGER_SECONDS = 2.0
"""Time for a client to read why its request line or headers were refused, while it still sends them."""
LAST_CHANCE_SECONDS = 0.5
"""While the server ends, time for a request that is under way on an idle connection."""
FIRST_REQUEST_SECONDS = 1.5
"""And as much more for one of which the head is being sent, or that would be the first of its connection."""
CLOSE = (b"connection", b"close")

Reason = Literal["headers", "body", "writing", "connections"]
_Phase = tuple[Literal["headers", "body"], RequestResponseCycle | None]


class LimitedConfig(uvicorn.Config):
    """A configuration of uvicorn that carries our settings, and whom to tell of connections that are cut."""

    def __init__(self, app: object, settings: Settings, cut: Callable[[Reason], None]) -> None:
        self.settings = settings
        self.cut = cut
        super().__init__(
            app,  # type: ignore[arg-type]
            http=LimitedProtocol,
            ws="none",
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=settings.keep_alive_seconds,
            timeout_graceful_shutdown=settings.shutdown_seconds,
            h11_max_incomplete_event_size=HEAD_BYTES,
        )


class LimitedProtocol(H11Protocol):
    """One connection, that ends when its client is too slow, or when there are too many."""

    config: LimitedConfig
    _phase: _Phase | None = None
    _phase_since = 0.0
    _heard = 0.0
    _received = 0
    _unwanted = 0
    _pending = 0
    _pending_since = 0.0
    _ending = False
    _lingering = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or refuse it with 503 when there are too many."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "cut": self._reset}
        if len(self.connections) > self.config.settings.connections:
            self._refuse("connections", b"503 Service Unavailable", b"retry-after: 5\r\n")

    def data_received(self, data: bytes) -> None:
        """Note what came, and stop reading a body that nobody wants any more."""
        if self._lingering:
            return
        self._heard = self.loop.time()
        self._received += len(data)
        with suppress(h11.LocalProtocolError):  # bytes that are no HTTP, while an answer is being sent
            super().data_received(data)
            if self.cycle and self.cycle.response_complete and self.conn.their_state is h11.SEND_BODY:
                self._unwanted += len(data)
                if self._unwanted > UNWANTED_BYTES:
                    self.transport.close()
            else:
                self._unwanted = 0
            return
        self.transport.abort()

    def cut_if_overdue(self, now: float) -> None:
        """End the connection when its client took too long: to send headers or a body, or to read the answer."""
        settings = self.config.settings
        if self._stalls(now):
            self.config.cut("writing")
            self.transport.abort()
            return
        phase = self._present_phase()
        if phase != self._phase or (self.flow.read_paused and phase):
            self._phase, self._phase_since, self._heard, self._received = phase, now, now, 0
        elif phase and not self.transport.is_closing():
            limit = settings.header_seconds if phase[0] == "headers" else settings.body_seconds
            allowed = limit + (self._received / BODY_BYTES_PER_SECOND if phase[0] == "body" else 0)
            if now - self._phase_since > allowed or now - self._heard > limit:
                if phase[0] == "body":
                    self.scope["state"]["outcome"] = "TooSlow"
                self._refuse(phase[0], b"408 Request Timeout")

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, a request line that is too long (414), or headers that are (431)."""
        received = self.conn.trailing_data[0]
        if len(received) <= HEAD_BYTES:
            super().send_400_response(msg)
            return
        self.config.cut("headers")
        status = b"431 Request Header Fields Too Large" if b"\n" in received else b"414 URI Too Long"
        self.transport.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        # To close while bytes come in would reset the connection, and the client might never see the answer.
        self._lingering = True
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def shutdown(self) -> None:
        """Let what is under way end: a request, or one whose first bytes come in a moment."""
        self._ending = True
        if self.cycle is None or self.cycle.response_complete:
            self._end_soon()
        elif not self.cycle.response_started:
            self.cycle.default_headers = [*self.cycle.default_headers, CLOSE]

    def on_response_complete(self) -> None:
        """Go on to the next request, or end while the server ends."""
        super().on_response_complete()
        if self._ending:
            self._end_soon()

    def _end_soon(self) -> None:
        self.loop.call_later(LAST_CHANCE_SECONDS, self._end_if_idle, FIRST_REQUEST_SECONDS)

    def _end_if_idle(self, more_seconds: float) -> None:
        """End the connection, unless it is at a request; one that is only expected may take some seconds more."""
        if self.transport.is_closing() or not (self.cycle is None or self.cycle.response_complete):
            return
        if more_seconds and self._present_phase():
            self.loop.call_later(more_seconds, self._end_if_idle, 0)
        else:
            super().shutdown()

    def _present_phase(self) -> _Phase | None:
        """Return what the client is doing, and which request was the last; None while it owes nothing."""
        if self.conn.their_state is h11.IDLE and self.timeout_keep_alive_task is None:
            return "headers", self.cycle
        if self.conn.their_state is h11.SEND_BODY and not self.cycle.waiting_for_100_continue:
            return "body", self.cycle
        return None

    def _stalls(self, now: float) -> bool:
        """Say whether what waits to be read has hardly shrunk for the time that a write may stall."""
        pending = self.transport.get_write_buffer_size()
        if not pending:
            self._pending = 0
            return False
        pending += _unacknowledged(self.transport)
        limit = self.config.settings.write_seconds
        if not self._pending or pending > self._pending or self._pending - pending >= limit * WRITE_BYTES_PER_SECOND:
            self._pending, self._pending_since = pending, now
        return now - self._pending_since > limit

    def _reset(self) -> None:
        """Cut an answer short so that its client sees it: to HTTP/1.0 an orderly close is the end of a body."""
        if not self.transport.is_closing():
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()

    def _refuse(self, reason: Reason, status: bytes, more: bytes = b"") -> None:
        """Say why, if no answer was begun, and close."""
        self.config.cut(reason)
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n" + more + b"\r\n")
        self.transport.close()


def _unacknowledged(transport: asyncio.Transport) -> int:
    """Return how many bytes the kernel holds that the other side has not confirmed."""
    try:
        raw = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
    except OSError:
        return 0
    number: int = struct.unpack("i", raw)[0]
    return number
