"""Small bar charts of figures: one for each currency or unit, measure, frequency and state; nothing is added or converted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from suasion.amounts import Figure, number_text
from suasion.statements import Claim, Row, claim_link, picked, tally

WIDTH = 1000
_LEFT, _RIGHT, _BAR, _HEAD, _FOOT = 372.0, 250.0, 26.0, 34.0, 34.0
_FULL = WIDTH - _LEFT - _RIGHT


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure as a bar from zero: how long, whose, and what is claimed. A figure without an upper end is drawn open."""

    label: str
    words: str
    y: float
    length: float
    group: str
    is_open: bool
    is_vague: bool
    claims: tuple[Claim, ...]
    link: str
    spoken: str

    @property
    def per_cent(self) -> float:
        """How long the bar is, of the longest that there can be in a chart."""
        return round(100 * self.length / _FULL, 1)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: what it measures, whether planned or done, ticks of its own scale, and bars."""

    anchor: str
    title: str
    state: str
    y: float
    height: float
    ticks: tuple[tuple[float, str], ...]
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Charts:
    """Charts one below the other, and the figures that have no number to draw."""

    charts: tuple[Chart, ...]
    height: float
    without: tuple[Figure, ...]


GROUPS: Mapping[str, Callable[[Figure], str]] = {
    "donor": lambda figure: ", ".join(figure.giver_names),
    "instrument": lambda figure: ", ".join(figure.mean_names),
    "year": lambda figure: ", ".join(figure.periods),
}
"""What bars can be ordered by: who gives, by what means, when."""


def amounts(figures: Iterable[Figure], known: Mapping[str, Claim], by: str) -> Charts:
    """Return charts of sums of money, their bars ordered by a key of GROUPS, then by size."""
    return _charts(figures, known, GROUPS[by])


def shares(rows: Iterable[Row], known: Mapping[str, Claim], y: float) -> Chart:
    """Return the chart of the rows of /surveys, below y: shares of those asked, on a scale to 100 per cent."""
    made = []
    for number, row in enumerate(rows):
        claims = picked([row["claim"]], known)
        label = f"{row['perceived_name']}: {row['image_name']}"
        said = f"{number_text(row['value'])} {row['unit_name']}"
        group = f"{', '.join(row['period_names'])}; {', '.join(row['place_names'])}"
        made.append(_bar(label, said, y, number, row["value"], 100.0, group, claims, bound=str(row["bound"] or "")))
    return _chart("polls", "Polls: share of those asked", "done", y, 100.0, "per cent", made)


def multiples(rows: Iterable[Row], known: Mapping[str, Claim], y: float) -> Chart:
    """Return the chart of those rows of /rankings that say how many times one side is of the other, below y."""
    told = [row for row in rows if row["kind"] == ":Comparison" and row["value"] is not None]
    top = max((row["value"] for row in told), default=1.0)
    made = []
    for number, row in enumerate(told):
        label = f"{', '.join(row['subject_names'])} : {', '.join(row['compared_with_names'])}"
        said = f"{number_text(row['value'])} {row['unit_name'] or ''}".strip()
        claims = picked([row["claim"]], known)
        made.append(_bar(label, said, y, number, row["value"], top, ", ".join(row["period_names"]), claims))
    return _chart("multiples", "Comparisons: how many times", "done", y, top, "times", made)


@dataclass(frozen=True, slots=True)
class Rank:
    """A place in an order, among whom, with its claim."""

    place: int
    subjects: str
    measure: str
    among: str
    period: str
    printed: str
    claim: str

    @property
    def link(self) -> str:
        """Where the claim is told whole."""
        return claim_link(self.claim)


def ranks(rows: Iterable[Row]) -> list[Rank]:
    """Return the ranks among the rows of /rankings, best first."""
    found = [
        Rank(
            int(row["value"]),
            ", ".join(row["subject_names"]),
            row["measure_name"],
            ", ".join(row["counterpart_names"]),
            ", ".join(row["period_names"]),
            row["printed"] or "",
            row["claim"],
        )
        for row in rows
        if row["kind"] == ":Rank" and row["value"] is not None
    ]
    return sorted(found, key=lambda rank: (rank.place, rank.subjects))


def below(charts: Charts, further: Iterable[Callable[[float], Chart]]) -> Charts:
    """Return charts with further ones below them, each made from the place where it begins; empty ones are left out."""
    found, y = list(charts.charts), charts.height
    for make in further:
        chart = make(y)
        if chart.bars:
            found.append(chart)
            y += chart.height
    return Charts(tuple(found), y, charts.without)


def _charts(figures: Iterable[Figure], known: Mapping[str, Claim], group: Callable[[Figure], str]) -> Charts:
    every = list(figures)
    kinds: dict[tuple[str, str, str, str], list[Figure]] = {}
    for figure in every:
        if figure.value is not None:
            kinds.setdefault((figure.unit, figure.measure, figure.state, figure.frequency), []).append(figure)
    y = 0.0
    made: list[Chart] = []
    for (unit, measure, state, frequency), found in sorted(kinds.items()):
        top = max(figure.value or 0.0 for figure in found)
        bars = []
        for number, figure in enumerate(sorted(found, key=lambda one: (group(one), -(one.value or 0.0), one.label))):
            claims = picked(figure.claims, known)
            bars.append(
                _bar(figure.label, figure.words, y, number, figure.value or 0.0, top, group(figure), claims, figure.bound)
            )
        often = " a year" if frequency == "Annual" else ""
        chart = _chart(f"chart-{len(made) + 1}", f"{measure[:1].upper()}{measure[1:]}{often}", state, y, top, unit, bars)
        made.append(chart)
        y += chart.height
    return Charts(tuple(made), y, tuple(figure for figure in every if figure.value is None))


def _chart(anchor: str, title: str, state: str, y: float, top: float, unit: str, bars: Sequence[Bar]) -> Chart:
    steps = 4
    ticks = tuple((round(_LEFT + _FULL * n / steps, 1), _short(top * n / steps)) for n in range(steps + 1))
    return Chart(anchor, f"{title}, {unit}", state, y, _HEAD + _BAR * len(bars) + _FOOT, ticks, tuple(bars))


def _bar(
    label: str,
    words: str,
    y: float,
    number: int,
    value: float,
    top: float,
    group: str,
    claims: tuple[Claim, ...],
    bound: str = "",
) -> Bar:
    surely = ", ".join(modality.words for modality, _ in tally(claims))
    local = bound.removeprefix(":")
    return Bar(
        label if len(label) <= 60 else label[:59].rstrip() + "…",
        words,
        y + _HEAD + number * _BAR,
        round(max(_FULL * value / top, 2.0), 1) if top else 2.0,
        group,
        local in ("MoreThan", "AtLeast"),
        local in ("Approximate", "OrderOfMagnitude"),
        claims,
        claims[0].link if claims else "#figures",
        f"{label}: {words}; {group}; {surely}",
    )


def _short(value: float) -> str:
    """Return a number for an axis, to three digits, in millions or billions where it is large."""
    for size, word in ((1e9, " bn"), (1e6, " m")):
        if value >= size:
            return number_text(float(f"{value / size:.3g}")) + word
    return number_text(float(f"{value:.3g}"))
