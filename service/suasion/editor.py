"""The SPARQL editor at /editor: its page, the examples in its menu, and the names of the dataset that it completes from."""

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from suasion import inventory, terms, turtle
from suasion.assembly import Assembly
from suasion.catalog import Query
from suasion.errors import NotFound
from suasion.inventory import Counted
from suasion.negotiation import entity_tag, matches
from suasion.prefixes import BASE, Prefixes, declared
from suasion.sparql import UNION

PANE = "vendor/sparql.js"
"""The module that service/browser/assets.py makes; without it the query is written in a plain field."""
_SECONDS = (1, 5, 10, 30, 60, 300)
_WHERE = re.compile(r"^(?!#).*\bWHERE\s*\{", re.IGNORECASE | re.MULTILINE)
_FIRST = "SELECT ?subject ?property ?value WHERE {\n  ?subject ?property ?value .\n}\nLIMIT 20\n"
Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Example:
    """A query to begin with: its name in URLs, what it asks, its text."""

    name: str
    title: str
    query: str


def routes(templates: Environment, parts: Assembly) -> list[Route]:
    """Return the routes of the page, of its examples, and of the names that it completes from.

    Raises DataFileError where the prefix table cannot be read.
    """
    template = templates.get_template("editor.html")
    groups = {title: tuple(examples) for title, examples in _groups(parts)}
    by_name = {example.name: example for examples in groups.values() for example in examples}
    most_seconds = parts.settings.deadline_seconds
    offered = parts.backing.prefixes if parts.source.bundle else _common(declared(parts.bundle))
    shown = {
        "groups": groups,
        "seconds": [f"{seconds:g}" for seconds in (*(s for s in _SECONDS if s < most_seconds), most_seconds)],
        "union": UNION,
        "pane": f"/static/{PANE}" if (Path(__file__).parent / "static" / PANE).is_file() else "",
        "things": parts.settings.things,
        "base": BASE if parts.source.bundle else "",
        "files": parts.source.bundle is None,
    }
    begun = next(iter(by_name.values())).query if by_name else _FIRST

    async def page(request: Request) -> Response:
        wanted = request.query_params.get("example", "")
        if wanted and wanted not in by_name:
            raise NotFound(f"There is no example {wanted[:100]!r}; /editor lists them.", {"example": "/editor"})
        query = request.query_params.get("query") or (by_name[wanted].query if wanted else begun)
        return _unless_known(request, template.render(query=query, wanted=wanted, **shown))

    async def example(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in by_name:
            raise NotFound(f"There is no example {name[:100]!r}; /editor lists them.", {"example": "/editor"})
        return PlainTextResponse(by_name[name].query, headers={"Cache-Control": "no-cache"})

    async def names(request: Request) -> Response:
        tag = entity_tag(parts.state().encode())
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if matches(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        found = await inventory.taken(parts.backing.ask, parts.bundle / "queries" / "describe", offered)
        document = {
            "prefixes": dict(offered.table),
            "classes": [_listed(one) for one in found.classes],
            "properties": [_listed(one) for one in found.properties],
            "graphs": dict(found.graphs),
            "completeness": "complete" if found.whole else "truncated",
        }
        return JSONResponse(document, headers=headers)

    return [
        Route(path, answer, include_in_schema=False)
        for path, answer in (("/editor", page), ("/editor/names", names), ("/editor/examples/{name:path}", example))
    ]


def filled(query: Query, prefixes: Prefixes) -> str | None:
    """Return the text of a question with its required parameters bound by their examples, or None where a text cannot ask it.

    IRIs are bound at the head of each group after WHERE, so that sub-queries see them too. Other values stand in filters of
    groups inside, which see nothing of those around them (SPARQL 1.1 Query, section 18.2); and the text index is no graph.
    """
    required = [parameter for parameter in query.parameters if parameter.required]
    if any(p.type == "search" for p in query.parameters) or any(p.type != "iri" for p in required):
        return None
    lines = ""
    for parameter in required:
        found = terms.bound(parameter, parameter.example, prefixes)
        lines += f"\n  VALUES ?{parameter.name} {{ {' '.join(map(turtle.term, found))} }}"
    return _WHERE.sub(lambda where: where[0] + lines, query.text)


def _groups(parts: Assembly) -> Iterator[tuple[str, list[Example]]]:
    """Yield the groups of the menu: the tutorial, or the guide to files, then the curated questions."""
    guide = parts.bundle / ("docs/sparql.md" if parts.source.bundle else "queries/describe/guide-of-files.md")
    if guide.is_file():
        found = inventory.examples(guide.read_text(encoding="utf-8"))
        yield "Tutorial", [Example(f"tutorial/{_slug(title)}", title, query) for title, query in found]
    questions = [
        Example(f"questions/{query.name}", query.question, text)
        for query in parts.queries
        if (text := filled(query, parts.backing.prefixes_of(query)))
    ]
    if questions:
        yield "Questions", questions


def _slug(title: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))


def _common(prefixes: Prefixes) -> Prefixes:
    """Return the prefixes of vocabularies that anyone uses, without those of the article."""
    return Prefixes({prefix: namespace for prefix, namespace in prefixes.table.items() if not namespace.startswith(BASE)})


def _listed(one: Counted) -> tuple[str, str, int, int]:
    return one.name, one.meaning, one.everywhere, one.in_default_graph


def _unless_known(request: Request, body: str) -> Response:
    """Return a page, or 304 where the client has it."""
    headers = {"ETag": entity_tag(body.encode()), "Cache-Control": "no-cache"}
    if matches(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return HTMLResponse(body, headers=headers)
