"""What an agent may do with a dataset: describe it, ask its questions, ask SPARQL. Knows neither MCP nor HTTP.

A tool takes a JSON object and returns one. Rows are as in the JSON of curated answers: short names for IRIs, lists as lists,
null where there is no value; each result says whether it is complete.
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from suasion import deadlines, inventory, openapi, questions, renderings
from suasion.assembly import Assembly
from suasion.catalog import TAKEN_NAMES, Parameter, Query
from suasion.errors import AnswerTooLarge, BadParameter, BadQuery, NotFound, QueryFileError, UnknownParameter
from suasion.exchange import Question, Term
from suasion.inventory import Counted
from suasion.openapi import Schema
from suasion.prefixes import CLAIM, Prefixes
from suasion.questions import Page
from suasion.terms import plain

USUAL_ROWS = 50
MOST_CHARACTERS = 100_000
"""The most characters of JSON or Turtle in one result: what is longer is cut between rows or triples, and says so."""
Result = dict[str, object]
Arguments = Mapping[str, object]

_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_MAYBE_TEXT: Schema = {"type": ["string", "null"]}
_MAYBE_NUMBER: Schema = {"type": ["integer", "null"]}
_OPEN: Schema = {"type": "object"}
_WINDOW: Mapping[str, Schema] = {
    "completeness": {"enum": ["complete", "truncated"]},
    "total": {"type": "integer"},
    "next_offset": _MAYBE_NUMBER,
    "note": _MAYBE_TEXT,
}
_MANY = 2
"""What so many questions say of a parameter or column of theirs, in the same words, is told once, by `shared`."""
_DETAILS = ("names", "meanings")
_GRAPH_CHOICES = ("facts", "all")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: `arguments` gives the JSON Schema of what `call` takes, with the values of codes in the dataset.

    `call` takes the arguments and the client whose share they use up ("" is nobody); it raises what `questions.ask` and
    `Assembly.sparql` raise.
    """

    name: str
    title: str
    description: str
    result: Schema
    arguments: Callable[[], Awaitable[Schema]]
    call: Callable[[Arguments, str], Awaitable[Result]]


def offered(assembly: Assembly, public_url: Callable[[], str]) -> dict[str, Tool]:
    """Return the tools by name: one for each curated question, and those that fit any dataset.

    `public_url` is where clients reach the same answers over HTTP, "" where nowhere. Raises QueryFileError for questions
    whose names would be the same tool.
    """
    queries = assembly.backing.queries
    tools = [_description_tool(assembly), _sparql_tool(assembly)]
    if {"claim"} <= queries.keys():
        tools.append(_claim_tool(assembly))
    if {"claims", "entity"} <= queries.keys():
        tools.append(_entity_tool(assembly))
    by_name = {tool.name: tool for tool in tools}
    told = shared(assembly.queries)
    for query in queries.values():
        tool = _question_tool(query, assembly, public_url, told)
        if tool.name in by_name:
            raise QueryFileError(f"{query.name}.rq: another question or tool is called {tool.name}: name the file otherwise.")
        by_name[tool.name] = tool
    return by_name


def shared(queries: Sequence[Query]) -> dict[str, dict[str, str]]:
    """Return the parameters and columns that mean the same in several questions, with what they mean.

    An agent reads the descriptions of all tools before its first call, so they do not repeat it.
    """
    common = {p.name: p for query in queries for p in questions.parameters(query).values() if p.name in TAKEN_NAMES}
    return {
        "parameters": {name: p.description for name, p in common.items()}
        | _repeated((p.name, p.description) for query in queries for p in query.parameters),
        "columns": _repeated((n, c.meaning) for query in queries for n, c in query.columns.items() if not _is_name(n)),
    }


def _repeated(meanings: Iterable[tuple[str, str]]) -> dict[str, str]:
    told: dict[str, str] = {}
    for (name, meaning), number in Counter(meanings).most_common():
        if number >= _MANY:
            told.setdefault(name, meaning)
    return told


