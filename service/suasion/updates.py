"""Writing over HTTP, for who has a token: SPARQL 1.1 Update, and the writing half of the Graph Store HTTP Protocol."""

import asyncio
import secrets
from dataclasses import dataclass, replace
from pathlib import PurePath

from python_multipart.multipart import parse_options_header
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from suasion import forms
from suasion.delivery import unless_gone
from suasion.engine import Engine
from suasion.errors import (
    BadDocument,
    BadQuery,
    Forbidden,
    MethodNotAllowed,
    NotReady,
    PreconditionFailed,
    Unauthorized,
    UnknownParameter,
    UnsupportedMedia,
)
from suasion.exchange import Answer, Change, Document, Operation
from suasion.sparql import CHARSETS, LABEL, UPDATE_PARAMETERS, Pairs, read_body, refuse_versions
from suasion.tokens import Tokens

PAYLOADS = {
    "text/turtle": ".ttl",
    "application/n-triples": ".nt",
    "application/rdf+xml": ".rdf",
    "application/ld+json": ".jsonld",
}
"""What can be written to a graph, with the ending that tells the type of a file in a form."""
READ_METHODS = "GET, HEAD, OPTIONS"
WRITE_METHODS = "GET, HEAD, PUT, POST, DELETE, OPTIONS"
_QUADS = ("application/n-quads", "application/trig")
_FORM = "multipart/form-data"
_HOW = "an operator opens the service for writing with `suasion serve --writable`"


@dataclass(frozen=True, slots=True)
class Updates:
    """What takes writes: the engine, who may write (None: nobody), and the largest body of those who may, and of others."""

    engine: Engine
    tokens: Tokens | None
    write_bytes: int
    request_bytes: int

    @property
    def methods(self) -> str:
        """The methods of a graph."""
        return WRITE_METHODS if self.tokens else READ_METHODS

    def most_bytes(self, scope: Scope) -> int:
        """Return how large the body of a request may be: larger for who may write."""
        try:
            if self.tokens and any(name == b"authorization" for name, _ in scope["headers"]):
                self.tokens.holder(scope)
                return max(self.write_bytes, self.request_bytes)
        except (Unauthorized, NotReady):
            pass  # the endpoint says so, if it needs a token
        return self.request_bytes

    async def update(self, request: Request, pairs: Pairs, base: str) -> Response:
        """Run an update (SPARQL 1.1 Protocol, section 2.2) and answer 204 once it is durable; `base` is for relative IRIs.

        Raises Forbidden (403) where nothing can be written, Unauthorized (401), BadQuery, BadGraph and UnknownParameter
        (400), and what Engine.change raises.
        """
        if self.tokens is None:
            raise Forbidden(f"This endpoint only reads: {_HOW}.")
        self._authorise(request)
        names = [name for name, _ in pairs]
        if names.count("update") != 1 or "query" in names or "update" in request.query_params:
            raise BadQuery("An update is sent by POST, in the body: send exactly one, and no query with it.")
        for name in names:
            if name not in (*UPDATE_PARAMETERS, "version", LABEL):
                known = ", ".join(UPDATE_PARAMETERS)
                raise UnknownParameter(
                    f"An update has no parameter {name[:60]!r}; it has {known}.", {"parameters": list(UPDATE_PARAMETERS)}
                )
        refuse_versions(pairs)
        text = next(value for name, value in pairs if name == "update")
        using, named = (
            tuple(value for key, value in pairs if key == name) or None for name in ("using-graph-uri", "using-named-graph-uri")
        )
        document = Document("application/sparql-update", text.encode("utf-8", "surrogatepass"), "the update")
        change = Change(Operation.UPDATE, (document,), base=base, using=using, using_named=named)
        return self._done(await unless_gone(request.receive, self.engine.change(change)), change)

    async def graph(self, request: Request, iri: str | None, base: str) -> Response:
        """Replace (PUT), extend (POST) or delete a graph, None being the default graph; `base` is for relative IRIs.

        Answers once it is durable (Graph Store HTTP Protocol, sections 5.3 to 5.5): 201 when that made the graph, or filled an
        empty default graph; 204 when it replaced one, or an empty POST said nothing; 200 when it was extended or deleted.
        Raises MethodNotAllowed (405) where nothing can be written, Unauthorized (401), Forbidden (403), NotFound (404),
        BadDocument (400), BadGraph (400), UnsupportedMedia (415), PreconditionFailed (412), and what Engine.change raises.
        """
        operation = self.operation(request)
        exists = _condition(request)
        documents = () if operation is Operation.DELETE else await self._documents(request)
        change = Change(operation, documents, iri, base, exists)
        return self._done(await unless_gone(request.receive, self.engine.change(change)), change)

    async def new_graph(self, request: Request, store: str) -> Response:
        """Make a new graph below the address of the graph store (section 5.5); its IRI is in Location. Raises as `graph`."""
        self.operation(request)
        iri = f"{store}/{secrets.token_hex(8)}"
        change = Change(Operation.POST, await self._documents(request), iri, iri, exists=False)
        return self._done(await unless_gone(request.receive, self.engine.change(change)), change, iri)

    def operation(self, request: Request) -> Operation:
        """Return what a request does to a graph. Raises MethodNotAllowed (405), Unauthorized (401) when it may not."""
        if self.tokens is None:
            raise MethodNotAllowed(f"Graphs are only read here: {_HOW}.", {"allow": self.methods})
        if request.method not in ("PUT", "POST", "DELETE"):
            raise MethodNotAllowed(f"A graph answers {self.methods} only.", {"allow": self.methods})
        self._authorise(request)
        return Operation(request.method.lower())

    def _authorise(self, request: Request) -> None:
        assert self.tokens
        request.scope.setdefault("state", {})["token"] = self.tokens.holder(request.scope)

    async def _documents(self, request: Request) -> tuple[Document, ...]:
        """Return the RDF of a request, each document with a media type that is read."""
        header = request.headers.get("content-type", "")
        media_type = parse_options_header(header)[0].decode("latin-1")
        if media_type == _FORM and request.method == "POST":
            body = await read_body(request, self.write_bytes)
            return tuple(_named(part) for part in await asyncio.to_thread(forms.parts, header, body))
        if not header:  # section 5: RDF/XML is what is tried then
            media_type = "application/rdf+xml"
        _refuse_unknown(header or media_type, "the body")
        return (Document(media_type, await read_body(request, self.write_bytes)),)

    def _done(self, answer: Answer | None, change: Change, location: str = "") -> Response:
        if answer is None:
            return Response(status_code=499)
        headers = {"Suasion-Generation": str(self.engine.ready.number)}
        if answer.extra["created"] and location:
            headers["Location"] = location
        if answer.extra["created"]:
            return Response(status_code=201, headers=headers)
        says = change.operation is Operation.POST and any(document.body for document in change.documents)
        return Response(status_code=200 if says or change.operation is Operation.DELETE else 204, headers=headers)


