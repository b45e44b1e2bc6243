"""A full-text index of names, codes and sentences, in memory: SQLite's FTS5 (https://www.sqlite.org/fts5.html).

It is built once, by one process, and only read after that: forked processes share its memory. FTS5 gets nothing but words
in quotes, so no text is syntax to it.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import log
from typing import NamedTuple

from suasion.errors import DataError
from suasion.words import spaceless, tokens, units

COLUMNS = ("names", "codes", "texts")
_WEIGHTS = (8.0, 4.0, 1.0)  # of the columns, for BM25
_BETWEEN = " \uf8ff "  # a word that no text has, so that no run of words reaches from one name into the next
_FIRST, _LAST = "\x01", "\U0010ffff"  # before and after all that a name may go on with
_MOST_COMPARED = 200  # words that share most groups of three letters with a misspelled one
_MOST_GUESSES = 3
_MOST_SHARING = 1000  # things with some of the words, the best by BM25, that are ordered by which words they have
_LEAST_STEM = 5  # letters of a word that may begin another where nothing has all words: invest, investment
_MOST_BEGINNINGS = 1000  # names, in the order of the alphabet, of which the nearest are taken
_SCHEMA = """
CREATE TABLE thing (id INTEGER PRIMARY KEY, term TEXT, kind TEXT, label TEXT, language TEXT);
CREATE TABLE form (thing INTEGER, number INTEGER, role INTEGER, text TEXT, language TEXT, key TEXT,
                   PRIMARY KEY (thing, number)) WITHOUT ROWID;
CREATE VIRTUAL TABLE doc USING fts5(names, codes, texts, content='', tokenize='ascii', prefix='1 2 3');
CREATE VIRTUAL TABLE spelling USING fts5(word, uses UNINDEXED, tokenize='trigram case_sensitive 1', detail='none');
"""


class Role(IntEnum):
    """What a text is to its thing: the name shown, another name, a code, or a sentence about it."""

    LABEL = 0
    NAME = 1
    CODE = 2
    TEXT = 3


class Entry(NamedTuple):
    """A text of a thing (a term in N-Triples) of a kind ("" for none), and its language ("" for none)."""

    thing: str
    kind: str
    role: Role
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A thing that a text fits, with the form that fits best.

    `rank` is 0 for a whole name or code, 1 for the beginning of one, 2 for words of names, 3 for words elsewhere. The higher
    the score, the better: 3 - rank, and a part of one.
    """

    thing: str
    kind: str
    label: str
    label_language: str
    form: str
    form_language: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """Hits, best first.

    `matched` says how: by all words of the text, by words spelled similarly, or by some of the words. `cut` says that more
    things fit.
    """

    hits: tuple[Hit, ...] = ()
    matched: str = "all"
    cut: bool = False


class _Place(NamedTuple):
    """A thing found, with its rank, its nearness (0 to 1), and its best form where that is known."""

    thing: int
    rank: int
    nearness: float
    form: tuple[str, str] | None


_COLUMN = (0, 0, 1, 2)  # of each role
_Wanted = list[list[tuple[str, ...]]]
"""What has to be there: of each inner list one run of words."""


