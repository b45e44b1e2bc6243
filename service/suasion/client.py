"""The graph in Python: every curated question a method, SPARQL, results as rows and data frames. See docs/python.md."""

import json
import keyword
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any, Protocol, Self

from suasion import deadlines
from suasion.embedded import Embedded
from suasion.errors import BadParameter, RemoteFailed, Unreached
from suasion.overhttp import OverHttp
from suasion.prefixes import Prefixes
from suasion.results import Results, Row, Value
from suasion.settings import bundle_folder, from_environment, overridden, queries_folder, served_datasets
from suasion.source import Source
from suasion.terms import XSD, plain

_TYPES: Mapping[str, Any] = {
    "integer": int,
    "decimal": float | Decimal,
    "date": date | str,
    "period": int | str,
    "boolean": bool,
}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DECLARED = """\
PREFIX sh: <http://www.w3.org/ns/shacl#>
SELECT ?prefix ?namespace WHERE { ?one sh:prefix ?prefix ; sh:namespace ?namespace } ORDER BY ?prefix"""
Ask = Callable[..., Results]


class Backend(Protocol):
    """Where answers come from; see `Embedded` and `OverHttp`."""

    def questions(self) -> list[dict[str, Any]]:
        """Return what there is to ask."""

    def rows(self, name: str, given: Mapping[str, str]) -> dict[str, Any]:
        """Return the JSON of an answer."""

    def csv(self, name: str, given: Mapping[str, str]) -> str:
        """Return the CSV of an answer."""

    def sparql(self, query: str, union: bool, seconds: float | None) -> tuple[str, bytes, str, str]:
        """Return media type, body, dataset of an answer, and the endpoints that failed silently."""

    def close(self) -> None:
        """Give back what is held."""


