"""Find the passages of the graph in a copy of the article, whatever its line breaks, hyphens and order."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from html.parser import HTMLParser

import pyoxigraph as ox

from suasion.errors import DataFileError
from suasion.fingerprints import Word, places, words

_PASSAGES = """
PREFIX : <https://w3id.org/suasion/def#>
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX oa: <http://www.w3.org/ns/oa#>
SELECT ?passage ?whole ?words ?print ?start ?end ?pieceWords ?piecePrint WHERE {
  ?passage a :Passage ; :wordCount ?words ; :fingerprint ?print ; oa:hasSelector ?selector .
  ?selector oa:start ?start ; oa:end ?end .
  OPTIONAL { ?passage dcterms:isPartOf ?whole . ?whole a :Passage }
  OPTIONAL { ?selector :ordinal ?ordinal ; :wordCount ?pieceWords ; :fingerprint ?piecePrint }
}
ORDER BY ?passage ?ordinal
"""

_SOURCE = "SELECT ?sha WHERE { ?source <https://w3id.org/suasion/def#sha256> ?sha }"


class Finding(StrEnum):
    """How a passage stands in a copy."""

    FOUND = "found"
    MOVED = "moved"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Piece:
    """A character range of the source with the fingerprint of its words."""

    start: int
    end: int
    words: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage as the graph records it; `pieces` are its one or two ranges, `whole` the sentence that it is a part of."""

    iri: str
    whole: str
    words: int
    fingerprint: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Located:
    """A passage in a copy: its ranges there (code points, half-open), none when it is missing."""

    passage: Passage
    finding: Finding
    ranges: tuple[tuple[int, int], ...]


def passages(union: ox.Store) -> tuple[Passage, ...]:
    """Read the passages of the union of all graphs, sorted by IRI."""
    rows: dict[str, list[ox.QuerySolution]] = defaultdict(list)
    solutions = union.query(_PASSAGES)
    assert isinstance(solutions, ox.QuerySolutions)
    for row in solutions:
        rows[row["passage"].value].append(row)
    return tuple(_passage(iri, group) for iri, group in rows.items())


def recorded_digest(union: ox.Store) -> str:
    """Return the SHA-256 of the file that the offsets are counted in, or an empty text."""
    solutions = union.query(_SOURCE)
    assert isinstance(solutions, ox.QuerySolutions)
    return next((row["sha"].value for row in solutions), "")


