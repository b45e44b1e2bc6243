"""A picture of how actors, initiatives and instruments connect: three columns and lines between them, the same each time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from suasion.statements import Row, thing_link

WIDTH = 1060
COLUMNS = ("Actors", "Initiatives and policies", "Instruments")
EXTENTS = ((16.0, 200.0), (390.0, 690.0), (860.0, 1044.0))
"""From where to where each column reaches."""
_ROW, _TOP = 21.0, 44.0
_MOST = (27, 45, 27)
_SWEEPS = 12
_ROLES = {"sponsors": "sponsors", "donors": "gives for", "partners": "partner in", "beneficiaries": "benefits from"}


@dataclass(frozen=True, slots=True)
class Node:
    """A thing in a column, and whether it is the one asked about."""

    name: str
    label: str
    shown: str
    column: int
    y: float
    degree: int
    asked: bool

    @property
    def link(self) -> str:
        """Where the thing is told of."""
        return thing_link(self.name)


@dataclass(frozen=True, slots=True)
class Edge:
    """A connection, in words, with the claims on what it stands in; `path` is its curve."""

    source: str
    target: str
    role: str
    claims: tuple[str, ...]
    modalities: tuple[str, ...]
    path: str
    planned: bool


@dataclass(frozen=True, slots=True)
class Network:
    """The picture: nodes by column, edges, and its height."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    height: float

    @property
    def labels(self) -> Mapping[str, str]:
        """The name of each node."""
        return {node.name: node.label for node in self.nodes}


Link = tuple[str, str, str, tuple[str, ...], tuple[str, ...], bool]


def links(initiatives: Iterable[Row], instruments: Iterable[Row]) -> tuple[list[Link], dict[str, tuple[str, int]]]:
    """Return connections and the name and column of each thing, from the rows of /initiatives and /instruments."""
    found: dict[tuple[str, str, str], Link] = {}
    things: dict[str, tuple[str, int]] = {}
    uses: dict[str, Row] = {row["thing"]: row for row in instruments}
    for row in initiatives:
        planned = any(status in (":Announced", ":Planned", ":Proposed") for status in row["statuses"])
        for column, role in _ROLES.items():
            for actor in row[column]:
                if actor.startswith("actor:"):
                    things.setdefault(actor, (actor.partition(":")[2].replace("-", " "), 0))
                    things.setdefault(row["thing"], (row["name"], 1))
                    found[actor, row["thing"], role] = (
                        actor, row["thing"], role, tuple(row["claims"]), tuple(row["modalities"]), planned
                    )  # fmt: skip
        for instrument in row["instruments"]:
            if instrument in uses:
                things.setdefault(row["thing"], (row["name"], 1))
                things.setdefault(instrument, (uses[instrument]["name"], 2))
                found[row["thing"], instrument, "by means of"] = (
                    row["thing"], instrument, "by means of", tuple(row["claims"]), tuple(row["modalities"]), planned
                )  # fmt: skip
    return list(found.values()), things


def around(found: Iterable[Link], about: str) -> list[Link]:
    """Return the connections of a thing, and those of the initiatives that it is connected with."""
    every = list(found)
    near = {about} | {end for link in every for end in link[:2] if about in link[:2]}
    middle = {link[1] for link in every if link[2] != "by means of"} | {link[0] for link in every if link[2] == "by means of"}
    return [link for link in every if about in link[:2] or (near & middle & set(link[:2]))]


def drawn(found: Sequence[Link], things: Mapping[str, tuple[str, int]], names: Mapping[str, str], about: str) -> Network:
    """Return the picture of connections. Each column is ordered so that connected things stand near each other."""
    used = {end for link in found for end in link[:2]}
    columns = [sorted((thing for thing in used if things[thing][1] == column), key=lambda t: things[t][0]) for column in range(3)]
    near: dict[str, list[str]] = {thing: [] for thing in used}
    for link in found:
        near[link[0]].append(link[1])
        near[link[1]].append(link[0])
    for sweep in range(_SWEEPS):
        place = {thing: n / max(len(column), 1) for column in columns for n, thing in enumerate(column)}
        column = columns[(1, 0, 2)[sweep % 3]]
        column.sort(key=lambda thing: (sum(place[other] for other in near[thing]) / max(len(near[thing]), 1), things[thing][0]))
    tallest = max((len(column) for column in columns), default=0)
    at: dict[str, Node] = {}
    for number, column in enumerate(columns):
        step = _ROW * max(tallest, 1) / max(len(column), 1)
        for n, thing in enumerate(column):
            label = names.get(thing, things[thing][0])
            most = _MOST[number]
            shown = label if len(label) <= most else label[: most - 1].rstrip() + "…"
            at[thing] = Node(
                thing, label, shown, number, round(_TOP + step * (n + 0.5), 1), len(set(near[thing])), thing == about
            )
    edges = [
        Edge(source, target, role, claims, modalities, _curve(at[source], at[target]), planned)
        for source, target, role, claims, modalities, planned in found
    ]
    return Network(tuple(at.values()), tuple(edges), _TOP + _ROW * tallest + 16)


def _curve(a: Node, b: Node) -> str:
    left, right = EXTENTS[a.column][1], EXTENTS[b.column][0]
    middle = (left + right) / 2
    return f"M{left},{a.y}C{middle},{a.y} {middle},{b.y} {right},{b.y}"
