"""What the HTTP process and its workers say to each other: questions, answers, and their frames on a socket."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

_HEAD = struct.Struct(">IQ")
HEAD_BYTES = _HEAD.size

Term = Mapping[str, str]
"""An RDF term as SPARQL 1.1 Query Results JSON writes it: type (uri, literal), value, datatype or xml:lang."""


@dataclass(frozen=True, slots=True)
class Question:
    """A query for a worker.

    `terms` are bound to variables before evaluation. `default_graphs` and `named_graphs` (IRIs) are the dataset of the
    request, None where it names none; `union` takes all graphs together as default graph. `solution_types` and
    `graph_types` are the media types that the client accepts, best first, for SELECT and ASK, and for CONSTRUCT and
    DESCRIBE. With `rows` (offset, limit) the answer of a SELECT is that slice, in JSON, with the total; all rows are sorted
    before by the variable `sort`, where it is not "", those that are equal in it by the order of the query.
    """

    query: str
    terms: Mapping[str, Term] = field(default_factory=dict)
    default_graphs: tuple[str, ...] | None = None
    named_graphs: tuple[str, ...] | None = None
    union: bool = False
    solution_types: tuple[str, ...] = ("application/sparql-results+json",)
    graph_types: tuple[str, ...] = ("text/turtle",)
    rows: tuple[int, int] | None = None
    sort: str = ""
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker answers: a body of a media type, or the name of an error class with its sentence."""

    media_type: str = ""
    body: bytes = b""
    error: str = ""
    detail: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ready:
    """What the loader of the data says once: how many quads there are and their digest, or why nothing can be served."""

    quads: int = 0
    digest: str = ""
    fault: str = ""


def pack_question(question: Question) -> bytes:
    """Return a question as one frame."""
    return _pack({name: getattr(question, name) for name in Question.__slots__}, b"")


def unpack_question(head: Mapping[str, object]) -> Question:
    """Return the question of a frame's head; JSON lists become tuples again."""
    return Question(**{k: tuple(v) if isinstance(v, list) else v for k, v in head.items()})  # type: ignore[arg-type]


def pack_answer(answer: Answer) -> bytes:
    """Return an answer as one frame."""
    head = {"media_type": answer.media_type, "error": answer.error, "detail": answer.detail, "extra": dict(answer.extra)}
    return _pack(head, answer.body)


def unpack_answer(head: bytes, body: bytes) -> Answer:
    """Return the answer of the two parts of a frame."""
    return Answer(body=body, **json.loads(head))


def lengths(head: bytes) -> tuple[int, int]:
    """Return the lengths, in bytes, of the JSON head and of the body of a frame, from its first HEAD_BYTES bytes."""
    head_length, body_length = _HEAD.unpack(head)
    return head_length, body_length


def _pack(head: Mapping[str, object], body: bytes) -> bytes:
    encoded = json.dumps(head, ensure_ascii=False).encode()
    return _HEAD.pack(len(encoded), len(body)) + encoded + body