def _is_name(column: str) -> bool:
    return column.endswith(("_name", "_names"))


def _rows(query: Query, told_already: Mapping[str, str]) -> Schema:
    """Return the schema of rows: what those columns mean of which neither their stem nor what is told already says it."""
    told = {
        name: {"description": column.meaning}
        for name, column in query.columns.items()
        if not _is_name(name) and told_already.get(name) != column.meaning
    }
    return {"type": "array", "items": {"type": "object", "properties": told}}


def _description_tool(assembly: Assembly) -> Tool:
    detail = Parameter("detail", "string", "names, or meanings too (longer)", "meanings", values=_DETAILS, default="names")
    text = Parameter("text", "string", "Only classes and properties whose name or meaning has these words", "aid")

    async def call(given: Arguments, _: str) -> Result:
        texts = _read(given, "describe_graph", (detail, text))
        found = await inventory.taken(assembly.backing.ask, assembly.bundle / "queries" / "describe", assembly.backing.prefixes)
        meanings = texts["detail"] == "meanings"
        dataset = assembly.backing.dataset()
        return {
            "dataset": dataset.digest or None,
            "triples": dataset.quads,
            "completeness": "complete" if found.whole else "truncated",
            "guide": guide(assembly).partition("\n## ")[0],
            "prefixes": dict(assembly.backing.prefixes.table),
            "classes": _counts(found.classes, texts.get("text", ""), meanings),
            "properties": _counts(found.properties, texts.get("text", ""), meanings),
            "graphs": {**found.graphs, **({"one for each claim": found.claim_graphs} if found.claim_graphs else {})},
            "questions": {openapi.operation_id(query): query.question for query in assembly.queries},
            "shared": shared(assembly.queries),
            "examples": [{"about": title, "query": query} for title, query in inventory.examples(guide(assembly))],
        }

    said = (
        "What the graph holds and how to ask it: guide, prefixes, classes and properties with counts (in all graphs, in the "
        "default graph), graphs, questions, SPARQL examples. Call this first when you mean to write SPARQL."
    )
    shape: dict[str, Schema] = {
        "dataset": _MAYBE_TEXT,
        "triples": {"type": "integer"},
        "completeness": _WINDOW["completeness"],
        "guide": _TEXT,
        **dict.fromkeys(("prefixes", "classes", "properties", "graphs", "questions", "shared"), _OPEN),
        "examples": {"type": "array", "items": _OPEN},
    }
    return Tool("describe_graph", "What the graph holds", said, _object(shape), _fixed((detail, text)), call)


def guide(assembly: Assembly) -> str:
    """Return the guide to the dataset, in Markdown."""
    name = "guide.md" if assembly.source.bundle else "guide-of-files.md"
    return (assembly.bundle / "queries" / "describe" / name).read_text(encoding="utf-8")


def _counts(found: Sequence[Counted], text: str, meanings: bool) -> dict[str, object]:
    wanted = text.lower().split()
    shown = [one for one in found if all(word in f"{one.name} {one.meaning}".lower() for word in wanted)]
    if not meanings:
        return {one.name: [one.everywhere, one.in_default_graph] for one in shown}
    return {one.name: [one.everywhere, one.in_default_graph, one.meaning] for one in shown}


