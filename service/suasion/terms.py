"""From the text of a parameter to an RDF term, and from a term to a plain JSON value."""

import math
import re
from collections.abc import Mapping

from suasion.catalog import Parameter, Query
from suasion.errors import BadParameter
from suasion.exchange import Search, Term
from suasion.prefixes import DEF, Prefixes
from suasion.words import units

XSD = "http://www.w3.org/2001/XMLSchema#"
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]+")
_MOST_WORDS, _MOST_CHARACTERS = 50, 200
_SLUG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_INTEGERS = {XSD + name for name in ("integer", "int", "long", "nonNegativeInteger", "positiveInteger", "gYear")}
_NUMBERS = {XSD + name for name in ("decimal", "double", "float")}

Plain = str | int | float | bool


def bound(parameter: Parameter, text: str, prefixes: Prefixes) -> tuple[Term, ...]:
    """Return the term that a text names, or, for a bare slug with several themes, one for each theme.

    Raises BadParameter with the accepted forms and an example.
    """
    match parameter.type:
        case "iri":
            return _iris(parameter, text, prefixes)
        case "code":
            local = next((v for v in parameter.values if v.lower() == text.removeprefix(DEF).removeprefix(":").lower()), None)
            if local is None:
                raise _bad(parameter, text, "one of " + ", ".join(parameter.values))
            return ({"type": "uri", "value": DEF + local},)
        case "integer":
            if not re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
                raise _bad(parameter, text, "a whole number")
            return ({"type": "literal", "value": str(int(text)), "datatype": XSD + "integer"},)
        case "search" if len(found := units(text)) > _MOST_WORDS or sum(map(len, found)) > _MOST_CHARACTERS:
            raise _bad(
                parameter, text, f"at most {_MOST_WORDS} words, or {_MOST_CHARACTERS} characters of a script without spaces"
            )
        case _:
            if not text.strip():
                raise _bad(parameter, text, "some text")
            if parameter.values and text not in parameter.values:
                raise _bad(parameter, text, "one of " + ", ".join(parameter.values))
            return ({"type": "literal", "value": text},)


def searched(query: Query, terms: Mapping[str, Term]) -> tuple[Mapping[str, Term], Search | None]:
    """Return the terms without the text of a search, and the search that this text asks for."""
    for parameter in query.parameters:
        if parameter.type == "search" and parameter.name in terms:
            rest = {name: term for name, term in terms.items() if name != parameter.name}
            kind = terms[parameter.among]["value"] if parameter.among in terms else ""
            return rest, Search(terms[parameter.name]["value"], parameter.most, kind, parameter.within)
    return terms, None


def plain(term: Term) -> Plain:
    """Return a term as JSON writes it: numbers and booleans as such, IRIs and all other literals as text.

    >>> plain({"type": "literal", "value": "1390000000", "datatype": XSD + "integer"})
    1390000000
    """
    datatype = term.get("datatype", "")
    try:
        if datatype in _INTEGERS:
            return int(term["value"])
        if datatype in _NUMBERS and math.isfinite(number := float(term["value"])):
            return number
    except ValueError:
        return term["value"]
    if datatype == XSD + "boolean":
        return term["value"] in ("true", "1")
    return term["value"]


def plain_row(row: Mapping[str, Term], query: Query, prefixes: Prefixes) -> dict[str, object]:
    """Return a solution with each column of its query, None where it is unbound, lists as lists, IRIs by their short names."""
    values: dict[str, object] = {}
    for name in query.columns:
        value = plain(row[name]) if name in row else None
        if name in query.lists:
            parts = {prefixes.shorten(part) for part in str(value or "").split(" | ") if part}
            values[name] = sorted(parts, key=lambda part: (int(part) if part.isdecimal() else 0, part))
        elif name in row and row[name]["type"] == "uri":
            values[name] = prefixes.shorten(row[name]["value"])
        else:
            values[name] = value
    return values


def _iris(parameter: Parameter, text: str, prefixes: Prefixes) -> tuple[Term, ...]:
    if expanded := prefixes.expand(text):
        return ({"type": "uri", "value": expanded},)
    if parameter.themes and _SLUG.fullmatch(text):
        return tuple({"type": "uri", "value": prefixes.table[theme] + text} for theme in parameter.themes)
    if "//" in text and _IRI.fullmatch(text):
        return ({"type": "uri", "value": text},)
    raise _bad(parameter, text, "an IRI, or a short name")


def _bad(parameter: Parameter, text: str, accepted: str) -> BadParameter:
    shown = text if len(text) <= 60 else text[:60] + "…"
    sentence = f"{parameter.name}={shown!r} is not accepted: give {accepted}, such as {parameter.example}."
    return BadParameter(sentence, {"parameter": parameter.name, "example": parameter.example})
