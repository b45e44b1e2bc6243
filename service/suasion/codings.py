"""Content codings (RFC 9110, sections 8.4 and 12.5.3): answers are compressed for clients that say so, bodies decoded.

zstd is taken before gzip where a client likes both as much: it is faster and smaller.
"""

import asyncio
import re
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Final, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from suasion import problems
from suasion.errors import BadQuery, NotAcceptable, TooLarge, UnsupportedMedia

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    import backports.zstd as zstd

LEAST_BYTES = 1024
"""A smaller answer is not worth a coding."""
THREAD_BYTES = 32 * 1024
"""A larger part is coded in a thread, so that other requests go on."""
_GZIP_LEVEL, _ZSTD_LEVEL = 5, 3
_WINDOW_LOG = 23  # RFC 9659: a decoder of the coding zstd needs 8 MiB of memory at most
_MEMBER = re.compile(r"\s*([!#$%&'*+.^_`|~\w-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?", re.ASCII | re.IGNORECASE)


class _Encoder(Protocol):
    def part(self, data: bytes, last: bool) -> bytes: ...


class _Gzip:
    def __init__(self) -> None:
        self._compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, 31)

    def part(self, data: bytes, last: bool) -> bytes:
        return self._compressor.compress(data) + self._compressor.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)


class _Zstd:
    def __init__(self) -> None:
        self._compressor = zstd.ZstdCompressor(_ZSTD_LEVEL)

    def part(self, data: bytes, last: bool) -> bytes:
        mode: Final = zstd.ZstdCompressor.FLUSH_FRAME if last else zstd.ZstdCompressor.FLUSH_BLOCK
        return self._compressor.compress(data, mode)


_ENCODERS: dict[str, Callable[[], _Encoder]] = {"zstd": _Zstd, "gzip": _Gzip}
CODINGS = tuple(_ENCODERS)


@lru_cache(maxsize=512)
def accepted(accept_encoding: str) -> tuple[str, ...]:
    """Return the codings that a client accepts, best first; identity is no coding. What cannot be read counts for nothing.

    >>> accepted("gzip;q=0.5, zstd, identity;q=0")
    ('zstd', 'gzip')
    """
    quality: dict[str, float] = {}
    for member in accept_encoding.split(","):
        if found := _MEMBER.fullmatch(member):
            quality[found[1].lower().removeprefix("x-")] = float(found[2] or 1)
    any_other = quality.get("*", 0.0)
    ranking = {coding: quality.get(coding, any_other) for coding in CODINGS}
    # No coding is acceptable unless it is excluded; named, or by *, it has its place among the others.
    ranking["identity"] = quality.get("identity", quality.get("*", 0.0001))
    return tuple(sorted((coding for coding in ranking if ranking[coding] > 0), key=lambda coding: -ranking[coding]))


def decoded(body: bytes, coding: str, most_bytes: int) -> bytes:
    """Return the body of a request without its coding.

    Raises UnsupportedMedia for a coding that is not read, TooLarge when more than `most_bytes` come out, and BadQuery for
    what is damaged or cut off.
    """
    if coding == "identity":
        return body
    if coding not in CODINGS:
        raise UnsupportedMedia(f"A body is sent as it is or with Content-Encoding: {' or '.join(CODINGS)}, not {coding[:40]}.")
    try:
        if coding == "gzip":
            inflating = zlib.decompressobj(wbits=31)
            plain, whole = inflating.decompress(body, most_bytes + 1), inflating.eof
        else:
            expanding = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})
            plain, whole = expanding.decompress(body, most_bytes + 1), expanding.eof
    except (zlib.error, zstd.ZstdError) as error:
        raise BadQuery(f"The request body is no {coding}: {error}.") from None
    if len(plain) > most_bytes:
        raise TooLarge(f"The decoded request body is larger than {most_bytes:,} bytes.", {"limit_bytes": most_bytes})
    if not whole:
        raise BadQuery(f"The request body is a {coding} that was cut off.")
    return plain


class Coding:
    """The layer that codes answers: each part is sent on at once, and one that is not ended has no valid end."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._threads = ThreadPoolExecutor(thread_name_prefix="coding")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and code its answer; 406 when the client excludes every coding and none."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = b",".join(value for name, value in scope["headers"] if name == b"accept-encoding")
        codings = accepted(given.decode("latin-1")) if given else ("identity",)
        if not codings:
            error = NotAcceptable(
                f"Answers are sent as they are or with Content-Encoding: {' or '.join(CODINGS)}.", {"offered": list(CODINGS)}
            )
            problems.note(scope, error)
            await problems.response(error, scope)(scope, receive, send)
            return
        await self.app(scope, receive, _Sender(send, codings, self._threads))


class _Sender:
    """Sends the messages of one answer on, coded."""

    def __init__(self, send: Send, codings: tuple[str, ...], threads: ThreadPoolExecutor) -> None:
        self._send = send
        self._threads = threads
        self._codings = codings
        self._start: Message | None = None
        self._encoder: _Encoder | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message  # sent with the first part, whose length decides
            return
        if message["type"] == "http.response.body":
            body, more = message.get("body", b""), message.get("more_body", False)
            if self._start is not None:
                start, self._start = self._start, None
                coding = self._coding(start, len(body), more)
                if coding != "identity":
                    self._encoder = _ENCODERS[coding]()
                    body = await self._coded(body, not more)
                await self._send(_completed(start, coding, None if more else len(body)))
                message = {**message, "body": body}
            elif self._encoder:
                message = {**message, "body": await self._coded(body, not more)}
        await self._send(message)

    def _coding(self, start: Message, size: int, more: bool) -> str:
        if start["status"] in (204, 206, 304) or any(name == b"content-encoding" for name, _ in start["headers"]):
            return "identity"
        if size < LEAST_BYTES and not more and "identity" in self._codings:
            return "identity"
        return self._codings[0]

    async def _coded(self, body: bytes, last: bool) -> bytes:
        assert self._encoder
        if len(body) > THREAD_BYTES:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._encoder.part, body, last)
        return self._encoder.part(body, last)


def _completed(start: Message, coding: str, size: int | None) -> Message:
    """Return the start of an answer with the headers of its coding; `size` is known of a whole one."""
    headers: list[tuple[bytes, bytes]] = [*start["headers"], (b"vary", b"Accept-Encoding")]
    if coding != "identity":
        headers = [(name, value) for name, value in headers if name != b"content-length"]
        headers.append((b"content-encoding", coding.encode()))
        if size is not None:
            headers.append((b"content-length", str(size).encode()))
    return {**start, "headers": headers}
