"""Which thing a code stands for, of which scheme and in which year: looked up in the identifiers of a bundle.

Two forms are read: identifiers of things (adms:identifier), and notations of a datatype that is a scheme, whose spans of time
the scheme names by the property that `:datedBy` gives. The scheme "name" is that of names (skos:prefLabel, skos:altLabel).
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from suasion.errors import DataFileError
from suasion.prefixes import DEF, ID

NAME = "name"
_SKOS = "http://www.w3.org/2004/02/skos/core#"
_IDENTIFIER = "http://www.w3.org/ns/adms#identifier"
_SPAN = re.compile(r"(\d{4}|\.\.)[^/]*/(\d{4}|\.\.)")
_KEYED = (ID + "actor/", ID + "place/")


@dataclass(frozen=True, slots=True)
class _Meaning:
    thing: str
    first: int = -9999
    last: int = 9999


@dataclass(frozen=True, slots=True)
class Keys:
    """Things by scheme and code."""

    _meanings: Mapping[tuple[str, str], frozenset[_Meaning]]
    schemes: frozenset[str]

    def thing(self, scheme: str, code: str, year: int | None = None) -> str | None:
        """Return the IRI of the one thing that a code stands for in a year, or at any time; None if none or several do."""
        meanings = self._meanings.get((scheme, _plain(code)), frozenset())
        things = {one.thing for one in meanings if year is None or one.first <= year <= one.last}
        return things.pop() if len(things) == 1 else None

    def is_dated(self, scheme: str, code: str) -> bool:
        """Say whether what a code stands for depends on the year."""
        return any(one != _Meaning(one.thing) for one in self._meanings.get((scheme, _plain(code)), ()))


def collected(bundle: Path) -> Keys:
    """Collect the codes of a bundle, of graph_data/*.ttl. Raises DataFileError for a file that does not parse."""
    values: dict[str, list[tuple[str, str, str]]] = defaultdict(list)  # by property: subject, value, datatype
    for path in sorted((bundle / "graph_data").glob("*.ttl")):
        try:
            for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE):
                kind = quad.object.datatype.value if isinstance(quad.object, ox.Literal) else ""
                value = quad.object.value if isinstance(quad.object, ox.Literal | ox.NamedNode) else ""
                if isinstance(quad.subject, ox.NamedNode):
                    values[quad.predicate.value].append((quad.subject.value, value, kind))
        except SyntaxError as error:
            raise DataFileError(f"{path}, line {error.lineno}: {error.msg}") from error
    return _keys(values)


def _keys(values: Mapping[str, list[tuple[str, str, str]]]) -> Keys:
    notations = values[_SKOS + "notation"]
    scheme_of = {subject: value for subject, value, _ in values[DEF + "identifierScheme"]}
    notation_of = {subject: value for subject, value, kind in notations}
    dated_by = {subject: value for subject, value, _ in values[DEF + "datedBy"]}
    datatypes = {kind for _, _, kind in notations}
    aliases: dict[str, set[str]] = defaultdict(set)
    for subject, value, _ in values[_SKOS + "altLabel"]:
        if subject in datatypes:
            aliases[notation_of.get(subject, "")].add(value)
    meanings: dict[tuple[str, str], set[_Meaning]] = defaultdict(set)
    listed: set[tuple[str, str]] = set()  # things that a scheme lists, with their years
    for thing, code, kind in notations:
        if (scheme := notation_of.get(kind)) is not None:
            listed.add((scheme, thing))
            spans = [span for subject, span, _ in values[dated_by[kind]] if subject == thing] if kind in dated_by else []
            meanings[scheme, _plain(code)] |= {_meaning(thing, span) for span in spans} or {_Meaning(thing)}
    for thing, identifier, _ in values[_IDENTIFIER]:
        scheme = scheme_of.get(identifier, "")
        if (scheme, thing) not in listed:
            meanings[scheme, _plain(notation_of.get(identifier, ""))].add(_Meaning(thing))
    for label in ("prefLabel", "altLabel"):
        for thing, name, _ in values[_SKOS + label]:
            if thing.startswith(_KEYED):
                meanings[NAME, _plain(name)].add(_Meaning(thing))
    for scheme, code in list(meanings):
        for alias in aliases.get(scheme, ()):
            meanings[alias, code] = meanings[scheme, code]
    found = {key: frozenset(things) for key, things in meanings.items()}
    return Keys(found, frozenset(scheme for scheme, _ in found if scheme))


def _meaning(thing: str, span: str) -> _Meaning:
    years = _SPAN.match(span)
    if not years:
        return _Meaning(thing)
    first, last = years.groups()
    return _Meaning(thing, -9999 if first == ".." else int(first), 9999 if last == ".." else int(last))


def _plain(code: str) -> str:
    """Return a code in the form that is compared: capitals and zeros at its beginning make no difference."""
    return re.sub(r"^0+(?=\d)", "", code.strip()).upper()
