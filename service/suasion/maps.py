"""A map of who gives to whom, and of places spoken of: arrows as wide as they have claims, each sum in its own currency."""

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
class Label:
    """Where a name is written: its point, and whether it ends or begins there."""

    x: float
    y: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Land:
    """A country: its outline, and, where the data have it, what it is called and how many claims speak of it."""

    path: str
    name: str
    thing: str
    at: Point | None
    claims: int
    label: "Label | None" = None

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
    label: Label


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
    """What goes from one to another, done or planned; `aside` where its end is a box, which tells the sums itself."""

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
    aside: bool

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
    river: str
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
    """Return the map of flows, each with its recipients; `codes` are the ISO 3166-1 alpha-2 codes of actors.

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
    arrows: list[Arrow] = []
    nth: dict[str, int] = {}
    for number, ((giver, recipient, state), figures) in enumerate(grouped.items(), start=1):
        claims = picked({claim for figure in figures for claim in figure.claims}, known)
        begin, end = _anchor(giver, at, boxes), _anchor(recipient, at, boxes)
        nth[recipient] = nth.get(recipient, -1) + 1
        if recipient in boxes:
            end = (end[0], end[1] + 5.0 * nth[recipient])
        path, badge = _bow(begin, end, number, 0.66 + 0.09 * nth[recipient] if recipient in boxes else 0.40 + 0.06 * (number % 4))
        width = round(1.2 + 0.6 * min(len(claims), 12), 1)
        ends = (names.get(giver, giver), names.get(recipient, recipient))
        arrows.append(
            Arrow(number, giver, recipient, *ends, state, tuple(figures), claims, path, width, badge, recipient in boxes)
        )
    written: list[tuple[float, float, float, float]] = []
    lands = _lands(actors, codes, countries, written)
    spots = {
        row["thing"]: Spot(
            row["name"].partition(" (")[0], where, thing_link(row["thing"]), _label(where, row["name"], 5.6, written)
        )
        for row in points
        if (where := geography.point(row["point"]))
    }
    return Picture(
        lands,
        tuple(spots.values()),
        tuple(_routes(undertakings, spots, known)),
        tuple(boxes.values()),
        tuple(arrows),
        tuple(without),
        "".join(country.river for country in countries.values()),
        max(geography.HEIGHT, y) + 6,
    )


def _lands(
    actors: Sequence[Row],
    codes: Mapping[str, str],
    countries: Mapping[str, Country],
    written: list[tuple[float, float, float, float]],
) -> tuple[Land, ...]:
    rows = {codes[row["thing"]]: row for row in actors if row["thing"] in codes}
    found = []
    for code, country in countries.items():
        row = rows.get(code)
        if row or country.path:
            thing, name, claims = (row["thing"], row["name"], len(row["claims"])) if row else ("", "", 0)
            label = _label(country.capital, f"{name} {claims}", 7.0, written) if row and country.capital else None
            found.append(Land(country.path, name, thing, country.capital, claims, label))
    return tuple(found)


def _label(at: Point, text: str, character: float, written: list[tuple[float, float, float, float]]) -> Label:
    """Return where a name beside a point covers least of those written before, and note it among them."""
    long = len(text.partition(" (")[0]) * character
    places = []
    for dx, dy, anchor in ((7, -5, "start"), (7, 12, "start"), (-7, -5, "end"), (-7, 12, "end"), (9, 4, "start"), (-9, 4, "end")):
        left = at[0] + dx - (long if anchor == "end" else 0)
        places.append(
            (Label(round(at[0] + dx, 1), round(at[1] + dy, 1), anchor), (left, at[1] + dy - 11, left + long, at[1] + dy + 3))
        )
    best, box = min(places, key=lambda place: sum(_shared(place[1], other) for other in written))
    written += [box, (at[0] - 4, at[1] - 4, at[0] + 4, at[1] + 4)]
    return best


def _shared(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Return how much two boxes overlap, in square units."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


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


def _bow(begin: Point, end: Point, number: int, share: float) -> tuple[str, Point]:
    """Return a bowed line that stops a little before its end, and the place of its badge, a share of the way along it."""
    (x1, y1), (x2, y2) = begin, end
    length = max(hypot(x2 - x1, y2 - y1), 1.0)
    if x1 == x2:  # from box to box
        cx, cy = x1 - 40, (y1 + y2) / 2
    else:
        x2, y2 = x2 - (x2 - x1) / length * 9, y2 - (y2 - y1) / length * 9
        bend = 0.10 + 0.05 * (number % 3)
        cx, cy = (x1 + x2) / 2 + (y2 - y1) * bend, (y1 + y2) / 2 - (x2 - x1) * bend
    bx = (1 - share) ** 2 * x1 + 2 * share * (1 - share) * cx + share**2 * x2
    by = (1 - share) ** 2 * y1 + 2 * share * (1 - share) * cy + share**2 * y2
    return f"M{x1:.1f} {y1:.1f}Q{cx:.1f} {cy:.1f} {x2:.1f} {y2:.1f}", (round(bx, 1), round(by, 1))
