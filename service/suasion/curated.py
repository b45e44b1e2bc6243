"""One GET endpoint for each query file: parameters in, rows out, with where they come from and whether they are all."""

import csv
import io
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import Response

from suasion.catalog import Parameter, Query
from suasion.errors import BadParameter, NotFound, UnknownParameter
from suasion.exchange import Answer, Question, Ready, Term
from suasion.negotiation import best, matches
from suasion.prefixes import Prefixes
from suasion.terms import bound, plain, plain_row, searched

FORMATS = {"json": "application/json", "csv": "text/csv", "srj": "application/sparql-results+json"}
_KNOWN = "SELECT ?thing WHERE { ?thing ?property ?value } LIMIT 1"
PAGING = (
    Parameter("limit", "integer", "Most rows to answer", "100"),
    Parameter("offset", "integer", "Rows to pass over", "0"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows offset to offset + limit of an answer of `total` rows; `cut` where more things fit a search than have rows."""

    variables: tuple[str, ...]
    rows: Sequence[Mapping[str, Term]]
    total: int
    offset: int
    limit: int
    cut: bool = False

    @property
    def complete(self) -> bool:
        """Whether these are all the rows there are."""
        return self.offset == 0 and len(self.rows) == self.total and not self.cut

    @property
    def next_offset(self) -> int | None:
        """Where the next page begins, None after the last."""
        after = self.offset + len(self.rows)
        return after if self.rows and after < self.total else None


Ask = Callable[[Question], Coroutine[None, None, Answer]]


@dataclass(frozen=True, slots=True)
class Backing:
    """Where answers come from: who to ask, the dataset (known once the service runs), its prefixes, and the largest page."""

    ask: Ask
    dataset: Callable[[], Ready]
    prefixes: Prefixes
    most_rows: int


async def answer(request: Request, query: Query, extension: str, backing: Backing) -> Response:
    """Answer a curated question in the format of the extension, or of the Accept header without one; 304 when it is known.

    Raises UnknownParameter (400), BadParameter (422), NotFound (404), NotAcceptable (406), and what the engine raises.
    """
    if extension and extension not in FORMATS:
        raise NotFound(f"There is no format .{extension}; the formats are {', '.join('.' + e for e in FORMATS)}.")
    media_type = FORMATS[extension] if extension else best(", ".join(request.headers.getlist("accept")), tuple(FORMATS.values()))
    given = _given(request, query)
    offset, limit = _window(given, backing.most_rows)
    dataset = backing.dataset()
    tag = f'W/"{sha256(repr((dataset.digest, query.text, sorted(given.items()), media_type)).encode()).hexdigest()[:32]}"'
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers={"ETag": tag, "Vary": "Accept", "Cache-Control": "no-cache"})
    terms = await _terms(query, given, backing)
    page = await _page(query, terms, (offset, limit), backing)
    links = _links(query, given, page, extension)
    headers = {
        "Vary": "Accept",
        "Link": ", ".join(f'<{url}>; rel="{relation}"' for relation, url in links.items() if url),
        "Suasion-Completeness": "complete" if page.complete else "truncated",
        "Suasion-Total": str(page.total),
        "Suasion-Dataset": f"sha256:{dataset.digest}",
        "ETag": tag,
        "Cache-Control": "no-cache",
    }
    match media_type:
        case "text/csv":
            headers["Content-Disposition"] = f'attachment; filename="{query.name.replace("/", "-")}.csv"'
            return Response(_csv(query, page), headers=headers, media_type="text/csv; charset=utf-8")
        case "application/sparql-results+json":
            bindings = [{name: row[name] for name in query.columns if name in row} for row in page.rows]
            results = {"head": {"vars": list(query.columns)}, "results": {"bindings": bindings}}
            return Response(json.dumps(results, ensure_ascii=False), headers=headers, media_type=media_type)
        case _:
            shown = given | {name: backing.prefixes.shorten(term["value"]) for name, term in terms.items()}
            body = _envelope(query, shown, page, links, backing)
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


async def _page(query: Query, terms: Mapping[str, Term], rows: tuple[int, int], backing: Backing) -> Page:
    """Ask for rows offset to offset + limit. Raises NotFound where no rows are an error, BadParameter for unknown things."""
    free, search = searched(query, terms)
    answer = await backing.ask(Question(query.text, free, rows=rows, search=search))
    found = json.loads(answer.body)
    page = Page(tuple(found["variables"]), found["rows"], found["total"], *rows, cut=bool(answer.extra.get("cut")))
    if not page.total and query.not_found:
        raise NotFound(query.not_found)
    if not page.total:
        for parameter in query.parameters:
            if parameter.type == "iri" and parameter.name in terms and not await _is_known(terms[parameter.name], backing):
                raise _unknown(parameter, backing.prefixes.shorten(terms[parameter.name]["value"]))
    return page


async def _terms(query: Query, given: Mapping[str, str], backing: Backing) -> dict[str, Term]:
    """Return the terms of the given parameters; a bare slug has to name one thing of its themes.

    Raises BadParameter for malformed values, and for a slug that names no thing, or several.
    """
    terms: dict[str, Term] = {}
    for parameter in query.parameters:
        if parameter.name not in given:
            continue
        choices = bound(parameter, given[parameter.name], backing.prefixes)
        if len(choices) > 1:
            choices = tuple([term for term in choices if await _is_known(term, backing)])
        if not choices:
            raise _unknown(parameter, given[parameter.name])
        if len(choices) > 1:
            names = ", ".join(backing.prefixes.shorten(term["value"]) for term in choices)
            raise BadParameter(f"{parameter.name}={given[parameter.name]!r} names several things: give one of {names}.")
        terms[parameter.name] = choices[0]
    return terms


async def _is_known(term: Term, backing: Backing) -> bool:
    found = await backing.ask(Question(_KNOWN, {"thing": term}, rows=(0, 1)))
    return bool(json.loads(found.body)["total"])


def _unknown(parameter: Parameter, text: str) -> BadParameter:
    sentence = f"{parameter.name}={text[:60]!r} names nothing in the graph: look for it with /search?text=…"
    return BadParameter(sentence, {"parameter": parameter.name, "example": parameter.example})


def _links(query: Query, given: Mapping[str, str], page: Page, extension: str) -> dict[str, str | None]:
    path = f"/{query.name}" + (f".{extension}" if extension else "")

    def at(offset: int | None) -> str | None:
        if offset is None:
            return None
        return path + "?" + urlencode({**given, "limit": page.limit, "offset": offset})

    return {
        "self": path + ("?" + urlencode(given) if given else ""),
        "next": at(page.next_offset),
        "prev": at(max(0, min(page.offset, page.total) - page.limit)) if page.offset else None,
        "describedby": f"/queries/{query.name}",
    }


def _envelope(
    query: Query, given: Mapping[str, str], page: Page, links: Mapping[str, str | None], backing: Backing
) -> dict[str, object]:
    rows = [plain_row(row, query, backing.prefixes) for row in page.rows]
    return {
        "question": query.question,
        "summary": query.summary,
        "parameters": dict(given),
        "completeness": "complete" if page.complete else "truncated",
        "total": page.total,
        "offset": page.offset,
        "limit": page.limit,
        "note": _note(page),
        "links": dict(links),
        "dataset": {"sha256": backing.dataset().digest, "quads": backing.dataset().quads},
        "columns": dict(query.columns),
        "rows": rows,
    }


def _note(page: Page) -> str | None:
    if page.rows:
        return "The words fit more than was looked at, best first: give more of them to see the rest." if page.cut else None
    return (
        f"There are {page.total} rows, none from {page.offset} on." if page.total else "No data in the article for this question."
    )


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
