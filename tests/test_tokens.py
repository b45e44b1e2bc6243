"""Who may write: the file of tokens, and that no request writes without a right one, however it is made."""

import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest

from conftest import ROOT, Client, Reply, serve, stop
from suasion.errors import DataError, NotReady, Unauthorized
from suasion.tokens import Tokens, generated
from writers import FORM, NOTES, QUIET, TURTLE, UPDATE, Writer, at, dataset_file, token_file, writer

pytestmark = pytest.mark.alone

TRIPLE = "<https://example.org/a> <https://example.org/b> <https://example.org/c> ."
LINE = "sha256:" + "a" * 64


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    where = tmp_path_factory.mktemp("tokens")
    with writer(where, dataset_file(where)) as running:
        assert running.put("urn:kept", TRIPLE).status == 201
        yield running


def scope(*authorization: str) -> dict[str, object]:
    return {"headers": [(b"authorization", value.encode()) for value in authorization]}


# ── The matrix ───────────────────────────────────────────────────────────────

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY")
PATHS = (
    "/sparql",
    "/sparql?update=CLEAR+ALL",
    "/graph-store",
    "/graph-store/new",
    "/graph/new",
    at(""),
    at("urn:kept"),
    "/healthz",
)
BODIES = {
    "none": ({}, b""),
    "turtle": (TURTLE, TRIPLE.encode()),
    "update": (UPDATE, b"CLEAR ALL"),
    "form": (FORM, b"update=CLEAR+ALL"),
    "files": (
        {"Content-Type": "multipart/form-data; boundary=x"},
        f'--x\r\nContent-Disposition: form-data; name="f"; filename="f.ttl"\r\n\r\n{TRIPLE}\r\n--x--\r\n'.encode(),
    ),
}


def wrong(token: str) -> dict[str, list[tuple[str, str]]]:
    """Return headers that give nobody leave to write."""
    return {
        "none": [],
        "empty": [("Authorization", "")],
        "no token": [("Authorization", "Bearer")],
        "another": [("Authorization", f"Bearer {token[:-1]}{'A' if token[-1] != 'A' else 'B'}")],
        "its digest": [("Authorization", f"Bearer {sha256(token.encode()).hexdigest()}")],
        "its name": [("Authorization", "Bearer tester")],
        "longer": [("Authorization", f"Bearer {token}x")],
        "basic": [("Authorization", f"Basic {token}")],
        "bare": [("Authorization", token)],
        "twice": [("Authorization", f"Bearer {token}"), ("Authorization", "Bearer x")],
        "in a cookie": [("Cookie", f"token={token}"), ("X-Authorization", f"Bearer {token}")],
    }


def send(connection: http.client.HTTPConnection, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Reply:
    connection.putrequest(method, path)
    for name, value in [*headers, ("Content-Length", str(len(body)))]:
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())


def test_nothing_is_written_without_the_right_token(service: Writer) -> None:
    """Method × path × body × authority: several thousand requests, and the dataset is the same after them."""
    before = service.client.get("/healthz").json()
    names = {path.name for path in service.folder.iterdir()}
    seen: Counter[int] = Counter()
    connection = http.client.HTTPConnection("127.0.0.1", service.client.port, timeout=30)
    for method, path, (kind, (given, body)), (authority, headers) in product(
        METHODS, PATHS, BODIES.items(), wrong(service.token).items()
    ):
        reply = send(connection, method, path, [*given.items(), *headers], body)
        seen[reply.status] += 1
        reads = method in ("GET", "HEAD")
        assert reply.status in ((200, 400, 404, 422) if reads else (400, 401, 405, 415)), (method, path, kind, authority)
        if reply.status == 401:
            assert reply.headers["www-authenticate"].startswith("Bearer realm=")
            assert ("invalid_token" in reply.headers["www-authenticate"]) == ("Authorization" in dict(headers))
    connection.close()
    assert service.client.get("/healthz").json() == before
    assert {path.name for path in service.folder.iterdir()} == names
    assert seen.total() > 3000
    assert seen[401] > 500


def test_each_way_to_write_is_open_with_the_right_token(service: Writer) -> None:
    """So that the matrix is not empty: the same requests write when the token is right."""
    kept = service.client.get("/healthz").json()["quads"]
    assert isinstance(kept, int)
    for method, path, kind in (
        ("PUT", "/graph-store/new", "turtle"),
        ("POST", "/graph-store", "files"),
        ("PUT", "/graph/new", "turtle"),
        ("POST", at("urn:new"), "files"),
        ("POST", "/sparql", "update"),
        ("POST", at("urn:kept"), "turtle"),
        ("POST", "/sparql", "form"),
    ):
        headers, body = BODIES[kind]
        reply = service.send(method, path, headers, body)
        assert reply.status in (200, 201, 204), (method, path, reply.body)
        assert service.client.get("/healthz").json()["quads"] != kept or path == "/sparql"
    service.put("urn:kept", TRIPLE)