class TextIndex:
    """An index of entries."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Build it; the order of the entries makes no difference. Raises DataError where SQLite has no FTS5."""
        self._database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        try:
            self._database.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            raise DataError(
                f"SQLite {sqlite3.sqlite_version} has no text search ({error}): use 3.34 or newer, with FTS5."
            ) from None
        self._database.execute("BEGIN")
        self._fill(_by_thing(entries))
        self._database.execute("CREATE INDEX form_key ON form (key, thing) WHERE role < 3")
        self._database.execute("COMMIT")

    @classmethod
    def restored(cls, serialised: bytes) -> "TextIndex":
        """Return the index that `serialised` was called on."""
        index = cls(())
        index._database.deserialize(serialised)
        return index

    def serialised(self) -> bytes:
        """Return the index as bytes, for another process. Raises AttributeError where SQLite was built without this."""
        return self._database.serialize()

    def find(self, text: str, most: int, kind: str = "", within: Sequence[str] = COLUMNS) -> Found:
        """Return at most `most` things that a text fits, of a kind or ("") of any.

        All words have to be there, the last one perhaps only begun; where nothing has them all, words spelled similarly are
        tried, then things that have some of the words. `within` names the columns that are searched. No text is an error.
        """
        wanted: _Wanted = [[unit] for unit in units(text)]
        if not wanted:
            return Found()
        found, cut = self._all(wanted, most, kind, within)
        if found:
            return self._shown(wanted, found, "all", cut)
        guessed = self._guessed(wanted)
        if guessed != wanted:
            found, cut = self._all(guessed, most, kind, within)
            if found:
                return self._shown(guessed, found, "similar", cut)
        some = [[unit for unit in choices if len(unit) > 1 or len(unit[0]) > 2] for choices in guessed]
        some = [choices for choices in some if choices]
        if len(wanted) == 1 or not some:
            return Found()
        most = min(most, _MOST_SHARING)
        places = self._some([[_begun(unit) for unit in choices] for choices in some], kind, within)
        return self._shown(some, places[:most], "some", len(places) > most)

    def _fill(self, by_thing: list[list[Entry]]) -> None:
        """Insert the things, numbered by the length of their labels: so those as good as each other come shortest first."""
        by_thing.sort(key=lambda entries: (len(entries[0].text), entries[0].text, entries[0].thing))
        spoken: list[str] = []
        things, forms, docs = [], [], []
        for thing, entries in enumerate(by_thing, start=1):
            columns: tuple[list[str], list[str], list[str]] = ([], [], [])
            for number, (_, _, role, text, language) in enumerate(entries):
                words = tokens(text)
                if role != Role.CODE:
                    spoken += words
                key = " ".join(words)
                columns[_COLUMN[role]].append(key)
                forms.append((thing, number, role, text, language, key))
            things.append((thing, entries[0].thing, entries[0].kind, entries[0].text, entries[0].language))
            docs.append((thing, *[_BETWEEN.join(column) for column in columns]))
        self._database.executemany("INSERT INTO thing VALUES (?, ?, ?, ?, ?)", things)
        self._database.executemany("INSERT INTO form VALUES (?, ?, ?, ?, ?, ?)", forms)
        self._database.executemany("INSERT INTO doc (rowid, names, codes, texts) VALUES (?, ?, ?, ?)", docs)
        known = [(f" {word} ", uses) for word, uses in sorted(Counter(spoken).items()) if _may_be_misspelled(word)]
        self._database.executemany("INSERT INTO spelling (word, uses) VALUES (?, ?)", known)

    def _all(self, wanted: _Wanted, most: int, kind: str, within: Sequence[str]) -> tuple[list[_Place], bool]:
        """Return at most `most` things that have all that is wanted, best first, and whether there are more."""
        places: dict[int, _Place] = {}
        if "names" in within:
            key = " ".join(token for choices in wanted for token in choices[0])
            for place in self._named(key, most + 1, kind, "codes" in within):
                places.setdefault(place.thing, place)
        last = wanted[-1]
        begun = last if spaceless(last[0][-1]) else [*last, *((*unit[:-1], unit[-1] + "*") for unit in last)]
        query = " AND ".join("(" + " OR ".join(_quoted(unit) for unit in choices) + ")" for choices in [*wanted[:-1], begun])
        for rank, columns in ((2, ("names",)), (3, within)):
            if len(places) <= most and set(columns) <= set(within):
                for place in self._words(query, len(places) + most + 1, kind, columns, rank):
                    places.setdefault(place.thing, place)
        found = list(places.values())
        return found[:most], len(found) > most

    def _some(self, wanted: _Wanted, kind: str, within: Sequence[str]) -> list[_Place]:
        """Return the things that have some of what is wanted: those with the larger share first, a rare word counting for more.

        Things with the same words stand in the order of BM25.
        """
        query = " OR ".join(_quoted(unit) for choices in wanted for unit in choices)
        places = list(self._words(query, _MOST_SHARING + 1, kind, within, 2))
        roles = [role for role in Role if COLUMNS[_COLUMN[role]] in within]
        keys: dict[int, list[str]] = {place.thing: [] for place in places}
        for thing in keys:
            for role, key in self._database.execute("SELECT role, key FROM form WHERE thing = ?", (thing,)):
                if role in roles:
                    keys[thing].append(key)
        texts = {thing: f" {_BETWEEN.join(of)} " for thing, of in keys.items()}
        parts = [[f" {' '.join(unit)}".removesuffix("*") + " " * (unit[-1][-1] != "*") for unit in choices] for choices in wanted]
        having = [{thing for thing, text in texts.items() if any(part in text for part in choices)} for choices in parts]
        weights = [log(1 + len(texts) / len(things)) if things else 0.0 for things in having]
        whole = sum(weights) or 1.0  # no word stands in the texts as it was asked for
        near = []
        for place in places:
            share = sum(weight for weight, things in zip(weights, having, strict=True) if place.thing in things) / whole
            near.append(place._replace(nearness=0.9 * share + 0.1 * place.nearness))
        return sorted(near, key=lambda place: (-place.nearness, place.thing))

    def _named(self, key: str, most: int, kind: str, codes: bool) -> Iterator[_Place]:
        """Yield the things with a name or code that is the key, then those with one that begins with it, shortest first."""
        for rank, first, after in ((0, key, key + _FIRST), (1, key + _FIRST, key + _LAST)):
            # With max() SQLite takes the other columns from the row that has the most: https://sqlite.org/lang_select.html
            rows = self._database.execute(
                """
                SELECT thing, text, language, max(
                  CASE role WHEN 0 THEN 1.0 WHEN 1 THEN 0.95 ELSE 0.5 END
                  * CASE substr(key, length(:key) + 1, 1) WHEN '' THEN 1.0 WHEN ' ' THEN 1.0 ELSE 0.75 END
                  * length(:key) / length(key)
                ) AS nearness
                FROM (
                  SELECT thing, text, language, role, key FROM form
                  WHERE key >= :first AND key < :after AND role < 3 AND role <= :role
                    AND (:kind = '' OR (SELECT kind FROM thing WHERE id = form.thing) = :kind)
                  ORDER BY key, thing
                  LIMIT :considered
                )
                GROUP BY thing
                ORDER BY nearness DESC, thing
                LIMIT :most
                """,
                {
                    "key": key,
                    "first": first,
                    "after": after,
                    "role": Role.CODE if codes else Role.NAME,
                    "kind": kind,
                    "most": most,
                    "considered": _MOST_BEGINNINGS + 2 * most,
                },
            )
            for thing, text, language, nearness in rows:
                yield _Place(thing, rank, nearness, (text, language))

    def _words(self, query: str, most: int, kind: str, columns: Sequence[str], rank: int) -> Iterator[_Place]:
        """Yield the things whose columns match an FTS5 query, by BM25."""
        rows = self._database.execute(
            """
            SELECT rowid, bm25(doc, ?, ?, ?) AS distance FROM doc
            WHERE doc MATCH ? AND (? = '' OR (SELECT kind FROM thing WHERE id = doc.rowid) = ?)
            ORDER BY distance, rowid
            LIMIT ?
            """,
            (*_WEIGHTS, f"{{{' '.join(columns)}}} : ({query})", kind, kind, most),
        )
        for thing, distance in rows:
            yield _Place(thing, rank, -distance / (1 - distance), None)

    def _guessed(self, wanted: _Wanted) -> _Wanted:
        """Return what is wanted, with words that the index does not have replaced by known ones of similar spelling."""
        guessed = []
        for number, choices in enumerate(wanted):
            (unit,) = choices
            begun = number == len(wanted) - 1
            if len(unit) > 1 or not _may_be_misspelled(unit[0]) or self._is_known(unit[0], begun):
                guessed.append(choices)
            else:
                guessed.append([(word,) for word in self._similar(unit[0], begun)] or choices)
        return guessed

    def _is_known(self, word: str, begun: bool) -> bool:
        query = _quoted((word + "*",) if begun else (word,))
        return self._database.execute("SELECT 1 FROM doc WHERE doc MATCH ? LIMIT 1", (query,)).fetchone() is not None

    def _similar(self, word: str, begun: bool) -> list[str]:
        padded = f" {word} "
        pieces = dict.fromkeys(padded[at : at + 3] for at in range(len(padded) - 2))
        query = " OR ".join(f'"{piece}"' for piece in pieces)
        rows = self._database.execute(
            "SELECT word, uses FROM spelling WHERE spelling MATCH ? ORDER BY rank, rowid LIMIT ?", (query, _MOST_COMPARED)
        )
        allowed = 1 if len(word) < 8 else 2
        near = []
        for spelled, uses in rows:
            known = spelled[1:-1]
            if abs(len(known) - len(word)) <= allowed or (begun and len(known) > len(word)):
                apart = distance(word, known, begun)
                if apart <= allowed and (len(word) > 4 or known[0] in word[:2]):
                    near.append((apart, -uses, known))
        return [known for apart, _, known in sorted(near) if apart == min(near)[0]][:_MOST_GUESSES]

    def _shown(self, wanted: _Wanted, places: Sequence[_Place], matched: str, cut: bool) -> Found:
        hits = []
        for place in places:
            term, kind, label, language = self._database.execute(
                "SELECT term, kind, label, language FROM thing WHERE id = ?", (place.thing,)
            ).fetchone()
            form, form_language = place.form or self._best_form(place.thing, wanted)
            score = round(3 - place.rank + place.nearness, 4)
            hits.append(Hit(term, kind, label, language, form, form_language, place.rank, score))
        return Found(tuple(hits), matched, cut)

    def _best_form(self, thing: int, wanted: _Wanted) -> tuple[str, str]:
        """Return the text that has most of what is wanted, and its language; of several the first as shown."""
        best, most = ("", ""), -1
        for text, language, key in self._database.execute(
            "SELECT text, language, key FROM form WHERE thing = ? ORDER BY number", (thing,)
        ):
            words = f" {key} "
            has = sum(any(f" {' '.join(unit)}" in words for unit in choices) for choices in wanted)
            if has > most:
                best, most = (text, language), has
        return best


