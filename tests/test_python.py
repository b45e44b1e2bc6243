"""The graph in Python: embedded and over HTTP, against the HTTP interface; and the same rows by other clients, R among them."""

import asyncio
import csv
import gc
import importlib
import inspect
import io
import json
import keyword
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client as Agent

import procfs
import suasion
import toys
from conftest import ROOT, Client, with_query
from suasion import catalog, errors, openapi
from suasion.catalog import Query
from suasion.client import Graph
from suasion.results import Results

QUERIES = catalog.load(ROOT / "queries" / "api")
SUMMARIES = "PREFIX : <https://w3id.org/suasion/def#> SELECT ?claim ?summary WHERE { ?claim :summary ?summary } ORDER BY ?claim"
ENDLESS = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
FIVE: tuple[tuple[str, dict[str, str]], ...] = (
    ("initiatives", {"actor": "cambodia", "year": "2008"}),
    ("claims", {"modality": "Hedged"}),
    ("quantities", {"actor": "actor:china"}),
    ("identifiers", {"thing": "actor:vietnam"}),
    ("timeline", {"section": "1.2"}),
)


@pytest.fixture(scope="module")
def embedded() -> Iterator[Graph]:
    with suasion.open() as graph:
        yield graph


@pytest.fixture(scope="module")
def remote(client: Client) -> Iterator[Graph]:
    with suasion.open(f"http://127.0.0.1:{client.port}/") as graph:
        yield graph


@pytest.fixture(params=["embedded", "remote"])
def graph(request: pytest.FixtureRequest) -> Graph:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Graph)
    return found


def required(query: Query) -> dict[str, str]:
    return {p.name: p.example for p in query.parameters if p.required}


def as_json(rows: Any) -> list[object]:
    """Return rows as JSON writes them: days as text."""
    found = json.loads(json.dumps([dict(row) for row in rows], default=date.isoformat))
    assert isinstance(found, list)
    return found


def test_each_question_is_a_method_with_its_signature_and_its_words(graph: Graph) -> None:
    assert set(graph.questions) == {openapi.operation_id(query) for query in QUERIES}
    for query in QUERIES:
        ask = getattr(graph, openapi.operation_id(query))
        signature = inspect.signature(ask)
        names = {p.name: f"{p.name}_" if keyword.iskeyword(p.name) else p.name for p in query.parameters}
        assert {*names.values(), "limit", "offset"} <= set(signature.parameters)
        for parameter in query.parameters:
            by_place = signature.parameters[names[parameter.name]].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
            assert by_place == parameter.required
        assert signature.return_annotation is Results
        assert ask.__doc__.startswith(query.question)
        assert all(f"{name}: {column.meaning}" in ask.__doc__ for name, column in query.columns.items())
    assert inspect.signature(graph.claims).parameters["marker"].annotation == int | None
    with pytest.raises(TypeError, match="colour"):
        graph.claims(colour="red")
    with pytest.raises(TypeError, match="thing"):
        graph.entity()
    with pytest.raises(AttributeError, match="there is no question 'nothing'"):
        graph.nothing()


def test_each_question_gives_the_rows_of_its_endpoint_all_of_them(graph: Graph, client: Client) -> None:
    for query in QUERIES:
        given = {f"{name}_" if keyword.iskeyword(name) else name: value for name, value in required(query).items()}
        results = getattr(graph, openapi.operation_id(query))(**given)
        expected = client.get(with_query(f"/{query.name}", required(query))).json()
        assert as_json(results.rows)[: len(expected["rows"])] == expected["rows"], query.name  # type: ignore[arg-type]
        assert (len(results), results.total) == (expected["total"], expected["total"])
        assert results.complete == (not results.cut)
        assert dict(results.columns) == expected["columns"]
        assert results.dataset == expected["dataset"]["sha256"]  # type: ignore[index]
        assert results.citation
        assert client.get(f"/receipts/{results.receipt}").json()["verdict"] == "same"


def test_pages_follow_each_other_to_the_end(graph: Graph) -> None:
    first = graph.claims(limit=250)
    assert (len(first), first.complete, first.offset) == (250, False, 0)
    second = first.next()
    assert second is not None
    assert (second.offset, second.complete) == (250, False)
    whole = graph.claims()
    assert (whole.complete, whole.next()) == (True, None)
    assert list(first.all()) == list(whole)
    assert list(second.all()) == list(whole)[250:]
    assert graph.claims(offset=10**6).note.startswith("There are")
    assert whole[0]["claim"] == first[0]["claim"]
    assert [row["claim"] for row in whole[:3]] == [row["claim"] for row in list(first)[:3]]


