"""Codes and names of things as tables, kept for each dataset: what a code means on a day, and what a name may mean.

Knows no HTTP and no engine: it asks two queries, of which it keeps the rows.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from suasion.described import Ask
from suasion.errors import BadParameter
from suasion.exchange import Question, Ready, Term
from suasion.words import tokens

SEPARATOR = "|"
"""What stands between the kinds, and between the names, in a row of queries/describe/things.rq."""
OPEN = ("", "9999")
"""A span without a first and a last day."""
_ALL = (0, 10**9)
_ZEROS = re.compile(r"^0+(?=[0-9])")
_SHORT_WORDS = {
    "dem": "democratic",
    "fed": "federal",
    "fmr": "former",
    "govt": "government",
    "intl": "international",
    "is": "islands",
    "isl": "islands",
    "isls": "islands",
    "n": "north",
    "org": "organization",
    "organisation": "organization",
    "peoples": "people",
    "rep": "republic",
    "s": "south",
    "saint": "st",
    "univ": "university",
}
_PASSED_OVER = frozenset(("a", "and", "de", "of", "the"))


@dataclass(frozen=True, slots=True)
class Holding:
    """A thing (IRI) that has a code, as the scheme writes it, from a first day to a last, `OPEN` where there is none."""

    thing: str
    code: str
    first: str = OPEN[0]
    last: str = OPEN[1]


@dataclass(frozen=True, slots=True)
class Thing:
    """What can be looked up by a name: its label, kinds and other names, and what is known of it.

    `standing` are names of other things that may stand for it, as a capital for its state; `named` says whether the article names
    it, `claims` in how many claims it stands.
    """

    iri: str
    label: str
    kinds: tuple[str, ...]
    names: tuple[str, ...] = ()
    standing: tuple[str, ...] = ()
    note: str = ""
    named: bool = False
    claims: int = 0

    @property
    def all_names(self) -> tuple[str, ...]:
        """The label, then the other names."""
        return (self.label, *self.names)


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """Things by IRI; the full names of schemes by what they may be called; who holds a code, and what a thing holds."""

    things: Mapping[str, Thing]
    schemes: Mapping[str, str]
    holders: Mapping[tuple[str, str], tuple[Holding, ...]]
    held: Mapping[str, Mapping[str, tuple[Holding, ...]]]
    by_name: Mapping[tuple[str, ...], tuple[Thing, ...]]

    def scheme(self, name: str) -> str:
        """Return the full name of a scheme. Raises BadParameter with all that there are."""
        if name not in self.schemes:
            known = ", ".join(sorted(self.schemes))
            said = f"There is no scheme {name[:60]!r}; there are {known}."
            raise BadParameter(said, {"parameter": "scheme", "accepted": f"one of {known}"})
        return self.schemes[name]

    def meant(self, scheme: str, code: str, first: str = OPEN[0], last: str = OPEN[1]) -> tuple[Holding, ...]:
        """Return who holds a code of a scheme (its full name) on a day of a stretch of time."""
        return within(self.holders.get((scheme, code_key(code)), ()), first, last)

    def codes(self, thing: str, scheme: str, first: str = OPEN[0], last: str = OPEN[1]) -> tuple[str, ...]:
        """Return the codes of a thing in a scheme (its full name) on a day of a stretch of time, each once."""
        holdings = within(self.held.get(thing, {}).get(scheme, ()), first, last)
        return tuple(dict.fromkeys(holding.code for holding in holdings))

    def label(self, thing: str) -> str:
        """Return the label of a thing, "" for one that is not looked up by names."""
        return self.things[thing].label if thing in self.things else ""


class Crosswalks:
    """The crosswalk of the dataset that is served now."""

    def __init__(self, ask: Ask, dataset: Callable[[], Ready], codes_query: str, things_query: str) -> None:
        self._ask = ask
        self._dataset = dataset
        self._codes_query = codes_query
        self._things_query = things_query
        self._kept: tuple[str, Crosswalk] | None = None

    async def now(self) -> Crosswalk:
        """Return it; it is made when the dataset has changed. Raises what the engine raises."""
        digest = self._dataset().digest
        if self._kept is None or not digest or self._kept[0] != digest:
            codes, things = [
                json.loads((await self._ask(Question(query, rows=_ALL))).body)["rows"]
                for query in (self._codes_query, self._things_query)
            ]
            self._kept = (digest, made(codes, things))
        return self._kept[1]


def made(codes: Iterable[Mapping[str, Term]], things: Iterable[Mapping[str, Term]]) -> Crosswalk:
    """Return the crosswalk of the rows of queries/describe/codes.rq and things.rq."""
    schemes: dict[str, str] = {}
    listed: dict[tuple[str, str], list[Holding]] = defaultdict(list)
    other: dict[tuple[str, str], list[Holding]] = defaultdict(list)
    for row in codes:
        text = {name: term["value"] for name, term in row.items()}
        schemes |= {name: text["scheme"] for name in (text["scheme"], text.get("alias", "")) if name}
        first, _, last = text.get("span", "../..").partition("/")
        holding = Holding(text["thing"], text["code"], first.replace("..", OPEN[0]), last.replace("..", OPEN[1]))
        (listed if "listed" in text else other)[text["thing"], text["scheme"]].append(holding)
    holders: dict[tuple[str, str], list[Holding]] = defaultdict(list)
    held: dict[str, dict[str, tuple[Holding, ...]]] = defaultdict(dict)
    for (thing, scheme), holdings in {**other, **listed}.items():
        held[thing][scheme] = tuple(holdings)
        for holding in holdings:
            holders[scheme, code_key(holding.code)].append(holding)
    known = {thing.iri: thing for thing in map(_thing, things)}
    by_name: dict[tuple[str, ...], dict[str, Thing]] = defaultdict(dict)
    for one in known.values():
        for name in (*one.all_names, *one.standing):
            by_name[name_key(name)][one.iri] = one
    return Crosswalk(
        known,
        schemes,
        {key: tuple(sorted(found, key=lambda one: (one.first, one.thing))) for key, found in holders.items()},
        held,
        {key: tuple(found.values()) for key, found in by_name.items() if key},
    )


def within(holdings: Iterable[Holding], first: str, last: str) -> tuple[Holding, ...]:
    """Return the holdings that have a day in a stretch of time."""
    return tuple(one for one in holdings if one.first <= last and first <= one.last)


def code_key(code: str) -> str:
    """Return what a code is compared by: capitals and zeros at its beginning make no difference.

    >>> code_key("076"), code_key("chn")
    ('76', 'CHN')
    """
    return _ZEROS.sub("", code.strip().upper())


def name_key(name: str) -> tuple[str, ...]:
    """Return what a whole name is compared by: neither the order of its words, nor usual short forms, make a difference.

    >>> name_key("Korea, Rep.") == name_key("The Republic of Korea")
    True
    """
    words = tokens(name)
    if all(len(word) == 1 and not word.isascii() for word in words):
        return tuple(words)
    return tuple(sorted(_SHORT_WORDS.get(word, word) for word in words if word not in _PASSED_OVER))


def _thing(row: Mapping[str, Term]) -> Thing:
    text = {name: term["value"] for name, term in row.items()}
    label = text["label"]
    names, standing = (
        tuple(name for name in sorted(text.get(column, "").split(SEPARATOR)) if name and name != label)
        for column in ("names", "hidden")
    )
    kinds = tuple(sorted(text["kinds"].split(SEPARATOR)))
    return Thing(
        text["thing"],
        label,
        kinds,
        names,
        standing,
        text.get("note", ""),
        text.get("named") == "true",
        int(text.get("claims", "0")),
    )