def _sparql_tool(assembly: Assembly) -> Tool:
    query = Parameter(
        "query",
        "string",
        "SELECT, ASK, CONSTRUCT or DESCRIBE, with its PREFIX lines",
        "SELECT * WHERE { ?s ?p ?o } LIMIT 5",
        required=True,
    )
    graph = Parameter(
        "default_graph", "string", "What patterns outside GRAPH see", "all", values=_GRAPH_CHOICES, default=_GRAPH_CHOICES[0]
    )
    seconds = Parameter("timeout", "decimal", f"Seconds that the query may take, {deadlines.LEAST_SECONDS:g} or more", "5")
    known = (query, graph, seconds, questions.LIMIT, questions.OFFSET)

    async def call(given: Arguments, client: str) -> Result:
        texts = _read(given, "sparql", known)
        window = questions.window(texts, assembly.backing.most_rows, USUAL_ROWS)
        ready = assembly.engine.ready
        question = Question(texts["query"], union=texts["default_graph"] == "all", rows=window)
        try:
            answer = await assembly.sparql(question, client, deadlines.seconds(texts["timeout"]) if "timeout" in texts else 0)
        except BadQuery as error:
            if "Prefix not found" in error.detail:
                error.detail += " Write a PREFIX line for each prefix that it uses: describe_graph lists them."
            raise
        if answer.rest:
            answer.rest.close()
        digest = ready.digest if ready == assembly.engine.ready else None  # else there was a write meanwhile
        if answer.media_type == "text/turtle":
            result = _turtle(answer.body.decode("utf-8", "ignore"), whole=answer.rest is None)
        else:
            document = json.loads(answer.body)
            if "boolean" in document:
                result = {"completeness": "complete", "boolean": document["boolean"]}
            else:
                prefixes = assembly.backing.prefixes
                rows = [{name: _shown(row.get(name), prefixes) for name in document["variables"]} for row in document["rows"]]
                result = _windowed(rows, document["total"], window[0])
        if silently := answer.extra.get("silently"):
            result |= {"completeness": "truncated", "failed_services": silently}
        return {**result, "dataset": digest or None}

    said = (
        "Any SPARQL 1.1 query, read only. The default graph holds what is reported as fact; GRAPH ?claim { … } reaches what each "
        "claim says. Nothing is declared for you: write PREFIX lines (describe_graph lists them). SELECT gives rows, with limit "
        "and offset over them; CONSTRUCT and DESCRIBE give Turtle."
    )
    if not assembly.source.bundle:
        said = (
            "Any SPARQL 1.1 query, read only. SELECT gives rows, with limit and offset over them; CONSTRUCT and DESCRIBE Turtle."
        )
    if assembly.remotes.endpoints:
        said += f" SERVICE may reach {', '.join(f'<{iri}>' for iri in assembly.remotes.endpoints)}."
    shape: dict[str, Schema] = {
        **_WINDOW,
        "rows": {"type": "array", "items": _OPEN},
        "boolean": {"type": "boolean"},
        "turtle": _TEXT,
        "failed_services": _TEXTS,
    }
    return Tool("sparql", "Ask SPARQL", said, _object(shape, "completeness", "dataset"), _fixed(known, assembly), call)


def _turtle(text: str, *, whole: bool) -> Result:
    """Return Turtle, cut after a whole statement where it is too long: each ends a line (its texts hold no line end)."""
    if whole and len(text) <= MOST_CHARACTERS:
        return {"completeness": "complete", "turtle": text}
    end = text.rfind(" .\n", 0, MOST_CHARACTERS)
    if end < 0:
        raise AnswerTooLarge(f"One subject takes more than {MOST_CHARACTERS:,} characters: ask for less of it.")
    note = f"A result has room for {MOST_CHARACTERS:,} characters, and is cut after a statement: narrow the query."
    return {"completeness": "truncated", "turtle": text[: end + 3], "note": note}


