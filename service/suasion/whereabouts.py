"""A map of where a thing is, takes place, or gives and receives: the part of the map of the article that concerns it."""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from suasion import amounts, geography, maps
from suasion.geography import Country
from suasion.maps import Land, Picture
from suasion.statements import Claim, Row, thing_link

_MARGIN = 60.0
_LEAST_WIDTH, _LEAST_HEIGHT = 440.0, 330.0
_LABEL = 70.0
"""How far a name reaches from its point, about."""
_PLACE = ":place"
_NUMBER = re.compile(r"-?[\d.]+")
Window = tuple[float, float, float, float]
"""A part of a picture: left, top, width and height."""


@dataclass(frozen=True, slots=True)
class Known:
    """What maps are drawn from: rows of /flows and /actors, ISO 3166-1 alpha-2 codes of actors, rows of
    queries/pages/geometries.rq, and countries by their codes.
    """

    flows: Sequence[Row]
    actors: Sequence[Row]
    codes: Mapping[str, str]
    points: Sequence[Row]
    countries: Mapping[str, Country]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The map, the part of it that is shown, and the states that are set off: the thing `itself`, or where it takes place.

    `page` is where the thing is told of.
    """

    picture: Picture
    window: Window
    meant: frozenset[str]
    itself: bool
    page: str


def drawn(
    short: str, name: str, neighbours: Sequence[Row], undertakings: Sequence[Row], known: Known, claims: Mapping[str, Claim]
) -> Whereabouts | None:
    """Return the map of a thing by its short name, None where nothing of it lies on the map.

    `neighbours` are its rows of /neighbourhood, `undertakings` rows of /initiatives in which it takes part.
    """
    taking = [row for row in neighbours if row["property"] == _PLACE and row["direction"] == "out"]
    own = {
        "thing": short,
        "name": name,
        "places": [row["neighbour"] for row in taking],
        "claims": [claim for row in taking for claim in row["claims"]],
    }
    told = [row for row in (own, *undertakings) if row["thing"] != short or row is own]
    stops = {place for row in told if row is own or len(row["places"]) > 1 for place in row["places"]} | {short}
    names = {row["neighbour"]: row["neighbour_name"] for row in neighbours if row["neighbour_name"]}
    names |= {row["thing"]: row["name"] for row in (*known.actors, *told)}
    located = {thing for thing, code in known.codes.items() if (country := known.countries.get(code)) and country.capital}
    flows = [(row, _recipients(row, short, located)) for row in known.flows]
    concerned = [(row, recipients) for row, recipients in flows if recipients]
    for row, recipients in concerned:
        for end in (*row["donors"], *recipients):
            names.setdefault(end, end.partition(":")[2].replace("-", " "))
    picture = maps.drawn(
        list(zip(amounts.flows(row for row, _ in concerned), (recipients for _, recipients in concerned), strict=True)),
        known.actors,
        known.codes,
        [row for row in known.points if row["thing"] in stops],
        told,
        names,
        known.countries,
        claims,
    )
    meant = frozenset(land.thing for land in picture.lands if land.thing and land.thing in {short, *own["places"]})
    ends = {end for arrow in picture.arrows for end in (arrow.source, arrow.target)}
    lands = [land for land in picture.lands if land.thing and (land.thing in meant or (land.thing in ends and land.at))]
    if not (lands or picture.spots):
        return None
    window = _window(picture, lands)
    kept = tuple(_within(land, window, meant | ends) for land in picture.lands if _meets(land, window))
    return Whereabouts(replace(picture, lands=kept), window, meant, short in meant, thing_link(short))


def _recipients(row: Row, short: str, located: Container[str]) -> list[str]:
    """Return those recipients of a flow whose arrows concern a thing, and have an end on the map."""
    concerned = (
        row["recipients"] if short in (row["flow"], *row["donors"]) else [one for one in row["recipients"] if one == short]
    )
    return [one for one in concerned if one in located or any(donor in located for donor in row["donors"])]


def _window(picture: Picture, lands: Iterable[Land]) -> Window:
    """Return the part of a map that has the lands, and all spots, arrows and boxes."""
    extents = [_extent(land) for land in lands]
    points = [*(spot.at for spot in picture.spots), *(arrow.badge for arrow in picture.arrows)]
    xs = [*(x for across, _ in extents for x in across), *(x for x, _ in points)]
    ys = [*(y for _, down in extents for y in down), *(y for _, y in points)]
    ys += [y for box in picture.boxes for y in (box.y, box.y + box.height)]
    left, width = _side(xs, _LEAST_WIDTH, geography.WIDTH)
    if picture.boxes:
        width = maps.WIDTH - left
    top, height = _side(ys, _LEAST_HEIGHT, picture.height if picture.boxes else geography.HEIGHT)
    return left, top, width, height


def _side(values: Sequence[float], least: float, most: float) -> tuple[float, float]:
    """Return where a stretch with all values and a margin begins and its length: `least` or more, within 0 and `most`."""
    begin, end = min(values) - _MARGIN, max(values) + _MARGIN
    spare = max(least - (end - begin), 0.0) / 2
    begin, end = begin - spare, end + spare
    begin = max(min(begin, most - least), 0.0)
    end = min(max(end, begin + least), most)
    return round(begin, 1), round(end - begin, 1)


def _extent(land: Land) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return how far a land reaches within the map, across and down."""
    numbers = [float(one) for one in _NUMBER.findall(land.path)] or list(land.at or ())
    across = tuple(min(max(end, 0.0), geography.WIDTH) for end in (min(numbers[::2]), max(numbers[::2])))
    down = tuple(min(max(end, 0.0), geography.HEIGHT) for end in (min(numbers[1::2]), max(numbers[1::2])))
    return across, down


def _meets(land: Land, window: Window) -> bool:
    if not (land.path or land.at):
        return False
    (left, right), (top, bottom) = _extent(land)
    return left < window[0] + window[2] and right > window[0] and top < window[1] + window[3] and bottom > window[1]


def _within(land: Land, window: Window, always: Iterable[str]) -> Land:
    """Return a land without its name where the edge of the window would cut it."""
    if land.at is None or land.thing in always:
        return land
    (x, y), (left, top, width, height) = land.at, window
    whole = left + _LABEL < x < left + width - _LABEL and top + 15 < y < top + height - 15
    return land if whole else replace(land, at=None)
