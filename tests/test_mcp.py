"""The MCP server over both transports, asked by the SDK's own client: real processes, the real bundle."""

import asyncio
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
import pyoxigraph
import pytest
from mcp.client.client import Client as Agent
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError

import procfs
import toys
from conftest import ROOT, Client, serve, stop, with_query
from suasion import catalog, inventory, openapi
from suasion.catalog import Query

QUERIES = catalog.load(ROOT / "queries" / "api")
BY_NAME = {query.name: query for query in QUERIES}
ENDLESS = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
TRANSPORTS = ("http", "stdio")
Session = Callable[[Callable[[Agent], Awaitable[None]]], None]


@asynccontextmanager
async def over_stdio(*options: str) -> AsyncIterator[Agent]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service")}
    command = StdioServerParameters(command=sys.executable, args=["-m", "suasion", "mcp", *options], env=environment)
    async with Agent(stdio_client(command), read_timeout_seconds=60) as agent:
        yield agent


@pytest.fixture(params=TRANSPORTS)
def session(request: pytest.FixtureRequest, client: Client) -> Session:
    """Runs a scenario with an agent that is connected by HTTP, or to a process of its own."""

    def run(scenario: Callable[[Agent], Awaitable[None]]) -> None:
        async def connected() -> None:
            if request.param == "http":
                async with Agent(f"http://127.0.0.1:{client.port}/mcp") as agent:
                    await scenario(agent)
            else:
                async with over_stdio() as agent:
                    await scenario(agent)

        asyncio.run(connected())

    return run


