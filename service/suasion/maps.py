"""A map of who gives to whom, with the places that are spoken of: arrows as wide as they have claims, each sum in its own currency."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot

from suasion import geography
from suasion.amounts import Figure
from suasion.geography import Country, Point
from suasion.statements import Claim, Row, picked, thing_link

WIDTH = 1060.0
_BOX_LEFT, _BOX_TOP, _BOX_LINE = geography.WIDTH + 40, 30.0, 16.0


@dataclass(frozen=True, slots=True)
class Land:
    """A country: its outline, and, where the data have it, what it is called and how many claims speak of it."""

    path: str
    name: str
    thing: str
    at: Point | None
    claims: int

    @property
    def link(self) -> str:
        """Where it is told of."""
        return thing_link(self.thing)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place with a point."""

    name: str
    at: Point
    link: str


@dataclass(frozen=True, slots=True)
class Route:
    """An undertaking with several places: its line runs from west to east; the course between them is not known."""

    name: str
    link: str
    path: str
    at: Point
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """Who has no place of its own on the map, such as an association or a fund, beside it."""

    name: str
    link: str
    y: float
    height: float
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """What goes from one to another, done or planned; `sums` are its figures, in words."""

    number: int
    source: str
    target: str
    source_name: str
    target_name: str
    state: str
    figures: tuple[Figure, ...]
    claims: tuple[Claim, ...]
    path: str
    width: float
    badge: Point

    @property
    def sums(self) -> tuple[str, ...]:
        """The sums, in words; none where the article gives no amount."""
        return tuple(figure.words for figure in self.figures if figure.value is not None)

    @property
    def spoken(self) -> str:
        """What the arrow says, in words."""
        told = "; ".join(self.sums) or "amount not given"
        return f"{self.source_name} to {self.target_name}, {self.state}: {told}; {len(self.claims)} claims"


@dataclass(frozen=True, slots=True)
class Picture:
    """The map, and the flows that have no arrow because no recipient is given."""

    lands: tuple[Land, ...]
    spots: tuple[Spot, ...]
    routes: tuple[Route, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    without: tuple[Figure, ...]
    height: float


def drawn(
    flows: Sequence[tuple[Figure, Sequence[str]]],
    actors: Sequence[Row],
    codes: Mapping[str, str],
    points: Iterable[Row],
    undertakings: Iterable[Row],
    names: Mapping[str, str],
    countries: Mapping[str, Country],
    known: Mapping[str, Claim],
) -> Picture:
    """Return the map of flows, each with its recipients; `codes` are the ISO 3166-1 alpha-3 codes of actors.

    `actors` are rows of /actors, `points` of queries/pages/geometries.rq, `undertakings` of /initiatives.
    """
    at = {thing: country.capital for thing, code in codes.items() if (country := countries.get(code)) and country.capital}
    grouped: dict[tuple[str, str, str], list[Figure]] = {}
    without = []
    for figure, recipients in flows:
        if not recipients or not figure.givers:
            without.append(figure)
        for giver in figure.givers:
            for recipient in recipients:
                if giver != recipient:
                    grouped.setdefault((giver, recipient, figure.state), []).append(figure)
    off = dict.fromkeys(end for key in grouped for end in key[:2] if end not in at)
    sums: dict[str, dict[str, None]] = {name: {} for name in off}
    for (giver, recipient, _), figures in grouped.items():
        for figure in figures:
            if figure.value is not None and recipient in off:
                sums[recipient][f"{names.get(giver, giver)}: {figure.words}"] = None
    boxes: dict[str, Box] = {}
    y = _BOX_TOP
    for name in off:
        lines = tuple(sums[name])
        height = 26.0 + len(lines) * _BOX_LINE
        boxes[name] = Box(names.get(name, name), thing_link(name), y, height, lines)
        y += height + 14
    arrows = []
    for number, ((giver, recipient, state), figures) in enumerate(grouped.items(), start=1):
        claims = picked({claim for figure in figures for claim in figure.claims}, known)
        begin, end = _anchor(giver, at, boxes), _anchor(recipient, at, boxes)
        path, badge = _bow(begin, end, number)
        width = round(1.2 + 0.6 * min(len(claims), 12), 1)
        ends = (names.get(giver, giver), names.get(recipient, recipient))
        arrows.append(Arrow(number, giver, recipient, *ends, state, tuple(figures), claims, path, width, badge))
    spots = {row["thing"]: Spot(row["name"], where, thing_link(row["thing"])) for row in points if (where := geography.point(row["point"]))}
    return Picture(
        _lands(actors, codes, countries),
        tuple(spots.values()),
        tuple(_routes(undertakings, spots, known)),
        tuple(boxes.values()),
        tuple(arrows),
        tuple(without),
        max(geography.HEIGHT, y) + 6,
    )


def _lands(actors: Sequence[Row], codes: Mapping[str, str], countries: Mapping[str, Country]) -> tuple[Land, ...]:
    rows = {codes[row["thing"]]: row for row in actors if row["thing"] in codes}
    found = []
    for code, country in countries.items():
        row = rows.get(code)
        if row or country.path:
            thing, name, claims = (row["thing"], row["name"], len(row["claims"])) if row else ("", "", 0)
            found.append(Land(country.path, name, thing, country.capital, claims))
    return tuple(found)


def _routes(undertakings: Iterable[Row], spots: Mapping[str, Spot], known: Mapping[str, Claim]) -> Iterable[Route]:
    for row in undertakings:
        stops = sorted(spots[place].at for place in row["places"] if place in spots)
        if len(stops) > 1:
            path = "M" + "L".join(f"{x} {y}" for x, y in stops)
            middle = ((stops[0][0] + stops[1][0]) / 2, (stops[0][1] + stops[1][1]) / 2)
            yield Route(row["name"], thing_link(row["thing"]), path, middle, picked(row["claims"], known))


def _anchor(name: str, at: Mapping[str, Point], boxes: Mapping[str, Box]) -> Point:
    if name in at:
        return at[name]
    box = boxes[name]
    return _BOX_LEFT, box.y + box.height / 2


def _bow(begin: Point, end: Point, number: int) -> tuple[str, Point]:
    """Return a bowed line that stops a little before its end, and the place of its badge."""
    (x1, y1), (x2, y2) = begin, end
    length = max(hypot(x2 - x1, y2 - y1), 1.0)
    x2, y2 = x2 - (x2 - x1) / length * 9, y2 - (y2 - y1) / length * 9
    bend = 0.10 + 0.05 * (number % 3)
    cx, cy = (x1 + x2) / 2 + (y2 - y1) * bend, (y1 + y2) / 2 - (x2 - x1) * bend
    share = 0.42 + 0.08 * (number % 4)
    bx = (1 - share) ** 2 * x1 + 2 * share * (1 - share) * cx + share**2 * x2
    by = (1 - share) ** 2 * y1 + 2 * share * (1 - share) * cy + share**2 * y2
    return f"M{x1:.1f} {y1:.1f}Q{cx:.1f} {cy:.1f} {x2:.1f} {y2:.1f}", (round(bx, 1), round(by, 1))
