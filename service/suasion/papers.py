"""Documents that are offered as a page and in each format of graphs: which one a request gets, and what is said beside it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from suasion import __version__
from suasion.described import Ask
from suasion.errors import NotAcceptable, NotFound
from suasion.exchange import Question
from suasion.formats import ALIASES
from suasion.negotiation import accept, entity_tag, matches, ranked
from suasion.pagecache import PageCache, Rendered
from suasion.things import MOST_STATEMENTS

HTML = "text/html"
FORMATS = {
    "ttl": "text/turtle",
    "nt": "application/n-triples",
    "nq": "application/n-quads",
    "trig": "application/trig",
    "rdf": "application/rdf+xml",
    "jsonld": "application/ld+json",
    "html": HTML,
}
"""Media types of documents by the endings of their paths; the first is sent to who accepts anything."""
_LABELS = {"ttl": "Turtle", "nt": "N-Triples", "nq": "N-Quads", "trig": "TriG", "rdf": "RDF/XML", "jsonld": "JSON-LD"}
Frame = Mapping[str, object]
"""What pages of all documents have: links, formats, completeness."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A document: its path without an ending, the IRI that it is about, and the question whose answer it is.

    `endings` are those of its formats that have paths of their own. Of one that comes in pages, `page` is the number, from 1,
    and `limit` how many statements a page has; else `limit` is 0.
    """

    path: str
    about: str
    question: Question
    endings: tuple[str, ...] = tuple(FORMATS)
    page: int = 1
    limit: int = 0

    def at(self, ending: str = "", page: int = 0) -> str:
        """Return the path of a format, of this page or of another."""
        number = page or self.page
        parameters = [f"page={number}"] if number > 1 else []
        if self.limit not in (0, MOST_STATEMENTS):
            parameters.append(f"limit={self.limit}")
        return f"{self.path}{'.' + ending if ending else ''}{'?' + '&'.join(parameters) if parameters else ''}"

    def neighbours(self, total: int) -> dict[str, int]:
        """Return the pages before and after this one, by their relation to it, where there are any."""
        found = {"prev": self.page - 1} if self.page > 1 else {}
        return found | ({"next": self.page + 1} if self.page * self.limit < total else {})


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page to be made: how many statements the document has in all, where it comes in pages, and what makes it."""

    render: Callable[[Frame], str]
    total: int = 0


@dataclass(frozen=True, slots=True)
class Press:
    """What makes documents: who is asked, a name of the dataset as it is now, its digest, the address of the service, and where
    pages are kept; `caching` is what caches between may do with them.
    """

    ask: Ask
    state: Callable[[], str]
    digest: Callable[[], str]
    public_url: Callable[[], str]
    page_cache: PageCache
    caching: str = "no-cache"


async def answer(request: Request, paper: Paper, ending: str, press: Press, draw: Callable[[], Awaitable[Drawn]]) -> Response:
    """Answer with a document in the format of an ending, or of the Accept header without one; 304 when it is known.

    Raises NotFound (404) for a format or a page that is not there, NotAcceptable (406), and what the engine raises.
    """
    if ending and ending not in paper.endings:
        known = ", ".join("." + one for one in paper.endings)
        raise NotFound(f"There is no format .{ending[:20]} of this; the formats are {known}.", {"example": paper.path})
    media_type = FORMATS[ending] if ending else chosen(request, tuple(FORMATS.values()))
    tag = _tag(paper, media_type, press)
    headers = {"ETag": tag, "Cache-Control": press.caching} | ({} if ending else {"Vary": "Accept"})
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    own = next(known for known, offered in FORMATS.items() if offered == media_type)

    async def page() -> Rendered:
        drawn = await draw()
        _refuse_beyond(paper, drawn.total)
        body = await asyncio.to_thread(drawn.render, _frame(paper, drawn.total))  # a large page takes a while
        return Rendered(body.encode(), _said(paper, own, ending, drawn.total, press))

    async def statements() -> Rendered:
        question = replace(paper.question, graph_types=(media_type,), statements=paper.question.rows is not None)
        found = await press.ask(question)
        total = int(str(found.extra.get("total", 0))) if paper.limit else 0
        _refuse_beyond(paper, total)
        return Rendered(found.body, _said(paper, own, ending, total, press))

    # Statements are kept where answers of the engine are.
    rendered = await (press.page_cache.get(f"{tag} {ending}", page) if media_type == HTML else statements())
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    return Response(rendered.body, headers={**headers, **rendered.headers}, media_type=media_type + charset)


def chosen(request: Request, offered: tuple[str, ...]) -> str:
    """Return the media type that a request accepts best. Raises NotAcceptable (406), listing what is offered."""
    fitting = ranked(accept(request), offered, ALIASES)
    if not fitting:
        raise NotAcceptable(f"This document is offered as {', '.join(offered)}.", {"offered": list(offered)})
    return fitting[0]


def _refuse_beyond(paper: Paper, total: int) -> None:
    if paper.page > 1 and (paper.page - 1) * paper.limit >= total:
        raise NotFound(f"There are {total} statements, and no page {paper.page} of them.", {"example": paper.path})


def _said(paper: Paper, own: str, ending: str, total: int, press: Press) -> dict[str, str]:
    """Return what the headers of a document say of it."""
    base = press.public_url()
    links = [f'<{base}{paper.at(known)}>; rel="alternate"; type="{FORMATS[known]}"' for known in paper.endings if known != own]
    links += [f'<{base}{paper.at()}>; rel="canonical"', f'<{paper.about}>; rel="describes"', f'<{paper.about}>; rel="cite-as"']
    pages = paper.neighbours(total)
    links += [f'<{base}{paper.at(ending, number)}>; rel="{relation}"' for relation, number in pages.items()]
    headers = {"Link": ", ".join(links), "Suasion-Completeness": "truncated" if pages else "complete"}
    if not ending and own in paper.endings:
        headers["Content-Location"] = paper.at(own)
    if paper.limit:
        headers["Suasion-Total"] = str(total)
    if digest := press.digest():
        headers["Suasion-Dataset"] = f"sha256:{digest}"
    return headers


def _frame(paper: Paper, total: int) -> Frame:
    pages = paper.neighbours(total)
    if not paper.limit:
        completeness = "Complete."
    elif not pages:
        completeness = f"Complete: {total:,} statements, with the names of neighbours and the standing of claims among them."
    else:
        first = (paper.page - 1) * paper.limit
        completeness = f"Truncated: statements {first + 1:,} to {min(first + paper.limit, total):,} of {total:,}."
    return {
        "links": [("alternate", paper.at(one), FORMATS[one]) for one in paper.endings if one != "html"]
        + [("canonical", paper.at(), ""), ("describes", paper.about, "")],
        "formats": [(_LABELS[one], paper.at(one)) for one in paper.endings if one != "html"],
        "completeness": completeness,
        "previous": paper.at("html", pages["prev"]) if "prev" in pages else "",
        "next": paper.at("html", pages["next"]) if "next" in pages else "",
    }


def _tag(paper: Paper, media_type: str, press: Press) -> str:
    """Return the entity tag of a document, weak because it is the same for each content coding."""
    asked = paper.question
    known = (press.state(), __version__, paper.path, asked.query, sorted(map(repr, asked.terms.items())), asked.rows)
    return entity_tag(repr((known, media_type, press.public_url())).encode())
