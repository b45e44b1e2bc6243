"""Linked data: each IRI of ours leads to a document about it, a page or a graph; the dataset describes itself."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from hashlib import sha256
from urllib.parse import quote, urlencode

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from suasion import __version__, citations, crawling, datacard, errors, evidence, geography, papers, portraits, publication, sssom
from suasion.asking import Asking, own_queries
from suasion.assembly import Assembly
from suasion.citations import Citation
from suasion.datacard import Card, Counts
from suasion.depictions import Depictions
from suasion.dumps import Dumps
from suasion.engine import Lane
from suasion.errors import BadParameter, NotFound, Unanswered, UnknownParameter
from suasion.exchange import GRAPH_TYPES, Question
from suasion.negotiation import entity_tag, matches
from suasion.pagecache import PageCache
from suasion.papers import FORMATS, HTML, Drawn, Paper, Press, chosen
from suasion.places import Places
from suasion.prefixes import BASE, CLAIM, declared
from suasion.sights import Countries
from suasion.things import MOST_STATEMENTS, MOST_THINGS, Statement, Things
from suasion.turtle import document as turtle
from suasion.turtle import iri, literal

_QUERY_TYPES = ("application/sparql-query", *FORMATS.values())
MOST_PAGES = 10**6
"""The last page of a document that may be asked for."""
_EXAMPLES = 12
_WHOLE = re.compile(r"[0-9]{1,9}")
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_SKOS = "http://www.w3.org/2004/02/skos/core#"

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Site:
    """What documents are made from; `title` and `description` are those of the dataset.

    `asking` asks curated questions about things, where the dataset has them; `words` are those of passages, where the operator
    gave a copy of the article.
    """

    parts: Assembly
    things: Things
    places: Places
    depictions: Depictions
    counts: Counts
    dumps: Dumps
    press: Press
    public_url: Callable[[], str]
    title: str
    description: str
    licence: str
    shapes: str
    asking: Asking | None
    words: Mapping[str, str]
    countries: Countries = field(default_factory=lambda: cache(geography.countries))

    @property
    def bundle(self) -> bool:
        """Whether the dataset is a bundle: RDF files have no ontology of ours."""
        return self.parts.source.bundle is not None

    @property
    def dataset_iri(self) -> str:
        """The IRI of the dataset."""
        return f"{BASE}dataset" if self.bundle else f"{self.public_url()}/dataset"


def opened(
    parts: Assembly,
    templates: Environment,
    public_url: Callable[[], str],
    page_cache: PageCache,
    title: str,
    description: str,
    words: Mapping[str, str] | None = None,
) -> Site:
    """Return what documents are made from; title and description are those of the service, the latter for files only.

    `words` are those of passages by their short names.
    """
    folder = parts.bundle / "queries" / "describe"
    bundle = parts.source.bundle is not None
    places = Places(parts.settings.things, bundle)
    prefixes = declared(parts.bundle)
    shapes = sorted((parts.bundle / "ontology" / "shapes").glob("*.ttl"))
    told = bundle and {*portraits.QUESTIONS, *evidence.QUESTIONS} <= parts.backing.queries.keys()
    edition = sha256(repr(sorted((words or {}).items())).encode()).hexdigest() if words else ""
    return Site(
        parts=parts,
        things=Things(parts.backing.ask, folder, parts.settings.things, of_files=not bundle),
        places=places,
        depictions=Depictions(templates, prefixes, places),
        counts=Counts(parts.backing.ask, folder),
        dumps=Dumps(lambda question: parts.engine.ask(question, Lane.OWN), parts.state),
        press=Press(
            parts.backing.ask,
            lambda: f"{parts.state()} {edition}",
            lambda: parts.backing.dataset().digest,
            public_url,
            page_cache,
            # The words of the article are not for caches that others read too.
            "private, no-cache" if words else "no-cache",
        ),
        public_url=public_url,
        title=title.removesuffix("."),
        description=datacard.DESCRIPTION if bundle else description,
        licence=datacard.LICENCE if bundle else "",
        shapes="\n".join(path.read_text(encoding="utf-8") for path in shapes) if bundle else "",
        asking=Asking(parts.backing, own_queries(parts.bundle), parts.state) if told else None,
        words=words or {},
    )


def routes(site: Site, options: Handler) -> list[Route]:
    """Return the routes of linked data; `options` answers OPTIONS."""

    async def thing(request: Request) -> Response:
        return await _thing(request, site)

    async def thing_document(request: Request) -> Response:
        return await _thing_document(request, site)

    async def ontology(request: Request) -> Response:
        return await _ontology(request, site, request.path_params.get("ending", ""))

    async def ontology_version(request: Request) -> Response:
        await site.things.refuse_unknown(f"{BASE}def/{request.path_params['version']}")
        return see_other(site, "/def", f"{BASE}def")

    async def query(request: Request) -> Response:
        return await _query(request, site)

    async def problem(request: Request) -> Response:
        return await _problem(request, site)

    async def shape(request: Request) -> Response:
        name = request.path_params["name"]
        if f"\nshape:{name}\n" not in site.shapes:
            raise NotFound(f"There is no shape {name[:100]!r}: /shapes.ttl has them all.")
        return see_other(site, "/shapes.ttl", f"{BASE}shape/{name}")

    async def shapes(request: Request) -> Response:
        if not site.shapes:
            raise NotFound("There are no shapes of ours for these data.")
        return _file(request, site.shapes, "text/turtle")

    async def dataset(request: Request) -> Response:
        return await dataset_document(request, site)

    async def dataset_file(request: Request) -> Response:
        return await _dataset_file(request, site)

    async def mappings(request: Request) -> Response:
        return await _mappings(request, site)

    async def robots(request: Request) -> Response:
        return _file(request, crawling.robots(site.public_url()), "text/plain")

    async def site_map(request: Request) -> Response:
        return await _site_map(request, site)

    async def for_agents(request: Request) -> Response:
        queries, some = site.parts.queries, [site.places.of(example) for example in await _examples(site)]
        text = crawling.for_agents(site.title, site.description, queries, some, site.public_url())
        return _file(request, text, "text/plain")

    found: list[Route] = []
    for path, answer in (
        ("/id/{path:path}", thing),
        ("/doc/{path:path}", thing_document),
        ("/def", without_parameters(ontology)),
        ("/def.{ending}", without_parameters(ontology)),
        ("/def/{version}", without_parameters(ontology_version)),
        ("/query/{path:path}", without_parameters(query)),
        ("/problem/{path}", without_parameters(problem)),
        ("/shape/{name}", without_parameters(shape)),
        ("/shapes.ttl", without_parameters(shapes)),
        ("/dataset", without_parameters(dataset)),
        ("/dataset.{ending}", without_parameters(dataset_file)),
        ("/.well-known/void", without_parameters(dataset)),
        ("/mappings.sssom.tsv", without_parameters(mappings)),
        ("/robots.txt", robots),
        ("/sitemap.xml", site_map),
        ("/llms.txt", for_agents),
    ):
        found += [
            Route(path, answer, methods=["GET", "HEAD"], include_in_schema=False),
            Route(path, options, methods=["OPTIONS"], include_in_schema=False),
        ]
    return found


def without_parameters(answer: Handler) -> Handler:
    """Return a handler that refuses parameters, instead of passing over them, and answers what has none."""

    async def answered(request: Request) -> Response:
        refuse_parameters(request)
        return await answer(request)

    return answered


def refuse_parameters(request: Request) -> None:
    """Raise UnknownParameter (400) where the address of a request has any."""
    if request.scope["query_string"]:
        raise UnknownParameter("There are no parameters here: leave them out.", {"example": request.scope["path"][:200]})


async def dataset_document(request: Request, site: Site, ending: str = "") -> Response:
    """Answer with the description of the dataset. Raises NotAcceptable (406) and what the engine raises."""
    card = await _card(site)
    text = datacard.construction(turtle(datacard.triples(card, site.public_url())))
    endings = tuple(known for known in FORMATS if known not in ("nq", "trig"))  # those are the data themselves
    paper = Paper("/dataset", card.iri, Question(text), endings)

    async def draw() -> Drawn:
        json_ld = datacard.schema_org(card, site.public_url())
        return Drawn(lambda frame: site.depictions.dataset(card, json_ld, frame))

    return await papers.answer(request, paper, ending, site.press, draw)


async def _thing(request: Request, site: Site) -> Response:
    """Lead from a thing to the document about it: a thing is not a document (Cool URIs for the Semantic Web, section 4)."""
    found = named(request, site, "/id/")
    refuse_parameters(request)
    await site.things.refuse_unknown(found)
    return see_other(site, site.places.of(found), found)


async def _thing_document(request: Request, site: Site) -> Response:
    about, ending = await _about(named(request, site, "/doc/"), site)
    page, limit = _window(request)
    question = site.things.description(about, ((page - 1) * limit, limit))
    paper = Paper(site.places.of(about), about, question, page=page, limit=limit)

    async def draw() -> Drawn:
        first = page == 1
        found, labels, answers = await asyncio.gather(
            site.things.statements(question), _labels(site), _asked(about, site) if first else asyncio.sleep(0)
        )
        told = await _told(about, found.statements, labels, answers, site) if first else {}
        return Drawn(partial(site.depictions.thing, about, found.statements, labels, told), found.total)

    return await papers.answer(request, paper, ending, site.press, draw)


async def _labels(site: Site) -> Mapping[str, str]:
    return await site.things.labels() if site.bundle else {}


async def _asked(about: str, site: Site) -> portraits.Answers | None:
    """Return what the portrait of a thing is made from, None of a claim and where the dataset has no curated questions."""
    if site.asking is None or about.startswith(CLAIM):
        return None
    return await portraits.asked(about, site.asking, site.countries)


async def _told(
    about: str, statements: Sequence[Statement], labels: Mapping[str, str], answers: portraits.Answers | None, site: Site
) -> dict[str, object]:
    """Return what stands on a page before the statements: the evidence of a claim, or the portrait of a thing."""
    if site.asking is None:
        return {}
    told: dict[str, object] = {"citation": citations.sentence(await _citation(about, statements, site))}
    if answers is None:
        return told | {"evidence": await evidence.evidence(about, statements, labels, site.asking, site.words)}
    return told | {"portrait": _portrait(about, statements, labels, answers, site)}


def _portrait(
    about: str, statements: Sequence[Statement], labels: Mapping[str, str], answers: portraits.Answers, site: Site
) -> portraits.Portrait:
    name = site.depictions.title(about, statements)
    return portraits.portrait(about, name, statements, labels, answers, site.parts.backing, site.places, site.words)


async def portrayed(about: str, site: Site) -> portraits.Portrait | None:
    """Return the portrait of a thing, None of a claim and where the dataset has no curated questions. Raises what the engine
    raises.
    """
    found, labels, answers = await asyncio.gather(
        site.things.statements(site.things.description(about, (0, MOST_STATEMENTS))), _labels(site), _asked(about, site)
    )
    return None if answers is None else _portrait(about, found.statements, labels, answers, site)


async def cited(about: str, site: Site) -> Citation:
    """Return how the document about a thing is cited, a claim by what it says. Raises what the engine raises."""
    found = await site.things.statements(site.things.description(about, (0, MOST_STATEMENTS)))
    return await _citation(about, found.statements, site)


async def _citation(about: str, statements: Sequence[Statement], site: Site) -> Citation:
    return citations.of_document(
        site.depictions.title(about, statements),
        site.public_url() + site.places.of(about),
        about.removeprefix(site.things.namespace),
        site.parts.backing.dataset().digest,
        str(datetime.now(UTC).date()),
        await site.parts.backing.described.works(),
    )


async def _ontology(request: Request, site: Site, ending: str) -> Response:
    if not site.bundle:
        raise NotFound("RDF files have no ontology here: their own terms lead to their own documents.")
    question = site.things.ontology()
    paper = Paper("/def", f"{BASE}def", question)

    async def draw() -> Drawn:
        found = await site.things.statements(question)
        return Drawn(partial(site.depictions.ontology, paper.about, found.statements))

    return await papers.answer(request, paper, ending, site.press, draw)


async def _query(request: Request, site: Site) -> Response:
    """Lead from a curated question to its page, its text or its data."""
    asked = request.path_params["path"]
    stem, _, last = asked.rpartition(".")
    name, ending = (stem, last) if last in FORMATS and stem in site.parts.backing.queries else (asked, "")
    query = site.parts.backing.queries.get(name)
    if query is None:
        raise NotFound(f"There is no query {asked[:100]!r}; GET /queries lists them.", {"example": "/queries"})
    about = f"{BASE}query/{name}"
    if not ending:
        media_type = chosen(request, _QUERY_TYPES)
        if media_type in GRAPH_TYPES:
            ending = next(known for known, offered in FORMATS.items() if offered == media_type)
            target = f"/query/{name}.{ending}"
        else:
            needed = urlencode({p.name: p.example for p in query.parameters if p.required})  # without them it is no answer
            page = f"/{name}.html{'?' if needed else ''}{needed}"
            target = page if media_type == HTML else f"/queries/{name}"
        return see_other(site, target, about, varies=True)
    text = datacard.construction(publication.document([query], site.public_url()))
    paper = Paper(f"/query/{name}", about, Question(text), tuple(known for known in FORMATS if known != "html"))

    async def draw() -> Drawn:
        raise AssertionError("a question has a page of its own")

    return await papers.answer(request, paper, ending, site.press, draw)


async def _problem(request: Request, site: Site) -> Response:
    asked = request.path_params["path"]
    name, _, ending = asked.partition(".")
    kind = errors.kinds().get(name)
    if kind is None:
        raise NotFound(f"There is no type of problem {asked[:100]!r}: docs/http.md lists them.")
    about = f"{BASE}problem/{name}"
    meaning = errors.meaning(kind)
    subject = iri(about)
    told = [
        (subject, iri(_RDF + "type"), iri(_SKOS + "Concept")),
        (subject, iri(_SKOS + "prefLabel"), literal(kind.title, language="en")),
        (subject, iri(_SKOS + "definition"), literal(meaning, language="en")),
        (subject, iri(_SKOS + "notation"), literal(str(kind.status))),
        (subject, iri(_RDFS + "isDefinedBy"), iri(f"{site.public_url()}/problem/{name}")),
    ]
    paper = Paper(f"/problem/{name}", about, Question(datacard.construction(turtle(told))))

    async def draw() -> Drawn:
        return Drawn(partial(site.depictions.problem, name, kind.title, kind.status, meaning))

    return await papers.answer(request, paper, ending, site.press, draw)


async def _dataset_file(request: Request, site: Site) -> Response:
    """Answer with a dump, or with the description of the dataset in the format of an ending."""
    ending = request.path_params["ending"]
    if ending.removesuffix(".gz") not in ("nq", "trig"):
        return await dataset_document(request, site, ending)
    dump = await site.dumps.get(ending)
    tag = f'"{dump.sha256}"'
    digest = site.parts.backing.dataset().digest
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Link": f'<{site.dataset_iri}>; rel="describedby"'}
    if digest:
        headers["Suasion-Dataset"] = f"sha256:{digest}"
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return FileResponse(dump.path, headers=headers, media_type=dump.media_type, filename=f"dataset.{dump.ending}")


async def _mappings(request: Request, site: Site) -> Response:
    if not site.bundle:
        raise NotFound("There are no mappings of ours for these data: ask /sparql for the properties that link them.")
    query = (site.parts.bundle / "queries" / "describe" / "mappings.rq").read_text(encoding="utf-8")
    rows = await site.things.rows(Question(query, rows=(0, 10**9)))
    found = [
        sssom.Match(row["subject"]["value"], row["predicate"]["value"], row["object"]["value"], row["label"]["value"])
        for row in rows
    ]
    about = sssom.MappingSet(
        f"{BASE}mappings.sssom.tsv", "Mappings of Suasion: its things and the terms of its ontology", __version__, site.licence
    )
    return _file(request, sssom.document(about, found, declared(site.parts.bundle)), sssom.MEDIA_TYPE)


async def _site_map(request: Request, site: Site) -> Response:
    page, _ = _window(request)
    names, total = await site.things.names(page)
    base = site.public_url()
    pages = -(-total // MOST_THINGS)
    if page > max(pages, 1):
        raise NotFound(f"The site map has {pages} pages.", {"example": "/sitemap.xml"})
    if pages > 1 and "page" not in request.query_params:
        listed = crawling.site_map_index(f"{base}/sitemap.xml?page={number}" for number in range(1, pages + 1))
        return _file(request, listed, "application/xml")
    fixed = ("/", "/queries", "/dataset", *(["/def"] if site.bundle else []), *(f"/{q.name}.html" for q in site.parts.queries))
    paths = [*(fixed if page == 1 else ()), *(path for name in names if (path := site.places.of(name)))]
    return _file(request, crawling.site_map(base + path for path in paths), "application/xml")


async def _about(named: str, site: Site) -> tuple[str, str]:
    """Return what a path below /doc/ is about, and the ending of the format; an ending may be part of an IRI."""
    stem, _, last = named.rpartition(".")
    if last in FORMATS:
        try:
            await site.things.refuse_unknown(stem)
            return stem, last
        except NotFound:
            if not await site.things.known(named):
                raise
    await site.things.refuse_unknown(named)
    return named, ""


async def _card(site: Site) -> Card:
    """Return the card of the dataset; dumps that cannot be made are left out."""
    try:
        dumps = tuple(await site.dumps.all())
    except Unanswered:
        dumps = ()
    triples, subjects, objects = await site.counts.totals()
    return Card(
        iri=site.dataset_iri,
        title=site.title,
        description=site.description,
        licence=site.licence,
        ready=site.parts.backing.dataset(),
        triples=triples,
        subjects=subjects,
        objects=objects,
        classes=await site.counts.terms("classes", "class"),
        properties=await site.counts.terms("properties", "property"),
        linksets=await site.counts.linksets(),
        examples=await _examples(site),
        works=await site.parts.backing.described.works(),
        dumps=dumps,
        bundle=site.bundle,
    )


async def _examples(site: Site) -> tuple[str, ...]:
    """Return some things: the first of each theme."""
    names, _ = await site.things.names(1)
    themes: dict[str, str] = {}
    for name in names:
        themes.setdefault(name.removeprefix(site.things.namespace).partition("/")[0], name)
    return tuple(themes.values())[:_EXAMPLES]


def named(request: Request, site: Site, folder: str, ending: str = "") -> str:
    """Return the IRI of the thing that a path below a folder names, before an ending. Raises NotFound for a path that is none."""
    raw = bytes(request.scope.get("raw_path") or request.scope["path"].encode())
    found = site.places.thing(raw.partition(b"?")[0].removeprefix(folder.encode()).removesuffix(ending.encode()))
    if found is None:
        raise NotFound("The path names no thing: it is percent-encoded UTF-8, and an IRI without it.")
    return found


def _window(request: Request) -> tuple[int, int]:
    """Return page and limit. Raises UnknownParameter (400) for other parameters, BadParameter (422) for other values."""
    found = {"page": 1, "limit": MOST_STATEMENTS}
    most = {"page": MOST_PAGES, "limit": MOST_STATEMENTS}
    for name, value in request.query_params.multi_items():
        if name not in found:
            raise UnknownParameter(f"There is no parameter {name[:60]!r} here; there are page and limit.")
        if len(request.query_params.getlist(name)) > 1 or not _WHOLE.fullmatch(value) or not 1 <= int(value) <= most[name]:
            said = f"{name} is a whole number from 1 to {most[name]}, given once."
            raise BadParameter(said, {"parameter": name, "example": quote(request.scope["path"])})
        found[name] = int(value)
    return found["page"], found["limit"]


def see_other(site: Site, path: str, about: str, *, varies: bool = False) -> Response:
    """Lead to a document at a path: 303 (RFC 9110, section 15.4.4)."""
    target = site.parts.settings.public_url + path
    headers = {"Location": target, "Link": f'<{target}>; rel="describedby"', "Cache-Control": "no-cache"}
    if varies:
        headers["Vary"] = "Accept"
    return PlainTextResponse(f"{about}\nis described at\n{target}\n", 303, headers)


def _file(request: Request, text: str, media_type: str) -> Response:
    """Answer with a text of one type; 304 when it is known."""
    tag = entity_tag(text.encode())
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(text, headers=headers, media_type=f"{media_type}; charset=utf-8")
