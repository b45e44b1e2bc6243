"""What the HTTP process and its workers say to each other: questions, answers, and their frames on a socket."""

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum, StrEnum
from typing import Any, Protocol

_HEAD = struct.Struct(">IQ")
HEAD_BYTES = _HEAD.size

SOLUTION_TYPES = (
    "application/sparql-results+json",
    "application/sparql-results+xml",
    "text/csv",
    "text/tab-separated-values",
)
"""The media types in which a worker answers SELECT and ASK."""
GRAPH_TYPES = (
    "text/turtle",
    "application/n-triples",
    "application/n-quads",
    "application/trig",
    "application/rdf+xml",
    "application/ld+json",
)
"""The media types in which a worker answers CONSTRUCT and DESCRIBE."""

Term = Mapping[str, str]
"""An RDF term as SPARQL 1.1 Query Results JSON writes it: type (uri, literal), value, datatype or xml:lang."""


@dataclass(frozen=True, slots=True)
class Service:
    """What an endpoint answered to a SERVICE clause: a body of SPARQL 1.1 Query Results JSON, not looked at yet.

    `at` is the place in the query, in code points, where the solutions go; `variables` are those that they may bind. Of more
    than `rows` solutions none is taken. A clause that is `silent` may fail; `failed` says that it has, before there was a body.
    """

    at: int
    endpoint: str
    silent: bool
    variables: tuple[str, ...]
    rows: int
    body: bytes = b""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """A text to look up: the most hits, their kind ("" for any), and the columns of the text index that are searched."""

    text: str
    most: int
    kind: str = ""
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A query for a worker.

    `terms` are bound to variables before evaluation. `default_graphs` and `named_graphs` (IRIs) are the dataset of the
    request, None where it names none; `union` takes all graphs together as default graph. `solution_types` and
    `graph_types` are the media types that the client accepts, best first, for SELECT and ASK, and for CONSTRUCT and
    DESCRIBE. With `rows` (offset, limit) the answer of a SELECT is that slice, in JSON, with the total; all rows are sorted
    before by the variable `sort`, where it is not "", those that are equal in it by the order of the query. With `partial`
    above 0 a SELECT is answered after so many seconds with the rows found so far, if there are any. Relative IRIs in the query
    are resolved against `base_iri`; with "" they are refused. `services` are what endpoints answered to the SERVICE clauses,
    which the query does not have any more, in their order. `graph` (IRI) has to exist, though it may be empty. With
    `published` what was written beside a bundle is left out. The hits of `search` are in graph:hits for the length of the query.
    With `kinds_apart` ORDER BY has values of each kind together, which gives those an order that cannot be compared.
    With `statements` a SELECT of ?subject, ?predicate, ?object and ?graph, of which `rows` is a slice, is answered as a graph,
    with the total in `extra`; formats without graphs have each triple once. `dump` is a media type of quads, in which the whole
    dataset is answered, whatever the query: N-Quads sorted by bytes, or TriG.
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
    partial: float = 0
    base_iri: str = ""
    services: tuple[Service, ...] = ()
    graph: str | None = None
    published: bool = False
    search: Search | None = None
    kinds_apart: bool = False
    statements: bool = False
    dump: str = ""


class Operation(StrEnum):
    """What a change does: run an update, or replace, extend or remove one graph."""

    UPDATE = "update"
    PUT = "put"
    POST = "post"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Document:
    """RDF of a media type that was sent, and what to call it in sentences."""

    media_type: str
    body: bytes
    name: str = "the body"


@dataclass(frozen=True, slots=True)
class Change:
    """A write for a candidate.

    An update is one document, its text, with the graphs (IRIs) that its WHERE clauses look at, None where the request names
    none. The other operations concern `graph` (IRI), None for the default graph; with `exists` the graph has to exist
    before, or not. `base` is what relative IRIs are resolved against.
    """

    operation: Operation
    documents: tuple[Document, ...] = ()
    graph: str | None = None
    base: str = ""
    exists: bool | None = None
    using: tuple[str, ...] | None = None
    using_named: tuple[str, ...] | None = None


