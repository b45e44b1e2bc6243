"""A picture of what is dated: lanes by actor, bars on a time axis that is wider where more happens; planned apart from done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from suasion.statements import Claim, Modality, Row, picked, tally, thing_link

WIDTH = 1060
_LEFT = 16.0
_SCALE = ((1945.0, 0.0), (1960.0, 80.0), (1975.0, 130.0), (1990.0, 230.0), (2000.0, 340.0), (2010.0, 880.0), (2019.0, 1030.0))
"""Years and where they stand: the scale changes at each, and the axis says so."""
TICKS = (1950, 1960, 1970, 1980, 1990, 1995, *range(2000, 2011), 2012, 2015, 2017)
_ROW = 19.0
_CHARACTER = 6.2
_MOST = 58
_MARGIN, _LEAST = 14.0, 440.0
"""Beside the marks of a picture that is cut, and how wide that is at least."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A bar of the picture: what some claims date alike; `things` are names and links.

    `opens` and `closes` tell how an end is softened: "", "vague" or "open".
    """

    number: int
    name: str
    things: tuple[tuple[str, str], ...]
    period: str
    edtf: str
    state: str
    opens: str
    closes: str
    claims: tuple[Claim, ...]
    x: float
    width: float
    y: float
    label: str
    label_x: float
    anchor: str

    @property
    def link(self) -> str:
        """Its claim, or the row of the table that lists its claims."""
        return self.claims[0].link if len(self.claims) == 1 else f"#dated-{self.number}"

    @property
    def page(self) -> str:
        """Its claim, or the page of what it dates, which lists its claims."""
        return self.claims[0].link if len(self.claims) == 1 else self.things[0][1]

    @property
    def spoken(self) -> str:
        """What the mark says, in words."""
        surely = ", ".join(f"{count} {modality.words}" for modality, count in tally(self.claims))
        ends = {"vague": ", ends roughly", "open": ", open end", "": ""}[self.closes]
        begins = {"vague": ", begins roughly", "open": ", open beginning", "": ""}[self.opens]
        return f"{self.name}: {self.period}{begins}{ends}; {self.state}; {surely}"

    @property
    def tally(self) -> tuple[tuple[Modality, int], ...]:
        """How many claims there are of each modality."""
        return tally(self.claims)


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane of the picture: whose it is, where it begins, and its marks."""

    name: str
    y: float
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """The picture, which shows a stretch of the axis `width` wide from `left` on, and what has no place on it."""

    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[int, float], ...]
    height: float
    undated: tuple[tuple[Row, tuple[Claim, ...]], ...]
    left: float = 0.0
    width: float = WIDTH

    @property
    def marks(self) -> tuple[Mark, ...]:
        """All marks, lane by lane."""
        return tuple(mark for lane in self.lanes for mark in lane.marks)


def drawn(
    rows: Sequence[Row], speaking: Mapping[str, Sequence[str]], names: Mapping[str, str], known: Mapping[str, Claim]
) -> Timeline:
    """Return the picture of rows of /timeline. `speaking` are the claims on each actor that has a lane, `names` their names.

    A thing that one of them is spoken of with stands in its lane, one with several in a lane of them together, any other in the
    last. What the same claims date alike is one mark.
    """
    several, others = " and ".join(names.values()) + " together", "Others"
    titles = (*names.values(), *((several,) if len(names) > 1 else ()), others if names else "All")
    lanes: dict[str, list[list[Row]]] = {title: [] for title in titles}
    for group in _alike(rows):
        of = [names[actor] for actor, told in speaking.items() if any(row["claim"] in told for row in group)]
        lanes[of[0] if len(of) == 1 else several if of else titles[-1]].append(group)
    return _laid(lanes, known)


def apart(rows: Sequence[Row], known: Mapping[str, Claim]) -> Timeline:
    """Return the picture of rows of /timeline in two lanes, what is done and what is planned, cut to the years that it needs."""
    lanes: dict[str, list[list[Row]]] = {"Done": [], "Planned": []}
    for group in _alike(rows):
        lanes["Planned" if group[0]["state"] == "planned" else "Done"].append(group)
    whole = _laid(lanes, known)
    reaches = [_reach(mark) for mark in whole.marks]
    left = max(min((begin for begin, _ in reaches), default=0.0) - _MARGIN, 0.0)
    right = min(max((end for _, end in reaches), default=WIDTH) + _MARGIN, WIDTH)
    left = max(min(left, right - _LEAST), 0.0)
    return replace(
        whole,
        ticks=tuple((year, x) for year, x in whole.ticks if left + _MARGIN < x < right - _MARGIN),
        left=round(left, 1),
        width=round(max(right - left, _LEAST), 1),
    )


