"""The engine on the real bundle: answers, deadlines, deaths, and no reach outside."""

import asyncio
import json
import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from conftest import until, with_engine
from suasion.engine import Engine, Lane
from suasion.errors import AnswerTooLarge, BadQuery, DataError, Overloaded, TimedOut, Unanswered, WorkerDied
from suasion.exchange import Question
from suasion.settings import Settings
from suasion.source import Source

pytestmark = pytest.mark.alone

COUNT = "SELECT (COUNT(*) AS ?n) WHERE { ?claim a <https://schema.org/Claim> }"
ENDLESS = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


async def count(engine: Engine, lane: Lane = Lane.PUBLIC) -> int:
    found = json.loads((await engine.ask(Question(COUNT), lane)).body)
    return int(found["results"]["bindings"][0]["n"]["value"])


def test_answers_from_the_bundle(bundle: Path) -> None:
    async def use(engine: Engine) -> None:
        assert await count(engine) >= 600
        assert engine.ready.quads > 50_000
        assert len(engine.ready.digest) == 64

    with_engine(bundle, use)


def test_a_query_past_its_deadline_costs_one_worker_and_no_other_answer(bundle: Path) -> None:
    async def use(engine: Engine) -> None:
        hanging = asyncio.create_task(engine.ask(Question(ENDLESS), Lane.PUBLIC))
        await asyncio.sleep(0.1)
        assert await count(engine) >= 600
        with pytest.raises(TimedOut) as caught:
            await hanging
        assert caught.value.extra["limit_seconds"] == 1.0
        assert [await count(engine) for _ in range(4)]

    with_engine(bundle, use, deadline_seconds=1.0)


def test_a_query_that_ends_its_process_is_said_to_have_done_so(bundle: Path) -> None:
    deep = "SELECT * WHERE { FILTER(" + "(" * 600_000 + "1" + ")" * 600_000 + ") }"

    async def use(engine: Engine) -> None:
        with pytest.raises((WorkerDied, BadQuery)):
            await engine.ask(Question(deep), Lane.PUBLIC)
        assert await count(engine) >= 600

    with_engine(bundle, use)


def test_a_memory_bomb_stays_within_its_worker(bundle: Path) -> None:
    bomb = "SELECT * WHERE { ?a ?b ?c . ?d ?e ?f } ORDER BY ?a ?d ?f ?c"

    async def use(engine: Engine) -> None:
        with pytest.raises(Unanswered):
            await engine.ask(Question(bomb), Lane.PUBLIC)
        assert await count(engine) >= 600

    with_engine(bundle, use, deadline_seconds=3.0, worker_memory_bytes=1200 * 1024 * 1024)