def test_csv_is_that_of_the_service_also_of_several_pages(graph: Graph, client: Client) -> None:
    assert graph.claims(marker=14).csv().encode() == client.get("/claims.csv", marker=14).body
    whole = list(csv.reader(io.StringIO(graph.entity("actor:japan").csv(), newline="")))
    pages = [client.get("/entity.csv", thing="actor:japan", offset=n, limit=1000).body.decode() for n in (0, 1000, 2000, 3000)]
    rows = [list(csv.reader(io.StringIO(page, newline=""))) for page in pages]
    assert whole == rows[0] + [row for page in rows[1:] for row in page[1:]]
    assert len(whole) > 1001


def test_sparql_gives_rows_truth_and_turtle(graph: Graph) -> None:
    rows = graph.query(SUMMARIES)
    assert isinstance(rows, Results)
    assert rows.complete
    assert rows.total == graph.claims(limit=1).total
    assert str(rows[0]["claim"]).startswith("claim:")
    assert rows.csv().splitlines()[1].startswith("https://w3id.org/suasion/id/claim/")
    assert graph.query("ASK { ?s ?p ?o }") is True
    assert graph.query("ASK { <x:a> <x:b> <x:c> }") is False
    turtle = graph.query("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }")  # long enough to come in parts
    assert isinstance(turtle, str)
    assert len(turtle) > 1_500_000
    assert turtle.rstrip().endswith(".")
    typed = graph.query(
        "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>"
        'SELECT (1 AS ?i) (2.5 AS ?d) (true AS ?b) ("2009-02-03"^^xsd:date AS ?day) ("x"@en AS ?t) ?none {}'
    )
    assert isinstance(typed, Results)
    assert typed[0] == {"i": 1, "d": 2.5, "b": True, "day": date(2009, 2, 3), "t": "x", "none": None}
    facts, everything = (graph.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", union=union) for union in (False, True))
    assert isinstance(facts, Results)
    assert isinstance(everything, Results)
    assert facts[0]["n"] < everything[0]["n"]  # type: ignore[operator]
    assert graph.prefixes.expand("actor:japan") == "https://w3id.org/suasion/id/actor/japan"


def test_what_is_wrong_is_raised_as_the_error_it_is(graph: Graph) -> None:
    with pytest.raises(errors.BadParameter, match="modality='Sure' is not accepted") as refused:
        graph.claims(modality="Sure")
    assert refused.value.extra["parameter"] == "modality"
    with pytest.raises(errors.NotFound):
        graph.entity("actor:nobody")
    with pytest.raises(errors.BadParameter, match="out of range"):
        graph.claims(limit=10**6)
    with pytest.raises(errors.BadParameter, match="not list"):
        graph.claims(text=["a"])
    with pytest.raises(errors.BadQuery, match="does not parse"):
        graph.query("SELECT")
    with pytest.raises(errors.BadQuery, match="SERVICE"):
        graph.query("SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }")
    with pytest.raises(errors.TimedOut, match="within 1 s"):
        graph.query(ENDLESS, timeout=1)
    for seconds in (0, -1, 5e-324, float("nan")):
        with pytest.raises(errors.BadParameter, match=r"0\.1 or more"):
            graph.query("ASK {}", timeout=seconds)
    assert graph.query("ASK {}") is True


def test_frames_have_the_rows_and_say_whether_they_are_all(graph: Graph) -> None:
    import pandas as pd
    import polars as pl

    page = graph.timeline(limit=5)
    frame = page.to_pandas()
    assert list(frame.columns) == list(page.columns)
    assert (len(frame), frame.attrs["complete"], frame.attrs["total"]) == (5, False, page.total)
    assert frame["claim"].tolist() == [row["claim"] for row in page]
    assert isinstance(frame, pd.DataFrame)
    polar = page.to_polars()
    assert isinstance(polar, pl.DataFrame)
    assert polar["claim"].to_list() == frame["claim"].tolist()
    assert graph.claims(marker=39, text="zzzz").to_polars().shape[0] == 0
    assert graph.initiatives().to_polars().shape[0] == graph.initiatives().total


def test_days_are_dates(graph: Graph) -> None:
    begins = [row["begins"] for row in graph.timeline() if row["begins"] is not None]
    assert begins
    assert all(isinstance(day, date) for day in begins)


def test_without_pandas_the_error_names_what_to_install() -> None:
    program = (
        "import sys; sys.modules['pandas'] = sys.modules['polars'] = None\n"
        "from suasion.results import Results\nfrom suasion import errors\n"
        "for name in ('to_pandas', 'to_polars'):\n"
        "    try: getattr(Results((), {}, 0, _as_csv=str), name)()\n"
        "    except errors.NotInstalled as error: print(error)"
    )
    assert run(program).splitlines() == [
        "pandas is not installed: pip install pandas",
        "polars is not installed: pip install polars",
    ]


def test_a_notebook_gives_sentences_room_and_names_none(graph: Graph) -> None:
    html = graph.claims(thing="confucius-institutes", limit=3)._repr_html_()
    cells = re.findall(r'<td style="text-align: left; vertical-align: top(; min-width: 18em)?">([^<]*)</td>', html)
    assert {room for room, text in cells if len(text) > 60 and text.endswith(".")} == {"; min-width: 18em"}
    assert {room for room, text in cells if " " not in text} == {""}


def test_a_notebook_shows_a_table_with_every_text_escaped(tmp_path: Path) -> None:
    data, folder = toys.write(tmp_path)
    with suasion.open(data, queries=folder) as graph:
        html = graph.toys_all(at_most=1000)._repr_html_()
        assert "&lt;b&gt;big&lt;/b&gt;" in html
        assert "<b>" not in html
        assert html.startswith("<p>4 rows, complete</p>")
        assert 'tabindex="0" style="overflow-x: auto"><table>' in html
        assert graph.toys_all(at_most=0.5, colour="toy:green")._repr_html_().startswith("<p>0 rows, complete. No row fits")
        made = [row["made"] for row in graph.toys_all(at_most=1000)]
        assert date(2001, 5, 3) in made
        assert graph.toys_all(on=date(2002, 1, 1), at_most=1000).total == graph.toys_all(on="2002-01-01", at_most=1000).total == 1
        assert graph.toys_all(during=2001, fresh=True).total == 1
        assert graph.toys_all(sort="price", order="descending", limit=1, at_most=1000)[0]["name"] == "ape"
    hostile = Results(({"<i>": '<script>"&'},), {"<i>": '"><script>'}, 1, _as_csv=str)
    assert "<script>" not in hostile._repr_html_()
    assert "<i>" not in hostile._repr_html_()


def test_names_that_python_or_the_class_needs_are_given_way(tmp_path: Path) -> None:
    data, folder = toys.write(tmp_path)
    text = (folder / "toys" / "all.rq").read_text(encoding="utf-8").replace("toys/slow", "questions")
    (folder / "questions.rq").write_text(text, encoding="utf-8")
    (folder / "class.rq").write_text(text, encoding="utf-8")
    with suasion.open(data, queries=folder) as graph:
        assert {"questions_", "class_"} <= set(graph.questions)
        assert graph.questions_().total == graph.toys_all().total
        assert graph.query("ASK {}") is True


def test_it_works_inside_a_running_event_loop_and_from_many_threads(graph: Graph) -> None:
    async def cell() -> int:
        return graph.claims(marker=14).total

    total = asyncio.run(cell())
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(graph.claims(marker=14).total)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [total] * 8


def engines() -> set[int]:
    """Return the loaders that this process has started and that live."""
    return {pid for pid in procfs.children(os.getpid()) if b"suasion.worker" in command_line(pid)}


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_it_leaves_no_process_and_no_thread_when_closed_or_forgotten() -> None:
    before, threads = engines(), threading.active_count()
    with suasion.open() as graph:
        (loader,) = engines() - before
        below = [loader, *procfs.children(loader)]
    assert procfs.holds_within(5, lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))
    graph.close()
    with pytest.raises(errors.NotReady, match="closed"):
        graph.claims()
    forgotten = suasion.open()
    assert len(engines() - before) == 1
    del forgotten
    gc.collect()
    assert procfs.holds_within(5, lambda: engines() == before)
    assert procfs.holds_within(5, lambda: threading.active_count() <= threads + 1)  # a thread of the loop's own pool may idle