def _alike(rows: Sequence[Row]) -> list[list[Row]]:
    """Return rows in groups: those that the same claims date alike."""
    by_thing: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        by_thing.setdefault((row["thing"], row["period"], row["state"]), []).append(row)
    grouped: dict[tuple[str, str, frozenset[str]], list[Row]] = {}
    for (_, period, state), group in by_thing.items():
        grouped.setdefault((period, state, frozenset(row["claim"] for row in group)), []).extend(group)
    return list(grouped.values())


def _laid(lanes: Mapping[str, Sequence[Sequence[Row]]], known: Mapping[str, Claim]) -> Timeline:
    """Return the picture of groups of rows in lanes."""
    y, number = 34.0, 0
    made: list[Lane] = []
    for title, groups in lanes.items():
        dated = [group for group in groups if group[0]["begins"] or group[0]["ends"]]
        if not dated:
            continue
        top = y
        marks: list[Mark] = []
        taken: list[list[tuple[float, float]]] = [[]]
        for group in dated:
            number += 1
            mark = _mark(group, number, known)
            reach = _reach(mark)
            slot = next((n for n, spans in enumerate(taken) if all(reach[1] < a or b < reach[0] for a, b in spans)), len(taken))
            if slot == len(taken):
                taken.append([])
            taken[slot].append(reach)
            marks.append(replace(mark, y=top + 26 + slot * _ROW))
        y = top + 26 + len(taken) * _ROW + 10
        made.append(Lane(title, top, tuple(marks)))
    undated = [group for groups in lanes.values() for group in groups if not (group[0]["begins"] or group[0]["ends"])]
    left = tuple((group[0], picked([row["claim"] for row in group], known)) for group in undated)
    return Timeline(tuple(made), tuple((year, _x(float(year))) for year in TICKS), y, left)


def _mark(group: Sequence[Row], number: int, known: Mapping[str, Claim]) -> Mark:
    row = group[0]
    edtf = str(row["edtf"] or "")
    first, _, last = edtf.partition("/")
    x = _x(_year(row["begins"], 1945.0))
    right = _x(_year(row["ends"], 2018.6, end=True))
    claims = picked([one["claim"] for one in group], known)
    name = next((one["name"] for one in group if one["name"]), None) or next((claim.summary for claim in claims), row["thing"])
    forms = "".join(modality.form for modality, _ in tally(claims))
    label = f"{forms} {name if len(name) <= _MOST else name[: _MOST - 1].rstrip() + '…'}"
    label += " (planned)" if row["state"] == "planned" else ""
    length = len(label) * _CHARACTER
    width = max(right - x, 8.0)
    if length + 16 < width:
        label_x, anchor = x + 8, "inside"
    elif x + width + length + 14 < WIDTH:
        label_x, anchor = x + width + 12, "start"
    else:
        label_x, anchor = x - 12, "end"
    return Mark(
        number,
        name,
        tuple({one["thing"]: (_called(one), thing_link(one["thing"])) for one in group}.values()),
        row["period_name"],
        edtf,
        row["state"],
        "open" if not row["begins"] else "vague" if "~" in first or "X" in first else "",
        "open" if not row["ends"] else "vague" if "~" in (last or first) or "X" in (last or first) else "",
        claims,
        x,
        width,
        0.0,
        label,
        label_x,
        anchor,
    )


def _called(row: Row) -> str:
    """Return the name of a dated thing, or its kind and the words of its identifier."""
    kind, _, slug = row["thing"].partition(":")
    return row["name"] or f"{kind}: {slug.replace('-', ' ')}"


def _reach(mark: Mark) -> tuple[float, float]:
    """Return from where to where a mark and its label stand."""
    length = len(mark.label) * _CHARACTER + 22
    match mark.anchor:
        case "inside":
            return mark.x - 10, mark.x + mark.width + 10
        case "start":
            return mark.x - 10, mark.x + mark.width + length
    return mark.x - length, mark.x + mark.width + 10


def _year(day: str | None, otherwise: float, *, end: bool = False) -> float:
    if not day:
        return otherwise
    found = date.fromisoformat(day)
    return found.year + (found.timetuple().tm_yday - (0 if end else 1)) / 366


def _x(year: float) -> float:
    inside = min(max(year, _SCALE[0][0]), _SCALE[-1][0])
    for (begin, left), (end, right) in pairwise(_SCALE):
        if inside <= end:
            return round(_LEFT + left + (right - left) * (inside - begin) / (end - begin), 1)
    raise AssertionError("the scale has an end")
