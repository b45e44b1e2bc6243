"""A picture of what a thing is connected with: the thing in the middle, beside it those of whom most is claimed with it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from suasion.connections import Link
from suasion.statements import MODALITIES, Modality

WIDTH = 1040.0
BOX_WIDTH, BOX_HEIGHT = 350.0, 40.0
MIDDLE_WIDTH = 150.0
MOST = 20
"""Most neighbours in a picture."""
DASHES: Mapping[str, str] = {
    "ReportedAsFact": "",
    "ReportedFromSource": "14 3",
    "Quoted": "10 3 2 3",
    "Evaluated": "6 4",
    "Hedged": "2 4",
    "Projected": "14 6 2 6",
}
"""How the line of a modality is broken, as `stroke-dasharray`; a line without a claim is thin."""
_PITCH, _EDGE = 48.0, 4.0
_NAME_SIZE, _SMALL_SIZE = 12.5, 11.0
_FAN = 12.0
"""How far apart the lines of a side begin."""


@dataclass(frozen=True, slots=True)
class Node:
    """A neighbour with its box and its line; `name` and `ties` are cut to the box, `spoken` says all.

    `modalities` are those of the claims that connect it, the surest first: the line has the form of the first. `inward` and
    `outward` say whether a statement leads to the thing in the middle and from it.
    """

    name: str
    ties: str
    spoken: str
    path: str
    claims: int
    modalities: tuple[Modality, ...]
    inward: bool
    outward: bool
    x: float
    y: float
    line: str

    @property
    def dashes(self) -> str:
        """How its line is broken."""
        return DASHES.get(self.modalities[0].code, "") if self.modalities else ""

    @property
    def stroke(self) -> float:
        """How wide its line is: wider the more claims there are."""
        return round(1.3 + 0.22 * min(self.claims, 12), 2) if self.claims else 0.8


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The picture: the name in the middle, also by lines, the neighbours, how many there are in all, the height of the picture
    and that of the box in its middle.
    """

    name: str
    middle: tuple[str, ...]
    nodes: tuple[Node, ...]
    total: int
    height: float
    middle_height: float

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """The modalities whose lines are drawn."""
        first = {node.modalities[0] for node in self.nodes if node.modalities}
        return tuple(one for one in MODALITIES if one in first)

    @property
    def unclaimed(self) -> bool:
        """Whether a line is drawn that rests on no claim."""
        return any(not node.modalities for node in self.nodes)


def drawn(name: str, found: Iterable[Link]) -> Neighbourhood | None:
    """Return the picture of the links of a thing with things that have a page, None where there are none.

    Neighbours with most claims come first. They stand in two columns, by their relation, so that no label meets another.
    """
    by_thing: dict[str, list[Link]] = {}
    for link in found:
        if link.path.startswith("/doc/"):
            by_thing.setdefault(link.other, []).append(link)
    if not by_thing:
        return None
    ranked = sorted(by_thing.values(), key=lambda group: (-_claims(group), not group[0].named, group[0].text.casefold()))
    shown = sorted(ranked[:MOST], key=_order)
    half = -(-len(shown) // 2)
    middle = max(half * _FAN + 12, 60.0)
    height = max(half * _PITCH, middle) + 2 * _EDGE
    nodes: list[Node] = []
    for left, column in ((True, shown[:half]), (False, shown[half:])):
        begin = (height - len(column) * _PITCH) / 2
        for number, group in enumerate(column):
            y = round(begin + (number + 0.5) * _PITCH, 1)
            leave = height / 2 + (number - (len(column) - 1) / 2) * _FAN
            nodes.append(_node(name, group, y, round(leave, 1), left=left))
    return Neighbourhood(name, _lines(name), tuple(nodes), len(by_thing), height, middle)


def _claims(group: Iterable[Link]) -> int:
    return len({claim for link in group for claim in link.claims})


def _order(group: Sequence[Link]) -> tuple[bool, str, int, str]:
    """Return where neighbours stand: those that name the thing before those that it names, by relation, most claims first."""
    main = max(group, key=lambda link: (len(link.claims), link.property))
    return not main.incoming, main.property.casefold(), -_claims(group), main.text.casefold()


def _node(middle: str, group: Sequence[Link], y: float, leave: float, *, left: bool) -> Node:
    first = group[0]
    kind, _, rest = first.other.partition(":")
    text = first.text if first.named or rest.startswith("//") else f"{kind}: {first.text}"
    said = {one for link in group for one in link.modalities}
    modalities = tuple(sorted(said, key=lambda one: ([*DASHES, one.code].index(one.code), one.code)))
    claims = _claims(group)
    ties = [f"{link.property} →" if link.incoming == left else f"← {link.property}" for link in group]
    sentences = [f"{text} {link.property} {middle}" if link.incoming else f"{middle} {link.property} {text}" for link in group]
    surely = f"{claims} {'claim' if claims == 1 else 'claims'}, {', '.join(one.words for one in modalities)}"
    edge, side = (BOX_WIDTH, (WIDTH - MIDDLE_WIDTH) / 2) if left else (WIDTH - BOX_WIDTH, (WIDTH + MIDDLE_WIDTH) / 2)
    bend, gap = (edge + side) / 2, 4 if left else -4
    return Node(
        _fitted(text, BOX_WIDTH - 20, _NAME_SIZE),
        _fitted(", ".join(dict.fromkeys(ties)), BOX_WIDTH - 60 - 12 * len(modalities), _SMALL_SIZE),
        f"{'; '.join(sentences)}: {surely if claims else 'no claim of the article'}",
        first.path,
        claims,
        modalities,
        any(link.incoming for link in group),
        any(not link.incoming for link in group),
        0.0 if left else WIDTH - BOX_WIDTH,
        y,
        f"M{side - gap} {leave}C{bend} {leave} {bend} {y} {edge + gap} {y}",
    )


def _lines(name: str) -> tuple[str, ...]:
    """Return a name in at most three lines that fit the box in the middle."""
    lines = [""]
    for word in name.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _length(longer, _NAME_SIZE + 0.5) > MIDDLE_WIDTH - 16:
            lines.append(word)
        else:
            lines[-1] = longer
    if len(lines) > 3:
        lines[2:] = [" ".join(lines[2:])]
    return tuple(_fitted(line, MIDDLE_WIDTH - 16, _NAME_SIZE + 0.5) for line in lines)


def _fitted(text: str, width: float, size: float) -> str:
    """Return a text cut to a width, in units of the picture."""
    if _length(text, size) <= width:
        return text
    end, length = 0, size
    while end < len(text) and (length := length + _length(text[end], size)) <= width:
        end += 1
    return text[:end].rstrip() + "…"


def _length(text: str, size: float) -> float:
    """Return about how long a text is: signs of East Asia are as wide as they are high, capitals half as wide again as others."""
    return size * sum(1.0 if east_asian_width(sign) in "WF" else 0.7 if sign.isupper() else 0.53 for sign in text)