def _question_tool(
    query: Query, assembly: Assembly, public_url: Callable[[], str], told: Mapping[str, Mapping[str, str]]
) -> Tool:
    backing = assembly.backing

    async def arguments() -> Schema:
        listed = {p.name: await questions.choices(p, query, backing) for p in query.parameters}
        known = questions.parameters(query).values()
        return _arguments(known, listed, backing.most_rows, {"provenance": "none"}, told["parameters"])

    async def call(given: Arguments, _: str) -> Result:
        texts = {"limit": str(min(USUAL_ROWS, backing.most_rows)), "provenance": "none", **_texts(given)}
        page = await questions.ask(query, texts, backing)
        result = {**_windowed(page.plain_rows(), page.total, page.asked.offset), "dataset": page.dataset.digest or None}
        if page.note:
            result |= {"note": page.note, "completeness": page.completeness}
        if page.asked.provenance != "none":
            result["provenance"] = renderings.provenance(page)
        return {**result, "links": _links(page, public_url())}

    result = _object({"completeness": _TEXT, "rows": _rows(query, told["columns"])})
    shown = [name for name in query.columns if not _is_name(name)]
    said = f"{query.question} Columns: {', '.join(shown)}."
    if query.related:
        said += f" Related: {', '.join(openapi.operation_id(backing.queries[name]) for name in query.related)}."
    return Tool(openapi.operation_id(query), query.summary, said, result, arguments, call)


def _links(page: Page, public_url: str) -> dict[str, str]:
    """Return where the same rows, to read and as a table, and their query are to be had over HTTP."""
    if not public_url:
        return {}
    plain_page = replace(page, asked=replace(page.asked, provenance="claims"))
    paths = {"answer": plain_page.path(), "csv": page.path("csv"), "query": f"/queries/{page.query.name}"}
    return {name: public_url + path for name, path in paths.items()}


def _claim_tool(assembly: Assembly) -> Tool:
    backing = assembly.backing
    query = backing.queries["claim"]
    known = query.parameters

    async def call(given: Arguments, _: str) -> Result:
        page = await questions.ask(query, {**_read(given, "get_claim", known), "provenance": "none"}, backing)
        iri = _named(page, "claim")
        page = replace(page, claims={k: row for k, row in (await backing.described.claims()).items() if k == iri}, rests=())
        known_of_it = renderings.provenance(page).get("claims")
        assert isinstance(known_of_it, dict)
        parts: dict[str, list[dict[str, object]]] = {}
        for row in page.plain_rows():
            parts.setdefault(str(row.pop("part")).partition(" ")[2], []).append(row)
        return {
            "claim": page.prefixes.shorten(iri),
            **next(iter(known_of_it.values()), {}),
            "content": [_bare(row) for row in parts.get("content", [])],
            "passages": _by_subject(parts.get("passage", [])),
            "notes": _by_subject(parts.get("note marker", [])),
            "quality": _by_subject(parts.get("quality", [])),
            "related": [_bare(row) for row in (*_relations(parts.get("about", [])), *parts.get("related", []))],
            "completeness": page.completeness,
            "dataset": page.dataset.digest or None,
        }

    said = (
        "One claim as a whole: what it says, as triples; its sense in a sentence; how surely and as whose it is put forward; "
        "whom the text credits, hedges, notes, cautions; and where it stands (section, passage, character ranges)."
    )
    shape: dict[str, Schema] = {
        "claim": _TEXT,
        **dict.fromkeys(("summary", "kind", "modality", "section", "passage", "ranges"), _MAYBE_TEXT),
        **dict.fromkeys(("voices", "credits", "hedges"), _TEXTS),
        "markers": {"type": "array", "items": {"type": "integer"}},
        "content": {"type": "array", "items": _OPEN},
        **dict.fromkeys(("passages", "notes", "quality"), _OPEN),
        "related": {"type": "array", "items": _OPEN},
        "completeness": _WINDOW["completeness"],
        "dataset": _MAYBE_TEXT,
    }
    required = ("claim", "content", "completeness", "dataset")
    return Tool("get_claim", "A claim, whole", said, _object(shape, *required), _fixed(known), call)


def _relations(rows: Iterable[dict[str, object]]) -> list[dict[str, object]]:
    return [row for row in rows if str(row["value"]).startswith("claim:") and row["property"] != "rdf:type"]


