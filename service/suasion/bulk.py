"""Many codes at once: a table comes in as CSV, and goes out, its rows in their order, with what each code means."""

import asyncio
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header
from starlette.requests import Request
from starlette.responses import Response

from suasion import forms
from suasion.catalog import Parameter
from suasion.crosswalk import OPEN, Crosswalk, Crosswalks, Holding
from suasion.errors import BadParameter, UnknownParameter, UnsupportedMedia
from suasion.exchange import Ready
from suasion.prefixes import Prefixes
from suasion.renderings import SEPARATOR, harmless, table
from suasion.sparql import read_body
from suasion.terms import period

PARAMETERS = {
    "scheme": Parameter("scheme", "string", "The scheme of all codes, where the table has no column scheme", "cow"),
    "column": Parameter("column", "string", "The column that holds the codes; without it, code", "ccode"),
    "date": Parameter("date", "period", "A day, month or year for all rows, where the table has no column of dates", "2008"),
    "date_column": Parameter("date_column", "string", "The column that holds days, months or years; without it, date", "year"),
    "to": Parameter("to", "string", "A scheme whose codes are wanted as well", "iso3"),
}
ADDED = ("suasion_thing", "suasion_name", "suasion_status", "suasion_note")
"""The columns that come after those of the table."""
BECOMES = "suasion_becomes"
"""One more, with `to`."""
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.][0-9]+)?", re.ASCII)
_EXAMPLE = "POST /resolve?scheme=cow&column=ccode"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a table: for all rows the scheme and the date ("" where a column tells), and the scheme wanted ("").

    `date_column` is "" where a table need not have a column of dates, which is then called date.
    """

    scheme: str = ""
    column: str = "code"
    date: str = ""
    date_column: str = ""
    to: str = ""


async def answer(request: Request, crosswalks: Crosswalks, dataset: Ready, prefixes: Prefixes, most_bytes: int) -> Response:
    """Answer a table of codes, sent as text/csv or as the one file of a form.

    Raises UnknownParameter (400), BadParameter (422) for what is no such table, UnsupportedMedia (415), TooLarge (413), and what
    the engine raises.
    """
    asked = _asked(request)
    text = _text(await _body(request, most_bytes))
    crosswalk = await crosswalks.now()
    body, count = await asyncio.to_thread(resolved, text, asked, crosswalk, prefixes)
    headers = {
        "Content-Disposition": 'attachment; filename="resolved.csv"',
        "Suasion-Completeness": "complete",
        "Suasion-Total": str(count),
    }
    if dataset.digest:
        headers["Suasion-Dataset"] = f"sha256:{dataset.digest}"
    return Response(body, headers=headers, media_type="text/csv; charset=utf-8")


def resolved(text: str, asked: Asked, crosswalk: Crosswalk, prefixes: Prefixes) -> tuple[str, int]:
    """Return a table with what its codes mean, and how many rows it has; lines without a cell are left out.

    Raises BadParameter for a scheme that is none, and for a text that is no such table, with the line.
    """
    rows = _rows(text)
    head = next(rows, None)
    if head is None:
        raise _wrong("The table is empty: its first line names the columns.")
    added = (*ADDED, BECOMES) if asked.to else ADDED
    places = _places(head[1], asked, added)
    for scheme in filter(None, (asked.scheme, asked.to)):
        crosswalk.scheme(scheme)
    if asked.date:
        period(PARAMETERS["date"], asked.date)
    answered = [[*map(_safe, row), *_row(row, places, asked, crosswalk, prefixes)] for _, row in _even(rows, len(head[1]))]
    return table([*map(_safe, head[1]), *added], answered), len(answered)


def _row(
    row: Sequence[str], places: Mapping[str, int], asked: Asked, crosswalk: Crosswalk, prefixes: Prefixes
) -> tuple[str, ...]:
    """Return what is added to a row: things, names, status, note, and with `to` their codes."""
    scheme, date = (
        row[places[name]].strip() if name in places else given for name, given in (("scheme", asked.scheme), ("date", asked.date))
    )
    code = row[places["code"]].strip()
    more = ("",) if asked.to else ()
    if not code:
        return ("", "", "unmatched", "no code", *more)
    if scheme not in crosswalk.schemes:
        return ("", "", "unmatched", f"no scheme {harmless(scheme[:60])}" if scheme else "no scheme", *more)
    try:
        first, last = _days(date)
    except BadParameter:
        return ("", "", "unmatched", "the date is no day, month or year", *more)
    full = crosswalk.schemes[scheme]
    found = crosswalk.meant(full, code, first, last)
    things = tuple(dict.fromkeys(one.thing for one in found))
    if not things:
        other = crosswalk.meant(full, code)
        return ("", "", "unmatched", f"at other times {_told(other, prefixes)}" if other else "no such code", *more)
    names = SEPARATOR.join(crosswalk.label(thing) for thing in things)
    shown = SEPARATOR.join(prefixes.shorten(thing) for thing in things)
    status, note = ("matched", "") if len(things) == 1 else ("ambiguous", _told(found, prefixes))
    if not asked.to:
        return (shown, harmless(names), status, note)
    to = crosswalk.scheme(asked.to)
    codes = dict.fromkeys(code for thing in things for code in crosswalk.codes(thing, to, first, last))
    return (shown, harmless(names), status, note, SEPARATOR.join(codes))


def _told(holdings: Sequence[Holding], prefixes: Prefixes) -> str:
    """Return who holds a code, each with its span."""
    spans = [(prefixes.shorten(one.thing), one.first or "..", ".." if one.last == OPEN[1] else one.last) for one in holdings]
    return SEPARATOR.join(f"{thing} {first}/{last}" for thing, first, last in spans)


def _days(text: str) -> tuple[str, str]:
    if not text:
        return OPEN
    terms = period(PARAMETERS["date"], text)
    first, last = (
        terms[name]["value"] if name in terms else side for name, side in zip(("date_first", "date_last"), OPEN, strict=True)
    )
    return first, last


def _places(head: Sequence[str], asked: Asked, added: Sequence[str]) -> Mapping[str, int]:
    """Return where the columns that are read stand."""
    names = [name.strip() for name in head]
    if taken := [name for name in added if name in names]:
        raise _wrong(f"The table has a column {taken[0]} already: leave it out, or name it otherwise.")
    wanted = {
        "code": asked.column,
        **({} if asked.scheme else {"scheme": "scheme"}),
        **({} if asked.date else {"date": asked.date_column or "date"}),
    }
    for what, name in wanted.items():
        if names.count(name) > 1:
            raise _wrong(f"The table has two columns {name!r}: name one of them otherwise.")
        if name not in names and (what != "date" or asked.date_column):
            shown = ", ".join(names)[:200]
            remedy = {"code": "column=…", "scheme": "scheme=…"}.get(what, "another date_column=…")
            raise _wrong(f"The table has no column {name!r} (it has {shown}): give {remedy}, or add the column.")
    return {what: names.index(name) for what, name in wanted.items() if name in names}


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV that have a cell, with their lines."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise _wrong(f"Line {reader.line_num} of the table cannot be read as CSV: {error}.") from None


def _even(rows: Iterator[tuple[int, list[str]]], width: int) -> Iterator[tuple[int, list[str]]]:
    for line, row in rows:
        if len(row) != width:
            raise _wrong(f"Line {line} of the table has {len(row)} cells, and its head {width}: give each row as many.")
        yield line, row


def _safe(cell: str) -> str:
    return cell if _NUMBER.fullmatch(cell) else harmless(cell)


def _asked(request: Request) -> Asked:
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in PARAMETERS:
            known = ", ".join(PARAMETERS)
            raise UnknownParameter(f"A table of codes has no parameter {name[:60]!r}; it has {known}.", {"parameter": name[:60]})
        if name in given or not value:
            raise BadParameter(
                f"{name} is given {'twice' if name in given else 'without a value'}: give it once.", {"parameter": name}
            )
        given[name] = value
    if "date" in given and "date_column" in given:
        raise BadParameter("date and date_column are both given: give one of them.", {"parameter": "date_column"})
    return Asked(**given)


async def _body(request: Request, most_bytes: int) -> bytes:
    header = request.headers.get("content-type", "")
    media_type, options = parse_options_header(header)
    if media_type not in (b"text/csv", b"multipart/form-data"):
        raise UnsupportedMedia(
            f"{header[:60] or 'A body without a type'} is not read here: send text/csv, or one file of a form.",
            {"accepted": "text/csv, multipart/form-data"},
        )
    body = await read_body(request, most_bytes)
    if media_type == b"text/csv":
        if options.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8", b"us-ascii"):
            raise UnsupportedMedia("The table has to be UTF-8.")
        return body
    documents = await asyncio.to_thread(forms.parts, header, body)
    if len(documents) != 1:
        raise _wrong(f"The form has {len(documents)} parts: send one file.")
    return documents[0].body


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(f"Byte {error.start} of the table is not UTF-8: save it as UTF-8.") from None


def _wrong(sentence: str) -> BadParameter:
    return BadParameter(sentence, {"parameter": "body", "example": _EXAMPLE})
