"""What pages show of claims: how surely each is put forward, in a form and in words, who says it, where it stands, a link."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

Row = Mapping[str, Any]
"""A row of a curated question, as its JSON has it."""


@dataclass(frozen=True, slots=True)
class Modality:
    """How far, and as whose, a claim is put forward: the local name of its term, a form to draw, and words."""

    code: str
    form: str
    words: str


MODALITIES = (
    Modality("ReportedAsFact", "●", "reported as fact"),
    Modality("ReportedFromSource", "◐", "reported from a source"),
    Modality("Quoted", "❝", "quoted"),
    Modality("Evaluated", "◇", "evaluated"),
    Modality("Hedged", "○", "hedged"),
    Modality("Projected", "▷", "projected"),
)
_BY_CODE = {modality.code: modality for modality in MODALITIES}


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as pages tell it; `asserters` are names, `ranges` characters of the source, start-end."""

    name: str
    summary: str
    modality: Modality
    asserters: tuple[str, ...]
    credited: tuple[str, ...]
    hedges: tuple[str, ...]
    markers: tuple[int, ...]
    section: str
    ranges: str
    passage: str

    @property
    def link(self) -> str:
        """Where the claim is told whole."""
        return claim_link(self.name)


def modality(code: str) -> Modality:
    """Return the modality of a short name such as `:Hedged`; one that is not known is shown by its name."""
    local = code.removeprefix(":")
    return _BY_CODE.get(local, Modality(local, "□", local))


def claims(rows: Iterable[Row]) -> dict[str, Claim]:
    """Return claims by their short names, from the rows of /claims, in their order: that of the text."""
    return {
        row["claim"]: Claim(
            name=row["claim"],
            summary=row["summary"],
            modality=modality(row["modality"]),
            asserters=tuple(row["asserter_names"]),
            credited=tuple(row["credited_names"]),
            hedges=tuple(row["hedges"]),
            markers=tuple(sorted(row["markers"])),
            section=row["section"],
            ranges=row["ranges"],
            passage=row["passage"],
        )
        for row in rows
    }


def picked(names: Iterable[str], known: Mapping[str, Claim]) -> tuple[Claim, ...]:
    """Return the named claims, each once, in the order of the text."""
    wanted = frozenset(names)
    return tuple(claim for name, claim in known.items() if name in wanted)


def tally(found: Iterable[Claim]) -> tuple[tuple[Modality, int], ...]:
    """Return how many claims there are of each modality that occurs, in the order of the legend."""
    return in_order(Counter(claim.modality for claim in found))


def in_order(counts: Mapping[Modality, int]) -> tuple[tuple[Modality, int], ...]:
    """Return modalities with their numbers in the order of the legend; those that it lacks come last."""
    return tuple(sorted(counts.items(), key=lambda pair: [*_BY_CODE, pair[0].code].index(pair[0].code)))


def claim_link(name: str) -> str:
    """Return where a claim is told whole."""
    return thing_link(name)


def thing_link(name: str) -> str:
    """Return where a thing is told of."""
    return "/doc/" + quote(name.replace(":", "/", 1))
