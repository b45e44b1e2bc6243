"""From the text of a parameter to RDF terms, and from a term to a plain JSON value."""

import math
import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date

from suasion.catalog import Column, Parameter, Query
from suasion.errors import BadParameter
from suasion.exchange import Search, Term
from suasion.prefixes import DEF, Prefixes
from suasion.words import units

XSD = "http://www.w3.org/2001/XMLSchema#"
IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]+")
_MOST_WORDS, _MOST_CHARACTERS = 50, 200
_SLUG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_INTEGERS = {XSD + name for name in ("integer", "int", "long", "nonNegativeInteger", "positiveInteger", "gYear")}
_NUMBERS = {XSD + name for name in ("decimal", "double", "float")}
_TEXTS = {"", XSD + "string"}
_DAY = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_OPEN = ("", "..")
_DATATYPES = {
    "string": _TEXTS,
    "integer": _INTEGERS,
    "decimal": _INTEGERS | _NUMBERS,
    "date": {XSD + "date"},
    "boolean": {XSD + "boolean"},
}

Plain = str | int | float | bool


def bound(parameter: Parameter, text: str, prefixes: Prefixes) -> tuple[Term, ...]:
    """Return the term that a text names; for a bare slug one for each theme, also in small letters. Not for periods.

    Raises BadParameter with what is accepted.
    """
    match parameter.type:
        case "iri":
            return _iris(parameter, text, prefixes)
        case "code":
            return (_code(parameter, text, prefixes),)
        case "integer":
            if not re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
                raise refused(parameter, text, "a whole number")
            term = _literal(str(int(text)), "integer")
        case "decimal":
            if not re.fullmatch(r"[+-]?\d{1,18}(?:\.\d{1,18})?", text, re.ASCII):
                raise refused(parameter, text, "a number, with a point before decimals")
            term = _literal(text.removeprefix("+"), "decimal")
        case "date":
            first, last = _days(text) or (None, None)
            if first is None or first != last:
                raise refused(parameter, text, "a day, as YYYY-MM-DD")
            return (_literal(first.isoformat(), "date"),)
        case "boolean":
            if text.lower() not in ("true", "false", "1", "0"):
                raise refused(parameter, text, "true or false")
            return (_literal("true" if text.lower() in ("true", "1") else "false", "boolean"),)
        case "search" if len(found := units(text)) > _MOST_WORDS or sum(map(len, found)) > _MOST_CHARACTERS:
            words = f"at most {_MOST_WORDS} words, or {_MOST_CHARACTERS} characters of a script without spaces"
            raise refused(parameter, text, words)
        case _:
            if not text.strip():
                raise refused(parameter, text, "some text")
            term = {"type": "literal", "value": text}
    if parameter.values and term["value"] not in parameter.values:
        raise refused(parameter, text, "one of " + ", ".join(parameter.values))
    return (term,)


def period(parameter: Parameter, text: str) -> dict[str, Term]:
    """Return the first and the last day that a text names, by the variables of its parameter; an open side has none.

    A period is a year, a month or a day (2008, 2008-07, 2008-07-15), or two of them with `/` between, of which one may be
    left out or be `..`, as in EDTF (ISO 8601-2): `2001/` is 2001 and later.

    Raises BadParameter with what is accepted.
    """
    accepted = "a year, month or day, or two of them with / between"
    begins, slash, ends = text.partition("/")
    if begins in _OPEN and ends in _OPEN:
        raise refused(parameter, text, accepted)
    sides = (begins, ends) if slash else (begins, begins)
    terms: dict[str, Term] = {}
    days: list[date] = []
    for number, (variable, side) in enumerate(zip(parameter.variables, sides, strict=True)):
        if side in _OPEN:
            continue
        found = _days(side)
        if found is None:
            raise refused(parameter, text, accepted)
        days.append(found[number])
        terms[variable] = _literal(found[number].isoformat(), "date")
    if days != sorted(days):
        raise refused(parameter, text, "a period that ends after it begins")
    return terms


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


def is_number(term: Term) -> bool:
    """Say whether a term is a number that its text writes."""
    return isinstance(plain(term), int | float) and term.get("datatype") != XSD + "boolean"