def test_service_reaches_nothing(bundle: Path) -> None:
    """A listener on loopback stands where the query wants to go, and sees nobody."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(1.5)
    seen: list[object] = []

    def accept() -> None:
        try:
            seen.append(listener.accept())
        except TimeoutError:
            return

    watcher = threading.Thread(target=accept)
    watcher.start()
    port = listener.getsockname()[1]

    async def use(engine: Engine) -> None:
        with pytest.raises(BadQuery):
            await engine.ask(Question(f"SELECT * WHERE {{ SERVICE <http://127.0.0.1:{port}/> {{ ?s ?p ?o }} }}"), Lane.PUBLIC)
        silent = f"SELECT * WHERE {{ SERVICE SILENT <http://127.0.0.1:{port}/> {{ ?s ?p ?o }} }}"
        await asyncio.gather(engine.ask(Question(silent), Lane.PUBLIC), return_exceptions=True)

    with_engine(bundle, use)
    watcher.join()
    listener.close()
    assert seen == []


def test_an_answer_above_the_limit_is_refused_whole(bundle: Path) -> None:
    async def use(engine: Engine) -> None:
        with pytest.raises(AnswerTooLarge) as caught:
            await engine.ask(Question("SELECT * WHERE { ?s ?p ?o }"), Lane.PUBLIC)
        assert "100,000 bytes" in caught.value.detail

    with_engine(bundle, use, answer_bytes=100_000)


def test_too_many_at_once_are_told_to_come_again(bundle: Path) -> None:
    async def use(engine: Engine) -> None:
        hanging = [asyncio.create_task(engine.ask(Question(ENDLESS), Lane.PUBLIC)) for _ in range(2)]
        await asyncio.sleep(0.1)
        with pytest.raises(Overloaded):
            await engine.ask(Question(COUNT), Lane.PUBLIC)
        assert await count(engine, Lane.OWN) >= 600
        await asyncio.gather(*hanging, return_exceptions=True)

    with_engine(bundle, use, deadline_seconds=2.0, patience_seconds=2.0, queue_seconds=0.3)


def test_heavy_queries_leave_the_lane_to_light_ones(bundle: Path) -> None:
    async def use(engine: Engine) -> None:
        heavy = [asyncio.create_task(engine.ask(Question(ENDLESS), Lane.PUBLIC, f"client {n}")) for n in range(2)]
        await until(lambda: engine.counts.became_slow == 2)
        assert [await count(engine) for _ in range(8)]
        with pytest.raises(Overloaded, match="as many heavy queries run as may"):
            await engine.ask(Question(ENDLESS), Lane.PUBLIC, "client 3")
        found = await asyncio.gather(*heavy, return_exceptions=True)
        assert [type(one) for one in found] == [TimedOut, TimedOut]
        assert await count(engine) >= 600

    with_engine(bundle, use, deadline_seconds=2.0, patience_seconds=0.1)


def test_heavy_curated_queries_leave_their_lane_to_light_ones(bundle: Path) -> None:
    """As many as there are own places and workers together: all are answered for, and light ones wait for none of them."""

    async def use(engine: Engine) -> None:
        public = [asyncio.create_task(engine.ask(Question(ENDLESS), Lane.PUBLIC, f"client {n}")) for n in range(2)]
        heavy = [asyncio.create_task(engine.ask(Question(ENDLESS), Lane.OWN)) for _ in range(4)]
        await until(lambda: [len(pool.slow) for pool in engine._pools.values()] == [2, 4])
        with pytest.raises(Overloaded, match="as many heavy queries run as may"):
            await engine.ask(Question(ENDLESS), Lane.OWN)
        seconds = []
        for _ in range(30):
            started = time.monotonic()
            assert await count(engine, Lane.OWN) >= 600
            seconds.append(time.monotonic() - started)
        assert sorted(seconds)[15] < 0.1
        found = await asyncio.gather(*heavy, *public, return_exceptions=True)
        assert {type(one) for one in found} == {TimedOut}
        assert await count(engine, Lane.OWN) >= 600

    with_engine(bundle, use, deadline_seconds=8.0, patience_seconds=0.2, own_slow_workers=4)


def test_a_client_has_one_heavy_query_at_a_time(bundle: Path) -> None:
    async def use(engine: Engine) -> None:
        first = asyncio.create_task(engine.ask(Question(ENDLESS), Lane.PUBLIC, "one"))
        await until(lambda: engine.counts.became_slow == 1)
        with pytest.raises(Overloaded, match="another heavy query of yours"):
            await engine.ask(Question(ENDLESS), Lane.PUBLIC, "one")
        await asyncio.gather(first, return_exceptions=True)

    with_engine(bundle, use, deadline_seconds=1.5, patience_seconds=0.1)


def test_a_worker_killed_while_idle_costs_no_answer(bundle: Path) -> None:
    async def use(engine: Engine) -> None:
        killed = list(engine._pools[Lane.PUBLIC].idle._queue)  # type: ignore[attr-defined]
        for worker in killed:
            os.kill(worker.pid, signal.SIGKILL)
        await until(lambda: all(worker.reader.at_eof() for worker in killed))
        assert [await count(engine) for _ in range(4)]

    with_engine(bundle, use)


def test_a_cancelled_question_ends_its_worker(bundle: Path) -> None:
    async def use(engine: Engine) -> None:
        asking = asyncio.create_task(engine.ask(Question(ENDLESS), Lane.PUBLIC))
        await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert engine.counts.abandoned == 1
        assert [await count(engine) for _ in range(4)]

    with_engine(bundle, use)


def test_updates_are_no_queries(bundle: Path) -> None:
    async def use(engine: Engine) -> None:
        with pytest.raises(BadQuery):
            await engine.ask(Question("INSERT DATA { <urn:a> <urn:b> <urn:c> }"), Lane.PUBLIC)

    with_engine(bundle, use)


def test_data_at_fault_are_not_served(tmp_path: Path, bundle: Path) -> None:
    (tmp_path / "ontology").mkdir()
    (tmp_path / "ontology" / "ontology.ttl").write_text((bundle / "ontology" / "ontology.ttl").read_text(encoding="utf-8"))
    (tmp_path / "graph_data").mkdir()
    (tmp_path / "graph_data" / "broken.ttl").write_text("PREFIX : <urn:>\n:a :b\n")

    async def start() -> None:
        await Engine(Settings(), Source(tmp_path)).start()

    with pytest.raises(DataError, match=r"broken\.ttl, line \d"):
        asyncio.run(start())