def _entity_tool(assembly: Assembly) -> Tool:
    backing = assembly.backing
    entity, claims = backing.queries["entity"], backing.queries["claims"]
    thing = next(p for p in entity.parameters if p.name == "thing")
    known = (thing, questions.LIMIT, questions.OFFSET)

    async def call(given: Arguments, _: str) -> Result:
        texts = {"limit": str(min(USUAL_ROWS, backing.most_rows)), **_read(given, "get_entity", known)}
        page = await questions.ask(entity, {"thing": texts["thing"], "provenance": "none"}, backing)
        named = page.prefixes.shorten(_named(page, "thing"))
        rows = page.plain_rows()
        own = [row for row in rows if row["claim"] is None]
        told = await questions.ask(claims, {**texts, "thing": named, "provenance": "none"}, backing)
        columns = ("claim", "summary", "modality", "section", "ranges")
        shown = [{name: row[name] for name in columns} for row in told.plain_rows()]
        identity_whole = page.completeness == "complete" or len(own) < len(rows)  # what no claim says comes first
        windowed = _windowed(shown, told.total, told.asked.offset, "claims")
        if not identity_whole:
            windowed["completeness"] = "truncated"
        return {
            "thing": named,
            "properties": _by_subject([row for row in own if row["subject"] == named]).get(named, {}),
            "codes": list(_by_subject([row for row in own if row["subject"] != named]).values()),
            **windowed,
            "dataset": page.dataset.digest or None,
        }

    said = (
        "One thing: its names, kinds and codes in other datasets, and the claims that speak of it, each with its sentence, "
        "modality and place. Takes a short name (actor:japan), its last part (japan) or an IRI; search finds them."
    )
    shape: dict[str, Schema] = {
        "thing": _TEXT,
        "properties": _OPEN,
        "codes": {"type": "array", "items": _OPEN},
        "claims": {"type": "array", "items": _OPEN},
        **_WINDOW,
    }
    return Tool("get_entity", "A thing, whole", said, _object(shape, "thing", "claims"), _fixed(known, assembly), call)


def _named(page: Page, parameter: str) -> str:
    """Return the IRI that a parameter of an answer was found to name. Raises NotFound for a claim where a thing is wanted."""
    short = page.asked.texts[parameter]
    iri = page.prefixes.expand(short) or short
    if parameter != "claim" and iri.startswith(CLAIM):
        raise NotFound(f"{short[:100]} is a claim: ask for it with get_claim.")
    return iri


def _bare(row: Mapping[str, object]) -> dict[str, object]:
    """Return a statement without the claim that it is of, and without the names that it has not."""
    return {name: value for name, value in row.items() if value is not None and name != "claim"}


def _by_subject(rows: Iterable[Mapping[str, object]]) -> dict[str, dict[str, list[object]]]:
    """Return statements as subject, property and values; of a value with a name both."""
    found: dict[str, dict[str, list[object]]] = {}
    for row in rows:
        value = row["value"] if row["value_name"] is None else f"{row['value']} ({row['value_name']})"
        listed = found.setdefault(str(row["subject"]), {}).setdefault(str(row["property"]), [])
        if value not in listed:
            listed.append(value)
    return found


def _windowed(rows: list[dict[str, object]], total: int, offset: int, name: str = "rows") -> Result:
    """Return as many rows as have room, with what they are of how many. Raises AnswerTooLarge where not even one has."""
    room = MOST_CHARACTERS
    kept = 0
    for row in rows:
        room -= len(json.dumps(row, ensure_ascii=False, default=str))
        if room < 0:
            break
        kept += 1
    if rows and not kept:
        raise AnswerTooLarge(f"One row takes more than {MOST_CHARACTERS:,} characters: ask for fewer or shorter columns.")
    after = offset + kept
    note = None
    if kept < len(rows):
        note = f"A result has room for {MOST_CHARACTERS:,} characters: go on with offset={after}."
    return {
        "completeness": "complete" if offset == 0 and kept == total else "truncated",
        "total": total,
        "next_offset": after if kept and after < total else None,
        "note": note,
        name: rows[:kept],
    }