def items(term: Term, column: Column, prefixes: Prefixes) -> tuple[Term, ...]:
    """Return the values of a column that holds several, sorted; where the column has no type, an IRI is what looks like one."""
    parts = {prefixes.shorten(part) for part in str(plain(term)).split(" | ") if part}
    ordered = sorted(parts, key=lambda part: (int(part) if part.isdecimal() else 0, part))
    return tuple(_item(part, column.type, prefixes) for part in ordered)


def values(row: Mapping[str, Term], name: str, column: Column, prefixes: Prefixes) -> tuple[Term, ...]:
    """Return the values of a column in a solution: none, one, or those of a list."""
    if name not in row:
        return ()
    return items(row[name], column, prefixes) if column.is_list else (row[name],)


def plain_row(row: Mapping[str, Term], query: Query, prefixes: Prefixes) -> dict[str, object]:
    """Return a solution with each column of its query, None where it is unbound, lists as lists, IRIs by their short names."""
    shown: dict[str, object] = {}
    for name, column in query.columns.items():
        found = [_shown(term, prefixes) for term in values(row, name, column, prefixes)]
        shown[name] = found if column.is_list else (found[0] if found else None)
    return shown


def misfit(term: Term, kind: str) -> bool:
    """Say whether a value is not of the type that its column declares; any value fits a column without a type."""
    if not kind:
        return False
    if kind == "iri":
        return term["type"] != "uri"
    if term["type"] != "literal" or (term.get("datatype", "") not in _DATATYPES[kind]):
        return True
    return kind in ("integer", "decimal") and not is_number(term)


def refused(parameter: Parameter, text: str, accepted: str) -> BadParameter:
    """Return the error of a text that a parameter does not take."""
    shown = text if len(text) <= 60 else text[:60] + "…"
    sentence = f"{parameter.name}={shown!r} is not accepted: give {accepted}, such as {parameter.example}."
    return BadParameter(sentence, {"parameter": parameter.name, "accepted": accepted})


def _shown(term: Term, prefixes: Prefixes) -> Plain:
    return prefixes.shorten(term["value"]) if term["type"] == "uri" else plain(term)


def _item(text: str, kind: str, prefixes: Prefixes) -> Term:
    iri = prefixes.expand(text) or (text if "//" in text and IRI.fullmatch(text) else None)
    if iri and kind in ("iri", ""):
        return {"type": "uri", "value": iri}
    if kind in ("integer", "decimal", "date", "boolean"):
        return _literal(text, kind)
    return {"type": "literal", "value": text}


def _literal(text: str, datatype: str) -> Term:
    return {"type": "literal", "value": text, "datatype": XSD + datatype}


def _days(text: str) -> tuple[date, date] | None:
    """Return the first and the last day of a year, a month or a day; None for a text that is none."""
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    year, month, day = int(found[1]), found[2], found[3]
    try:
        if day:
            return date(year, int(month), int(day)), date(year, int(month), int(day))
        if month:
            return date(year, int(month), 1), date(year, int(month), monthrange(year, int(month))[1])
        return date(year, 1, 1), date(year, 12, 31)
    except ValueError:
        return None


def _code(parameter: Parameter, text: str, prefixes: Prefixes) -> Term:
    """Return the term of a code: a term of the ontology by its local name, or, drawn from the graph, an IRI by its last part."""
    known = {prefixes.expand(value) or (value if "//" in value else DEF + value): value for value in parameter.values}
    wanted = {text.lower(), (prefixes.expand(text) or "").lower()} - {""}
    for iri, value in known.items():
        if wanted & {iri.lower(), value.lower(), value.rpartition(":")[2].lower()}:
            return {"type": "uri", "value": iri}
    raise refused(parameter, text, "one of " + ", ".join(parameter.values))


def _iris(parameter: Parameter, text: str, prefixes: Prefixes) -> tuple[Term, ...]:
    if expanded := prefixes.expand(text):
        found: tuple[str, ...] = (expanded,)
    elif parameter.themes and _SLUG.fullmatch(text):
        found = tuple(prefixes.table[theme] + slug for slug in dict.fromkeys((text, text.lower())) for theme in parameter.themes)
    elif "//" in text and IRI.fullmatch(text):
        found = (text,)
    else:
        raise refused(parameter, text, "an IRI, or a short name")
    if parameter.values:
        known = {prefixes.expand(value) or value for value in parameter.values}
        found = tuple(iri for iri in found if iri in known)
        if not found:
            raise refused(parameter, text, "one of " + ", ".join(parameter.values))
    return tuple({"type": "uri", "value": iri} for iri in found)
