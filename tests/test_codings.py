"""Content codings: which one a client gets, what is coded, and what a coded body may be."""

import asyncio
import gzip
import sys
import zlib
from collections.abc import Iterable

import pytest
from starlette.types import Message, Receive, Scope, Send

from conftest import Client
from suasion.codings import LEAST_BYTES, THREAD_BYTES, Coding, accepted, decoded
from suasion.errors import BadQuery

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    import backports.zstd as zstd

LARGE = "/claims"
SMALL = "/healthz"


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        ("gzip, deflate, br, zstd", ("zstd", "gzip", "identity")),
        ("GZIP", ("gzip", "identity")),
        ("x-gzip", ("gzip", "identity")),
        ("gzip;q=0", ("identity",)),
        ("gzip;q=0.001,zstd;q=0", ("gzip", "identity")),
        ("zstd;q=0.5, gzip;q=0.8", ("gzip", "zstd", "identity")),
        ("*", ("zstd", "gzip", "identity")),
        ("*;q=0", ()),
        ("identity;q=0", ()),
        ("identity;q=0, gzip", ("gzip",)),
        ("*;q=0, gzip", ("gzip",)),
        ("identity, gzip;q=0.5", ("identity", "gzip")),
        ("br", ("identity",)),
        ("", ("identity",)),
        ("gzip;q=2, zstd;level=3", ("identity",)),
        ("notgzip", ("identity",)),
    ],
)
def test_a_client_gets_the_coding_that_it_likes_best(header: str, codings: tuple[str, ...]) -> None:
    assert accepted(header) == codings


@pytest.mark.parametrize(("header", "coding"), [("gzip", "gzip"), ("zstd", "zstd"), ("gzip;q=0", None), ("br", None)])
def test_only_large_answers_are_coded(client: Client, header: str, coding: str | None) -> None:
    plain = client.send("GET", LARGE)
    large, small = (client.send("GET", path, {"Accept-Encoding": header}) for path in (LARGE, SMALL))
    assert (large.headers.get("content-encoding"), small.headers.get("content-encoding")) == (coding, None)
    assert int(large.headers["content-length"]) == len(large.body)
    assert large.headers["etag"] == plain.headers["etag"]
    assert all("Accept-Encoding" in one.headers["vary"] for one in (plain, large, small))
    if coding:
        assert (gzip if coding == "gzip" else zstd).decompress(large.body) == plain.body
        assert len(large.body) * 4 < len(plain.body)
    else:
        assert large.body == plain.body


def test_head_and_304_have_the_headers_and_no_body(client: Client) -> None:
    got = client.send("GET", LARGE, {"Accept-Encoding": "gzip"})
    head = client.send("HEAD", LARGE, {"Accept-Encoding": "gzip"})
    assert head.body == b""
    same = ("content-encoding", "content-length", "content-type", "etag", "vary")
    assert [head.headers[name] for name in same] == [got.headers[name] for name in same]
    known = client.send("GET", LARGE, {"Accept-Encoding": "gzip", "If-None-Match": got.headers["etag"]})
    assert (known.status, known.body) == (304, b"")
    assert "content-encoding" not in known.headers
    assert "Accept-Encoding" in known.headers["vary"]


def test_who_excludes_all_codings_gets_406_and_who_excludes_none_of_ours_gets_it(client: Client) -> None:
    refused = client.send("GET", SMALL, {"Accept-Encoding": "identity;q=0"})
    assert (refused.status, refused.json()["offered"]) == (406, ["zstd", "gzip"])
    small = client.send("GET", SMALL, {"Accept-Encoding": "identity;q=0, gzip"})
    assert gzip.decompress(small.body).startswith(b"{")


def sent(parts: Iterable[bytes], coding: str) -> list[Message]:
    """Return what goes out when an application sends parts, the last of which ends its answer unless it is empty."""
    seen: list[Message] = []

    async def application(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/csv")]})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        seen.append(message)

    scope = {"type": "http", "headers": [(b"accept-encoding", coding.encode())]}
    asyncio.run(Coding(application)(scope, receive, send))
    return seen


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest.mark.parametrize("size", [10, LEAST_BYTES, THREAD_BYTES + 1, 300_000])
def test_each_part_can_be_read_when_it_is_sent_and_a_stream_that_stops_has_no_end(coding: str, size: int) -> None:
    parts = [bytes([65 + number]) * size for number in range(4)]
    start, *bodies = sent(parts, coding)
    assert (b"content-encoding", coding.encode()) in start["headers"]
    decoder = zlib.decompressobj(wbits=31) if coding == "gzip" else zstd.ZstdDecompressor()
    assert [decoder.decompress(message["body"]) for message in bodies] == parts
    assert not decoder.eof


@pytest.mark.parametrize("window", [24, 27])
def test_a_window_larger_than_http_allows_is_refused(window: int) -> None:
    options: dict[int, int] = {zstd.CompressionParameter.window_log: window, zstd.CompressionParameter.content_size_flag: 0}
    compressor = zstd.ZstdCompressor(options=options)
    body = compressor.compress(b"ASK {}") + compressor.flush()
    with pytest.raises(BadQuery, match="no zstd"):
        decoded(body, "zstd", 1000)
