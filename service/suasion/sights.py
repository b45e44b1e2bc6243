"""The pictures of a thing: what it is connected with, when and where; each only where it has something to show."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from suasion import neighbourhoods, timelines, whereabouts
from suasion.asking import Asking
from suasion.connections import Link
from suasion.geography import Country
from suasion.neighbourhoods import Neighbourhood
from suasion.statements import Claim, Row
from suasion.timelines import Timeline
from suasion.whereabouts import Known, Whereabouts

DRAWINGS = {"neighbourhood": "things/neighbourhood.svg", "timeline": "pictures/timeline.svg", "map": "pictures/map.svg"}
"""The templates of the pictures by their names."""
_QUESTIONS = ("flows", "actors", "timeline")
_CODES = "identifiers"
_POINTS = "geometries"
_PLACED = ("actor", "initiative", "place", "policy")
"""The themes of things that have places, or take part in flows."""
Countries = Callable[[], Mapping[str, Country]]


@dataclass(frozen=True, slots=True)
class Material:
    """What the pictures of a thing are drawn from beside its own answers: for its map, and all rows of /timeline; None where its
    theme needs none.
    """

    places: Known | None
    dated: Sequence[Row] | None


@dataclass(frozen=True, slots=True)
class Sights:
    """The pictures of a thing, None for what has nothing to show."""

    neighbourhood: Neighbourhood | None = None
    timeline: Timeline | None = None
    map: Whereabouts | None = None


async def asked(short: str, asking: Asking, countries: Countries, *, dated: bool) -> Material:
    """Return what the pictures of a thing need; `dated` says whether /timeline is asked whole. Raises what the engine raises."""
    known = asking.backing.queries.keys()
    placed = short.startswith(tuple(f"{theme}:" for theme in _PLACED))
    if not {*_QUESTIONS, _CODES} <= known or _POINTS not in asking.own:
        return Material(None, None)
    if not placed:
        return Material(None, await asking.rows("timeline") if dated else None)
    flows, actors, codes, points, rows, lands = await asyncio.gather(
        asking.rows("flows"),
        asking.rows("actors"),
        asking.rows(_CODES, scheme="iso3166-1-alpha2"),
        asking.special(_POINTS),
        asking.rows("timeline") if dated else asyncio.sleep(0),
        asyncio.to_thread(countries),
    )
    return Material(Known(flows, actors, {row["thing"]: row["code"] for row in codes}, points, lands), rows)


def drawn(
    short: str,
    name: str,
    links: Iterable[Link],
    answers: Mapping[str, Sequence[Row]],
    speaking: Iterable[str],
    known: Mapping[str, Claim],
    material: Material,
) -> Sights:
    """Return the pictures of a thing; `answers` are the rows of questions about it by their names, `speaking` the claims that
    speak of it, `known` all claims.
    """
    dated: Sequence[Row] = answers.get("timeline", ())
    if material.dated is not None:
        wanted = frozenset(speaking)
        dated = [row for row in material.dated if row["claim"] in wanted]
    timeline = timelines.apart(dated, known)
    where = None
    if material.places:
        undertakings = answers.get("initiatives", ())
        where = whereabouts.drawn(short, name, answers["neighbourhood"], undertakings, material.places, known)
    return Sights(neighbourhoods.drawn(name, links), timeline if timeline.lanes else None, where)
