"""Normalised words of a text, and fingerprints of runs of them.

Two copies of one article differ in line breaks, line-end hyphens, quotation marks, accents and note
markers. Normalised words do not: a run of them has the same digest in each copy.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

NOTE_MARKER = re.compile(r"\[\d+\]")
# A hyphen (also soft, non-breaking or en dash) joins, over a line end too; so do the marks of U.S., 1,154 and China's.
_LETTERS = r"(?:[^\W_][\u0300-\u036f]*)+"
_JOIN = r"(?:[-\u00ad\u2010\u2011\u2013](?:[ \t]*\r?\n\s*)?|[.,'\u2019])"
_WORD = re.compile(f"{_LETTERS}(?:{_JOIN}{_LETTERS})*")
_NOT_A_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Word:
    """A normalised word and its place: Unicode code points of the text, half-open."""

    text: str
    start: int
    end: int


def words(text: str) -> tuple[Word, ...]:
    """Return the normalised words of a text, in its order.

    Case and accents are folded, note markers and punctuation dropped, hyphens removed and so line-end hyphens repaired.

    >>> [word.text for word in words("China’s co-\\ndevelopment [7], e.g. in 1,154 cafés")]
    ['chinas', 'codevelopment', 'eg', 'in', '1154', 'cafes']
    """
    blanked = NOTE_MARKER.sub(lambda marker: " " * len(marker.group()), text)
    return tuple(Word(_fold(match.group()), match.start(), match.end()) for match in _WORD.finditer(blanked))


def fingerprint(run: Iterable[str]) -> str:
    """Return the SHA-256, in hexadecimal, of normalised words joined by single spaces (UTF-8)."""
    return hashlib.sha256(" ".join(run).encode()).hexdigest()


def places(text: Sequence[Word], wanted: Mapping[int, frozenset[str]]) -> Iterator[tuple[str, int]]:
    """Slide over a text and yield (fingerprint, index of its first word) of each run that is wanted.

    `wanted` maps a number of words to the fingerprints of that length.
    """
    plain = [word.text for word in text]
    for length, digests in wanted.items():
        for first in range(len(plain) - length + 1):
            digest = fingerprint(plain[first : first + length])
            if digest in digests:
                yield digest, first


def _fold(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word)
    return _NOT_A_LETTER.sub("", "".join(c for c in decomposed if not unicodedata.combining(c))).casefold()
