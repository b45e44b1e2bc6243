"""Figures in words and as sums: value, bound and currency as the article has them; nothing is converted or added."""

from collections.abc import Iterable
from dataclasses import dataclass

from suasion.statements import Row, thing_link

BOUNDS = {
    "Exact": "",
    "MoreThan": "more than",
    "AtLeast": "at least",
    "Approximate": "about",
    "OrderOfMagnitude": "in the order of",
    "Unstated": "",
}
OPEN = ("MoreThan", "AtLeast")
"""The bounds of figures that have no upper end."""
VAGUE = ("Approximate", "OrderOfMagnitude")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the article; `value` is None where it gives none, `words` tell value, unit and bound together."""

    name: str
    label: str
    link: str
    value: float | None
    unit: str
    bound: str
    words: str
    printed: str
    measure: str
    state: str
    frequency: str
    givers: tuple[str, ...]
    giver_names: tuple[str, ...]
    receiver_names: tuple[str, ...]
    means: tuple[str, ...]
    mean_names: tuple[str, ...]
    periods: tuple[str, ...]
    claims: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether the article gives a lower end only."""
        return self.bound in OPEN

    @property
    def is_vague(self) -> bool:
        """Whether the article gives it roughly."""
        return self.bound in VAGUE


def words(value: float | None, unit: str, bound: str, frequency: str = "") -> str:
    """Return a figure in words.

    >>> words(10000000, "USD", "MoreThan")
    'more than USD 10,000,000'
    >>> words(None, "USD", "Unstated")
    'amount not given'
    """
    if value is None:
        return "amount not given"
    number = number_text(value)
    shown = f"{unit} {number}" if unit.isupper() else f"{number} {unit}"
    return " ".join(part for part in (BOUNDS.get(bound, bound), shown, _often(frequency)) if part)


def number_text(value: float) -> str:
    """Return a number with commas between thousands, and no decimals where it is whole."""
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,}"


def flows(rows: Iterable[Row]) -> list[Figure]:
    """Return the sums and flows of the rows of /flows, in their order."""
    return [
        Figure(
            name=row["figure"] or row["flow"],
            label=row["name"],
            link=thing_link(row["flow"]),
            value=row["value"],
            unit=row["currency_name"] or "",
            bound=_local(row["bound"]),
            words=words(row["value"], row["currency_name"] or "", _local(row["bound"]), _local(row["frequency"])),
            printed=row["printed"] or "",
            measure=row["measure_name"] or "flow",
            state=row["state"],
            frequency=_local(row["frequency"]),
            givers=tuple(row["donors"]),
            giver_names=tuple(row["donor_names"]),
            receiver_names=tuple(row["recipient_names"]),
            means=tuple(row["instruments"]),
            mean_names=tuple(row["instrument_names"]),
            periods=tuple(row["period_names"]),
            claims=tuple(row["claims"]),
        )
        for row in rows
    ]


def quantities(rows: Iterable[Row]) -> list[Figure]:
    """Return the figures of the rows of /quantities: one that several claims state is one figure."""
    found: dict[str, Figure] = {}
    for row in rows:
        known = found.get(row["figure"])
        stated = (*(known.claims if known else ()), row["claim"])
        found[row["figure"]] = Figure(
            name=row["figure"],
            label=", ".join(row["of_names"] or row["provider_names"] or row["compared_names"] or row["place_names"]) or "–",
            link=thing_link(row["figure"]),
            value=row["value"],
            unit=row["unit_name"] or "",
            bound=_local(row["bound"]),
            words=words(row["value"], row["unit_name"] or "", _local(row["bound"]), _local(row["frequency"])),
            printed=row["printed"] or "",
            measure=row["measure_name"] or "comparison",
            state="planned" if row["modality"] == ":Projected" else "done",
            frequency=_local(row["frequency"]),
            givers=tuple(dict.fromkeys([*row["providers"], *row["of"]])),
            giver_names=tuple(row["provider_names"]),
            receiver_names=tuple(row["receiver_names"]),
            means=(),
            mean_names=(),
            periods=tuple(row["period_names"]),
            claims=stated,
        )
    return list(found.values())


def _local(code: str | None) -> str:
    return (code or "").removeprefix(":")


def _often(frequency: str) -> str:
    return {"": "", "Annual": "a year"}.get(frequency, frequency.lower())
