"""A claim set against data, as its page tells it: both numbers, how far they may be apart, what they are made of, the verdict."""

from collections.abc import Mapping
from dataclasses import dataclass

from suasion.amounts import OPEN, number_text, words
from suasion.statements import Row, thing_link

_FORMS = {":Agrees": "=", ":Differs": "≠"}
_ALIKE = 1000
"""From here on numbers of data are shown without decimals."""


@dataclass(frozen=True, slots=True)
class Check:
    """A verdict on a claim; texts are "" for what the verdict does not have.

    `form` is a sign and `outcome` words for how the data stand to the claim; `claimed` and `observed` are numbers with units,
    `ratio` the observed one divided by the claimed; `allowed` says how far off still agrees. `missing` are names and links of
    what has no observation, `rate` tells of a conversion.
    """

    form: str
    outcome: str
    compared: str
    claimed: str
    observed: str
    ratio: str
    allowed: str
    made_of: str
    missing: tuple[tuple[str, str], ...]
    rate: str
    rate_dataset: str
    obstacle: str
    note: str
    dataset: str
    dataset_name: str
    verdict: str


def check(row: Row, outcomes: Mapping[str, str]) -> Check:
    """Return what is told of a row of /claim-checks; `outcomes` are words for the codes of outcomes."""
    unit = (row["unit"] or "").partition(":")[2]
    bound = (row["bound"] or "").removeprefix(":")
    return Check(
        form=_FORMS.get(row["outcome"], "–"),
        outcome=outcomes.get(row["outcome"]) or row["outcome"].removeprefix(":"),
        compared=row["compared"],
        claimed=_number(row["claimed_value"], unit, bound),
        observed=_number(row["observed_value"], unit, ""),
        ratio="" if row["ratio"] is None else f"{row['ratio']:,}",
        allowed=_allowed(row["tolerance"], bound),
        made_of=_made_of(row["observations"], row["observed_periods"]),
        missing=_missing(row["missing"], row["missing_names"]),
        rate="" if row["exchange_rate"] is None else f"converted at {row['exchange_rate']:,} {unit}",
        rate_dataset=row["rate_dataset"] or "",
        obstacle=row["obstacle"] or "",
        note=row["note"] or "",
        dataset=row["dataset"],
        dataset_name=row["dataset_name"] or row["dataset"].partition(":")[2],
        verdict=row["verdict"],
    )


def _number(value: float | None, unit: str, bound: str) -> str:
    """Return a number with its unit; one without a unit is a year."""
    if value is None:
        return ""
    if not unit:
        return f"{value:g}"
    return words(round(value) if abs(value) >= _ALIKE else value, unit, bound)


def _allowed(tolerance: float | None, bound: str) -> str:
    if tolerance is None:
        return ""
    apart = f"up to {number_text(round(tolerance * 100, 6))} per cent off still agrees" if tolerance else "only the same agrees"
    return f"{apart}, and whatever is more" if bound in OPEN else apart


def _made_of(observations: int | None, periods: list[str]) -> str:
    if observations is None:
        return ""
    told = f"{observations:,} observation{'' if observations == 1 else 's'}"
    return f"{told}, of {', '.join(periods)}" if periods else told


def _missing(things: list[str], names: list[str]) -> tuple[tuple[str, str], ...]:
    """Return names, with the link of a thing where there is just one: lists are sorted each by itself."""
    return tuple((name, thing_link(things[0]) if len(things) == 1 else "") for name in names or things)
