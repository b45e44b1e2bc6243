"""What readers are told of a thing before its statements: kinds, names, codes, claims by modality, where it takes part."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from suasion import connections, questions, sights
from suasion.asking import Asking
from suasion.catalog import Query
from suasion.connections import Relation
from suasion.errors import RequestError
from suasion.exchange import Term
from suasion.places import Places
from suasion.prefixes import DEF
from suasion.questions import Backing
from suasion.sights import Countries, Material, Sights
from suasion.statements import MODALITIES, Claim, Modality, Row, claims
from suasion.things import Statement

SHOWN = 25
"""Most rows of a section, and most claims of a modality; a link leads to all of them."""
QUESTIONS = ("claims", "codes", "names", "neighbourhood", "passages")
"""The curated questions that a portrait is made from."""
_TAKES_PART = (
    ("memberships", ("actor",)),
    ("agreements", ("actor", "instrument")),
    ("initiatives", ("actor", "instrument")),
    ("flows", ("donor", "recipient", "instrument")),
    ("milestones", ("of",)),
    ("timeline", ("actor", "instrument")),
)
"""Curated questions about what a thing takes part in, each with the parameters by which it may be named."""


@dataclass(frozen=True, slots=True)
class Section:
    """The first rows of a curated question about a thing, how many there are, and the page with all of them."""

    question: str
    parameter: str
    rows: tuple[Row, ...]
    total: int
    link: str


@dataclass(frozen=True, slots=True)
class Voiced:
    """The first claims of a modality, how many there are, and the page with all of them ("" where these are all)."""

    modality: Modality
    claims: tuple[Claim, ...]
    total: int
    link: str


@dataclass(frozen=True, slots=True)
class Portrait:
    """What is told of a thing; `elsewhere` are the same things on other sites, `pages` printed pages by passage."""

    name: str
    kinds: tuple[str, ...]
    names: tuple[Term, ...]
    prose: tuple[Term, ...]
    elsewhere: tuple[tuple[str, str], ...]
    forms: Section
    codes: Section
    voiced: tuple[Voiced, ...]
    sections: tuple[Section, ...]
    relations: tuple[Relation, ...]
    neighbourhood: Section
    more: tuple[tuple[Query, str], ...]
    words: str
    pages: Mapping[str, Sequence[int]]
    sights: Sights

    @property
    def others(self) -> tuple[Term, ...]:
        """The names that are no spelling of the text."""
        forms = {row["form"] for row in self.forms.rows}
        return tuple(name for name in self.names if name["value"] not in forms)

    @property
    def is_dated(self) -> bool:
        """Whether a section tells what is dated of it."""
        return any(section.question == "timeline" for section in self.sections)


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers that a portrait is made from: the rows of `QUESTIONS` and of each of `parts`, None where a question does not
    know the thing, and what its pictures need.
    """

    rows: tuple[list[Row] | None, ...]
    parts: tuple[tuple[str, str], ...]
    material: Material


async def asked(iri: str, asking: Asking, countries: Countries) -> Answers:
    """Return what the portrait of a thing is made from, its questions asked side by side; `countries` are asked for where a map
    is drawn. Raises what the engine raises.
    """
    short = asking.backing.prefixes.shorten(iri)
    parts = _parts(short, asking.backing.queries)
    in_time = "timeline" in (question for question, _ in parts)
    rows, material = await asyncio.gather(
        asyncio.gather(
            _rows(asking, "names", thing=short),
            _rows(asking, "codes", thing=short),
            _rows(asking, "neighbourhood", thing=short),
            _rows(asking, "claims", thing=short),
            asking.rows("claims"),
            asking.rows("passages"),
            *(_rows(asking, question, **{parameter: short}) for question, parameter in parts),
        ),
        sights.asked(short, asking, countries, dated=not in_time),
    )
    return Answers(tuple(rows), tuple(parts), material)


