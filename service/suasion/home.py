"""The front page: what this is, some questions answered from the data as they are now, and ways on for each kind of reader."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from suasion import amounts, citations
from suasion.asking import Asking
from suasion.catalog import Query
from suasion.citations import Citation
from suasion.datacard import Counts
from suasion.errors import RequestError, Unanswered
from suasion.negotiation import entity_tag, matches
from suasion.pagecache import PageCache, Rendered
from suasion.questions import example
from suasion.statements import Modality, Row, claim_link, in_order, modality, thing_link

QUESTIONS = ("flows", "comparison", "milestones", "surveys")
"""The curated questions that the page of an article is made from; where one is missing it lists questions only."""
OWN = ("numbers", "told")
"""The queries made for pages that it is made from besides: asking the lists that it only counts would take a second or two."""
LISTS = ("actors", "initiatives", "agreements", "instruments")
"""The curated lists whose things are counted."""
SIDES = ("actor:china", "actor:japan")
"""Whom the comparison at a glance is about."""
_GIVER, _TAKER = "actor:japan", "actor:cambodia"
_CONCLUDED = (":Signature", ":Conclusion", ":EntryIntoForce")
_TITLE = "Suasion: the claims of an article in international relations, as a knowledge graph"
_GLANCED = 10
_CLASSES = 12
_PATIENCE_SECONDS = 5.0
Context = dict[str, Any]
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Told:
    """A claim as the front page tells it."""

    name: str
    summary: str
    modality: Modality
    markers: tuple[int, ...]
    section: str

    @property
    def link(self) -> str:
        """Where the claim is told whole."""
        return claim_link(self.name)


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with its answer: each claim with the figure that it gives, or "", and how many rows there are in all."""

    question: str
    name: str
    given: Mapping[str, str]
    claims: tuple[tuple[str, Told], ...]
    rows: int

    def path(self, ending: str = "html") -> str:
        """Return the path of the whole answer, in a format."""
        return f"/{self.name}.{ending}" + (f"?{urlencode(self.given)}" if self.given else "")


@dataclass(frozen=True, slots=True)
class Side:
    """How many claims there are on the use of an instrument by one side, in per cent of the most, and where they are."""

    count: int
    per_cent: int
    link: str


@dataclass(frozen=True, slots=True)
class Means:
    """An instrument at a glance."""

    name: str
    link: str
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Front:
    """What the page needs: templates, questions, files by their names, who to ask, counts, and the address of the service."""

    templates: Environment
    queries: tuple[Query, ...]
    files: tuple[str, ...]
    asking: Asking
    counts: Counts
    public_url: Callable[[], str]
    page_cache: PageCache