def read_copy(data: bytes, name: str) -> str:
    """Decode a copy of the article: plain text, or the text of an HTML page.

    Raises DataFileError when it is not UTF-8.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataFileError(f"{name}: byte {error.start} is not UTF-8: save the text as UTF-8.") from error
    if text.lstrip()[:15].lower().startswith(("<!doctype", "<html", "<?xml")):
        page = _PageText()
        page.feed(text)
        return "".join(page.pieces)
    return text


def locate(wanted: Sequence[Passage], text: str, is_source: bool) -> tuple[Located, ...]:
    """Find each passage in a text.

    In the source file itself (`is_source`) a passage is found at its recorded offsets and moved elsewhere. In any other
    copy it is found where its sentence keeps the order of its neighbours, and moved where it does not.
    """
    content = words(text)
    by_length: dict[int, set[str]] = defaultdict(set)
    for passage in wanted:
        for length, digest in [(passage.words, passage.fingerprint), *((p.words, p.fingerprint) for p in passage.pieces)]:
            by_length[length].add(digest)
    runs: dict[str, list[int]] = defaultdict(list)
    for digest, first in places(content, {length: frozenset(digests) for length, digests in by_length.items()}):
        runs[digest].append(first)
    sentences: dict[str, tuple[tuple[int, int], ...]] = {}
    before = 0
    for passage in wanted:
        if not passage.whole:
            sentences[passage.iri] = ranges = _ranges(passage, runs, content, None if is_source else before)
            before = ranges[-1][1] if ranges else before
    located = []
    for passage in wanted:
        within = sentences.get(passage.whole, ())
        ranges = _ranges(passage, runs, content, None, within) if passage.whole else sentences[passage.iri]
        if not ranges:
            located.append(Located(passage, Finding.MISSING, ()))
        elif is_source:
            recorded = tuple((piece.start, piece.end) for piece in passage.pieces)
            located.append(Located(passage, Finding.FOUND if _covers(recorded, ranges) else Finding.MOVED, ranges))
        else:
            located.append(Located(passage, Finding.FOUND, ranges))
    return tuple(located) if is_source else _flag_out_of_order(located)


def is_recorded_source(data: bytes, digest: str) -> bool:
    """Say whether a file is, byte by byte, the one that the offsets are counted in."""
    return sha256(data).hexdigest() == digest


def _passage(iri: str, rows: list[ox.QuerySolution]) -> Passage:
    whole, count, digest = rows[0]["whole"], int(rows[0]["words"].value), rows[0]["print"].value
    pieces = tuple(
        Piece(
            int(row["start"].value),
            int(row["end"].value),
            int(row["pieceWords"].value) if row["pieceWords"] else count,
            row["piecePrint"].value if row["piecePrint"] else digest,
        )
        for row in rows
    )
    return Passage(iri, whole.value if whole else "", count, digest, pieces)


def _ranges(
    passage: Passage,
    runs: Mapping[str, list[int]],
    content: Sequence[Word],
    near: int | None,
    within: tuple[tuple[int, int], ...] = (),
) -> tuple[tuple[int, int], ...]:
    """Return the ranges of a passage, in one run or else piece by piece.

    Of several places the one in its sentence is taken, or the nearest: to `near`, or to the recorded offset without it.
    The longest piece is placed first, and the other at the recorded distance from it.
    """

    def place(count: int, digest: str, near: int) -> tuple[int, int] | None:
        spans = [(content[first].start, content[first + count - 1].end) for first in runs.get(digest, ())]
        inside = [span for span in spans if any(a <= span[0] and span[1] <= b for a, b in within)]
        return min(inside or spans, key=lambda span: abs(span[0] - near), default=None)

    recorded = passage.pieces[0].start
    if whole := place(passage.words, passage.fingerprint, recorded if near is None else near):
        return (whole,)
    longest = max(passage.pieces, key=lambda piece: piece.words)
    anchor = place(longest.words, longest.fingerprint, longest.start if near is None else near)
    if anchor is None:
        return ()
    shift = anchor[0] - longest.start
    found = [
        anchor if piece is longest else place(piece.words, piece.fingerprint, piece.start + shift) for piece in passage.pieces
    ]
    return tuple(span for span in found if span) if all(found) else ()


def _covers(recorded: tuple[tuple[int, int], ...], found: tuple[tuple[int, int], ...]) -> bool:
    """Say whether each found range overlaps a recorded one: punctuation at the ends may differ, the place may not."""
    return all(any(a < end and start < b for a, b in recorded) for start, end in found)


def _flag_out_of_order(located: Iterable[Located]) -> tuple[Located, ...]:
    """Mark sentences that break the order of the source, whichever of reading order and raw order fits better."""
    all_located = tuple(located)
    sentences = [one for one in all_located if one.ranges and not one.passage.whole]
    by_reading = sorted(sentences, key=lambda one: one.passage.iri)
    by_offset = sorted(sentences, key=lambda one: one.passage.pieces[0].start)
    kept = max((_longest_rising(order) for order in (by_reading, by_offset)), key=len)
    moved = {one.passage.iri for one in sentences} - kept
    return tuple(
        Located(one.passage, Finding.MOVED, one.ranges)
        if one.ranges and (one.passage.iri in moved or one.passage.whole in moved)
        else one
        for one in all_located
    )


def _longest_rising(order: Sequence[Located]) -> set[str]:
    """Return the passages of a longest subsequence whose places in the copy rise."""
    tails: list[int] = []
    at: list[int] = []
    before: dict[int, int] = {}
    for index, one in enumerate(order):
        start = one.ranges[0][0]
        slot = bisect_left(tails, start)
        tails[slot : slot + 1] = [start]
        at[slot : slot + 1] = [index]
        before[index] = at[slot - 1] if slot else -1
    kept: set[str] = set()
    index = at[-1] if at else -1
    while index >= 0:
        kept.add(order[index].passage.iri)
        index = before[index]
    return kept


class _PageText(HTMLParser):
    """The text of a page, without scripts and styles; block tags become line breaks, superscripts (note markers) are dropped."""

    _SILENT = frozenset({"script", "style", "sup", "title", "template"})
    _INLINE = frozenset({"a", "b", "i", "em", "strong", "span", "u", "small", "font", "abbr", "cite", "q", "mark", "sup"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent = ""

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        if not self._silent and tag in self._SILENT:
            self._silent = tag
        self.pieces.append("" if tag in self._INLINE else "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""
        self.pieces.append("" if tag in self._INLINE else "\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)
