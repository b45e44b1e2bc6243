"""Frames: what goes in on one side comes out on the other."""

import json
from random import Random

import pytest

from suasion.exchange import (
    HEAD_BYTES,
    Answer,
    Question,
    Search,
    Service,
    Term,
    lengths,
    pack_answer,
    pack_question,
    unpack_answer,
    unpack_question,
)

TEXTS = ("", "SELECT ?x WHERE { ?x ?y ?z }", 'é \u2028 " \\ \x00 \n', "\U0001f30f" * 50, "{}")
QUESTIONS = [
    Question("ASK {}"),
    Question("ASK {}", default_graphs=(), named_graphs=()),
    Question(
        "ASK {}", default_graphs=("https://example.org/a",), named_graphs=("https://example.org/b", "https://example.org/c")
    ),
    Question(
        "ASK { {} {} }",
        services=(
            Service(7, "https://example.org/a", False, ("a", "b"), 10, b'{"head":\xff\x00}'),
            Service(10, "https://example.org/b", True, (), 10, failed=True),
            Service(10, "https://example.org/b", True, (), 10, b"{}"),
        ),
    ),
    Question("ASK {}", search=Search('日本 "x" \x00', 10, "actor", ("names", "codes"))),
    Question("ASK {}", rows=(0, 1000), union=True, solution_types=(), graph_types=("text/turtle", "text/html")),
]


def split(frame: bytes) -> tuple[bytes, bytes]:
    """Return head and body of a frame, as a reader takes them off a socket."""
    head_length, body_length = lengths(frame[:HEAD_BYTES])
    assert len(frame) == HEAD_BYTES + head_length + body_length
    return frame[HEAD_BYTES : HEAD_BYTES + head_length], frame[HEAD_BYTES + head_length :]


def sent(question: Question) -> Question:
    head, body = split(pack_question(question))
    assert body == b"".join(service.body for service in question.services)
    return unpack_question(json.loads(head), body)


def any_term(random: Random) -> Term:
    term = {"type": random.choice(("uri", "literal")), "value": random.choice(TEXTS)}
    return term | random.choice(({}, {"xml:lang": "en"}, {"datatype": "https://example.org/t"}))


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_arrives_as_it_was_sent(question: Question) -> None:
    assert sent(question) == question


@pytest.mark.parametrize("seed", range(20))
def test_any_question_arrives_as_it_was_sent(seed: int) -> None:
    random = Random(seed)  # noqa: S311 (repeatable, no secret)
    question = Question(
        random.choice(TEXTS),
        {f"v{n}": any_term(random) for n in range(random.randrange(4))},
        random.choice((None, (), TEXTS)),
        random.choice((None, (), TEXTS)),
        random.random() < 0.5,
        tuple(random.sample(TEXTS, 2)),
        tuple(random.sample(TEXTS, 3)),
        random.choice((None, (random.randrange(10**9), random.randrange(10**4)))),
        search=random.choice((None, Search(random.choice(TEXTS), random.randrange(2000), random.choice(TEXTS), TEXTS))),
    )
    assert sent(question) == question


@pytest.mark.parametrize("body", [b"", b"\x00\xff\n{}", bytes(range(256)) * 1000])
def test_an_answer_arrives_as_it_was_sent(body: bytes) -> None:
    for answer in (
        Answer("text/csv", body),
        Answer("application/json", body, extra={"cut": True}),
        Answer(body=body, error="BadQuery", detail="é \n \u2028", extra={"line": 3, "offered": ["a", "b"]}),
    ):
        head, received = split(pack_answer(answer))
        assert unpack_answer(head, received) == answer


def test_frames_follow_each_other_on_one_stream() -> None:
    answers = [Answer("text/csv", b"x" * size) for size in (0, 1, 70_000)]
    stream = b"".join(pack_answer(answer) for answer in answers)
    read = []
    while stream:
        head_length, body_length = lengths(stream[:HEAD_BYTES])
        end = HEAD_BYTES + head_length + body_length
        read.append(unpack_answer(*split(stream[:end])))
        stream = stream[end:]
    assert read == answers