def test_a_program_that_forgets_to_close_ends_all_the_same() -> None:
    assert run("import suasion; g = suasion.open(); print(g.claims(limit=1).total > 100)") == "True\n"


def test_the_program_lives_on_when_the_process_with_the_data_is_killed() -> None:
    before = engines()
    with suasion.open() as graph:
        (loader,) = engines() - before
        os.kill(loader, signal.SIGKILL)
        assert procfs.holds_within(5, lambda: not graph._backend._assembly.engine.loaded)  # type: ignore[attr-defined]
        with pytest.raises(errors.NotReady, match="open the graph again"):
            graph.claims()


def test_data_at_fault_and_odd_sources_are_errors_and_leave_nothing(tmp_path: Path) -> None:
    before = engines()
    (tmp_path / "wrong.ttl").write_text("<a> <b> .", encoding="utf-8")
    with pytest.raises(errors.DataError, match=r"wrong\.ttl"):
        suasion.open(tmp_path / "wrong.ttl")
    with pytest.raises(errors.DataError):
        suasion.open("no-such-file.ttl")
    with pytest.raises(errors.BadParameter, match="by its URL alone"):
        suasion.open("http://127.0.0.1:1/", "more.ttl")
    with pytest.raises(errors.BadParameter, match="no address"):
        suasion.open("http://")
    assert procfs.holds_within(5, lambda: engines() == before)