def _condition(request: Request) -> bool | None:
    """Return whether a graph has to exist, or not to, before a request is done (RFC 9110, section 13.1), None for neither."""
    match, none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
    if match is None and none_match is None:
        return None
    if (match, none_match) in (("*", None), (None, "*")):
        return match == "*"
    raise PreconditionFailed("Entity tags are weak here, so writes take If-Match: * or If-None-Match: * only.")


def _named(part: Document) -> Document:
    """Return the part of a form with its media type, told by the end of its file name where the client knew none."""
    media_type = parse_options_header(part.media_type)[0].decode("latin-1")
    if media_type in ("", "application/octet-stream"):
        ending = PurePath(part.name).suffix.lower()
        known = next((name for name, end in PAYLOADS.items() if end == ending), None)
        if known is None:
            raise BadDocument(f"{part.name}: its type is not told: give its Content-Type, or a name that ends in .ttl or so.")
        return replace(part, media_type=known)
    _refuse_unknown(part.media_type, part.name)
    return replace(part, media_type=media_type)


def _refuse_unknown(header: str, name: str) -> None:
    """Raise UnsupportedMedia for a Content-Type that is no RDF of one graph, or in another encoding than UTF-8."""
    media_type, options = parse_options_header(header)
    kind = media_type.decode("latin-1")
    if kind not in PAYLOADS:
        why = "holds several graphs; a request writes one" if kind in _QUADS else "is not read here"
        raise UnsupportedMedia(f"{name}: {kind[:80]} {why}: send {', '.join(PAYLOADS)}.", {"accepted": list(PAYLOADS)})
    charset = options.get(b"charset", b"utf-8").decode("latin-1")
    if charset.lower() not in CHARSETS:
        raise UnsupportedMedia(f"{name}: the charset {charset[:40]} is not read: send UTF-8.")
