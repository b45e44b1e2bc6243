"""ORDER BY over values of many kinds: the engine needs a total order, and has none where some cannot be compared.

SPARQL 1.1, section 15.1, leaves the order of such values open, so that values of one datatype may stand together.
"""

from collections.abc import Iterator, Sequence

from suasion import gate

_Token = tuple[str, str, int, int]
_ZONED = '(DATATYPE({0}) = <http://www.w3.org/2001/XMLSchema#dateTime> && TZ({0}) != "")'
_KIND = f"IF(isNumeric({{0}}), IF({{0}} = {{0}}, 1, 0), IF({_ZONED}, 2, 3))"  # NaN does not equal itself
_TEXT = f'IF(isNumeric({{0}}) || {_ZONED}, "", STR({{0}}))'
_DIRECTIONS = frozenset(("ASC", "DESC"))


def by_kind_first(query: str) -> str:
    """Return a query whose ORDER BY has numbers first, then times of a known zone, both by value, and the rest by its text.

    Before each condition stand two others, in the same direction: the kind, and the text where that decides. What is no literal
    has neither, and is left in the order that SPARQL gives: unbound, blank nodes, IRIs, all before literals.
    """
    tokens = tuple(gate.tokens(query))
    words = [symbol.upper() if kind == "word" else symbol for kind, symbol, _, _ in tokens]
    parts: list[str] = []
    kept = 0
    for place in range(len(tokens) - 1):
        if words[place : place + 2] == ["ORDER", "BY"]:
            for start, direction, expression in _conditions(query, tokens, words, place + 2):
                keys = (f"{direction}({key.format(expression)}) " for key in (_KIND, _TEXT))
                parts += (query[kept:start], *keys)
                kept = start
    return "".join((*parts, query[kept:]))


def _conditions(query: str, tokens: Sequence[_Token], words: Sequence[str], place: int) -> Iterator[tuple[int, str, str]]:
    """Yield where each condition (rule OrderCondition) starts, its direction and expression, from the place after ORDER BY."""
    while place < len(tokens) - 1 or (place < len(tokens) and words[place] not in _DIRECTIONS):
        start = tokens[place][2]
        direction = words[place] if words[place] in _DIRECTIONS else "ASC"
        first = place + (words[place] in _DIRECTIONS)
        if words[first][:1] in ("?", "$"):
            last = first
        elif words[first] == "(":
            last = _closing(words, first)
        elif first + 1 < len(words) and words[first + 1] == "(":
            last = _closing(words, first + 1)
        else:
            return
        yield start, direction, query[tokens[first][2] : tokens[last][3]]
        place = last + 1


def _closing(words: Sequence[str], opening: int) -> int:
    """Return the place of the bracket that closes another one, or the last place where none does."""
    depth = 0
    for place in range(opening, len(words)):
        depth += (words[place] == "(") - (words[place] == ")")
        if not depth:
            return place
    return len(words) - 1
