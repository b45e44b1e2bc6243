"""From a messy name to things that may be meant: candidates with scores that features explain. Knows no HTTP and no engine.

The score is 100 for a whole name, or for the thing itself by its IRI or short name, 95 for a name that
only stands for it (a capital), 90 for a code, and else how much of the
spelling agrees with the nearest name, 0 to 80. A property that the thing has adds to it, one that it contradicts halves it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from suasion.crosswalk import Crosswalk, Thing, code_key, name_key
from suasion.prefixes import Prefixes
from suasion.words import tokens

WHOLE, STANDING, CODE, MOST_SIMILAR, ADDED = 100.0, 95.0, 90.0, 80.0, 5.0
LEAST_SIMILAR = 0.5
NAME, ARTICLE, TYPE = "name", "in_article", "type"
"""Properties that are no schemes of codes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A query: a text ("" for none), kinds of which the thing has one, or each with `all_kinds`, and codes by property."""

    text: str = ""
    kinds: tuple[str, ...] = ()
    all_kinds: bool = False
    properties: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A thing that may be meant, with its score, 0 to 105, and the features it comes of; `match` says that it is sure."""

    thing: Thing
    score: float
    features: Mapping[str, float | bool]
    match: bool = False


def candidates(wanted: Wanted, found: Iterable[str], crosswalk: Crosswalk, prefixes: Prefixes) -> tuple[Candidate, ...]:
    """Return what may be meant, best first. `found` are the IRIs of things that a text search found.

    A candidate is a sure match where it alone has the whole name (or is named by its IRI, or by codes alone), and no property
    speaks against it. A single word is never sure for a person, nor the name of a capital for its state.
    """
    text = wanted.text.strip()
    named = {thing.iri: True for thing in crosswalk.by_name.get(name_key(text), ())} if text else {}
    itself = {iri for iri in (text, prefixes.expand(text) or "") if iri in crosswalk.things}
    coded = _coded(text, crosswalk) if text else _held(wanted, crosswalk)
    considered = dict.fromkeys([*itself, *named, *coded, *found])
    scored = []
    for iri in considered:
        thing = crosswalk.things.get(iri)
        if thing is None or not _is_of(thing, wanted):
            continue
        features: dict[str, float | bool] = {
            "whole_name": iri in named,
            "stands_for": iri in named and name_key(text) not in map(name_key, thing.all_names),
            "identifier": iri in itself,
            "code": iri in coded,
            "name_similarity": round(_similarity(text, thing), 3) if text else 0.0,
            "claims": thing.claims,
        }
        score = _score(features)
        for property_, values in wanted.properties:
            agrees = _agrees(thing, property_, values, crosswalk)
            if agrees is not None:
                features[f"property_{property_}"] = agrees
                score = score + ADDED if agrees else score / 2
        if iri in named or iri in itself or iri in coded or features["name_similarity"] >= LEAST_SIMILAR:
            scored.append(Candidate(thing, round(min(score, WHOLE + ADDED), 1), features))
    scored.sort(
        key=lambda one: (-one.score, -one.features["name_similarity"], not one.thing.named, -one.thing.claims, one.thing.iri)
    )
    return _decided(wanted, scored)


def _score(features: Mapping[str, float | bool]) -> float:
    if features["identifier"] or (features["whole_name"] and not features["stands_for"]):
        return WHOLE
    return STANDING if features["whole_name"] else CODE if features["code"] else MOST_SIMILAR * features["name_similarity"]


def _decided(wanted: Wanted, scored: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return the candidates, the first of them as a match where it is sure."""
    if not scored:
        return ()
    best, rest = scored[0], scored[1:]
    certain = "whole_name" if wanted.text else "code"
    sure = bool(best.features[certain] or best.features["identifier"])
    sure = sure and not (wanted.text and name_key(wanted.text) in map(name_key, best.thing.standing))
    rivals = [
        one
        for one in rest
        if one.features[certain] and not one.features["stands_for"] and not best.features["identifier"]
        if not any(value is False for name, value in one.features.items() if name.startswith("property_"))
    ]
    contradicted = any(value is False for name, value in best.features.items() if name.startswith("property_"))
    short = len(name_key(wanted.text)) < 2 and "person" in best.thing.kinds and not best.features["identifier"]
    if sure and not rivals and not contradicted and not (wanted.text and short):
        best = Candidate(best.thing, best.score, best.features, match=True)
    return (best, *rest)


def _is_of(thing: Thing, wanted: Wanted) -> bool:
    if not wanted.kinds:
        return True
    return (all if wanted.all_kinds else any)(kind in thing.kinds for kind in wanted.kinds)


def _coded(text: str, crosswalk: Crosswalk) -> set[str]:
    """Return the things of which some scheme has the text as code; numbers mean too many things."""
    if text.isdecimal():
        return set()
    key = code_key(text)
    return {one.thing for scheme in set(crosswalk.schemes.values()) for one in crosswalk.holders.get((scheme, key), ())}


def _held(wanted: Wanted, crosswalk: Crosswalk) -> set[str]:
    """Return the things that have one of the codes asked for, where there is no text."""
    return {
        holding.thing
        for property_, values in wanted.properties
        if property_ in crosswalk.schemes
        for value in values
        for holding in crosswalk.meant(crosswalk.schemes[property_], value)
    }


def _agrees(thing: Thing, property_: str, values: Sequence[str], crosswalk: Crosswalk) -> bool | None:
    """Return whether a thing has one of the values, None where nothing is known of it."""
    if property_ in crosswalk.schemes:
        own = crosswalk.codes(thing.iri, crosswalk.schemes[property_])
        return None if not own else bool({code_key(code) for code in own} & {code_key(value) for value in values})
    if property_ == NAME:
        return bool({name_key(name) for name in thing.all_names} & {name_key(value) for value in values})
    if property_ == TYPE:
        return bool(set(thing.kinds) & set(values))
    return None if property_ != ARTICLE else str(thing.named).lower() in {value.lower() for value in values}


def _similarity(text: str, thing: Thing) -> float:
    """Return how near the nearest name is, 0 to 1: by its letters in their order, or by its words in any."""
    plain, ordered = " ".join(tokens(text)), " ".join(name_key(text))
    best = 0.0
    for name in thing.all_names:
        for mine, its in ((plain, " ".join(tokens(name))), (ordered, " ".join(name_key(name)))):
            if mine and its:
                best = max(best, SequenceMatcher(None, mine, its, autojunk=False).ratio())
    return best