def templates(files: tuple[str, ...] = ()) -> Environment:
    """Return the templates of the pages, of the article or of files by their names; what is filled in is escaped."""
    environment = Environment(loader=PackageLoader("suasion"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.globals["files"] = files
    return environment


def opened(
    pages: Environment,
    asking: Asking,
    files: tuple[str, ...],
    counts: Counts,
    public_url: Callable[[], str],
    page_cache: PageCache,
) -> Front:
    """Return what the front page needs."""
    return Front(pages, tuple(asking.backing.queries.values()), files, asking, counts, public_url, page_cache)


async def answer(request: Request, front: Front) -> Response:
    """Answer with the front page, made anew for each state of the data and each day; 304 when it is known.

    What cannot be told in time is left out, said to be, and asked again for the next reader.
    """
    today = datetime.now(UTC).date().isoformat()  # a citation names the day
    known = (front.asking.state(), front.public_url(), today)
    tag = entity_tag(repr(known).encode())
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept"}
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)

    async def render() -> Rendered:
        context, template = await asyncio.gather(
            _of_files(front) if front.files else _of_article(front, today),
            asyncio.to_thread(front.templates.get_template, "home.html"),  # compiled once, which takes as long as some answers
        )
        dataset = front.asking.backing.dataset()
        body = template.render(**context, queries=front.queries, ready=dataset, example=_example, url=front.public_url())
        return Rendered(body.encode(), whole=not context["late"])

    rendered = await front.page_cache.get(tag, render)
    if not rendered.whole:
        del headers["ETag"]
    return HTMLResponse(rendered.body, headers=headers)


async def _of_files(front: Front) -> Context:
    late: list[str] = []
    found = await _told(front.counts.terms("classes", "class"), (), late)
    return {"classes": found[:_CLASSES], "more": max(len(found) - _CLASSES, 0), "late": late}


async def _of_article(front: Front, today: str) -> Context:
    asking, late = front.asking, list[str]()
    if not ({*QUESTIONS} <= asking.backing.queries.keys() and {*OWN} <= asking.own.keys()):
        return {"late": late}
    given = {"donor": _GIVER, "recipient": _TAKER}
    aid_flows, comparison, milestones, surveys, counted, said = await asyncio.gather(
        _told(asking.rows("flows", **given), list[Row](), late),
        _told(asking.rows("comparison", a=SIDES[0], b=SIDES[1]), list[Row](), late),
        _told(asking.rows("milestones"), list[Row](), late),
        _told(asking.rows("surveys"), list[Row](), late),
        _told(asking.special("numbers"), list[Row](), late),
        _told(asking.special("told"), list[Row](), late),
    )
    works = await asking.backing.described.works()
    claims = told(said)
    numbers = {row["counted"]: row["number"] for row in counted if "counted" in row}
    modalities = {modality(row["modality"]): row["number"] for row in counted if "modality" in row}
    cited = Citation(_TITLE, "dataset", f"{front.public_url()}/dataset", asking.backing.dataset().digest, today, "", works)
    return {
        "answers": [
            one for one in (aid(aid_flows, claims, given), agreed(milestones, claims), polled(surveys, claims)) if one.claims
        ],
        "means": glance(comparison),
        "claims": sum(modalities.values()),
        "tally": in_order(modalities),
        "sentences": numbers.get("sentences", 0),
        "accounted": numbers.get("accounted", 0),
        "numbers": {name: numbers.get(name, 0) for name in LISTS},
        "works": works,
        "citation": citations.sentence(cited),
        "bibtex": citations.bibtex(cited),
        "late": late,
    }


def told(rows: Iterable[Row]) -> dict[str, Told]:
    """Return claims by their short names, in the order of the text, from the rows of queries/pages/told.rq."""
    return {
        row["claim"]: Told(
            row["claim"],
            row["summary"],
            modality(row["modality"]),
            tuple(sorted(int(marker) for marker in row.get("markers", "").split())),
            row["section"],
        )
        for row in rows
    }


def aid(rows: Iterable[Row], known: Mapping[str, Told], given: Mapping[str, str]) -> Answered:
    """Return who gave how much, from the rows of /flows: those with an amount, the largest first."""
    figures = amounts.flows(rows)
    given_sums = sorted((figure for figure in figures if figure.value is not None), key=lambda one: -(one.value or 0))
    found = tuple((figure.words, claim) for figure in given_sums for name, claim in known.items() if name in figure.claims)
    return Answered("How much did Japan give Cambodia?", "flows", given, found, len(figures))


def agreed(rows: Sequence[Row], known: Mapping[str, Told]) -> Answered:
    """Return what was signed, concluded or put in force and when, from the rows of /milestones."""
    found = sorted(
        (row for row in rows if row["stage"] in _CONCLUDED and row["thing"].startswith("agreement:") and row["claim"] in known),
        key=lambda row: (row["begins"] or row["ends"] or "", row["claim"]),
    )
    told = {row["claim"]: (row["period_name"] or "no date", known[row["claim"]]) for row in found}
    return Answered("Which agreements were concluded, and when?", "milestones", {}, tuple(told.values()), len(rows))


def polled(rows: Sequence[Row], known: Mapping[str, Told]) -> Answered:
    """Return what people were found to think, from the rows of /surveys."""
    found = tuple((f"{row['value']:g} {row['unit_name']}", known[row["claim"]]) for row in rows if row["claim"] in known)
    return Answered("How is Japan seen in Southeast Asia?", "surveys", {}, found, len(rows))


def glance(rows: Iterable[Row]) -> list[Means]:
    """Return the instruments with the most claims on both sides together, from the rows of /comparison.

    A cell leads to its row at /compare, which has these claims; /claims would count those on narrower instruments too.
    """
    most = sorted(rows, key=lambda row: (-row["count_a"] - row["count_b"], row["name"]))[:_GLANCED]
    largest = max((max(row["count_a"], row["count_b"]) for row in most), default=1)
    return [
        Means(
            row["name"],
            thing_link(row["instrument"]),
            tuple(
                Side(count, round(100 * count / largest), f"/compare#{row['instrument'].replace(':', '-')}")
                for count in (row["count_a"], row["count_b"])
            ),
        )
        for row in most
    ]


async def _told(asked: Awaitable[Found], absent: Found, late: list[str]) -> Found:
    """Return what is asked, or what is told instead: where the dataset does not know it, or, noted in `late`, not in time."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await asked
    except RequestError:
        return absent
    except (TimeoutError, Unanswered) as error:
        late.append(str(error))
        return absent


def _example(query: Query) -> str:
    return example(query, extension="html")