class Rest(Protocol):
    """What follows the first part of a long answer, for one reader, who closes it in the end."""

    async def part(self) -> bytes:
        """Return the next part, b"" after the last. Raises what Engine.ask raises."""

    def close(self) -> None:
        """End the query, if it is not done; may be called more than once."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker answers: a body of a media type, or the name of an error class with its sentence.

    Of a long answer this is one part: `more` says whether others follow, and `rest` brings them to the HTTP process.
    `truncated` is what a partial answer ran into: deadline or bytes.
    `extra` goes into the problem document of an error; with a body it may name the endpoints of SERVICE that failed `silently`,
    and those of them that are `broken`, or say `cut`: the text searched for fits more things than were looked at.
    """

    media_type: str = ""
    body: bytes = b""
    error: str = ""
    detail: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)
    more: bool = False
    truncated: str = ""
    rest: Rest | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """What the loader of the data says at the start and after each change: how many quads there are, their digest ("" with
    blank nodes) and the number of the change, 0 where nothing can be changed; or why nothing can be served. Where something
    can be written beside a bundle, `published_quads` and `published_digest` are those of the bundle alone.
    """

    quads: int = 0
    digest: str = ""
    fault: str = ""
    number: int = 0
    published_quads: int = 0
    published_digest: str = ""

    @property
    def published(self) -> "Ready":
        """What is said of the bundle alone."""
        return Ready(self.published_quads, self.published_digest) if self.published_quads else self


class Command(Enum):
    """What the loader is told to do, in one byte: fork a worker or a candidate, or, after a candidate has answered, put its
    change in force (its frame follows) or remove what is left of it.
    """

    FORK = b"f"
    CANDIDATE = b"c"
    COMMIT = b"w"
    DISCARD = b"d"


def pack_question(question: Question) -> bytes:
    """Return a question as one frame; its body is what endpoints answered, one after the other."""
    head = {name: getattr(question, name) for name in Question.__slots__}
    head["services"] = [{**asdict(one), "body": len(one.body)} for one in question.services]
    head["search"] = None if question.search is None else asdict(question.search)
    return _pack(head, b"".join(one.body for one in question.services))


def unpack_question(head: Mapping[str, object], body: bytes) -> Question:
    """Return the question of the two parts of a frame; JSON lists become tuples again."""
    told = _tuples(head)
    if told["search"] is not None:
        told["search"] = Search(**_tuples(told["search"]))
    services = []
    start = 0
    for one in told["services"]:
        end = start + one["body"]
        services.append(Service(**{**one, "variables": tuple(one["variables"]), "body": body[start:end]}))
        start = end
    return Question(**{**told, "services": tuple(services)})


def pack_change(change: Change) -> bytes:
    """Return a change as one frame."""
    head = {name: getattr(change, name) for name in Change.__slots__}
    head["documents"] = [(document.media_type, len(document.body), document.name) for document in change.documents]
    return _pack(head, b"".join(document.body for document in change.documents))


def unpack_change(head: bytes, body: bytes) -> Change:
    """Return the change of the two parts of a frame."""
    values = _tuples(json.loads(head))
    documents, start = [], 0
    for media_type, length, name in values.pop("documents"):
        documents.append(Document(media_type, body[start : start + length], name))
        start += length
    return Change(Operation(values.pop("operation")), tuple(documents), **values)


def pack_answer(answer: Answer) -> bytes:
    """Return an answer as one frame."""
    head = {name: getattr(answer, name) for name in ("media_type", "error", "detail", "more", "truncated")}
    return _pack(head | {"extra": dict(answer.extra)}, answer.body)


def unpack_answer(head: bytes, body: bytes) -> Answer:
    """Return the answer of the two parts of a frame."""
    return Answer(body=body, **json.loads(head))


def lengths(head: bytes) -> tuple[int, int]:
    """Return the lengths, in bytes, of the JSON head and of the body of a frame, from its first HEAD_BYTES bytes."""
    head_length, body_length = _HEAD.unpack(head)
    return head_length, body_length


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


def _pack(head: Mapping[str, object], body: bytes) -> bytes:
    encoded = json.dumps(head, ensure_ascii=False).encode()
    return _HEAD.pack(len(encoded), len(body)) + encoded + body