def test_the_time_of_a_refusal_tells_nothing_of_the_token(tmp_path: Path) -> None:
    """A token that shares all but its last character is refused as fast as one that shares none (Welch's t below 3)."""
    path, (token,) = token_file(tmp_path, "tester")
    known = Tokens(path)
    near, far = f"Bearer {token[:-1]}-", "Bearer " + "-" * len(token)
    times: dict[str, list[float]] = {near: [], far: []}
    for _ in range(6000):
        for given in (near, far):
            request = scope(given)
            started = time.perf_counter_ns()
            with pytest.raises(Unauthorized):
                known.holder(request)
            times[given].append(time.perf_counter_ns() - started)
    one, other = (sorted(found)[: len(found) * 9 // 10] for found in times.values())
    spread = (statistics.variance(one) / len(one) + statistics.variance(other) / len(other)) ** 0.5
    assert abs(statistics.mean(one) - statistics.mean(other)) / spread < 3 or (
        abs(statistics.mean(one) - statistics.mean(other)) < 100
    )


# ── The file ─────────────────────────────────────────────────────────────────


def test_the_holder_of_a_token_is_named(tmp_path: Path) -> None:
    path, tokens = token_file(tmp_path, "alice", "bob.2", "carol_c-3")
    known = Tokens(path)
    found = [
        known.holder(scope(f"{scheme} {token}")) for scheme, token in zip(("Bearer", "bearer", "BEARER "), tokens, strict=True)
    ]
    assert found == ["alice", "bob.2", "carol_c-3"]


def test_a_change_of_the_file_counts_at_once(tmp_path: Path) -> None:
    path, (old,) = token_file(tmp_path, "tester")
    known = Tokens(path)
    new, line = generated("tester")
    path.write_text(line + "\n# more\n")
    assert known.holder(scope(f"Bearer {new}")) == "tester"
    with pytest.raises(Unauthorized):
        known.holder(scope(f"Bearer {old}"))
    path.write_text(line + "\nnonsense\n")
    for token in (new, old):
        with pytest.raises(NotReady):
            known.holder(scope(f"Bearer {token}"))
    path.unlink()
    with pytest.raises(NotReady):
        known.holder(scope(f"Bearer {new}"))
    path.write_text(line)
    assert known.holder(scope(f"Bearer {new}")) == "tester"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"a {LINE}\nb\n", "line 2"),
        ("secret-in-clear\n", "line 1: a line is NAME sha256:"),
        ("a sha256:" + "A" * 64, "lower-case"),
        ("a sha256:" + "a" * 63, "line 1"),
        ("a md5:" + "a" * 64, "line 1"),
        (f"a b {LINE}", "line 1"),
        (f"é {LINE}", "line 1"),
        (f"a {LINE}\nb {LINE}", "line 2: the name or its digest stands there twice"),
        (f"a {LINE}\na sha256:" + "b" * 64, "line 2: the name or its digest stands there twice"),
        (b"a \xff", "not UTF-8"),
    ],
)
def test_a_malformed_file_is_refused_at_start(tmp_path: Path, text: str | bytes, words: str) -> None:
    path = tmp_path / "tokens"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)
    with pytest.raises(DataError) as caught:
        Tokens(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_anyone_may_write_or_that_is_missing_is_refused(tmp_path: Path) -> None:
    path, _ = token_file(tmp_path, "tester")
    path.chmod(0o666)
    with pytest.raises(DataError, match="anyone may write"):
        Tokens(path)
    for other in (tmp_path / "none", tmp_path):
        with pytest.raises(DataError, match="name a file of tokens"):
            Tokens(other)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service")}
    command = [sys.executable, "-m", "suasion", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


def test_the_command_makes_tokens_that_work(tmp_path: Path) -> None:
    made = [run("token", "tester") for _ in range(2)]
    assert [done.returncode for done in made] == [0, 0]
    token, line = (part.partition(": ")[2] for part in made[0].stdout.splitlines())
    assert len(token) >= 43 and token not in made[1].stdout
    path = tmp_path / "tokens"
    path.write_text(line)
    assert Tokens(path).holder(scope(f"Bearer {token}")) == "tester"
    assert (bad := run("token", "two words")).returncode == 2
    assert len(bad.stderr.splitlines()) == 1


def test_a_bad_file_is_one_line_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("clear\n")
    done = run("serve", "--writable", str(tmp_path / "data"), "--tokens", str(tmp_path / "tokens"))
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert not (tmp_path / "data").exists()


def test_the_log_tells_the_name_and_never_the_token(tmp_path: Path) -> None:
    path, (token,) = token_file(tmp_path, "tester")
    log = tmp_path / "log"
    with log.open("wb") as stream:
        command = [sys.executable, "-m", "suasion", "serve", "--port", "0", "--writable", str(tmp_path / "data")]
        command += ["--tokens", str(path), str(dataset_file(tmp_path))]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "service"), "SUASION_LOG_FORMAT": "json"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stream, text=True, env=environment) as process:
            assert process.stdout
            client = Client(int(process.stdout.readline().rstrip("/\n").rpartition(":")[2]))
            for given in (token, token + "x"):
                client.send("PUT", at(NOTES), {**TURTLE, "Authorization": f"Bearer {given}"}, TRIPLE.encode())
            process.terminate()
    text = log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["status"], line.get("token")) for line in lines] == [(201, "tester"), (401, None)]
    assert token not in text and sha256(token.encode()).hexdigest() not in text


def test_a_revoked_token_writes_no_more(tmp_path: Path) -> None:
    path, (first, second) = token_file(tmp_path, "first", "second")
    process, port = serve(
        "--writable", str(tmp_path / "data"), "--tokens", str(path), str(dataset_file(tmp_path)), environment=QUIET
    )
    services = [Writer(process, Client(port), token, tmp_path / "data") for token in (first, second)]
    assert [one.send("POST", at(NOTES), TURTLE, TRIPLE).status for one in services] == [201, 200]
    text = path.read_text().splitlines()
    path.write_text("\n".join(line for line in text if not line.startswith("first")))
    assert [one.send("POST", at(NOTES), TURTLE, TRIPLE).status for one in services] == [401, 200]
    path.write_text("broken")
    assert [one.send("POST", at(NOTES), TURTLE, TRIPLE).status for one in services] == [503, 503]
    assert services[0].client.get("/sparql", query="ASK {}").status == 200
    stop(process)
