"""Curated questions without HTTP: texts of parameters in, typed rows out, with what they rest on and whether they are all.

The web, an MCP server and a Python client are renderers of what `ask` returns.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlencode

from suasion import receipts
from suasion.catalog import Column, Parameter, Query
from suasion.described import Ask, Described, Work
from suasion.errors import BadParameter, NotFound, RequestError, TimedOut, UnknownParameter
from suasion.exchange import Question, Ready, Term
from suasion.prefixes import DEF, Prefixes
from suasion.receipts import Receipt
from suasion.terms import bound, period, plain_row, refused, searched, values

MOST_OFFSET = 10**9
LEVELS = ("none", "claims", "passages")
TELL_PROVENANCE = ("", "json", "html")
"""The endings of the formats that have a place for provenance."""
ORDERS = ("ascending", "descending")
LIMIT = Parameter("limit", "integer", "Most rows to answer", "100")
OFFSET = Parameter("offset", "integer", "Rows to pass over", "0")
PROVENANCE = Parameter("provenance", "string", "What to tell of the claims behind each row", "passages", values=LEVELS)
_KNOWN = "SELECT ?thing WHERE { { ?thing ?property ?value } UNION { GRAPH ?graph { ?thing ?property ?value } } } LIMIT 1"
_UNNAMED = f"""\
SELECT ?thing ?name WHERE {{
  GRAPH ?graph {{ ?thing <{DEF}namedInText> false ; <http://www.w3.org/2004/02/skos/core#prefLabel> ?name }}
  FILTER NOT EXISTS {{ ?claim <{DEF}mentions> ?thing }}
}}
"""
_MATCHED = {
    "similar": "Nothing has all the words as they are spelled here: words spelled similarly were looked for.",
    "some": "Nothing has all the words: first comes what has most of them, rare words counting for more.",
}
_ANYWHERE = "{ ?thing ?property ?value } UNION { ?subject ?thing ?value } UNION { ?subject ?property ?thing }"
_OCCURS = f"SELECT ?thing WHERE {{ {_ANYWHERE} UNION {{ GRAPH ?graph {{ {_ANYWHERE} }} }} }} LIMIT 1"
_LISTED = (0, 1000)


@dataclass(frozen=True, slots=True)
class Backing:
    """Where answers come from: the questions by name, who to ask, the dataset once it is known, prefixes, the largest page."""

    queries: Mapping[str, Query]
    ask: Ask
    dataset: Callable[[], Ready]
    prefixes: Prefixes
    most_rows: int
    described: Described

    def prefixes_of(self, query: Query) -> Prefixes:
        """Return the prefixes for what a question takes and shows: the table, then what its file declares."""
        return Prefixes({**query.prefixes, **self.prefixes.table})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was put, with every default in its place; `texts` are the parameters of its own."""

    query: Query
    texts: Mapping[str, str]
    offset: int
    limit: int
    sort: str = ""
    descending: bool = False
    provenance: str = "claims"

    @property
    def given(self) -> Mapping[str, str]:
        """The parameters that ask for the same page again."""
        paging = {"limit": str(self.limit), "offset": str(self.offset)}
        order = {"sort": self.sort, "order": ORDERS[self.descending]} if self.sort else {}
        return {**self.texts, **order, **paging, **({} if self.provenance == "claims" else {"provenance": self.provenance})}


@dataclass(frozen=True, slots=True)
class Page:
    """Rows offset to offset + limit of an answer of `total` rows; `asked.texts` hold short names for what was named.

    `rows` are solutions in the terms of SPARQL JSON; `rests` gives for each row the IRIs of the claims it rests on, and
    `claims`, with provenance=passages, what is known of each of them. `works` are what the dataset encodes. With `cut` more
    things fit a search than have rows, and `matched` says how it fits them. `absence` says why there are no rows at all.
    `related` are other questions, with what to ask of them.
    """

    asked: Asked
    rows: Sequence[Mapping[str, Term]]
    total: int
    prefixes: Prefixes
    dataset: Ready
    receipt: Receipt
    works: tuple[Work, ...] = ()
    rests: tuple[tuple[str, ...], ...] = ()
    claims: Mapping[str, Mapping[str, Term]] | None = None
    cut: bool = False
    matched: str = "all"
    absence: str = ""
    related: tuple[tuple[Query, Mapping[str, str]], ...] = ()

    @property
    def query(self) -> Query:
        """The question."""
        return self.asked.query

    @property
    def completeness(self) -> Literal["complete", "truncated"]:
        """Whether these are all the rows there are."""
        whole = self.asked.offset == 0 and len(self.rows) == self.total and not self.cut
        return "complete" if whole else "truncated"

    @property
    def next_offset(self) -> int | None:
        """Where the next page begins, None after the last."""
        after = self.asked.offset + len(self.rows)
        return after if self.rows and after < self.total else None

    @property
    def previous_offset(self) -> int | None:
        """Where the page before begins, None before the first."""
        if not self.asked.offset:
            return None
        return max(0, min(self.asked.offset, self.total) - self.asked.limit)

    @property
    def note(self) -> str | None:
        """Why there are no rows, or not all that fit a search; None where there is nothing to explain."""
        if self.rows:
            cut = "The words fit more than was looked at, best first: give more of them to see the rest." if self.cut else ""
            return " ".join(filter(None, (_MATCHED.get(self.matched, ""), cut))) or None
        return f"There are {self.total} rows, none from {self.asked.offset} on." if self.total else self.absence

    def cells(self, row: Mapping[str, Term]) -> Iterator[tuple[str, Column, tuple[Term, ...]]]:
        """Yield the columns of a row: name, declaration and values."""
        for name, column in self.query.columns.items():
            yield name, column, values(row, name, column, self.prefixes)

    def plain_rows(self) -> list[dict[str, object]]:
        """Return the rows as JSON writes them: short names for IRIs, lists as lists, None for what is unbound."""
        return [plain_row(row, self.query, self.prefixes) for row in self.rows]

    def path(self, extension: str = "", offset: int | None = None) -> str:
        """Return the URL, without its host, of this page or of the one at an offset, in a format."""
        asked = self.asked if offset is None else replace(self.asked, offset=offset)
        given = asked.given if extension in TELL_PROVENANCE else replace(asked, provenance="claims").given
        return f"{address(self.query, extension)}?{urlencode(given)}"

    def related_links(self, extension: str = "") -> list[tuple[Query, str]]:
        """Return the related questions, each with the URL, without its host, of a call that answers it, in a format."""
        return [(query, called(query, given, extension)) for query, given in self.related]


async def ask(query: Query, given: Mapping[str, str], backing: Backing) -> Page:
    """Answer a question. `given` are texts: its own parameters, and limit, offset, sort, order, provenance.

    Raises UnknownParameter (400), BadParameter (422) and NotFound (404), each with an example that works, and what the
    engine raises.
    """
    return await answer(read(query, given, backing.most_rows), backing)


def read(query: Query, given: Mapping[str, str], most_rows: int) -> Asked:
    """Return what is asked, its window checked and its defaults filled in. Raises as `ask` does."""
    with _exemplified(query):
        known = parameters(query)
        for name in given:
            if name not in known:
                said = f"/{query.name} has no parameter {name[:60]!r}; it has {', '.join(known)}."
                raise UnknownParameter(said, {"parameter": name[:60], "parameters": list(known)})
        texts: dict[str, str] = {}
        for parameter in query.parameters:
            if parameter.name in given:
                texts[parameter.name] = given[parameter.name]
            elif parameter.default:
                texts[parameter.name] = parameter.default
            elif parameter.required:
                raise BadParameter(
                    f"{parameter.name} is missing: {parameter.description}.",
                    {"parameter": parameter.name, "accepted": f"{parameter.type}, such as {parameter.example}"},
                )
        sort = _choice(known, given, "sort", "")
        if "order" in given and not sort:
            accepted = f"{' or '.join(ORDERS)}, beside sort"
            raise BadParameter(
                "order is given without sort: name a column to sort by.", {"parameter": "order", "accepted": accepted}
            )
        return Asked(
            query,
            texts,
            *window(given, most_rows, most_rows),
            sort,
            _choice(known, given, "order", ORDERS[0]) == ORDERS[1],
            _choice(known, given, "provenance", "claims"),
        )


def window(given: Mapping[str, str], most_rows: int, usual_rows: int) -> tuple[int, int]:
    """Return offset and limit, where nothing is given 0 and the usual rows. Raises BadParameter for what is out of range."""
    usual = min(usual_rows, most_rows)
    return _number(given, OFFSET, 0, MOST_OFFSET, 0), _number(given, LIMIT, 1, most_rows, usual)


async def answer(asked: Asked, backing: Backing) -> Page:
    """Answer what is asked. Raises BadParameter (422) and NotFound (404) as `ask` does, and what the engine raises.

    What ran out of time says which rows were asked for, and that their number is not known.
    """
    query = asked.query
    prefixes = backing.prefixes_of(query)
    dataset = backing.dataset()
    with _exemplified(query):
        terms = await _terms(asked, prefixes, backing)
        free, search = searched(query, terms)
        window = (asked.offset, asked.limit)
        question = Question(query.text, free, rows=window, sort=asked.sort, descending=asked.descending, search=search)
        try:
            reply = await backing.ask(question)
        except TimedOut as error:
            error.extra |= {"question": query.name, "offset": asked.offset, "limit": asked.limit, "total": None}
            raise
        found = json.loads(reply.body)
        await _refuse_unknown(asked, terms, prefixes, backing, absent=not found["total"])
        works = await backing.described.works()
        absence = "" if found["total"] else await _absence(asked, terms, backing, bool(works))
    named = {p.name: prefixes.shorten(terms[p.name]["value"]) for p in query.parameters if p.name in terms}
    asked = replace(asked, texts={**asked.texts, **named})
    rows = found["rows"]
    result = {"columns": list(query.columns), "total": found["total"], "rows": rows}
    receipt = receipts.issued(query.name, replace(asked, provenance="claims").given, query.text, dataset.digest, result)
    page = Page(
        asked,
        rows,
        found["total"],
        prefixes,
        dataset,
        receipt,
        works,
        cut=bool(reply.extra.get("cut")),
        matched=str(reply.extra.get("matched", "all")),
        absence=absence,
        related=_related(asked, backing.queries),
    )
    if asked.provenance == "none":
        return page
    rests = await asyncio.to_thread(lambda: tuple(_claims(page, row) for row in rows))
    if asked.provenance == "claims":
        return replace(page, rests=rests)
    known = await backing.described.claims()
    return replace(page, rests=rests, claims={iri: known[iri] for iri in dict.fromkeys(sum(rests, ())) if iri in known})


def parameters(query: Query) -> Mapping[str, Parameter]:
    """Return all parameters that a question takes, by name: its own, then those of every question."""
    sorting: tuple[Parameter, ...] = ()
    if query.sort:
        sorting = (
            Parameter("sort", "string", "The column to sort by", query.sort[0], values=query.sort),
            Parameter("order", "string", "How to sort", ORDERS[1], values=ORDERS),
        )
    return {p.name: p for p in (*query.parameters, *sorting, LIMIT, OFFSET, PROVENANCE)}


def address(query: Query, extension: str = "") -> str:
    """Return the path of a question in a format."""
    return f"/{query.name}" + (f".{extension}" if extension else "")


def example(query: Query, name: str = "", extension: str = "") -> str:
    """Return the path of a call that works: the required parameters, and the named one, by their examples."""
    own = {p.name: p.example for p in query.parameters if p.required or p.name == name}
    if name == "order" and query.sort:
        own["sort"] = query.sort[0]
    common = {n: p.example for n, p in parameters(query).items() if n == name}
    return called(query, {**own, **common}, extension)


def called(query: Query, given: Mapping[str, str], extension: str = "") -> str:
    """Return the URL, without its host, of a question with these parameters, in a format."""
    return address(query, extension) + (f"?{urlencode(given)}" if given else "")


async def choices(parameter: Parameter, query: Query, backing: Backing) -> tuple[str, ...]:
    """Return all that a parameter may be: what its file lists, or its `values_from` finds in the dataset; empty where open."""
    if not parameter.values_from:
        return parameter.values
    found = await backing.ask(Question(declarations(query) + parameter.values_from, rows=_LISTED))
    prefixes = backing.prefixes_of(query)
    terms = [row["value"] for row in json.loads(found.body)["rows"] if "value" in row]
    return tuple(dict.fromkeys(_choice_text(term, prefixes) for term in terms))


def declarations(query: Query) -> str:
    """Return the PREFIX lines of a query."""
    return "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in query.prefixes.items())


def _choice_text(term: Term, prefixes: Prefixes) -> str:
    if term["type"] == "uri" and term["value"].startswith(DEF):
        return term["value"].removeprefix(DEF)
    return prefixes.shorten(term["value"]) if term["type"] == "uri" else term["value"]


@contextmanager
def _exemplified(query: Query) -> Iterator[None]:
    """Add the name of the question, and a call that works, to what is wrong with a request."""
    try:
        yield
    except RequestError as error:
        name = str(error.extra.get("parameter", ""))
        error.extra = {**error.extra, "question": query.name, "example": example(query, name)}
        raise


def _choice(known: Mapping[str, Parameter], given: Mapping[str, str], name: str, default: str) -> str:
    if name not in given:
        return default
    if given[name] not in known[name].values:
        raise refused(known[name], given[name], "one of " + ", ".join(known[name].values))
    return given[name]


def _number(given: Mapping[str, str], parameter: Parameter, least: int, most: int, default: int) -> int:
    if parameter.name not in given:
        return default
    number = int(bound(parameter, given[parameter.name], Prefixes({}))[0]["value"])
    if not least <= number <= most:
        said = f"{parameter.name}={number} is out of range: give {least} to {most}."
        raise BadParameter(said, {"parameter": parameter.name, "accepted": f"{least} to {most}"})
    return number


async def _terms(asked: Asked, prefixes: Prefixes, backing: Backing) -> dict[str, Term]:
    """Return the terms of the given parameters by variable; a bare slug has to name one thing of its themes.

    Raises BadParameter for malformed values, and for a slug that names no thing, or several.
    """
    terms: dict[str, Term] = {}
    for parameter in asked.query.parameters:
        if parameter.name not in asked.texts:
            continue
        text = asked.texts[parameter.name]
        if parameter.type == "period":
            terms |= period(parameter, text)
            continue
        listed = replace(parameter, values=await choices(parameter, asked.query, backing))
        found = bound(listed, text, prefixes)
        if len(found) > 1:
            found = tuple([term for term in found if await _is_known(term, backing)])
        if not found:
            raise _unknown(parameter, text, backing)
        if len(found) > 1:
            names = ", ".join(prefixes.shorten(term["value"]) for term in found)
            said = f"{parameter.name}={text[:60]!r} names several things: give one of {names}."
            raise BadParameter(said, {"parameter": parameter.name, "accepted": f"one of {names}"})
        terms[parameter.name] = found[0]
    return terms


async def _refuse_unknown(asked: Asked, terms: Mapping[str, Term], prefixes: Prefixes, backing: Backing, *, absent: bool) -> None:
    """Raise NotFound where rows are `absent` and that is an error, BadParameter for a thing that the graph does not know.

    Rows may be there in spite of it: those of the other thing that it is compared with.
    """
    if absent and asked.query.not_found:
        raise NotFound(await _never_named(asked, terms, backing) or asked.query.not_found)
    for parameter in asked.query.parameters:
        if parameter.type == "iri" and parameter.name in terms:
            term = terms[parameter.name]
            if not await _is_known(term, backing, _KNOWN if absent else _OCCURS):
                raise _unknown(parameter, prefixes.shorten(term["value"]), backing)


async def _absence(asked: Asked, terms: Mapping[str, Term], backing: Backing, of_article: bool) -> str:
    """Return why there are no rows: the article never names a thing, the filters leave none, or nothing is said."""
    query = asked.query
    if query.no_rows:
        return query.no_rows
    if of_article and (never := await _never_named(asked, terms, backing)):
        return never
    if any(not p.required and p.name in asked.texts for p in query.parameters):
        silent = " That need not mean that the article is silent." if of_article else ""
        wider = ", or look with /search?text=…" if "search" in backing.queries else ""
        return f"No row fits these filters.{silent} Leave one out{wider}"
    return "No data in the article for this question." if of_article else "No data for this question."


async def _is_known(term: Term, backing: Backing, query: str = _KNOWN) -> bool:
    found = await backing.ask(Question(query, {"thing": term}, rows=(0, 1)))
    return bool(json.loads(found.body)["total"])


async def _never_named(asked: Asked, terms: Mapping[str, Term], backing: Backing) -> str:
    """Return the sentence that the article never names a thing that was given; "" where it names or speaks of all."""
    names = []
    for parameter in asked.query.parameters:
        if parameter.type == "iri" and parameter.name in terms:
            found = await backing.ask(Question(_UNNAMED, {"thing": terms[parameter.name]}, rows=(0, 1)))
            names += [row["name"]["value"] for row in json.loads(found.body)["rows"]]
    return f"The article never names {' or '.join(names)}." if names else ""


def _related(asked: Asked, queries: Mapping[str, Query]) -> tuple[tuple[Query, Mapping[str, str]], ...]:
    """Return the related questions, each with what is given here that it takes too, and examples of what it needs besides."""
    own = {p.name: (p.type, p.values) for p in asked.query.parameters}
    found = []
    for name in asked.query.related:
        kept = {}
        for parameter in queries[name].parameters:
            if parameter.name in asked.texts and own[parameter.name] == (parameter.type, parameter.values):
                kept[parameter.name] = asked.texts[parameter.name]
            elif parameter.required:
                kept[parameter.name] = parameter.example
        found.append((queries[name], kept))
    return tuple(found)


def _unknown(parameter: Parameter, text: str, backing: Backing) -> BadParameter:
    remedy = "look for it with /search?text=…" if "search" in backing.queries else f"give one such as {parameter.example}"
    sentence = f"{parameter.name}={text[:60]!r} names nothing in the graph: {remedy}"
    return BadParameter(sentence, {"parameter": parameter.name, "accepted": f"a thing of the graph, such as {parameter.example}"})


def _claims(page: Page, row: Mapping[str, Term]) -> tuple[str, ...]:
    """Return the IRIs of the claims that a row rests on."""
    query = page.query
    found = [term for name in query.claims for term in values(row, name, query.columns[name], page.prefixes)]
    return tuple(dict.fromkeys(term["value"] for term in found if term["type"] == "uri"))
