"""What readers are told of a claim: who says it and how surely, where it stands, what stands by it and against it."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from suasion.asking import Asking
from suasion.checking import Check, check
from suasion.prefixes import DEF
from suasion.statements import Claim, Row, claims
from suasion.things import Statement

QUESTIONS = ("claims", "passages", "quality-notes")
"""The curated questions that the evidence of a claim is made from."""
_CHECKS = "claim-checks"
_GAP = " … "
_RELATIONS = {
    "supports": ("Supports", "Is supported by"),
    "qualifies": ("Qualifies", "Is qualified by"),
    "exemplifies": ("Is an example of", "Has as an example"),
    "repeats": ("Repeats", "Is repeated by"),
    "contrastsWith": ("Contrasts with", "Contrasts with"),
    "disagreesWith": ("Disagrees with", "Is disagreed with by"),
}
"""How a claim stands to another, in words: read from the one, and from the other."""
_AGAINST = ("contrastsWith", "disagreesWith")


@dataclass(frozen=True, slots=True)
class Run:
    """Some words of the paragraph, marked where the claim rests on them."""

    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Related:
    """Claims that stand to this one in one way, which is told in words."""

    words: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is told of a claim; `asserters` and `credited` are names with short names of things.

    `place` is the row of /passages, `paragraph` the words of the paragraph where there is a copy of the article, `beside` other
    claims of the same sentence, `checks` what data say to it.
    """

    claim: Claim
    kind: str
    listing: str
    asserters: tuple[tuple[str, str], ...]
    credited: tuple[tuple[str, str], ...]
    place: Row
    fingerprint: str
    paragraph: tuple[Run, ...]
    by_it: tuple[Related, ...]
    against: tuple[Related, ...]
    beside: tuple[Claim, ...]
    quality: tuple[Row, ...]
    checks: tuple[Check, ...]


async def evidence(
    iri: str, statements: Sequence[Statement], labels: Mapping[str, str], asking: Asking, words: Mapping[str, str]
) -> Evidence | None:
    """Return what is told of a claim, None where the curated questions do not know it; `words` are those of passages.

    Raises what the engine raises.
    """
    shorten = asking.backing.prefixes.shorten
    name = shorten(iri)
    rows, passages, quality, checks = await asyncio.gather(
        asking.rows("claims"),
        asking.rows("passages"),
        asking.rows("quality-notes", claim=name),
        asking.rows(_CHECKS) if _CHECKS in asking.backing.queries else asyncio.sleep(0, result=list[Row]()),
    )
    row = next((one for one in rows if one["claim"] == name), None)
    places = {one["passage"]: one for one in passages}
    if row is None or row["passage"] not in places:
        return None
    place = places[row["passage"]]
    every = claims(rows)
    related = _related(name, rows, every)

    def term(code: str | None) -> str:
        return labels.get(DEF + code.removeprefix(":"), code.removeprefix(":")) if code else ""

    return Evidence(
        claim=every[name],
        kind=term(row["kind"]),
        listing=term(row["listing"]),
        asserters=_named(row, "asserters", "asserter_names"),
        credited=_named(row, "credited", "credited_names"),
        place=place,
        fingerprint=next((one.object["value"] for one in statements if _is_fingerprint(one)), ""),
        paragraph=_paragraph(place, passages, words),
        by_it=tuple(one for code, one in related if code not in _AGAINST),
        against=tuple(one for code, one in related if code in _AGAINST),
        beside=tuple(
            one
            for one in every.values()
            if one.name != name and one.passage in places and places[one.passage]["sentence"] == place["sentence"]
        ),
        quality=tuple(quality),
        checks=tuple(check(one, {one["outcome"]: term(one["outcome"])}) for one in checks if one["claim"] == name),
    )


def _named(row: Row, things: str, names: str) -> tuple[tuple[str, str], ...]:
    """Return names, each with the short name of its thing where there is just one: lists are sorted each by itself."""
    if len(row[things]) == 1:
        return ((row[names][0], row[things][0]),)
    return tuple((name, "") for name in row[names])


def _is_fingerprint(one: Statement) -> bool:
    return one.part == 7 and one.predicate["value"] == DEF + "fingerprint"


def _related(name: str, rows: Iterable[Row], every: Mapping[str, Claim]) -> list[tuple[str, Related]]:
    """Return the claims that stand to one, by the relation and its direction."""
    found: dict[tuple[str, int], list[Claim]] = {}
    for row in rows:
        for relation in row["relations"]:
            code, _, other = relation.partition(" ")
            if row["claim"] == name and other in every:
                found.setdefault((code, 0), []).append(every[other])
            elif other == name:
                found.setdefault((code, 1), []).append(every[row["claim"]])
    groups: dict[tuple[str, str], dict[str, Claim]] = {}
    for code, words in _RELATIONS.items():
        for direction in (0, 1):
            for claim in found.get((code, direction), ()):
                groups.setdefault((code, words[direction]), {})[claim.name] = claim
    return [(code, Related(words, tuple(group.values()))) for (code, words), group in groups.items()]


def _paragraph(place: Row, passages: Sequence[Row], words: Mapping[str, str]) -> tuple[Run, ...]:
    """Return the words of the paragraph of a passage, those of the passage marked; none where its sentence has no words here."""
    if place["sentence"] not in words:
        return ()
    runs: list[Run] = []
    for one in passages:
        own = one["passage"] == place["sentence"]
        near = place["paragraph"] and one["paragraph"] == place["paragraph"] and one["passage"] == one["sentence"]
        if one["passage"] not in words or not (own or near):
            continue
        text = words[one["passage"]]
        runs += _marked(text, words.get(place["passage"], text)) if own else [Run(text)]
        runs.append(Run(" · "))
    return tuple(runs[:-1])


def _marked(sentence: str, passage: str) -> list[Run]:
    """Return a sentence with the pieces of a passage marked; all of it where a piece is not in it."""
    runs, at = [], 0
    for piece in passage.split(_GAP):
        start = sentence.find(piece, at)
        if start < 0:
            return [Run(sentence, marked=True)]
        runs += [Run(sentence[at:start]), Run(piece, marked=True)]
        at = start + len(piece)
    return [run for run in (*runs, Run(sentence[at:])) if run.text]