class _Odd(BaseHTTPRequestHandler):
    """Answers as no service of Suasion does."""

    def do_GET(self) -> None:
        kind = self.path.split("/")[1]
        status, body = {
            "page": (200, b"<html></html>"),
            "list": (200, b"[]"),
            "empty": (200, b"{}"),
            "error": (500, b"oops"),
            "class": (500, b'{"type": "https://w3id.org/suasion/problem/dataclass", "detail": "x"}'),
            "cut": (200, b"{"),
        }[kind]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + (100 if kind == "cut" else 0)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def test_what_is_no_service_of_suasion_is_said_to_be_none() -> None:
    with pytest.raises(errors.Unreached, match="is not reached"):
        suasion.open("http://127.0.0.1:1")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Odd) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for kind in ("page", "list", "empty", "error", "class", "cut"):
            with pytest.raises(errors.Unreached):
                suasion.open(f"http://127.0.0.1:{server.server_port}/{kind}")
        server.shutdown()


def test_importing_the_package_imports_no_part_of_it() -> None:
    loaded = run("import sys, suasion; print([n for n in sys.modules if n.startswith('suasion') or n in ('fastapi', 'asyncio')])")
    assert loaded == "['suasion']\n"
    used = run("import sys, suasion; suasion.open().query('ASK {}'); print('pyoxigraph' in sys.modules, 'mcp' in sys.modules)")
    assert used == "False False\n"


