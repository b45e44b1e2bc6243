"""Terms as Turtle writes them (RDF 1.1 Turtle, sections 2.4 to 2.6); no parser, only safe writing."""

import re
from collections.abc import Iterable

from suasion.exchange import Term
from suasion.terms import IRI

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_LABEL = re.compile(r"_:[A-Za-z0-9]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_STRING = "http://www.w3.org/2001/XMLSchema#string"

Triple = tuple[str, str, str]
"""Subject, property and value, each as Turtle writes it."""


def iri(value: str) -> str:
    """Return an IRI in angle brackets. Raises ValueError for a text that no IRI can be."""
    if not IRI.fullmatch(value):
        raise ValueError(f"{value!r} is no IRI")
    return f"<{value}>"


def literal(value: str, datatype: str = "", language: str = "") -> str:
    """Return a literal, whatever characters are in it."""
    quoted = '"' + "".join(_escaped(character) for character in value) + '"'
    if language:
        return f"{quoted}@{language}"
    return quoted + (f"^^{iri(datatype)}" if datatype not in ("", _STRING) else "")


def term(value: Term) -> str:
    """Return a term of SPARQL JSON; a term that has no such form is written as a text."""
    if value["type"] == "uri" and IRI.fullmatch(value["value"]):
        return iri(value["value"])
    if value["type"] == "bnode" and _LABEL.fullmatch(value["value"]):
        return value["value"]
    return literal(value["value"], value.get("datatype", ""), value.get("xml:lang", ""))


def document(triples: Iterable[Triple], comments: Iterable[str] = ()) -> str:
    """Return triples as a document, one block for each subject, after comments of one line each."""
    lines = [f"# {' '.join(comment.split())}" for comment in comments]
    blocks: dict[str, dict[tuple[str, str], None]] = {}
    for subject, predicate, value in triples:
        blocks.setdefault(subject, {})[predicate, value] = None
    for subject, pairs in blocks.items():
        lines += ["", subject, *(f"    {predicate} {value} ;" for predicate, value in pairs), "."]
    return "\n".join(lines) + "\n"


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\u{ord(character):04X}" if _CONTROL.match(character) else character