def distance(word: str, known: str, begun: bool = False) -> int:
    """Return how many letters have to be added, left out, changed or swapped with the next; begun: to get a beginning.

    >>> distance("koizmi", "koizumi"), distance("phillipi", "philippines", begun=True)
    (1, 2)
    """
    before: list[int] = []
    row = list(range(len(known) + 1))
    for i, letter in enumerate(word, start=1):
        above, row = row, [i]
        for j, other in enumerate(known, start=1):
            least = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == known[j - 2] and word[i - 2] == other:
                least = min(least, before[j - 2] + 1)
            row.append(least)
        before = above
    return min(row) if begun else row[-1]


def _may_be_misspelled(word: str) -> bool:
    return len(word) > 3 and word.isalpha()


def _by_thing(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Return the entries of each thing, the one to show first; a text that repeats an earlier one is left out."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.thing, []).append(entry)
    for group in groups.values():
        if len(group) > 1:
            group.sort(key=_as_shown)
            first: dict[tuple[str, str], Entry] = {}
            for entry in group:
                first.setdefault((entry.text, entry.language), entry)
            group[:] = first.values()
    return list(groups.values())


def _as_shown(entry: Entry) -> tuple[object, ...]:
    """Order the texts of a thing: by role, English first, then what has no language."""
    return entry.role, (entry.language.partition("-")[0] != "en", entry.language), len(entry.text), entry.text, entry.kind


def _begun(unit: tuple[str, ...]) -> tuple[str, ...]:
    """Return a run of words, or what words begin with where that is one word long enough."""
    return (unit[0] + "*",) if len(unit) == 1 and len(unit[0]) >= _LEAST_STEM and not spaceless(unit[0][-1]) else unit


def _quoted(unit: Sequence[str]) -> str:
    """Return a run of words as an FTS5 phrase; a star at its end asks for a beginning of the last word."""
    run = " ".join(unit)
    return f'"{run[:-1]}"*' if run.endswith("*") else f'"{run}"'
