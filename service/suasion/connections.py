"""What a thing is connected with, from the rows of /neighbourhood: its links, one by one and by relation."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from suasion.places import Places
from suasion.prefixes import Prefixes
from suasion.statements import Modality, Row, modality

_SKOS = "http://www.w3.org/2004/02/skos/core#"
KIND = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
NAMES = (_SKOS + "prefLabel", _SKOS + "altLabel")
PROSE = (_SKOS + "definition", _SKOS + "scopeNote", _SKOS + "note")
SAME = (_SKOS + "exactMatch", _SKOS + "closeMatch", "http://www.w3.org/2002/07/owl#sameAs")
_TOLD = frozenset((KIND, _SKOS + "notation", *NAMES, *PROSE, *SAME))
"""Properties that a page tells apart from other connections."""
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Link:
    """A statement that connects a thing: the property in words, and whether it leads to the thing (`incoming`) or from it.

    `other` is the short name of what is at the other end, or a value; `text` is what to call it, by its name where it is `named`,
    and `path` where it leads ("" for nowhere).
    """

    property: str
    incoming: bool
    other: str
    text: str
    named: bool
    path: str
    modalities: tuple[Modality, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """A property with the first of its links and how many there are; `incoming` when they lead to the thing."""

    property: str
    incoming: bool
    links: tuple[Link, ...]
    total: int


def links(rows: Iterable[Row], labels: Mapping[str, str], prefixes: Prefixes, places: Places) -> tuple[Link, ...]:
    """Return the links of a thing, without its kinds, names and codes; `labels` name properties by their IRIs."""
    found = []
    for row in rows:
        other = row["neighbour"]
        iri = prefixes.expand(row["property"]) or row["property"]
        if iri in _TOLD or str(other).startswith(("identifier:", "name:")):
            continue
        path = places.link(prefixes.expand(str(other)) or str(other))
        called = row["neighbour_name"]
        text = str(called or _called(other, is_thing=bool(path)))
        said = tuple(modality(code) for code in row["modalities"])
        name = labels.get(iri) or _CAPITAL.sub(" ", row["property"].partition(":")[2]).lower()
        found.append(Link(name, row["direction"] == "in", str(other), text, bool(called), path, said, tuple(row["claims"])))
    return tuple(found)


def relations(found: Iterable[Link], most: int) -> tuple[Relation, ...]:
    """Return links by relation, at most so many of each: first what leads from the thing, then what leads to it."""
    groups: dict[tuple[bool, str], list[Link]] = {}
    for link in found:
        groups.setdefault((link.incoming, link.property), []).append(link)
    return tuple(
        Relation(name, incoming, tuple(group[:most]), len(group))
        for (incoming, name), group in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1].casefold()))
    )


def _called(other: object, *, is_thing: bool) -> str:
    """Return what to call a value, or a thing without a name: by the last part of its short name, with blanks."""
    if isinstance(other, bool):
        return "yes" if other else "no"
    name = str(other)
    return name.partition(":")[2].replace("-", " ") if is_thing and not name.startswith("http") else name
