"""The cache of answers: kept, bounded, computed once, ended when nobody waits."""

import asyncio

import pytest

from suasion.answers import Answers
from suasion.errors import BadQuery
from suasion.exchange import Answer, Question, Search

QUESTION = Question("SELECT * WHERE { ?s ?p ?o }")


def test_an_answer_is_computed_once_for_all_that_ask() -> None:
    computed = 0

    async def compute() -> Answer:
        nonlocal computed
        computed += 1
        await asyncio.sleep(0.01)
        return Answer("text/csv", b"x")

    async def run() -> None:
        answers = Answers(lambda: "d", 1_000_000)
        found = await asyncio.gather(*(answers.get(QUESTION, compute) for _ in range(20)))
        assert {one.body for one in found} == {b"x"}
        await answers.get(QUESTION, compute)

    asyncio.run(run())
    assert computed == 1


def test_errors_go_to_all_and_are_not_kept() -> None:
    computed = 0

    async def compute() -> Answer:
        nonlocal computed
        computed += 1
        await asyncio.sleep(0)
        raise BadQuery("no")

    async def run() -> None:
        answers = Answers(lambda: "d", 1_000_000)
        found = await asyncio.gather(*(answers.get(QUESTION, compute) for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in found] == [BadQuery] * 3
        with pytest.raises(BadQuery):
            await answers.get(QUESTION, compute)

    asyncio.run(run())
    assert computed == 2


def test_the_computing_ends_when_the_last_that_waits_leaves() -> None:
    ended = asyncio.Event()

    async def compute() -> Answer:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return Answer()

    async def run() -> None:
        answers = Answers(lambda: "d", 1_000_000)
        first, second = (asyncio.create_task(answers.get(QUESTION, compute)) for _ in range(2))
        await asyncio.sleep(0.01)
        first.cancel()
        await asyncio.sleep(0.01)
        assert not ended.is_set()
        second.cancel()
        await asyncio.wait_for(ended.wait(), 1)

    asyncio.run(run())


def test_room_is_bounded_and_the_least_used_gives_way() -> None:
    computed: list[str] = []

    async def run() -> None:
        answers = Answers(lambda: "d", 100_000)

        async def ask(name: str, size: int) -> None:
            async def compute() -> Answer:
                computed.append(name)
                return Answer("text/csv", b"x" * size)

            await answers.get(Question(name), compute)

        for number in range(12):
            await ask(f"q{number}", 10_000)
        await ask("q11", 10_000)
        await ask("q0", 10_000)
        await ask("large", 50_000)
        await ask("large", 50_000)

    asyncio.run(run())
    assert computed.count("q11") == 1
    assert computed.count("q0") == 2
    assert computed.count("large") == 2


def test_tags_tell_questions_formats_and_datasets_apart() -> None:
    one, other = Answers(lambda: "d", 1), Answers(lambda: "e", 1)
    questions = [
        QUESTION,
        Question(QUESTION.query, union=True),
        Question(QUESTION.query, default_graphs=("urn:g",)),
        Question(QUESTION.query, named_graphs=("urn:g",)),
        Question(QUESTION.query, solution_types=("text/csv",)),
        Question(QUESTION.query, {"s": {"type": "uri", "value": "urn:s"}}),
        Question(QUESTION.query, rows=(0, 10)),
        Question(QUESTION.query, search=Search("china", 10)),
        Question(QUESTION.query, search=Search("japan", 10)),
        Question(QUESTION.query, search=Search("japan", 10, "actor")),
        Question(QUESTION.query, search=Search("japan", 10, within=("names",))),
    ]
    tags = [cache.tag(question) for cache in (one, other) for question in questions]
    assert len(set(tags)) == len(tags)
    assert one.tag(QUESTION) == one.tag(Question(QUESTION.query))