class Graph:
    """A graph to ask. Each curated question is a method, listed by `dir` and told by `help`; as context manager it closes itself.

    Errors are those of `suasion.errors`. May be used from several threads, and where an event loop runs.
    """

    def __init__(self, backend: Backend) -> None:
        """Take a backend, and learn its questions. Raises what the backend raises."""
        self._backend = backend
        self._prefixes: Prefixes | None = None
        self.questions: dict[str, str] = {}
        """The name of each method that is a curated question, and the question in words."""
        for told in backend.questions():
            ask = self._method(told)
            name = ask.__name__
            if name in self.questions:
                raise BadParameter(f"Two questions would be called {name}: name one of their files otherwise.")
            self.questions[name] = str(told["question"])
            setattr(self, name, ask)

    def __getattr__(self, name: str) -> Ask:
        """Say what there is, for a name that is no question."""
        raise AttributeError(f"there is no question {name!r}; there are {', '.join(self.__dict__.get('questions', {}))}")

    def query(self, sparql: str, *, union: bool = False, timeout: float | None = None) -> "Results | bool | str":
        """Answer any SPARQL query: SELECT with Results, ASK with bool, CONSTRUCT and DESCRIBE with Turtle.

        The answer is whole, or an error. The default graph holds what is reported as fact; with `union` all graphs together.
        `timeout` is the seconds that it may take, 0.1 or more. IRIs have their short names where there are some. Raises BadQuery,
        BadParameter, TimedOut, AnswerTooLarge and others.
        """
        if timeout is not None:
            deadlines.seconds(str(timeout))
        media_type, body, dataset, silently = self._backend.sparql(sparql, union, timeout)
        if silently:
            raise RemoteFailed(f"{silently} failed, and SILENT hides it: leave SILENT out to see why.")
        if media_type == "text/turtle":
            return body.decode("utf-8")
        document = json.loads(body)
        if "boolean" in document:
            return bool(document["boolean"])
        names, found = (
            (document["variables"], document["rows"])
            if "rows" in document
            else (document["head"]["vars"], document["results"]["bindings"])
        )
        prefixes = self.prefixes
        rows = tuple({name: _value(row.get(name), prefixes) for name in names} for row in found)
        return Results(rows, dict.fromkeys(names, ""), len(rows), dataset=dataset, _as_csv=lambda: _csv(names, found))

    @property
    def prefixes(self) -> Prefixes:
        """The prefixes that the graph declares; `expand` and `shorten` turn short names into IRIs and back."""
        if self._prefixes is None:
            _, body, _, _ = self._backend.sparql(_DECLARED, False, None)
            document = json.loads(body)
            found = document["rows"] if "rows" in document else document["results"]["bindings"]
            self._prefixes = Prefixes({row["prefix"]["value"]: row["namespace"]["value"] for row in found})
        return self._prefixes

    def close(self) -> None:
        """Give back processes and threads; may be called more than once."""
        self._backend.close()

    def __enter__(self) -> Self:
        """Return the graph itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the graph."""
        self.close()

    def __repr__(self) -> str:
        """Return what kind of graph it is, and how many questions it knows."""
        where = self._backend.url if isinstance(self._backend, OverHttp) else "in processes of its own"
        return f"<graph {where}, {len(self.questions)} questions>"

    def _method(self, told: Mapping[str, Any]) -> Ask:
        """Return the method of a question, as a service tells it: its signature and what `help` shows."""
        name = str(told["name"])
        own = {str(p["name"]): p for p in told["parameters"]}
        names = {_free(parameter): parameter for parameter in own if _NAME.fullmatch(parameter)}
        common = ["limit", "offset", *(["sort", "order"] if told.get("sort") else [])]
        signature = _signature(own, names, common)
        types = {str(column["name"]): column["type"] for column in told["columns"]}

        def ask(*args: Any, **kwargs: Any) -> Results:
            bound = signature.bind(*args, **kwargs).arguments
            texts = {names.get(given, given): _text(given, value) for given, value in bound.items() if value is not None}
            return self._asked(name, texts, types)

        ask.__name__ = ask.__qualname__ = _method_name(name)
        ask.__doc__ = _documented(told, names)
        ask.__signature__ = signature  # type: ignore[attr-defined]
        return ask

    def _asked(self, name: str, given: Mapping[str, str], types: Mapping[str, str | None]) -> Results:
        """Return the page that is asked for, or, where no limit is given, all pages from the offset on, as one."""
        results = self._page(name, given, types)
        if "limit" in given:
            return results
        rows, page, texts = list(results.rows), results.next(), [given]
        while page is not None:
            if page.dataset != results.dataset or page.total != results.total:
                raise Unreached("The data changed while the pages were read: ask again.")
            texts.append({**given, "offset": str(page.offset)})
            rows += page.rows
            page = page.next()
        return replace(results, rows=tuple(rows), _as_csv=lambda: self._joined(name, texts))

    def _page(self, name: str, given: Mapping[str, str], types: Mapping[str, str | None]) -> Results:
        told = self._backend.rows(name, given)
        return Results(
            tuple({column: _typed(value, types.get(column)) for column, value in row.items()} for row in told["rows"]),
            told["columns"],
            told["total"],
            told["offset"],
            told["note"] or "",
            told["dataset"]["sha256"] or "",
            told["citation"],
            told["receipt"]["id"],
            told["completeness"] != "complete" and told["offset"] == 0 and len(told["rows"]) == told["total"],
            lambda offset: self._page(name, {**given, "offset": str(offset)}, types),
            _as_csv=lambda: self._backend.csv(name, given),
        )

    def _joined(self, name: str, pages: list[Mapping[str, str]]) -> str:
        """Return the CSV of several pages under one head."""
        texts = [self._backend.csv(name, given) for given in pages]
        return texts[0] + "".join(text.partition("\r\n")[2] for text in texts[1:])


