"""What many tests share: the real bundle, loaded once, a real service on a free port, and a real engine."""

import asyncio
import fcntl
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser

from browser import CHROMIUM, launched
from suasion import loading
from suasion.engine import Engine
from suasion.loading import Dataset
from suasion.prefixes import Prefixes, declared
from suasion.settings import Settings
from suasion.source import Source

ROOT = Path(__file__).parents[1]
os.environ["XDG_DATA_HOME"] = str(ROOT / "tests")  # where no dataset of whoever runs the tests is


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test that is marked `alone`, because it looks at the clock, run while no other does, in whatever process."""
    assert item.config.cache
    folder = item.config.cache.mkdir("alone")
    # Who waits for the room holds the door, so that those who share the room cannot keep out who wants it alone.
    with (folder / "door").open("w") as door, (folder / "room").open("w") as room:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_SH if item.get_closest_marker("alone") is None else fcntl.LOCK_EX)
        fcntl.flock(door, fcntl.LOCK_UN)
        return (yield)


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP response; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        document = json.loads(self.body)
        assert isinstance(document, dict)
        return document


def with_query(path: str, parameters: Mapping[str, str | int]) -> str:
    return f"{path}?{urlencode(parameters)}" if parameters else path


@dataclass(frozen=True, slots=True)
class Client:
    """Sends one request a connection to a service."""

    port: int

    def send(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def get(self, path: str, accept: str = "", **parameters: str | int) -> Reply:
        return self.send("GET", with_query(path, parameters), {"Accept": accept} if accept else None)

    def rows(self, path: str, **parameters: str | int) -> list[dict[str, object]]:
        reply = self.send("GET", with_query(path, parameters))
        assert reply.status == 200, reply.body
        rows = reply.json()["rows"]
        assert isinstance(rows, list)
        return rows


@pytest.fixture(scope="session")
def bundle() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def dataset(bundle: Path) -> Dataset:
    return loading.load(bundle)


@pytest.fixture(scope="session")
def prefixes(bundle: Path) -> Prefixes:
    return declared(bundle)


@pytest.fixture(scope="session")
def article() -> Path | None:
    """The folder with the source text, where it is given: it is not part of the repository."""
    folder = Path(os.environ.get("ARTICLE_DIR") or ROOT.parent / "shared" / "article")
    return folder if (folder / "article.txt").is_file() else None


def serve(
    *options: str, environment: Mapping[str, str] | None = None, log: TextIO | None = None
) -> tuple[subprocess.Popen[str], int]:
    """Start the service as a user does and return it with its port, once it has said its address; its log goes to a file."""
    command = [sys.executable, "-m", "suasion", "serve", "--port", "0", *options]
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "service"), **(environment or {})}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=variables)
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("Suasion answers at http://127.0.0.1:"), line
    return process, int(line.rstrip().rstrip("/").rpartition(":")[2])


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(timeout=20)
    assert process.stdout
    process.stdout.close()


async def until(condition: Callable[[], bool]) -> None:
    """Return once a condition holds, which it has to within some seconds."""
    for _ in range(300):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to hold")


def with_engine(bundle: Path, use: Callable[[Engine], Awaitable[None]], **changes: float) -> None:
    """Use an engine on a bundle, with its own loader and workers, under settings changed as named."""

    async def run() -> None:
        engine = Engine(replace(Settings(), **changes), Source(bundle))  # type: ignore[arg-type]
        await engine.start()
        try:
            await use(engine)
        finally:
            await engine.close()

    asyncio.run(run())


@pytest.fixture(scope="session")
def client() -> Iterator[Client]:
    process, port = serve()
    yield Client(port)
    stop(process)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip("needs Chromium")
    with launched() as found:
        yield found
