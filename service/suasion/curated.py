"""One GET endpoint for each query file: parameters in, rows out, with where they come from and whether they are all."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response

from suasion.catalog import Parameter, Query
from suasion.engine import Engine
from suasion.errors import BadParameter, NotFound, UnknownParameter
from suasion.exchange import Question, Term
from suasion.negotiation import best
from suasion.prefixes import Prefixes
from suasion.terms import bound, plain, plain_row

FORMATS = {"json": "application/json", "csv": "text/csv", "srj": "application/sparql-results+json"}
_KNOWN = "SELECT ?thing WHERE { ?thing <http://www.w3.org/2004/02/skos/core#prefLabel> ?label }"
PAGING = (
    Parameter("limit", "integer", "Most rows to answer", "100"),
    Parameter("offset", "integer", "Rows to pass over", "0"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows offset to offset + limit of an answer of `total` rows."""

    variables: tuple[str, ...]
    rows: Sequence[Mapping[str, Term]]
    total: int
    offset: int
    limit: int

    @property
    def complete(self) -> bool:
        """Whether these are all the rows there are."""
        return self.offset == 0 and len(self.rows) == self.total

    @property
    def next_offset(self) -> int | None:
        """Where the next page begins, None after the last."""
        after = self.offset + len(self.rows)
        return after if self.rows and after < self.total else None


async def answer(request: Request, query: Query, extension: str, engine: Engine, prefixes: Prefixes, most_rows: int) -> Response:
    """Answer a curated question in the format of the extension, or of the Accept header without one.

    Raises UnknownParameter (400), BadParameter (422), NotFound (404), NotAcceptable (406), and what Engine.ask raises.
    """
    if extension and extension not in FORMATS:
        raise NotFound(f"There is no format .{extension}; the formats are {', '.join('.' + e for e in FORMATS)}.")
    media_type = FORMATS[extension] if extension else best(request.headers.get("accept", ""), list(FORMATS.values()))
    given = _given(request, query)
    offset, limit = _window(given, most_rows)
    page = await _page(query, given, (offset, limit), engine, prefixes)
    links = _links(query, given, page, extension)
    headers = {
        "Vary": "Accept",
        "Link": ", ".join(f'<{url}>; rel="{relation}"' for relation, url in links.items() if url),
        "Suasion-Completeness": "complete" if page.complete else "truncated",
        "Suasion-Total": str(page.total),
        "Suasion-Dataset": f"sha256:{engine.ready.digest}",
    }
    match media_type:
        case "text/csv":
            headers["Content-Disposition"] = f'attachment; filename="{query.name.replace("/", "-")}.csv"'
            return Response(_csv(query, page), headers=headers, media_type="text/csv; charset=utf-8")
        case "application/sparql-results+json":
            results = {"head": {"vars": list(page.variables)}, "results": {"bindings": list(page.rows)}}
            return Response(json.dumps(results, ensure_ascii=False), headers=headers, media_type=media_type)
        case _:
            body = _envelope(query, given, page, links, engine, prefixes)
            return Response(json.dumps(body, ensure_ascii=False), headers=headers, media_type=media_type)


def _given(request: Request, query: Query) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50
        )
    except ValueError:
        raise BadParameter("The parameters of the URL cannot be read: they have to be percent-encoded UTF-8.") from None
    known = {p.name: p for p in (*query.parameters, *PAGING)}
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise UnknownParameter(
                f"/{query.name} has no parameter {name[:60]!r}; it has {', '.join(known)}.", {"parameters": list(known)}
            )
        if name in given:
            raise BadParameter(f"{name} is given twice: give it once.", {"parameter": name})
        given[name] = value
    for parameter in query.parameters:
        if parameter.required and parameter.name not in given:
            example = f"/{query.name}?{parameter.name}={parameter.example}"
            raise BadParameter(f"{parameter.name} is missing: {parameter.description}.", {"example": example})
    return given


def _window(given: Mapping[str, str], most_rows: int) -> tuple[int, int]:
    window = []
    for parameter, default, least, most in ((PAGING[1], 0, 0, 10**9), (PAGING[0], most_rows, 1, most_rows)):
        number = int(bound(parameter, given[parameter.name], Prefixes({}))[0]["value"]) if parameter.name in given else default
        if not least <= number <= most:
            raise BadParameter(
                f"{parameter.name}={number} is out of range: give {least} to {most}.", {"parameter": parameter.name}
            )
        window.append(number)
    return window[0], window[1]


async def _page(query: Query, given: Mapping[str, str], rows: tuple[int, int], engine: Engine, prefixes: Prefixes) -> Page:
    """Ask with each reading of the parameters until one has an answer: a bare slug may name things of several themes."""
    readings: list[dict[str, Term]] = [{}]
    for parameter in query.parameters:
        if parameter.name in given:
            terms = bound(parameter, given[parameter.name], prefixes)
            readings = [reading | {parameter.name: term} for reading in readings for term in terms]
    page = Page((), (), 0, *rows)
    for reading in readings:
        found = json.loads((await engine.ask(Question(query.text, reading, rows=rows))).body)
        page = Page(tuple(found["variables"]), found["rows"], found["total"], *rows)
        if page.total:
            return page
    if query.not_found:
        raise NotFound(query.not_found)
    for parameter in query.parameters:
        if parameter.type == "iri" and parameter.name in given:
            await _refuse_unknown(parameter, given[parameter.name], engine, prefixes)
    return page


async def _refuse_unknown(parameter: Parameter, text: str, engine: Engine, prefixes: Prefixes) -> None:
    """Raise BadParameter for a thing that the graph does not know, so that a slip is not taken for an absence of data."""
    for term in bound(parameter, text, prefixes):
        known = json.loads((await engine.ask(Question(_KNOWN, {"thing": term}, rows=(0, 1)))).body)
        if known["total"]:
            return
    sentence = f"{parameter.name}={text[:60]!r} names nothing in the graph: look for it with /search?text=…"
    raise BadParameter(sentence, {"parameter": parameter.name, "example": parameter.example})


def _links(query: Query, given: Mapping[str, str], page: Page, extension: str) -> dict[str, str | None]:
    path = f"/{query.name}" + (f".{extension}" if extension else "")

    def at(offset: int | None) -> str | None:
        if offset is None:
            return None
        return path + "?" + urlencode({**given, "limit": page.limit, "offset": offset})

    return {
        "self": path + ("?" + urlencode(given) if given else ""),
        "next": at(page.next_offset),
        "prev": at(max(0, page.offset - page.limit)) if page.offset else None,
        "describedby": f"/queries/{query.name}",
    }


def _envelope(
    query: Query, given: Mapping[str, str], page: Page, links: Mapping[str, str | None], engine: Engine, prefixes: Prefixes
) -> dict[str, object]:
    rows = [plain_row(row, query, prefixes) for row in page.rows]
    return {
        "question": query.question,
        "summary": query.summary,
        "parameters": dict(given),
        "completeness": "complete" if page.complete else "truncated",
        "total": page.total,
        "offset": page.offset,
        "limit": page.limit,
        "note": None if page.total else "No data in the article for this question.",
        "links": dict(links),
        "dataset": {"sha256": engine.ready.digest, "quads": engine.ready.quads},
        "columns": dict(query.columns),
        "rows": rows,
    }


def _csv(query: Query, page: Page) -> str:
    """Rows as CSV (RFC 4180); a text that a spreadsheet would run as a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(query.columns)
    for row in page.rows:
        writer.writerow([_cell(plain(row[name])) if name in row else "" for name in query.columns])
    return out.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