async def call(agent: Agent, name: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool that has to answer; what it says as text and as structure has to be the same."""
    result = await agent.call_tool(name, arguments)
    assert isinstance(result.content[0], types.TextContent)
    assert not result.is_error, (name, arguments, result.content[0].text)
    assert isinstance(result.structured_content, dict)
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


async def refused(agent: Agent, name: str, **arguments: Any) -> tuple[str, Mapping[str, Any]]:
    """Call a tool that has to refuse; return its sentence, and the problem document beside it."""
    result = await agent.call_tool(name, arguments)
    assert isinstance(result.content[0], types.TextContent)
    assert result.is_error, (name, arguments)
    assert "Traceback" not in result.content[0].text
    assert result.meta
    problem = result.meta["problem"]
    assert isinstance(problem, dict)
    return result.content[0].text, problem


def calls(query: Query) -> Iterator[dict[str, str]]:
    """Yield the arguments of a question that are worth asking: the required ones, and each optional one by each example."""
    required = {p.name: p.example for p in query.parameters if p.required}
    yield required
    for parameter in query.parameters:
        for text in parameter.examples:
            yield {**required, parameter.name: text}


def test_each_question_is_a_tool_that_only_reads_and_says_what_it_takes(session: Session) -> None:
    async def scenario(agent: Agent) -> None:
        listed = {tool.name: tool for tool in (await agent.list_tools()).tools}
        own = {"describe_graph", "get_claim", "get_entity", "sparql"}
        assert set(listed) == own | {openapi.operation_id(query) for query in QUERIES}
        for tool in listed.values():
            assert tool.annotations
            assert tool.annotations.read_only_hint is True
            assert tool.description
            assert len(tool.description) < 700
            for name, described in tool.input_schema["properties"].items():
                assert described.get("description") or f"\n- {name}: " in str(agent.instructions), (tool.name, name)
        for query in QUERIES:
            tool = listed[openapi.operation_id(query)]
            assert tool.description
            assert tool.description.startswith(query.question)
            assert set(tool.input_schema["properties"]) >= {p.name for p in query.parameters} | {"limit", "offset", "provenance"}
            assert tool.input_schema["required"] == [p.name for p in query.parameters if p.required]
            assert tool.output_schema
            told = tool.output_schema["properties"]["rows"]["items"]["properties"]
            for name, column in query.columns.items():
                if name.endswith(("_name", "_names")):
                    assert name not in told
                else:
                    assert re.search(rf" {name}[,.]", tool.description), (query.name, name)
                    here, shared = told.get(name), f"\n- {name}: {column.meaning}\n"
                    assert here == {"description": column.meaning} if here else shared in f"{agent.instructions}\n"
            assert all(f" {openapi.operation_id(BY_NAME[other])}" in tool.description for other in query.related)
        whole = json.dumps([tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed.values()])
        assert len(whole) < 2_000 * len(listed)
        modality = listed["claims"].input_schema["properties"]["modality"]
        assert "Hedged" in modality["enum"]

    session(scenario)


def test_a_client_of_either_era_is_told_what_this_is(client: Client) -> None:
    async def scenario(mode: Any) -> None:
        async with Agent(f"http://127.0.0.1:{client.port}/mcp", mode=mode) as agent:
            assert agent.instructions
            assert "describe_graph" in agent.instructions
            assert (await call(agent, "sparql", query="ASK {}"))["boolean"] is True
            text, _ = await refused(agent, "sparql", query="ASK")
            assert text.startswith("The SPARQL query cannot be run: ")

    asyncio.run(scenario("auto"))
    asyncio.run(scenario("legacy"))


def test_each_curated_tool_gives_the_rows_of_its_endpoint(session: Session, client: Client) -> None:
    async def scenario(agent: Agent) -> None:
        for query in QUERIES:
            for arguments in calls(query):
                expected = client.get(with_query(f"/{query.name}", {**arguments, "limit": 1000})).json()
                rows: list[object] = []
                offset: int | None = 0
                while offset is not None:
                    result = await call(agent, openapi.operation_id(query), **arguments, limit=1000, offset=offset)
                    rows += result["rows"]
                    offset = result["next_offset"] if len(rows) < 1000 else None
                assert rows[:1000] == expected["rows"], (query.name, arguments)
                assert result["total"] == expected["total"]
                assert result["dataset"] == expected["dataset"]["sha256"]  # type: ignore[index]

    session(scenario)


def test_completeness_is_said_in_the_words_of_http(session: Session, client: Client) -> None:
    async def scenario(agent: Agent) -> None:
        some = await call(agent, "claims", limit=3, offset=3)
        assert (some["completeness"], some["next_offset"]) == ("truncated", 6)
        assert some["total"] == client.get("/claims", limit=1).json()["total"]
        all_of_it = await call(agent, "claims", marker=14)
        assert (all_of_it["completeness"], all_of_it["next_offset"]) == ("complete", None)
        told = await call(agent, "claims", marker=14, provenance="passages")
        assert told["provenance"]["level"] == "passages"
        assert len(told["provenance"]["rows"]) == told["total"]
        nothing = await call(agent, "initiatives", actor="japan", year=1848)
        assert nothing["rows"] == []
        assert nothing["note"].startswith("No row fits these filters. That need not mean that the article is silent.")

    session(scenario)


def test_a_newcomer_finds_an_amount_its_purpose_its_source_and_its_place_in_three_calls(session: Session) -> None:
    async def scenario(agent: Agent) -> None:
        description = await call(agent, "describe_graph")
        assert "initiatives" in description["questions"]
        given = await call(agent, "initiatives", actor="Cambodia", year=2008)
        (health,) = [row for row in given["rows"] if any("1.39 billion yen" in amount for amount in row["amount_names"])]
        assert health["donor_names"] == ["Japan"]
        assert health["purpose_names"] == ["better health and hospital facilities"]
        (only,) = health["claims"]
        claim = await call(agent, "get_claim", claim=only)
        assert claim["modality"] == ":ReportedFromSource"
        assert claim["voices"] == ["actor:article-authors"]
        assert claim["markers"] == [20]
        assert (claim["section"], claim["ranges"]) == ("2.1", "18408-18431 18504-18573")
        amounts = [one for one in claim["content"] if one["property"] == ":value"]
        assert [one["value"] for one in amounts] == [1_390_000_000]
        assert any(one["property"] == ":currency" and one["value"] == "currency:JPY" for one in claim["content"])
        assert claim["completeness"] == "complete"

    session(scenario)


def test_describe_graph_counts_as_the_graph_does_and_its_examples_answer(session: Session) -> None:
    async def scenario(agent: Agent) -> None:
        description = await call(agent, "describe_graph")
        prefix = f"PREFIX : <{description['prefixes']['']}>\n"
        for pattern, listed in (("?x a :Initiative", "classes"), ("?x :hedge ?y", "properties")):
            name = pattern.split()[2 if listed == "classes" else 1]
            everywhere, by_default = description[listed][name]
            for graph, number in (("all", everywhere), ("facts", by_default)):
                query = f"{prefix}SELECT (COUNT(*) AS ?number) WHERE {{ {pattern} }}"
                counted = await call(agent, "sparql", query=query, default_graph=graph)
                assert counted["rows"] == [{"number": number}]
        assert description["graphs"]["one for each claim"] == (await call(agent, "claims", limit=1))["total"]
        assert len(description["examples"]) >= 3
        assert description["shared"]["parameters"]["section"].startswith("A section of the article")
        assert description["shared"]["columns"]["ranges"].startswith("Character ranges")
        for example in description["examples"]:
            assert (await call(agent, "sparql", query=example["query"]))["rows"], example["about"]
        meant = await call(agent, "describe_graph", detail="meanings", text="aid flow")
        assert all(len(counted) == 3 for counted in meant["properties"].values())
        assert ":donor" in meant["properties"]
        assert ":hedge" not in meant["properties"]

    session(scenario)


def test_all_sparql_of_the_guide_is_found() -> None:
    for name in ("guide.md", "guide-of-files.md"):
        text = (ROOT / "queries" / "describe" / name).read_text(encoding="utf-8")
        assert len(list(inventory.examples(text))) == text.count("```sparql") > 0


def test_get_entity_tells_names_codes_and_pages_of_claims(session: Session, client: Client) -> None:
    async def scenario(agent: Agent) -> None:
        first = await call(agent, "get_entity", thing="cambodia", limit=5)
        assert first["thing"] == "actor:cambodia"
        assert first["properties"]["skos:prefLabel"] == ["Cambodia"]
        assert {"skos:notation": ["811"], ":identifierScheme": ["cow-ccode"]} in first["codes"]
        total = client.get("/claims", thing="actor:cambodia", limit=1).json()["total"]
        assert (first["total"], first["completeness"], first["next_offset"]) == (total, "truncated", 5)
        rest = await call(agent, "get_entity", thing="actor:cambodia", limit=1000, offset=5)
        assert len(first["claims"]) + len(rest["claims"]) == total
        sentence, problem = await refused(agent, "get_entity", thing="atlantis")
        assert "names nothing in the graph" in sentence
        assert problem["status"] == 422

    session(scenario)


def test_sparql_gives_rows_truth_or_turtle_and_says_when_there_is_more(session: Session) -> None:
    async def scenario(agent: Agent) -> None:
        query = (
            "PREFIX : <https://w3id.org/suasion/def#> SELECT ?claim ?summary WHERE { ?claim :summary ?summary } ORDER BY ?claim"
        )
        page = await call(agent, "sparql", query=query, limit=2, offset=2)
        assert (len(page["rows"]), page["completeness"], page["next_offset"]) == (2, "truncated", 4)
        assert page["rows"][0]["claim"].startswith("claim:")
        found, offset = [], 0
        while offset is not None:
            part = await call(agent, "sparql", query=query, limit=1000, offset=offset)
            found += part["rows"]
            offset = part["next_offset"]
        assert len(found) == len({row["claim"] for row in found}) == page["total"]
        few = await call(agent, "sparql", query=query + " LIMIT 3")
        assert (len(few["rows"]), few["completeness"]) == (3, "complete")
        turtle = await call(agent, "sparql", query="DESCRIBE <https://w3id.org/suasion/id/actor/japan>")
        assert turtle["completeness"] == "complete"
        assert "Japan" in turtle["turtle"]
        much = await call(agent, "sparql", query="CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }")
        assert much["completeness"] == "truncated"
        assert "characters" in much["note"]
        assert len(list(pyoxigraph.parse(much["turtle"], pyoxigraph.RdfFormat.TURTLE))) > 100  # what was cut is whole Turtle
        wide = f'SELECT ?long ?n WHERE {{ VALUES ?n {{ 1 2 3 }} BIND("{"x" * 40_000}" AS ?long) }}'
        fitting = await call(agent, "sparql", query=wide)
        assert (len(fitting["rows"]), fitting["total"], fitting["completeness"], fitting["next_offset"]) == (2, 3, "truncated", 2)
        assert "offset=2" in fitting["note"]

    session(scenario)


def test_what_is_wrong_is_one_sentence_with_a_remedy(session: Session) -> None:
    async def scenario(agent: Agent) -> None:
        for name, arguments, said, status in (
            ("sparql", {"query": "SELECT ?x WHERE { ?x a :Actor }"}, "PREFIX", 400),
            ("sparql", {"query": "DELETE WHERE { ?s ?p ?o }"}, "does not parse", 400),
            ("sparql", {"query": "SELECT * WHERE { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }"}, "SERVICE", 400),
            ("sparql", {"query": "SELECT * WHERE " + "{" * 3000 + "}" * 3000}, "", 400),
            ("sparql", {}, "query is missing", 422),
            ("sparql", {"query": "ASK {}", "timeout": -1}, "0.1 or more", 422),
            ("sparql", {"query": "ASK {}", "timeout": 0.01}, "0.1 or more", 422),
            ("sparql", {"query": "ASK {}", "limit": 10**9}, "limit", 422),
            ("sparql", {"query": "ASK {}", "limit": 10**300}, "limit", 422),
            ("sparql", {"query": ["ASK {}"]}, "query has to be", 422),
            ("sparql", {"query": "ASK {}", "default_graph": "http://x/"}, "facts, all", 422),
            ("claims", {"colour": "red"}, "no parameter 'colour'", 400),
            ("claims", {"modality": "Sure"}, "Hedged", 422),
            ("claims", {"marker": 1.5}, "whole number", 422),
            ("claims", {"marker": True}, "whole number", 422),
            ("claims", {"actor": "x> } DROP ALL #"}, "not accepted", 422),
            ("claims", {"text": " "}, "some text", 422),
            ("get_claim", {}, "claim is missing", 422),
            ("get_claim", {"claim": "no-such-claim"}, "There is no such claim", 404),
            ("get_entity", {"thing": "claim:japan-granted-cambodia-for-health-2008"}, "", 404),
            ("describe_graph", {"detail": "everything"}, "names, meanings", 422),
            ("describe_graph", {"x" * 10_000: 1}, "no argument", 400),
        ):
            sentence, problem = await refused(agent, name, **arguments)
            assert said in sentence, (name, arguments, sentence)
            assert len(sentence) < 1000
            assert problem["status"] == status, (name, arguments, sentence)
        with pytest.raises(MCPError, match="There is no tool"):
            await agent.call_tool("drop_graph", {})
        assert (await call(agent, "claims", marker=None, modality=None, limit=1))["total"] > 100
        assert (await call(agent, "claims", marker=14.0))["rows"]

    session(scenario)


@pytest.mark.alone
def test_a_query_that_never_ends_is_ended_at_the_deadline_and_says_so(session: Session) -> None:
    async def scenario(agent: Agent) -> None:
        began = time.monotonic()
        sentence, problem = await refused(agent, "sparql", query=ENDLESS, timeout=1)
        assert time.monotonic() - began < 5
        assert "No answer within 1 s" in sentence
        assert (problem["completeness"], problem["status"]) == ("timed out", 504)
        assert (await call(agent, "sparql", query="ASK {}"))["boolean"] is True

    session(scenario)


def test_a_tool_that_the_service_cannot_answer_says_why_and_the_next_call_is_answered(tmp_path: Path) -> None:
    data, folder = toys.write(tmp_path)
    process, port = serve(str(data), "--queries", str(folder), "--deadline-seconds", "4")

    def kill_who_works() -> None:
        for pid in procfs.workers(process.pid):
            if procfs.processor_ticks(pid) > 15:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    async def scenario() -> None:
        async with Agent(f"http://127.0.0.1:{port}/mcp") as agent:
            asked = asyncio.create_task(refused(agent, "toys_slow"))
            while not asked.done():  # a query with ORDER BY is evaluated once more
                await asyncio.to_thread(kill_who_works)
                await asyncio.sleep(0.05)
            sentence, problem = await asked
            assert sentence.startswith("The query could not be finished: ")
            assert problem["status"] == 500
            sentence, problem = await refused(agent, "toys_slow", limit=7)
            assert sentence.startswith("The query ran out of time: No answer within 4 s")
            assert sentence.endswith(" completeness: timed out.")
            asked_for = (problem["completeness"], problem["offset"], problem["limit"], problem["total"])
            assert asked_for == ("timed out", 0, 7, None)
            assert (await call(agent, "toys_all"))["completeness"] == "complete"

    try:
        asyncio.run(scenario())
    finally:
        stop(process)


def test_many_agents_are_answered_at_once(client: Client) -> None:
    async def agent(number: int) -> int:
        async with Agent(f"http://127.0.0.1:{client.port}/mcp") as one:
            results = [await call(one, "claims", limit=2, offset=n + number, actor="japan") for n in range(5)]
        return sum(len(result["rows"]) for result in results)

    async def scenario() -> None:
        assert await asyncio.gather(*(agent(number) for number in range(6))) == [10] * 6

    asyncio.run(scenario())


def test_calls_side_by_side_on_one_pipe_are_answered_each_with_its_own() -> None:
    async def scenario() -> None:
        async with over_stdio() as agent:
            slow = asyncio.create_task(refused(agent, "sparql", query=ENDLESS, timeout=10))
            markers = range(10, 18)
            answers = await asyncio.gather(*(call(agent, "claims", marker=marker) for marker in markers))
            assert not slow.done()
            for marker, answer in zip(markers, answers, strict=True):
                assert all(marker in row["markers"] for row in answer["rows"])
            await slow

    asyncio.run(scenario())


def test_a_cancelled_call_ends_its_query(client: Client) -> None:
    async def over_http() -> None:
        async with Agent(f"http://127.0.0.1:{client.port}/mcp") as agent:
            before = abandoned(client)
            with anyio.move_on_after(1):
                await agent.call_tool("sparql", {"query": ENDLESS, "timeout": 15})
            assert await asyncio.to_thread(procfs.holds_within, 5, lambda: abandoned(client) == before + 1)
            assert (await call(agent, "sparql", query="ASK {}"))["boolean"] is True

    async def over_pipe() -> None:
        async with over_stdio() as agent:
            await call(agent, "sparql", query="ASK {}")
            (process,) = (pid for pid in procfs.children(os.getpid()) if is_agent_server(pid))

            def busy() -> bool:
                was = {pid: procfs.processor_ticks(pid) for pid in procfs.workers(process)}
                time.sleep(0.5)
                return any(procfs.processor_ticks(pid) - ticks > 10 for pid, ticks in was.items())

            with anyio.move_on_after(2):
                async with anyio.create_task_group() as group:
                    group.start_soon(agent.call_tool, "sparql", {"query": ENDLESS, "timeout": 15})
                    await anyio.sleep(1)
                    assert await asyncio.to_thread(busy)
                    await anyio.sleep(10)
            assert await asyncio.to_thread(procfs.holds_within, 5, lambda: not busy())
            assert (await call(agent, "sparql", query="ASK {}"))["boolean"] is True

    asyncio.run(over_http())
    asyncio.run(over_pipe())


def is_agent_server(pid: int) -> bool:
    return b"\0mcp\0" in Path(f"/proc/{pid}/cmdline").read_bytes()


def abandoned(client: Client) -> int:
    lines = client.get("/metrics").body.decode().splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith("suasion_") and "abandoned" in line)


def test_a_client_that_hangs_up_in_the_middle_ends_its_query(client: Client) -> None:
    """Also one of the older era, whose request goes another way through the SDK."""
    for headers in ({}, {"MCP-Protocol-Version": "2025-06-18"}):
        before = abandoned(client)
        body = message("tools/call", name="sparql", arguments={"query": ENDLESS, "timeout": 15})
        head = "".join(f"{name}: {value}\r\n" for name, value in {**JSON, **headers}.items())
        with socket.create_connection(("127.0.0.1", client.port)) as connection:
            connection.sendall(f"POST /mcp HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            time.sleep(0.7)
        assert procfs.holds_within(5, lambda before=before: abandoned(client) == before + 1)  # type: ignore[misc]


JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


def message(method: str, **params: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


def test_what_is_no_message_is_refused_and_harms_nothing(client: Client) -> None:
    fine = message("tools/call", name="sparql", arguments={"query": "ASK {}"})
    lone = fine.replace(b"ASK {}", b"ASK { ?s ?p '\\ud800' }")
    deep = fine.replace(b'"ASK {}"', b"[" * 100_000 + b"]" * 100_000)
    for body, statuses in (
        (b"", {400}),
        (b"\x00\xff", {400}),
        (b"{", {400}),
        (b"[" * 200_000, {400}),
        (b"[" + fine + b"]", {400}),
        (b"1", {400}),
        (deep, {200, 400}),
        (lone, {200, 400}),
        (message("tools/call", name="sparql", arguments=[1]), {200, 400}),
        (message("tools/call"), {200, 400}),
        (message("no/such"), {200, 400, 404}),
        (b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}', {202}),
    ):
        for headers in (JSON, {**JSON, "MCP-Protocol-Version": "2025-06-18"}):
            reply = client.send("POST", "/mcp", headers, body)
            assert reply.status in statuses, (body[:80], reply.status, reply.body[:300])
            assert b"Traceback" not in reply.body
            assert b"site-packages" not in reply.body
            if reply.status == 200:
                told = reply.json()
                assert "error" in told or told["result"]["isError"], body[:80]  # type: ignore[index]
    assert client.send("POST", "/mcp", JSON, fine).status == 200
    assert client.get("/readyz").status == 200


def test_only_post_of_a_body_of_fair_size_comes_in(client: Client) -> None:
    for method in ("GET", "DELETE", "PUT"):
        reply = client.send(method, "/mcp")
        assert (reply.status, reply.headers["allow"]) == (405, "POST, OPTIONS")
        assert reply.headers["content-type"] == "application/problem+json"
    assert client.send("OPTIONS", "/mcp").status == 204
    assert client.send("POST", "/mcp", JSON, b" " * 2_000_000).status == 413
    fine = message("tools/call", name="sparql", arguments={"query": "ASK {}"})
    squeezed = {**JSON, "Content-Encoding": "gzip"}
    assert client.send("POST", "/mcp", squeezed, gzip.compress(fine)).status == 200
    assert client.send("POST", "/mcp", squeezed, gzip.compress(b" " * 2_000_000)).status == 413
    assert client.send("POST", "/mcp", squeezed, fine).status == 400
    assert client.send("POST", "/mcp", {**JSON, "Content-Type": "text/plain"}, fine).status == 400


def test_hosts_and_shares_are_those_of_the_service_and_each_call_is_in_the_log(tmp_path: Path) -> None:
    settings = {"SUASION_HOSTS": "127.0.0.1", "SUASION_CLIENT_FAILURES_PER_MINUTE": "2", "SUASION_LOG_FORMAT": "json"}
    log = tmp_path / "log"
    with log.open("wb") as out:
        process, port = logged(out, settings)
    try:
        client = Client(port)
        fine = message("tools/call", name="sparql", arguments={"query": "ASK {}"})
        rebound = client.send("POST", "/mcp", {**JSON, "Host": "rebound.example"}, fine)
        assert (rebound.status, rebound.json()["title"]) == (400, "Unknown host")
        wrong = message("tools/call", name="sparql", arguments={"query": "ASK"})
        replies = [client.send("POST", "/mcp", JSON, wrong) for _ in range(6)]
        assert [reply.status for reply in replies] == [200] * 6
        titles = [str(reply.json()["result"]) for reply in replies]
        assert "Share used up" in titles[-1]
        assert "Share used up" not in titles[0]
    finally:
        stop(process)
    lines = [json.loads(line) for line in log.read_text().splitlines() if '"/mcp"' in line]
    assert [line["outcome"] for line in lines][:4] == ["BadQuery"] * 4
    assert lines[-1]["outcome"] == "TooManyRequests"


def logged(out: Any, settings: Mapping[str, str]) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "-m", "suasion", "serve", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service"), **settings}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=out, text=True, env=environment)
    assert process.stdout
    return process, int(process.stdout.readline().rstrip().rstrip("/").rpartition(":")[2])


def test_texts_to_read_are_listed_and_read(session: Session) -> None:
    async def scenario(agent: Agent) -> None:
        listed = {str(resource.uri): resource for resource in (await agent.list_resources()).resources}
        assert {f"suasion://queries/{openapi.operation_id(query)}" for query in QUERIES} <= set(listed)
        for uri, resource in listed.items():
            (content,) = (await agent.read_resource(uri)).contents
            assert isinstance(content, types.TextResourceContents)
            assert content.mime_type == resource.mime_type
            assert content.text.strip(), uri
        by_name = {query.name: query for query in QUERIES}
        assert await text_of(agent, "suasion://queries/claims") == by_name["claims"].text
        assert "PREFIX actor: <https://w3id.org/suasion/id/actor/>" in await text_of(agent, "suasion://prefixes")
        theme = (ROOT / "ontology" / "claims.ttl").read_text(encoding="utf-8")
        assert await text_of(agent, "suasion://ontology/claims") == theme
        assert theme in await text_of(agent, "suasion://ontology")
        competency = await text_of(agent, "suasion://competency-questions")
        assert len(competency.splitlines()) == 2 + len(list((ROOT / "queries" / "questions").glob("*.rq")))
        for uri in ("suasion://queries/none", "suasion://ontology/../../pyproject.toml", "file:///etc/passwd", "x", ""):
            with pytest.raises(MCPError, match="There is no resource"):
                await agent.read_resource(uri)

    session(scenario)


async def text_of(agent: Agent, uri: str) -> str:
    (content,) = (await agent.read_resource(uri)).contents
    assert isinstance(content, types.TextResourceContents)
    return content.text


def test_prompts_name_tools_that_exist(session: Session) -> None:
    async def scenario(agent: Agent) -> None:
        names = {tool.name for tool in (await agent.list_tools()).tools}
        prompts = {prompt.name: prompt for prompt in (await agent.list_prompts()).prompts}
        assert set(prompts) == {"compare", "who_says"}
        got = await agent.get_prompt("who_says", {"about": "{a} aid to Cambodia"})
        assert isinstance(got.messages[0].content, types.TextContent)
        assert "{a} aid to Cambodia" in got.messages[0].content.text
        assert {"search", "get_claim", "comparison", "initiatives", "agreements", "quantities"} <= names
        for arguments in ({}, {"about": " "}, {"about": "x" * 10_000}, {"about": "x", "b": "y"}):
            with pytest.raises(MCPError, match="takes about"):
                await agent.get_prompt("who_says", arguments)
        with pytest.raises(MCPError, match="There is no prompt"):
            await agent.get_prompt("none", {})

    session(scenario)


def test_files_of_ones_own_have_description_sparql_and_their_questions(tmp_path: Path) -> None:
    data, folder = toys.write(tmp_path)

    async def scenario() -> None:
        async with over_stdio(str(data), "--queries", str(folder)) as agent:
            names = {tool.name for tool in (await agent.list_tools()).tools}
            own = {openapi.operation_id(query) for query in catalog.load(folder)}
            assert names == {"describe_graph", "sparql", "search", "suggest"} | own
            description = await call(agent, "describe_graph")
            assert description["properties"]
            assert "article" not in description["guide"]
            for example in description["examples"]:
                assert (await call(agent, "sparql", query=example["query"]))["rows"]
            assert (await agent.list_prompts()).prompts == []

    asyncio.run(scenario())


def start_stdio(*options: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service")}
    command = [sys.executable, "-m", "suasion", "mcp", *options]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)


def initialize() -> bytes:
    return message("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo={"name": "test", "version": "1"})


def test_it_ends_when_its_input_ends_and_leaves_no_process() -> None:
    process = start_stdio()
    assert process.stdin
    assert process.stdout
    process.stdin.write(initialize() + b"\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["result"]["serverInfo"]["name"] == "suasion"
    below = [*procfs.children(process.pid), *procfs.workers(process.pid)]
    assert len(below) > 2
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, b"", b"")
    assert procfs.holds_within(5, lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_it_ends_at_a_signal_and_leaves_no_process(sent: signal.Signals) -> None:
    process = start_stdio()
    assert process.stdin
    assert process.stdout
    process.stdin.write(initialize() + b"\n")
    process.stdin.flush()
    process.stdout.readline()
    below = [*procfs.children(process.pid), *procfs.workers(process.pid)]
    process.send_signal(sent)
    process.wait(timeout=10)
    assert procfs.holds_within(5, lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))
    for pipe in (process.stdin, process.stdout, process.stderr):
        assert pipe
        pipe.close()


def test_what_is_no_message_on_the_pipe_is_passed_over() -> None:
    process = start_stdio()
    assert process.stdin
    assert process.stdout
    rubbish = b"\xff\xfe\n{\n[1]\n\n" + b"[" * 100_000 + b"\n"
    process.stdin.write(rubbish + initialize() + b"\n")
    process.stdin.flush()
    while "result" not in (said := json.loads(process.stdout.readline())):
        assert "error" in said or said["method"].startswith("notifications/")
    out, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert b"Traceback" not in out + err


def test_faults_of_the_start_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "wrong.ttl").write_text("<a> <b> .", encoding="utf-8")
    for options in ([str(tmp_path / "wrong.ttl")], [str(tmp_path / "none.ttl")], ["--bundle", str(tmp_path)]):
        process = start_stdio(*options)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 2
        assert err.startswith(b"suasion: ")
        assert err.count(b"\n") == 1


def test_a_question_may_not_take_the_name_of_a_tool(tmp_path: Path) -> None:
    _, folder = toys.write(tmp_path)
    (original, *_) = sorted(folder.rglob("*.rq"))
    (folder / "describe").mkdir()
    (folder / "describe" / "graph.rq").write_text(original.read_text(encoding="utf-8"), encoding="utf-8")
    process = start_stdio("--queries", str(folder))
    _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert b"describe/graph.rq" in err
    assert b"name the file otherwise" in err
