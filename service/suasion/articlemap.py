"""The article as a map: sections, paragraphs and sentences in reading order, each with its claims or with why it has none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from suasion.statements import Claim, Modality, Row, picked, tally


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, heading or caption: its place, its size, its fingerprint, and its claims; no words of it.

    `words_shown` are its words where the service has a copy of the article, else "".
    """

    name: str
    kind: str
    paragraph: str
    pages: tuple[int, ...]
    ranges: str
    words: int
    fingerprint: str
    markers: tuple[int, ...]
    reason: str
    claims: tuple[Claim, ...]
    words_shown: str = ""

    @property
    def short(self) -> str:
        """The name without its prefix."""
        return self.name.partition(":")[2]

    @property
    def tally(self) -> tuple[tuple[Modality, int], ...]:
        """How many claims there are of each modality."""
        return tally(self.claims)

    @property
    def why(self) -> str:
        """Why there is no claim; "" where there is one."""
        if self.claims:
            return ""
        if self.reason:
            return self.reason
        return f"a {self.kind} that says nothing of its own" if self.kind != "sentence" else "no reason is recorded"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, or a heading or caption between paragraphs (`name` is "" then)."""

    name: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A section with the counts of its coverage."""

    notation: str
    title: str
    sentences: int
    accounted: int
    claims: int
    paragraphs: tuple[Paragraph, ...]


def sections(
    coverage: Iterable[Row],
    passages: Sequence[Row],
    prints: Mapping[str, str],
    known: Mapping[str, Claim],
    shown: Mapping[str, str],
) -> list[Section]:
    """Return the map, from the rows of /coverage and /passages (all of them), fingerprints, claims and words by passage."""
    stated: dict[str, set[str]] = {}
    reasons: dict[str, str] = {}
    for row in passages:
        stated.setdefault(row["sentence"], set()).update(row["claims"])
        if row["reason"]:
            reasons[row["sentence"]] = row["reason"]
    by_section: dict[str, list[Sentence]] = {}
    for row in passages:
        name = row["passage"]
        if row["sentence"] != name:
            continue
        by_section.setdefault(row["section"], []).append(
            Sentence(
                name,
                row["kind"],
                (row["paragraph"] or "").partition(":")[2],
                tuple(sorted(row["pages"])),
                row["ranges"],
                row["words"],
                prints.get(name, ""),
                tuple(sorted(row["markers"])),
                reasons.get(name, ""),
                picked(stated[name], known),
                shown.get(name, ""),
            )
        )
    return [
        Section(
            row["section"],
            row["title"],
            row["sentences"],
            row["accounted"],
            row["claim_count"],
            tuple(_paragraphs(by_section.get(row["section"], ()))),
        )
        for row in coverage
    ]


def gaps(passages: Iterable[Row]) -> list[tuple[int, int]]:
    """Return the character ranges of the source between sentences, beyond single blanks: markers, and what is of the page."""
    spans = sorted(
        (int(start), int(end))
        for row in passages
        if row["sentence"] == row["passage"]
        for start, _, end in (part.partition("-") for part in row["ranges"].split())
    )
    found: list[tuple[int, int]] = []
    after = spans[0][1] if spans else 0
    for start, end in spans:
        if start - after > 1:
            found.append((after, start))
        after = max(after, end)
    return found


def _paragraphs(sentences: Iterable[Sentence]) -> Iterable[Paragraph]:
    run: list[Sentence] = []
    for sentence in sentences:
        if run and (run[-1].paragraph != sentence.paragraph or not sentence.paragraph):
            yield Paragraph(run[0].paragraph, tuple(run))
            run = []
        run.append(sentence)
    if run:
        yield Paragraph(run[0].paragraph, tuple(run))
