"""The guide at /guide: the documents of the repository, each a page, from the same files that the repository shows."""

import asyncio
import posixpath
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from suasion.errors import NotFound
from suasion.negotiation import entity_tag, matches

FOLDERS = ("", "docs", "ontology", "graph_data", "queries")
"""Where the documents are, from the folder that holds them all."""
SHELVES: Mapping[str, Mapping[str, str]] = {
    "Begin": {
        "start": "For scholars and students, for data people, and for builders of agents.",
        "pages": "What each page shows, and how to read its forms.",
        "overview": "What this is, how to run it, and how it is laid out.",
    },
    "Ask": {
        "questions": "Formats, completeness, provenance, citations and receipts of the questions that have a path.",
        "sparql": "SPARQL by example, each with its first rows.",
        "federation": "Join the article with Wikidata and other endpoints.",
        "http": "Paths, parameters, formats, limits and errors.",
        "python": "The same questions as methods; data frames.",
        "agents": "Tools, texts and prompts by the Model Context Protocol.",
        "linked-data": "What each IRI leads to, the dataset as files, mappings.",
        "codes": "ISO, COW, Gleditsch-Ward and other codes of states, and names in many languages.",
        "datasets": "Tables of your own beside the article, and claims held against them.",
    },
    "Understand and verify": {
        "model": "One claim, whole, in a diagram; what counts as fact.",
        "provenance": "From an answer to the words, and how to check it on your own copy.",
        "graph-data": "How the article was encoded, graph by graph; what was doubtful in it.",
        "ontology": "All terms, with definitions and examples.",
        "queries": "All questions, checks and derivations.",
    },
    "Add and run": {
        "contributing": "Add a term, a fact, a question or a check.",
        "files": "Serve RDF files of your own.",
        "writing": "SPARQL Update and graphs, for those with a token.",
        "operation": "Settings, health, metrics, logs, limits, a proxy in front.",
        "security": "What the service defends against, and how to report a fault.",
        "changelog": "What changed, version by version.",
    },
}
"""What documents are for, and what each tells; others stand on a shelf of their own, with their first sentence."""
_REST = "More"
_EDITOR = "/editor#query="
_FILES = (
    (r"queries/api/(.+)\.rq", r"/queries/\1"),
    (r"ontology/[\w-]+\.ttl", "/def"),
    (r"ontology/shapes/.*", "/shapes.ttl"),
    (r"graph_data/([\w-]+)\.ttl", r"/graph/\1"),
    (r"graph_data/claims/.*", "/dataset"),
)
"""Which files of a bundle are there under another address."""
_WRITTEN_FOR = "http://127.0.0.1:8000"
"""The address in the examples of documents, which is the default."""
_ELSEWHERE = re.compile(r"(https?:|mailto:|#)")


@dataclass(frozen=True, slots=True)
class Guide:
    """The documents below a folder, by the names of their pages; with `bundle` their links lead into the graph that is served.

    A page is made when it is first asked for, and kept.
    """

    folder: Path
    templates: Environment
    bundle: bool
    public_url: Callable[[], str]
    paths: Mapping[str, Path]
    kept: dict[str, str] = field(default_factory=dict, repr=False)

    def page(self, name: str) -> str:
        """Return the page of a document, or with "" the list of all."""
        if name not in self.kept:
            self.kept[name] = self._page(name) if name else self._index()
        return self.kept[name]

    def _page(self, name: str) -> str:
        # Slow to import: only where a document is read.
        from suasion.documents import Surroundings, rendered

        path = self.paths[name]
        folder = path.relative_to(self.folder).parent.as_posix()
        around = Surroundings(partial(self.lead_to, folder), partial(self._drawing, path.parent), _EDITOR if self.bundle else "")
        document = rendered(_text(path).replace(_WRITTEN_FOR, self.public_url()), around)
        return self.templates.get_template("guide/page.html").render(document=document)

    def _index(self) -> str:
        from suasion.documents import Surroundings, rendered

        leads = {name: lead for documents in SHELVES.values() for name, lead in documents.items()}
        nothing = Surroundings(str, str)
        told = {name: rendered(_text(path).partition("\n## ")[0], nothing) for name, path in self.paths.items()}
        shelves = [(title, {name: told[name] for name in names}) for title, names in shelved(self.paths)]
        return self.templates.get_template("guide/index.html").render(shelves=shelves, leads=leads)

    def lead_to(self, folder: str, target: str) -> str:
        """Return where a link of a document in a folder leads on this site, "" where it leads to a file that is not served."""
        if _ELSEWHERE.match(target):
            return target
        file, mark, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(folder, file))
        for name, known in self.paths.items():
            if known.relative_to(self.folder).as_posix() == path:
                return f"/guide/{name}{mark}{anchor}"
        if self.bundle:
            for form, address in _FILES:
                if found := re.fullmatch(form, path):
                    return found.expand(address)
        return ""

    def _drawing(self, folder: Path, source: str) -> str:
        """Return a picture that stands beside a document, to be shown in it."""
        svg = _text(folder / source)
        return svg[svg.index("<svg") :]


def opened(folder: Path, templates: Environment, public_url: Callable[[], str], *, bundle: bool) -> Guide:
    """Return the guide of the documents below a folder; its examples name the address of this service."""
    found = (path for name in FOLDERS for path in sorted((folder / name).glob("*.md")))
    return Guide(folder, templates, bundle, public_url, {_name(folder, path): path for path in found})


def routes(guide: Guide) -> list[Route]:
    """Return the routes of the guide."""

    def answering(name_of: Callable[[Request], str]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            name = name_of(request)
            if name and name not in guide.paths:
                raise NotFound(f"The guide has no page {name[:100]!r}: /guide lists them.", {"example": "/guide"})
            body = await asyncio.to_thread(guide.page, name)
            tag = entity_tag(body.encode())
            headers = {"ETag": tag, "Cache-Control": "no-cache"}
            if matches(request.headers.get("if-none-match", ""), tag):
                return Response(status_code=304, headers=headers)
            return HTMLResponse(body, headers=headers)

        return answer

    return [
        Route("/guide", answering(lambda _: ""), include_in_schema=False),
        Route("/guide/{name}", answering(lambda request: str(request.path_params["name"])), include_in_schema=False),
    ]


def shelved(names: Mapping[str, Path]) -> Iterator[tuple[str, list[str]]]:
    """Yield the names of documents by what they are for; what no shelf names stands on the last."""
    for title, wanted in SHELVES.items():
        yield title, [name for name in wanted if name in names]
    rest = sorted(names.keys() - {name for wanted in SHELVES.values() for name in wanted})
    if rest:
        yield _REST, rest


def _name(folder: Path, path: Path) -> str:
    """Return the name of the page of a document: that of its file, or of its folder for a README."""
    if path.stem != "README":
        return path.stem.lower()
    return path.parent.name.replace("_", "-") if path.parent != folder else "overview"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