def portrait(
    iri: str,
    name: str,
    statements: Sequence[Statement],
    labels: Mapping[str, str],
    answers: Answers,
    backing: Backing,
    places: Places,
    words: Mapping[str, str],
) -> Portrait:
    """Return what is told of a thing; `name` is what it is called, `labels` name terms of the ontology, `words` are those of
    passages by their short names.
    """
    short = backing.prefixes.shorten(iri)
    parts = answers.parts
    found = [rows or [] for rows in answers.rows]
    forms, codes, neighbours, mentioning, every, passages = found[:6]

    def section(question: str, parameter: str, rows: Sequence[Row]) -> Section:
        link = questions.called(backing.queries[question], {parameter: short}, "html")
        return Section(question, parameter, tuple(rows[:SHOWN]), len(rows), link)

    known = claims(every)
    standing = [row for row in every if row["passage"] == short]  # of a passage, what it says
    said = [one for one in statements if one.subject["value"] == iri and one.part == 1]
    names = _values(said, connections.NAMES)
    links = connections.links(neighbours, labels, backing.prefixes, places)
    return Portrait(
        name=name,
        kinds=_kinds(said, labels),
        names=names,
        prose=_values(said, connections.PROSE),
        elsewhere=tuple((_site(one["value"]), one["value"]) for one in _values(said, connections.SAME)),
        forms=section("names", "thing", forms),
        codes=section("codes", "thing", codes),
        voiced=_voiced(claims([*mentioning, *standing]), short, backing.queries["claims"], listed=not standing),
        sections=tuple(section(*part, rows) for part, rows in zip(parts, found[6:], strict=True) if rows),
        relations=connections.relations(links, SHOWN),
        neighbourhood=section("neighbourhood", "thing", neighbours),
        more=() if answers.rows[3] is None else _more(short, backing.queries),
        words=words.get(short, ""),
        pages=printed(passages),
        sights=sights.drawn(
            short,
            name,
            links,
            {"neighbourhood": neighbours} | {part[0]: rows for part, rows in zip(parts, found[6:], strict=True)},
            (row["claim"] for row in mentioning),
            known,
            answers.material,
        ),
    )


def printed(passages: Iterable[Row]) -> dict[str, Sequence[int]]:
    """Return the printed pages of passages by their short names, from the rows of /passages."""
    return {row["passage"]: row["pages"] for row in passages}


async def _rows(asking: Asking, question: str, **given: str) -> list[Row] | None:
    """Return the rows of a question, None where it is not there or does not know the thing."""
    if question in asking.backing.queries:
        with suppress(RequestError):
            return await asking.rows(question, **given)
    return None


def _parts(short: str, queries: Mapping[str, Query]) -> list[tuple[str, str]]:
    """Return which questions are about a thing of this theme, and by which parameter."""
    theme = short.partition(":")[0]
    return [
        (question, parameter.name)
        for question, names in _TAKES_PART
        if question in queries
        for parameter in queries[question].parameters
        if parameter.name in names and theme in parameter.themes
    ]


def _more(short: str, queries: Mapping[str, Query]) -> tuple[tuple[Query, str], ...]:
    """Return the questions that take a thing of this theme and need nothing else, each with the call that asks it of this one."""
    theme, found = short.partition(":")[0], []
    for query in queries.values():
        fitting = [one.name for one in query.parameters if one.type == "iri" and theme in one.themes]
        if fitting and {one.name for one in query.parameters if one.required} <= {fitting[0]}:
            found.append((query, questions.called(query, {fitting[0]: short}, "html")))
    return tuple(found)


def _kinds(said: Iterable[Statement], labels: Mapping[str, str]) -> tuple[str, ...]:
    types = {one.object["value"] for one in said if one.predicate["value"] == connections.KIND}
    return tuple(sorted(labels.get(kind, kind.removeprefix(DEF)) for kind in types if kind.startswith(DEF)))


def _values(said: Sequence[Statement], properties: Sequence[str]) -> tuple[Term, ...]:
    """Return the values of some properties, in the order of these, each once."""
    found = {repr(one.object): one.object for name in properties for one in said if one.predicate["value"] == name}
    return tuple(found.values())


def _site(iri: str) -> str:
    return urlsplit(iri).hostname or iri


def _voiced(found: Mapping[str, Claim], short: str, query: Query, *, listed: bool) -> tuple[Voiced, ...]:
    """Return claims by modality; `listed` when the question that lists claims can be asked for them."""
    groups = []
    for one in MODALITIES:
        group = [claim for claim in found.values() if claim.modality == one]
        given = {"thing": short, "modality": one.code}
        shown = tuple(group[:SHOWN] if listed else group)
        if group:
            groups.append(Voiced(one, shown, len(group), questions.called(query, given, "html")))
    return tuple(groups)
