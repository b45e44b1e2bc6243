"""The description of the interface: valid, complete, and kept by the service whatever a client sends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from conftest import ROOT, Client
from suasion import catalog, questions, renderings
from suasion.settings import Settings

QUERIES = catalog.load(ROOT / "queries" / "api")
CONFIGURATION = ROOT / "tests" / "schemathesis.toml"
SHOWN = ("/claims", "/claims.{format}", "/comparison", "/sparql", "/queries/{name}", "/receipts/{id}")


@pytest.fixture(scope="module")
def document(client: Client) -> dict[str, object]:
    return client.get("/openapi.json").json()


def item(document: dict[str, object], *names: str) -> dict[str, object]:
    found: object = document
    for name in names:
        assert isinstance(found, dict)
        found = found[name]
    assert isinstance(found, dict)
    return found


def test_the_description_is_valid(document: dict[str, object]) -> None:
    validate(document)
    assert document["openapi"] == "3.1.0"


@pytest.mark.parametrize("query", QUERIES, ids=[q.name for q in QUERIES])
def test_each_question_has_its_parameters_formats_headers_and_problems(document: dict[str, object], query: catalog.Query) -> None:
    for path in (f"/{query.name}", f"/{query.name}.{{format}}"):
        operation = item(document, "paths", path, "get")
        given = operation["parameters"]
        assert isinstance(given, list)
        own = [p for p in given if p["name"] in {q.name for q in query.parameters}]
        assert [(p["name"], p["required"]) for p in own] == [(p.name, p.required) for p in query.parameters]
        assert all("example" in p or "examples" in p for p in given if p["name"] != "format")
        answer = item(operation, "responses", "200")
        assert sorted(item(answer, "content")) == sorted(renderings.TYPES.values())
        first = "text/html" if path.endswith("{format}") else "application/json"
        assert next(iter(item(answer, "content"))) == first
        assert {"Suasion-Completeness", "Suasion-Receipt", "Link", "ETag"} <= item(answer, "headers").keys()
        assert {"400", "404", "406", "422", "503", "504", "507"} <= item(operation, "responses").keys()


def test_operation_ids_are_the_names_of_questions_and_each_is_there_once(document: dict[str, object]) -> None:
    paths = item(document, "paths")
    ids = [item(paths, path, method)["operationId"] for path in paths for method in item(paths, path)]
    assert len(ids) == len(set(ids))
    for query in QUERIES:
        name = query.name.replace("/", "_").replace("-", "_")
        assert {name, f"{name}_as"} <= set(ids)


def test_the_limits_of_paging_are_those_that_hold(client: Client, document: dict[str, object]) -> None:
    given = item(document, "paths", "/claims", "get")["parameters"]
    assert isinstance(given, list)
    schemas = {p["name"]: p["schema"] for p in given}
    assert schemas["limit"]["maximum"] == Settings().page_rows
    assert schemas["offset"]["maximum"] == questions.MOST_OFFSET
    for name, bounds in (("limit", ("minimum", "maximum")), ("offset", ("minimum", "maximum"))):
        for bound, past in zip(bounds, (-1, 1), strict=True):
            edge = schemas[name][bound]
            assert client.send("GET", f"/coverage?{name}={edge}").status == 200
            assert client.send("GET", f"/coverage?{name}={edge + past}").status == 422


def test_each_path_of_linked_data_answers_its_example_as_described(client: Client, document: dict[str, object]) -> None:
    paths = item(document, "paths")
    entries = [(path, item(paths, path, "get")) for path in paths if item(paths, path).keys() == {"get"}]
    linked = [(path, entry) for path, entry in entries if entry.get("tags") == ["linked data"]]
    assert len(linked) == 17
    for path, entry in linked:
        given = entry["parameters"]
        assert isinstance(given, list)
        filled = path.format(**{p["name"]: p["example"] for p in given})
        reply = client.send("GET", filled, {"Accept": "*/*"})
        assert f"{reply.status}" == next(iter(item(entry, "responses"))), filled
        types = item(entry, "responses", f"{reply.status}", "content")
        assert reply.headers["content-type"].partition(";")[0] in types, filled
        window = {p["name"] for p in given if p["in"] == "query"}
        refused = client.send("GET", f"{filled}?colour=red")
        assert (refused.status, "parameter" in str(refused.json()["detail"])) == (400, True), filled
        assert window in (set(), {"page", "limit"})


@pytest.mark.parametrize("path", ["/queries", "/queries.ttl", "/queries/claims", "/receipts/e30", "/doc/actor/japan.bib"])
def test_what_has_no_parameters_refuses_them(client: Client, path: str) -> None:
    reply = client.send("GET", f"{path}?colour=red")
    assert (reply.status, reply.json()["type"]) == (400, "https://w3id.org/suasion/problem/UnknownParameter")


def run(port: int, folder: Path, *options: str) -> dict[str, object]:
    """Run schemathesis with all its checks and return its report, which has to show no failure."""
    report = folder / "report.json"
    program = Path(sys.executable).parent / "schemathesis"
    command = [str(program), "--config-file", str(CONFIGURATION), "run", f"http://127.0.0.1:{port}/openapi.json"]
    command += ["--seed", "7", "--no-shrink", "--report", "json", "--report-json-path", str(report), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests"), "SCHEMATHESIS_HOOKS": "schemathesis_hooks"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600, check=False, env=environment)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    document = json.loads(report.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def test_every_operation_answers_as_described_to_made_up_requests(client: Client, tmp_path: Path) -> None:
    report = run(client.port, tmp_path, "--phases", "examples,fuzzing", "--max-examples", "4")
    assert item(report, "operations")["tested"] == len(QUERIES) * 2 + 37


def test_these_operations_answer_as_described_at_every_boundary(client: Client, tmp_path: Path) -> None:
    run(client.port, tmp_path, "--phases", "coverage", *(option for path in SHOWN for option in ("--include-path", path)))
