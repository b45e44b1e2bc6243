"""What readers are told of a thing before its statements: kinds, names, codes, claims by modality, where it takes part."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from suasion import questions
from suasion.asking import Asking
from suasion.catalog import Query
from suasion.errors import RequestError
from suasion.exchange import Term
from suasion.places import Places
from suasion.prefixes import DEF, Prefixes
from suasion.statements import MODALITIES, Claim, Modality, Row, claims, modality
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
_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_SKOS = "http://www.w3.org/2004/02/skos/core#"
_NAMES = (_SKOS + "prefLabel", _SKOS + "altLabel")
_PROSE = (_SKOS + "definition", _SKOS + "scopeNote", _SKOS + "note")
_SAME = (_SKOS + "exactMatch", _SKOS + "closeMatch", "http://www.w3.org/2002/07/owl#sameAs")
_TOLD = frozenset((_RDF_TYPE, _SKOS + "notation", *_NAMES, *_PROSE, *_SAME))
"""Properties that a portrait tells apart from other relations."""


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
class Neighbour:
    """What a thing is linked to: its text, where it leads ("" for nowhere), and the modalities of the claims that say so."""

    text: str
    link: str
    modalities: tuple[Modality, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """A property with the first of its neighbours and how many there are; `incoming` when it leads to the thing."""

    property: str
    incoming: bool
    neighbours: tuple[Neighbour, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Portrait:
    """What is told of a thing; `elsewhere` are the same things on other sites, `pages` printed pages by passage."""

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


async def portrait(
    iri: str,
    statements: Sequence[Statement],
    labels: Mapping[str, str],
    asking: Asking,
    places: Places,
    words: Mapping[str, str],
) -> Portrait:
    """Return what is told of a thing, its questions asked side by side; `labels` name terms of the ontology, `words` are those
    of passages by their short names.

    Raises what the engine raises.
    """
    short = asking.backing.prefixes.shorten(iri)
    parts = _parts(short, asking.backing.queries)
    answers = await asyncio.gather(
        _rows(asking, "names", thing=short),
        _rows(asking, "codes", thing=short),
        _rows(asking, "neighbourhood", thing=short),
        _rows(asking, "claims", thing=short),
        asking.rows("claims"),
        asking.rows("passages"),
        *(_rows(asking, question, **{parameter: short}) for question, parameter in parts),
    )
    found = [rows or [] for rows in answers]
    forms, codes, neighbours, mentioning, every, passages = found[:6]

    def section(question: str, parameter: str, rows: Sequence[Row]) -> Section:
        link = questions.called(asking.backing.queries[question], {parameter: short}, "html")
        return Section(question, parameter, tuple(rows[:SHOWN]), len(rows), link)

    standing = [row for row in every if row["passage"] == short]  # of a passage, what it says
    said = [one for one in statements if one.subject["value"] == iri and one.part == 1]
    return Portrait(
        kinds=_kinds(said, labels),
        names=_values(said, _NAMES),
        prose=_values(said, _PROSE),
        elsewhere=tuple((_site(one["value"]), one["value"]) for one in _values(said, _SAME)),
        forms=section("names", "thing", forms),
        codes=section("codes", "thing", codes),
        voiced=_voiced(claims([*mentioning, *standing]), short, asking.backing.queries["claims"], listed=not standing),
        sections=tuple(section(*part, rows) for part, rows in zip(parts, found[6:], strict=True) if rows),
        relations=_relations(neighbours, labels, asking.backing.prefixes, places),
        neighbourhood=section("neighbourhood", "thing", neighbours),
        more=() if answers[3] is None else _more(short, asking.backing.queries),
        words=words.get(short, ""),
        pages=printed(passages),
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
    types = {one.object["value"] for one in said if one.predicate["value"] == _RDF_TYPE}
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


def _relations(rows: Iterable[Row], labels: Mapping[str, str], prefixes: Prefixes, places: Places) -> tuple[Relation, ...]:
    """Return the neighbours of a thing by relation: first what leads from it, then what leads to it."""
    groups: dict[tuple[bool, str], list[Neighbour]] = {}
    for row in rows:
        other = row["neighbour"]
        iri = prefixes.expand(row["property"]) or row["property"]
        if iri in _TOLD or str(other).startswith(("identifier:", "name:")):
            continue
        link = places.link(prefixes.expand(str(other)) or str(other))
        text = str(row["neighbour_name"] or _called(other, is_thing=bool(link)))
        said = tuple(modality(code) for code in row["modalities"])
        name = labels.get(iri) or row["property"].partition(":")[2]
        groups.setdefault((row["direction"] == "in", name), []).append(Neighbour(text, link, said))
    return tuple(
        Relation(name, incoming, tuple(group[:SHOWN]), len(group))
        for (incoming, name), group in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1].casefold()))
    )


def _called(other: object, *, is_thing: bool) -> str:
    """Return what to call a value, or a thing without a name: by the last part of its short name, with blanks."""
    if isinstance(other, bool):
        return "yes" if other else "no"
    name = str(other)
    return name.partition(":")[2].replace("-", " ") if is_thing and not name.startswith("http") else name