def _shown(term: Term | None, prefixes: Prefixes) -> object:
    if term is None:
        return None
    return prefixes.shorten(term["value"]) if term["type"] == "uri" else plain(term)


def _read(given: Arguments, tool: str, known: Iterable[Parameter]) -> dict[str, str]:
    """Return the texts of arguments, with defaults, as `questions.read` does. Raises UnknownParameter and BadParameter."""
    parameters = {p.name: p for p in known}
    texts = _texts(given)
    for name, text in texts.items():
        if name not in parameters:
            raise UnknownParameter(f"{tool} has no argument {name[:60]!r}; it has {', '.join(parameters)}.")
        listed = parameters[name].values
        if listed and text not in listed:
            raise BadParameter(f"{name}={text[:60]!r} is not accepted: give one of {', '.join(listed)}.")
    for parameter in parameters.values():
        if parameter.name not in texts and parameter.required:
            raise BadParameter(f"{parameter.name} is missing: {parameter.description}, such as {parameter.example}.")
        if parameter.name not in texts and parameter.default:
            texts[parameter.name] = parameter.default
    return texts


def _texts(given: Arguments) -> dict[str, str]:
    """Return arguments as a URL would write them; null is nothing given. Raises BadParameter for what is no plain value."""
    texts: dict[str, str] = {}
    for name, value in given.items():
        match value:
            case None:
                continue
            case bool():
                texts[name] = "true" if value else "false"
            case str():
                texts[name] = value
            case int():
                texts[name] = str(value) if abs(value) < 10**30 else "a number of many digits"
            case float():
                texts[name] = str(int(value)) if value.is_integer() and abs(value) < 10**30 else f"{Decimal(repr(value)):f}"
            case _:
                raise BadParameter(f"{name[:60]} has to be a text, a number or true or false.", {"parameter": name[:60]})
        try:
            (name + texts[name]).encode()
        except UnicodeEncodeError:
            raise BadParameter("An argument is no Unicode text: half of a pair of surrogates stands alone in it.") from None
    return texts


def _arguments(
    parameters: Iterable[Parameter],
    listed: Mapping[str, Sequence[str]],
    most_rows: int,
    defaults: Mapping[str, object],
    told_already: Mapping[str, str],
) -> Schema:
    properties: dict[str, Schema] = {}
    required = []
    for parameter in parameters:
        schema = openapi.parameter_schema(parameter, listed.get(parameter.name, parameter.values), most_rows)
        if parameter.name == "limit":
            schema["default"] = min(USUAL_ROWS, most_rows)
        if parameter.name in defaults:
            schema["default"] = defaults[parameter.name]
        for bulky in ("minimum", "maximum", "minLength", "pattern"):  # an agent reads all tools; a refusal says what is accepted
            schema.pop(bulky, None)
        said = {"description": parameter.description} if told_already.get(parameter.name) != parameter.description else {}
        properties[parameter.name] = {**schema, **said, **_examples(parameter, schema)}
        if parameter.required:
            required.append(parameter.name)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _examples(parameter: Parameter, schema: Schema) -> Schema:
    """Return the examples of an open parameter; where the values are listed, or there is a default, they say nothing new."""
    if "enum" in schema or "default" in schema:
        return {}
    return {"examples": [int(text) if parameter.type == "integer" else text for text in parameter.examples]}


def _fixed(parameters: Sequence[Parameter], assembly: Assembly | None = None) -> Callable[[], Awaitable[Schema]]:
    most = assembly.backing.most_rows if assembly else 0

    async def arguments() -> Schema:
        return _arguments(parameters, {}, most, {}, {})

    return arguments


def _object(properties: Mapping[str, Schema], *required: str) -> Schema:
    return {"type": "object", "properties": dict(properties), "required": list(required or properties)}