def run(program: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_examples_of_the_document_run() -> None:
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    printed = [run(block) for block in blocks]
    assert "1.39" in printed[0] or "hospitals" in printed[0]
    assert "True" in printed[1]
    assert "https://w3id.org/suasion/id/actor/japan" in printed[2]


@dataclass(frozen=True, slots=True)
class Generated:
    """A client whose code a generator wrote from the description of the interface."""

    package: str
    port: int

    def operation(self, folder: str, name: str) -> Any:
        return importlib.import_module(f"{self.package}.api.{folder}.{name}")

    def ask(self, folder: str, name: str, given: Mapping[str, str]) -> Any:
        """Call an operation, its parameters in the types that the generated code wants; return status, content and parsed."""
        operation = self.operation(folder, name)
        hints = typing.get_type_hints(operation.sync_detailed)
        typed = {
            key: typing.get_args(hints[key])[0](text) if typing.get_args(hints[key]) else hints[key](text)
            for key, text in given.items()
        }
        with importlib.import_module(f"{self.package}.client").Client(f"http://127.0.0.1:{self.port}") as connection:
            return operation.sync_detailed(client=connection, **typed)


@pytest.fixture(scope="module")
def generated(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_bytes(client.get("/openapi.json").body)
    (folder / "options.yml").write_text("post_hooks: []\n")
    program = [str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--path", "openapi.json"]
    program += ["--config", "options.yml", "--meta", "none", "--output-path", "suasion_by_http"]
    done = subprocess.run(program, capture_output=True, text=True, cwd=folder, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    # It knows four types of request body and passes over these; the same operations take a form.
    unsupported = re.findall(r"Unsupported content type (\S+)", done.stderr)
    assert unsupported == ["application/sparql-query", "text/csv"]
    # A nanopublication has no type that it reads: it gives the bytes.
    assert re.findall(r"Unsupported content_type ([^)]*)\)", done.stderr) == ["application/trig, application/n-quads"]
    assert done.stderr.count("WARNING") == 3
    assert "will not be generated" not in done.stderr
    sys.path.insert(0, str(folder))
    yield Generated("suasion_by_http", client.port)
    sys.path.remove(str(folder))


def test_a_generated_client_has_every_operation_and_reads_what_each_sort_answers(client: Client, generated: Generated) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert isinstance(paths, dict)
    for described in (described for item in paths.values() for described in item.values()):
        folder = next(iter(described.get("tags", ["default"]))).replace(" ", "_")
        assert callable(generated.operation(folder, described["operationId"]).sync_detailed)
    table = generated.ask("questions", "claims_as", {"format_": "csv", "limit": "2"})
    assert table.parsed == table.content.decode()
    assert table.parsed.startswith("claim,summary,")
    refused = generated.ask("questions", "claims", {"actor": "nobody"})
    assert (refused.parsed.status, refused.parsed.parameter) == (422, "actor")
    assert b"true" in generated.ask("default", "sparql", {"query": "ASK {}"}).content
    answer = generated.ask("questions", "claims", {"limit": "1"}).parsed
    assert (answer.completeness.value, answer.rows[0].section) == ("truncated", "0")
    verdict = generated.ask("default", "service_receipt", {"id": answer.receipt.id}).parsed
    assert verdict.verdict.value == "same"


@pytest.mark.parametrize(("name", "given"), FIVE, ids=[name for name, _ in FIVE])
def test_five_clients_give_the_same_rows(
    client: Client, embedded: Graph, remote: Graph, generated: Generated, name: str, given: dict[str, str]
) -> None:
    import pandas as pd

    query = next(one for one in QUERIES if one.name == name)
    rows = client.rows(f"/{name}", **given)
    assert rows
    assert [row.to_dict() for row in generated.ask("questions", openapi.operation_id(query), given).parsed.rows] == rows

    async def by_agent() -> Any:
        async with Agent(f"http://127.0.0.1:{client.port}/mcp") as agent:
            found: list[object] = []
            offset: int | None = 0
            while offset is not None:
                result = await agent.call_tool(openapi.operation_id(query), {**given, "limit": 1000, "offset": offset})
                assert isinstance(result.structured_content, dict)
                found += result.structured_content["rows"]
                offset = result.structured_content["next_offset"]
            return found

    assert asyncio.run(by_agent()) == rows
    assert as_json(getattr(remote, openapi.operation_id(query))(**given)) == rows
    assert as_json(getattr(embedded, openapi.operation_id(query))(**given)) == rows
    url = f"http://127.0.0.1:{client.port}" + with_query(f"/{name}.csv", given)
    cells = list(csv.reader(io.StringIO(client.get(with_query(f"/{name}.csv", given)).body.decode(), newline="")))
    frame = pd.read_csv(url, dtype=str, keep_default_na=False)
    assert [list(frame.columns), *frame.to_numpy().tolist()] == cells
    expected = [[shown(row[column]) for column in query.columns] for row in rows]
    assert [[short(cell, embedded) for cell in row] for row in cells[1:]] == expected


def shown(value: object) -> set[str]:
    """Return what a JSON value says, as a set of texts: CSV keeps no order of lists."""
    listed = value if isinstance(value, list) else [] if value is None else [value]
    return {text(one) for one in listed}


def text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, int | float) else str(value)


def short(cell: str, graph: Graph) -> set[str]:
    """Return what a cell says: parts of a list by their short names, without the apostrophe, numbers in one form."""
    parts = [part.removeprefix("'") for part in cell.split(" | ") if part]
    return {
        f"{float(part):.12g}" if re.fullmatch(r"-?\d{1,15}(\.\d+)?", part) else graph.prefixes.shorten(part) for part in parts
    }


@pytest.mark.skipif(shutil.which("Rscript") is None and "CI" not in os.environ, reason="R is not installed (Debian: r-base-core)")
@pytest.mark.parametrize(("name", "given"), FIVE, ids=[name for name, _ in FIVE])
def test_r_reads_the_same_table(client: Client, tmp_path: Path, name: str, given: dict[str, str]) -> None:
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert "read.csv(" in text
    url = f"http://127.0.0.1:{client.port}" + with_query(f"/{name}.csv", given)
    out = tmp_path / "out.csv"
    program = f'''
    found <- read.csv("{url}", na.strings = "", colClasses = "character", check.names = FALSE, encoding = "UTF-8")
    write.csv(found, "{out}", row.names = FALSE, na = "", fileEncoding = "UTF-8")'''
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["Rscript", "-e", program], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    cells = list(csv.reader(io.StringIO(client.get(with_query(f"/{name}.csv", given)).body.decode(), newline="")))
    with out.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == cells


@pytest.mark.skipif(shutil.which("Rscript") is None and "CI" not in os.environ, reason="R is not installed (Debian: r-base-core)")
def test_r_reads_all_pages_as_the_documents_say(client: Client) -> None:
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    program = next(block for block in re.findall(r"```r\n(.*?)```", text, re.DOTALL) if "everything" in block)
    program = program.replace(":8000", f":{client.port}") + "cat(nrow(things), length(unique(things$thing)))"
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["Rscript", "-e", program], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    total = client.get("/things.json", limit=1).json()["total"]
    assert isinstance(total, int) and total > 1000
    assert done.stdout.split() == [str(total), str(total)]
