"""A page of rows in each machine-readable form; `pages` has the one for readers.

As RDF a row is what csv2rdf makes of the CSV in minimal mode (CSVW, https://www.w3.org/TR/csv2rdf/): the subject is the line
of the CSV (RFC 7111, where the head is row 1), the property the column, and values are the terms of the solution.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from suasion import citations, receipts, turtle
from suasion.catalog import Query
from suasion.exchange import Term
from suasion.prefixes import BASE
from suasion.questions import Page
from suasion.terms import XSD, is_number, plain

TYPES = {
    "json": "application/json",
    "html": "text/html",
    "csv": "text/csv",
    "srj": "application/sparql-results+json",
    "jsonld": "application/ld+json",
    "ttl": "text/turtle",
    "bib": "application/x-bibtex",
    "ris": "application/x-research-info-systems",
    "csl.json": "application/vnd.citationstyles.csl+json",
    "csv-metadata.json": "application/csvm+json",
}
"""The media type of each ending."""
CITATIONS = ("bib", "ris", "csl.json")
SEPARATOR = " | "
_FIRST_LINE = 2  # RFC 7111 counts from 1, and the head of the CSV is a row
_CSVW_TYPES = {"": "string", "iri": "anyURI"}


def json_text(page: Page, public_url: str) -> str:
    """Return the envelope: the question, what is known of the answer as a whole, and its rows."""
    asked, query = page.asked, page.query
    envelope: dict[str, object] = {
        "question": query.question,
        "summary": query.summary,
        "parameters": dict(asked.texts),
        "completeness": page.completeness,
        "total": page.total,
        "offset": asked.offset,
        "limit": asked.limit,
        "sort": {"by": asked.sort, "order": asked.given["order"]} if asked.sort else None,
        "note": page.note,
        "links": links(page, "json"),
        "related": [{"question": query.question, "link": link} for query, link in page.related_links()],
        "dataset": {"sha256": page.dataset.digest, "quads": page.dataset.quads},
        "columns": {name: column.meaning for name, column in query.columns.items()},
        "rows": page.plain_rows(),
        "provenance": provenance(page),
        "citation": citations.sentence(citations.of(page, public_url)),
        "receipt": receipts.summary(page.receipt),
    }
    return json.dumps(envelope, ensure_ascii=False) + "\n"


def provenance(page: Page) -> dict[str, object]:
    """Return the claims that each row rests on, in the order of the rows, and what is known of them, by their short names."""
    told: dict[str, object] = {"level": page.asked.provenance}
    if page.asked.provenance != "none":
        told["rows"] = [[page.prefixes.shorten(iri) for iri in row] for row in page.rests]
    if page.claims is not None:
        told["claims"] = {page.prefixes.shorten(iri): _claim(row, page) for iri, row in page.claims.items()}
    return told


def links(page: Page, extension: str) -> dict[str, str | None]:
    """Return the addresses that belong to a page: itself, its neighbours, its query, and its citations."""
    after, before = page.next_offset, page.previous_offset
    return {
        "self": page.path(extension),
        "next": None if after is None else page.path(extension, after),
        "prev": None if before is None else page.path(extension, before),
        "describedby": f"/queries/{page.query.name}",
        "receipt": f"/receipts/{page.receipt.id}",
        **{ending.partition(".")[0]: page.path(ending) for ending in CITATIONS},
    }


def csv_text(page: Page, _: str) -> str:
    """Return rows as CSV (RFC 4180); a text that a spreadsheet would run as a formula gets an apostrophe before it."""
    columns = page.query.columns
    return table(columns, ([cell(row[name]) if name in row else "" for name in columns] for row in page.rows))


def table(head: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Return cells as CSV (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue()


def srj_text(page: Page, _: str) -> str:
    """Return rows as SPARQL 1.1 Query Results JSON."""
    bindings = [{name: row[name] for name in page.query.columns if name in row} for row in page.rows]
    return json.dumps({"head": {"vars": list(page.query.columns)}, "results": {"bindings": bindings}}, ensure_ascii=False)


def turtle_text(page: Page, public_url: str) -> str:
    """Return rows as Turtle."""
    triples = (
        (turtle.iri(subject), turtle.iri(column_iri(page.query, name)), turtle.term(term))
        for subject, row in _subjects(page, public_url)
        for name, _, terms in page.cells(row)
        for term in terms
    )
    shown = f"rows {page.asked.offset + 1} to {page.asked.offset + len(page.rows)} of {page.total}" if page.rows else "no rows"
    return turtle.document(triples, (page.query.summary, f"{page.completeness}: {shown}"))


def jsonld_text(page: Page, public_url: str) -> str:
    """Return rows as JSON-LD 1.1, with the context of the question in it."""
    nodes = []
    for subject, row in _subjects(page, public_url):
        cells = {name: [_json_ld(term) for term in terms] for name, _, terms in page.cells(row) if terms}
        nodes.append({"@id": subject, **cells})
    return json.dumps({**context(page.query), "@graph": nodes}, ensure_ascii=False)


def context(query: Query) -> dict[str, object]:
    """Return the JSON-LD context of a question: each column as a property."""
    return {"@context": {"@version": 1.1, **{name: {"@id": column_iri(query, name)} for name in query.columns}}}


def column_iri(query: Query, name: str) -> str:
    """Return the IRI of a column: the property that RDF forms of an answer use."""
    return f"{BASE}query/{query.name}#{name}"


def csvw_text(page: Page, public_url: str) -> str:
    """Return the metadata of the CSV of a page (CSVW: Metadata Vocabulary for Tabular Data)."""
    columns = []
    for name, column in page.query.columns.items():
        described: dict[str, object] = {
            "name": name,
            "titles": name,
            "dc:description": column.meaning,
            "datatype": _CSVW_TYPES.get(column.type, column.type),
            "propertyUrl": column_iri(page.query, name),
        }
        if column.is_list:
            described["separator"] = SEPARATOR
        elif column.type == "iri":
            described["valueUrl"] = f"{{+{name}}}"
        columns.append(described)
    url = public_url + page.path("csv")
    following = links(page, "csv")["next"]
    told = {"completeness": page.completeness, "total": page.total, "offset": page.asked.offset, "limit": page.asked.limit}
    metadata = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": url,
        "dc:title": page.query.summary,
        "dc:description": page.query.question,
        "dc:source": f"{public_url}/queries/{page.query.name}",
        "notes": [{**told, "next": public_url + following if following else None}],
        "dialect": {"header": True, "encoding": "utf-8", "lineTerminators": ["\r\n"]},
        "tableSchema": {"columns": columns, "aboutUrl": url + "#row={_sourceRow}"},
    }
    return json.dumps(metadata, ensure_ascii=False)


def bib_text(page: Page, public_url: str) -> str:
    """Return the citation of a page as BibTeX."""
    return citations.bibtex(citations.of(page, public_url))


def ris_text(page: Page, public_url: str) -> str:
    """Return the citation of a page as RIS."""
    return citations.ris(citations.of(page, public_url))


def csl_text(page: Page, public_url: str) -> str:
    """Return the citation of a page as CSL-JSON."""
    return citations.csl_json(citations.of(page, public_url))


WRITERS: Mapping[str, Callable[[Page, str], str]] = {
    "json": json_text,
    "csv": csv_text,
    "srj": srj_text,
    "jsonld": jsonld_text,
    "ttl": turtle_text,
    "bib": bib_text,
    "ris": ris_text,
    "csl.json": csl_text,
    "csv-metadata.json": csvw_text,
}
"""What writes a page, and the address of the service where it is named, for each ending but html."""


def _claim(row: Mapping[str, Term], page: Page) -> dict[str, object]:
    """Return what is known of a claim: see queries/describe/claims.rq."""

    def listed(name: str) -> list[str]:
        return sorted(part for part in row[name]["value"].split(SEPARATOR) if part) if name in row else []

    def short(name: str) -> str | None:
        return page.prefixes.shorten(row[name]["value"]) if name in row else None

    return {
        "summary": short("summary"),
        "kind": short("kind"),
        "modality": short("modality"),
        "voices": [page.prefixes.shorten(iri) for iri in listed("voices")],
        "credits": [page.prefixes.shorten(iri) for iri in listed("credits")],
        "hedges": listed("hedges"),
        "markers": sorted(int(marker) for marker in listed("markers")),
        "section": short("section"),
        "passage": short("passage"),
        "ranges": short("ranges"),
    }


def _subjects(page: Page, public_url: str) -> Iterator[tuple[str, Mapping[str, Term]]]:
    table = public_url + page.path("csv")
    for number, row in enumerate(page.rows, start=_FIRST_LINE):
        yield f"{table}#row={number}", row


def _json_ld(term: Term) -> dict[str, str]:
    if turtle.term(term).startswith(("<", "_:")):
        return {"@id": term["value"]}
    if "xml:lang" in term:
        return {"@value": term["value"], "@language": term["xml:lang"]}
    datatype = term.get("datatype", "")
    return {"@value": term["value"], **({"@type": datatype} if datatype not in ("", XSD + "string") else {})}


def cell(term: Term) -> str:
    """Return a cell of CSV: the text of a term, made harmless where it is a text."""
    value = term["value"]
    if is_number(term) or not isinstance(plain(term), str):
        return value
    return harmless(value)


def harmless(text: str) -> str:
    """Return a text as a cell that no spreadsheet runs as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