def opened(*sources: str | Path, queries: str | Path | None = None, bundle: str | Path | None = None) -> Graph:
    """Return the graph of a service, by its URL, or of RDF files, or, of nothing, the article; see `suasion.open`."""
    urls = [source for source in map(str, sources) if source.startswith(("http://", "https://"))]
    if urls:
        if len(sources) > 1 or queries or bundle:
            raise BadParameter("A service is opened by its URL alone.")
        return Graph(OverHttp(urls[0]))
    given = {"queries": str(queries) if queries else None, "bundle": str(bundle) if bundle else None}
    settings = overridden(from_environment(), given)
    files = tuple(Path(source) for source in sources)
    own = queries_folder(settings)
    source = (
        Source(None, files, queries=own)
        if files
        else Source(bundle_folder(settings), queries=own, datasets=served_datasets(settings))
    )
    return Graph(Embedded(settings, source))


def _signature(own: Mapping[str, Mapping[str, Any]], names: Mapping[str, str], common: list[str]) -> Signature:
    """Return a signature whose required parameters may be given by place, all others by name."""
    required, optional = [], []
    for name, parameter in names.items():
        kind = _TYPES.get(str(own[parameter]["type"]), str)
        if own[parameter]["required"]:
            required.append(Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=kind))
        else:
            optional.append(Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind | None))
    for name in common:
        kind = int if name in ("limit", "offset") else str
        optional.append(Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind | None))
    return Signature([*required, *optional], return_annotation=Results)


def _documented(told: Mapping[str, Any], names: Mapping[str, str]) -> str:
    own = {str(p["name"]): p for p in told["parameters"]}
    lines = [str(told["question"]), "", f"{told['summary']}.", ""]
    if names:
        lines.append("Parameters:")
        for name, parameter in names.items():
            listed = own[parameter].get("values")
            takes = f"one of {', '.join(listed)}" if listed else f"such as {own[parameter]['examples'][0]!r}"
            lines.append(f"    {name}: {own[parameter]['description']}; {takes}")
        lines.append("")
    lines += ["Columns:", *(f"    {column['name']}: {column['meaning']}" for column in told["columns"]), ""]
    if told.get("related"):
        lines += [f"Related: {', '.join(_method_name(name) for name in told['related'])}.", ""]
    return "\n".join([*lines, "Without limit all rows are fetched. Raises errors of suasion.errors."])


def _method_name(name: str) -> str:
    return _free(name.replace("/", "_").replace("-", "_"), taken=frozenset(dir(Graph)) | {"questions"})


def _free(name: str, taken: frozenset[str] = frozenset()) -> str:
    """Return a name that Python and this class leave free; what begins with a digit gets a letter before it."""
    name = name if not name[:1].isdigit() else f"q{name}"
    return f"{name}_" if keyword.iskeyword(name) or name in taken else name


def _text(name: str, value: object) -> str:
    """Return an argument as a URL writes it. Raises BadParameter for what is no plain value."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return str(value)
        case float() | Decimal():
            return f"{Decimal(str(value)):f}"
        case date():
            return value.isoformat()
    raise BadParameter(f"{name} has to be a text, a number, a date or True or False, not {type(value).__name__}.")


def _typed(value: Any, kind: str | None) -> Value:
    """Return a value of JSON as Python has it: days as dates, where the column declares them."""
    if kind == "date" and isinstance(value, str) and _DAY.fullmatch(value):
        return date.fromisoformat(value)
    if kind == "date" and isinstance(value, list):
        return [_typed(one, kind) for one in value]
    return value  # type: ignore[no-any-return]


def _value(term: Mapping[str, str] | None, prefixes: Prefixes) -> Value:
    if term is None:
        return None
    if term["type"] == "uri":
        return prefixes.shorten(term["value"])
    if term.get("datatype") == XSD + "date" and _DAY.fullmatch(term["value"]):
        return date.fromisoformat(term["value"])
    return plain(term)


def _csv(names: list[str], found: list[Mapping[str, Mapping[str, str]]]) -> str:
    from suasion.renderings import cell, table  # only where it is asked for

    return table(names, ([cell(row[name]) if name in row else "" for name in names] for row in found))


__all__ = ["Graph", "Results", "Row", "opened"]
