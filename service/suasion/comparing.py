"""Actors side by side: instruments in their hierarchy as rows, actors as columns, claims and sums in the cells."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from suasion.amounts import Figure
from suasion.statements import Claim, Modality, Row, picked, tally, thing_link


@dataclass(frozen=True, slots=True)
class Cell:
    """What is claimed of an actor and an instrument."""

    claims: tuple[Claim, ...] = ()

    @property
    def tally(self) -> tuple[tuple[Modality, int], ...]:
        """How many claims there are of each modality."""
        return tally(self.claims)


@dataclass(frozen=True, slots=True)
class Line:
    """A row: an instrument, how deep it stands in the hierarchy, a period where rows are split, and a cell for each actor."""

    instrument: str
    name: str
    depth: int
    also: tuple[str, ...]
    period: str
    cells: tuple[Cell, ...]

    @property
    def link(self) -> str:
        """Where the instrument is told of."""
        return thing_link(self.instrument)


@dataclass(frozen=True, slots=True)
class Sums:
    """The figures of an instrument, or a measure, by actor."""

    name: str
    cells: tuple[tuple[Figure, ...], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instrument stands: its name, its depth, and broader ones that it is not shown under."""

    name: str
    depth: int
    also: tuple[str, ...]


def hierarchy(rows: Iterable[Row]) -> dict[str, Place]:
    """Return instruments in the order of their hierarchy, each below its nearest broader one, from the rows of /instruments.

    One with several broader ones stands below the deepest, the first by its name, and names the others.
    """
    names = {row["thing"]: row["name"] for row in rows}
    above = {row["thing"]: [thing for thing in row["broader"] if thing in names] for row in rows}
    nearest = {
        thing: sorted(
            (one for one in broader if not any(one in above[other] for other in broader)),
            key=lambda one: (-len(above[one]), names[one]),
        )
        for thing, broader in above.items()
    }
    placed: dict[str, Place] = {}

    def place(parent: str | None, depth: int) -> None:
        below = [thing for thing, parents in nearest.items() if (parents[0] if parents else None) == parent]
        for thing in sorted(below, key=lambda one: names[one]):
            placed[thing] = Place(names[thing], depth, tuple(names[other] for other in nearest[thing][1:]))
            place(thing, depth + 1)

    place(None, 0)
    return placed


def matrix(
    rows: Sequence[Row],
    order: Mapping[str, Place],
    above: Mapping[str, Sequence[str]],
    known: Mapping[str, Claim],
    actors: Sequence[str],
    *,
    by_period: bool,
) -> list[Line]:
    """Return the rows of the matrix from those of /matrix: instruments with a claim on one of the actors, and what is above them.

    With `by_period` an instrument has a row for each period that its claims give, and one for claims without.
    """
    stated: dict[tuple[str, str, str], set[str]] = {}
    periods: dict[str, dict[str, None]] = {}
    for row in rows:
        if row["actor"] in actors:
            period = (row["period_name"] or "no period given") if by_period else ""
            stated.setdefault((row["instrument"], period, row["actor"]), set()).update(row["claims"])
            periods.setdefault(row["instrument"], {})[period] = None
    shown = set(periods) | {broader for instrument in periods for broader in above.get(instrument, ())}
    return [
        Line(
            instrument,
            place.name,
            place.depth,
            place.also,
            period,
            tuple(Cell(picked(stated.get((instrument, period, actor), ()), known)) for actor in actors),
        )
        for instrument, place in order.items()
        if instrument in shown
        for period in periods.get(instrument, {"": None})
    ]


def sums(figures: Iterable[Figure], actors: Sequence[str], of: Callable[[Figure], Iterable[str]]) -> list[Sums]:
    """Return figures of actors side by side, in rows by what `of` tells of a figure, sorted by that."""
    cells: dict[str, dict[str, list[Figure]]] = {}
    for figure in figures:
        for actor in actors:
            if actor in figure.givers:
                for name in of(figure):
                    cells.setdefault(name, {}).setdefault(actor, []).append(figure)
    return [Sums(name, tuple(tuple(by.get(actor, ())) for actor in actors)) for name, by in sorted(cells.items())]
