"""The application as a whole: front page, health, OpenAPI, settings, start and stop."""

import html
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT, Client, serve, stop
from suasion import __version__
from suasion.app import create_app
from suasion.errors import DataError
from suasion.settings import Settings


def test_the_front_page_lists_every_question_with_a_link_that_answers(client: Client) -> None:
    reply = client.get("/")
    page = reply.body.decode("utf-8")
    assert reply.headers["content-type"].startswith("text/html")
    for path in sorted((ROOT / "queries" / "api").rglob("*.rq")):
        name = path.relative_to(ROOT / "queries" / "api").with_suffix("").as_posix()
        assert f'href="/{name}' in page
        start = page.index(f'href="/{name}') + len('href="')
        link = html.unescape(page[start : page.index('"', start)])
        assert client.send("GET", link).status == 200


def test_health_names_the_dataset(client: Client) -> None:
    document = client.get("/healthz").json()
    assert document["status"] == "ok"
    assert str(document["dataset"]).startswith("sha256:")


def test_openapi_describes_each_endpoint_and_its_parameters(client: Client) -> None:
    document = client.get("/openapi.json").json()
    paths = document["paths"]
    assert isinstance(paths, dict)
    assert document["info"]["version"] == __version__  # type: ignore[index]
    claims = paths["/claims"]["get"]
    assert [p["name"] for p in claims["parameters"]][:4] == ["actor", "instrument", "year", "modality"]
    assert set(claims["responses"]) >= {"200", "400", "406", "422", "504"}
    assert "/sparql" in paths


def test_a_query_file_may_not_take_a_reserved_path(tmp_path: Path) -> None:
    for folder in ("ontology", "graph_data"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / "queries" / "api").mkdir(parents=True)
    text = (ROOT / "queries" / "api" / "notes.rq").read_text(encoding="utf-8")
    (tmp_path / "queries" / "api" / "sparql.rq").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"queries/api/sparql\.rq.*taken"):
        create_app(Settings(bundle=str(tmp_path)))


def test_a_port_in_use_is_one_line_and_status_2(client: Client) -> None:
    command = [sys.executable, "-m", "suasion", "serve", "--port", str(client.port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert done.returncode == 2
    assert "address already in use" in done.stderr


def test_bad_data_are_not_served(tmp_path: Path) -> None:
    for folder in ("ontology", "queries"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    (tmp_path / "graph_data").mkdir()
    (tmp_path / "graph_data" / "odd.ttl").write_text("<urn:a> <urn:b> .\n")
    command = [sys.executable, "-m", "suasion", "serve", "--port", "0", "--bundle", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("suasion: ")
    assert len(done.stderr.splitlines()) == 1
    assert "odd.ttl, line 1" in done.stderr


def test_an_unknown_setting_is_one_line_and_status_2() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service"), "SUASION_PROT": "1"}
    command = [sys.executable, "-m", "suasion", "serve"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "SUASION_PROT is no setting" in done.stderr


@pytest.mark.parametrize("option", ["--workers=-1", "--port=65536", "--deadline-seconds=nan", "--host="])
def test_an_option_outside_what_it_takes_is_one_line_and_status_2(option: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service")}
    command = [sys.executable, "-m", "suasion", "serve", option]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith(f"suasion: {option.partition('=')[0]}=")


def test_the_service_ends_with_its_workers() -> None:
    process, port = serve()
    assert Client(port).get("/healthz").status == 200
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert children
    process.send_signal(signal.SIGINT)
    process.wait(timeout=15)
    stop(process)
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_options_and_cors(client: Client) -> None:
    assert client.send("OPTIONS", "/claims").headers["allow"] == "GET, HEAD, OPTIONS"
    assert client.send("OPTIONS", "/sparql").headers["allow"] == "GET, HEAD, POST, QUERY, OPTIONS"
    assert client.send("DELETE", "/claims").headers["allow"] == "GET, HEAD, OPTIONS"
    for path in ("/", "/healthz", "/claims", "/claims.csv", "/queries/claims", "/graph/places", "/sparql"):
        head = client.send("HEAD", path)
        assert (head.status, head.body) == (200, b""), path
        assert "HEAD" in client.send("DELETE", path).headers["allow"], path
    origin = {"Origin": "https://example.org"}
    reply = client.send("GET", "/claims?limit=1", origin)
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "Suasion-Completeness" in reply.headers["access-control-expose-headers"]
    preflight = client.send("OPTIONS", "/sparql", {**origin, "Access-Control-Request-Method": "POST"})
    assert preflight.status == 200
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert client.send("GET", "/claims?foo=1", origin).headers["access-control-allow-origin"] == "*"


def test_the_service_ends_when_the_process_that_holds_the_data_ends() -> None:
    process, port = serve()
    assert Client(port).get("/healthz").status == 200
    loader = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
    os.kill(int(loader), signal.SIGKILL)
    assert process.wait(timeout=15) == 2
    stop(process)


def test_a_query_file_that_does_not_parse_is_not_served(tmp_path: Path) -> None:
    for folder in ("ontology", "graph_data"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    shutil.copytree(ROOT / "queries", tmp_path / "queries")
    path = tmp_path / "queries" / "api" / "notes.rq"
    path.write_text(path.read_text(encoding="utf-8").replace("WHERE {", "WHERE"), encoding="utf-8")
    command = [sys.executable, "-m", "suasion", "serve", "--port", "0", "--bundle", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "notes.rq, line" in done.stderr
