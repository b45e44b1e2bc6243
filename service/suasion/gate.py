"""The gate before any parser: one pass over a query text, which refuses what the engine cannot bear.

A few hundred bytes can end the process of the engine, or keep its planner busy for hours. The limits lie far above what
the W3C test queries need. The scanner only moves forward, and knows strings, IRIs and comments apart from syntax.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from suasion.errors import BadQuery

TOKEN = re.compile(
    r"""
      (?P<space>\s++|\#[^\n\r]*+)
    | (?P<term>
          \"\"\"(?:[^"\\]|\\.|"(?!""))*+\"\"\" | '''(?:[^'\\]|\\.|'(?!''))*+'''
        | "(?:[^"\\\n\r]|\\.)*+" | '(?:[^'\\\n\r]|\\.)*+'
        | <(?:[^<>"{}|^`\\\x00-\x20]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*+>
        | [?$]\w++
        | (?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?
      )
    | (?P<unclosed>["'])
    | (?P<name>[^\W\d][\w.\-]*+:(?:[\w.\-:%]|\\.)*+|:(?:[\w.\-:%]|\\.)*+)
    | (?P<tag>@[A-Za-z][\w-]*+|\^\^)
    | (?P<word>[^\W\d]\w*+)
    | (?P<other>\|\||&&|<<|>>|.)
    """,
    re.VERBOSE | re.DOTALL,
)
"""One token of a query, by kind."""
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_OPEN, _CLOSE = frozenset(("(", "{", "[", "<<")), frozenset((")", "}", "]", ">>"))
_WIDE = frozenset(("UNION", "BIND", "FILTER", "MINUS", "EXISTS", "IN", "GRAPH", "SELECT", "||", "&&", "=", "<", ">", "-"))
_PATH = frozenset("/|^*+!")
_VOLATILE = frozenset(("NOW", "RAND", "UUID", "STRUUID", "BNODE"))


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a query may have of each: characters, levels of brackets, OPTIONALs, triples, operators, path operators."""

    characters: int = 256 * 1024
    depth: int = 64
    optionals: int = 60
    triples: int = 200
    operators: int = 800
    paths: int = 100


def pass_through(query: str, limits: Limits) -> bool:
    r"""Return whether a query answers the same each time it is asked: it calls neither the clock nor chance.

    The text is looked at as it is, and with its \u escapes decoded, because engines differ in how they read it.
    Raises BadQuery for a query that is too long, too deep or too wide, or that reaches outside (SERVICE).
    """
    if len(query) > limits.characters:
        raise BadQuery(f"The query has {len(query):,} characters; {limits.characters:,} are the limit.", {"limit": "characters"})
    volatile = [_scan(reading, limits) for reading in _readings(query)]
    return not any(volatile)


def tokens(text: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield what a text consists of, blanks and comments left out: kind, text, start and end; it ends at an unclosed string.

    Kinds are term, name, tag, word and other.
    """
    for match in TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind == "unclosed":
            return
        if kind != "space":
            yield kind, match.group(), match.start(), match.end()


def _readings(text: str) -> tuple[str, ...]:
    r"""Return the texts that engines may take a text for: itself, and with its \u escapes decoded, where it has some."""
    if "\\u" in text or "\\U" in text:
        return text, _ESCAPE.sub(lambda match: _decoded(match[1] or match[2]), text)
    return (text,)


def _decoded(digits: str) -> str:
    code = int(digits, 16)
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "\ufffd"


def _scan(query: str, limits: Limits) -> bool:
    """Raise BadQuery as `pass_through` does; return whether the query calls a function of the clock or of chance."""
    volatile = False
    brackets: list[str] = []
    seen: Counter[str] = Counter()
    data: int | None = None  # the depth outside VALUES or DATA: a long list is cheap inside
    before = ""
    for match in TOKEN.finditer(query):
        kind, text = str(match.lastgroup), match.group()
        if kind == "space":
            continue
        if kind == "unclosed":
            return volatile  # no engine reads on here
        symbol = text.upper() if kind == "word" else text
        # Engines read SERVICE where it is glued to what stands before it (1SERVICE) or to a name (SERVICE:x): so any word or
        # prefix that holds it is refused.
        if "SERVICE" in (symbol if kind == "word" else text.partition(":")[0].upper() if kind == "name" else ""):
            remedy = "a query reaches nothing outside; a prefix may not be called so either"
            raise BadQuery(f"SERVICE is not allowed here: {remedy}.", {"limit": "service"})
        volatile |= kind == "word" and symbol in _VOLATILE
        if kind == "other" and symbol in _OPEN:
            brackets.append(symbol)
            seen["operators"] += symbol == "{" and data is None
            if len(brackets) > limits.depth:
                raise BadQuery(f"The query is nested more than {limits.depth} levels deep: flatten it.", {"limit": "depth"})
        elif kind == "other" and symbol in _CLOSE and brackets:
            brackets.pop()
            if symbol == "}" and data is not None and len(brackets) <= data:
                data = None
        elif kind == "word" and symbol in ("VALUES", "DATA") and data is None:
            data = len(brackets)
        elif data is None:
            _count(seen, kind, symbol, before, brackets[-1] if brackets else "")
        before = kind if kind in ("term", "name") else symbol
    for name, most in (
        ("optionals", limits.optionals),
        ("triples", limits.triples),
        ("operators", limits.operators),
        ("paths", limits.paths),
    ):
        if seen[name] > most:
            raise BadQuery(f"The query has {seen[name]:,} {name}; {most:,} are the limit: split it.", {"limit": name})
    return volatile


def _count(seen: Counter[str], kind: str, symbol: str, before: str, bracket: str) -> None:
    """Count what makes planning slow; two terms side by side in parentheses are items of an RDF list, two triples each."""
    if kind == "word" and symbol == "OPTIONAL":
        seen["optionals"] += 1
    elif symbol in _WIDE and kind in ("word", "other"):
        seen["operators"] += 1
    elif kind == "other" and symbol in _PATH:
        seen["paths"] += 1
    elif kind == "other" and symbol in ".;," and bracket in ("{", "["):
        seen["triples"] += 1
    elif kind in ("term", "name") and before in ("term", "name") and bracket == "(":
        seen["triples"] += 2
