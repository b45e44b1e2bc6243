"""From .rq files to questions: the TOML front matter, strictly read. Knows no HTTP and no engine.

The front matter stands in comment lines `#+ …` at the top of the file; `queries/README.md` is its reference.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from suasion.errors import QueryFileError

PARAMETER_TYPES = ("iri", "code", "string", "integer", "decimal", "date", "period", "boolean", "search")
SEARCH_COLUMNS = ("names", "codes", "texts")
SEARCH_MOST = 2000
COLUMN_TYPES = ("iri", "string", "integer", "decimal", "date", "boolean")
TAKEN_NAMES = ("limit", "offset", "sort", "order", "provenance")
"""Parameters that belong to every question."""
RESERVED_PATHS = frozenset(
    (
        ".well-known",
        "article",
        "compare",
        "dataset",
        "def",
        "doc",
        "docs",
        "editor",
        "graph",
        "graph-store",
        "guide",
        "healthz",
        "id",
        "llms",
        "mappings",
        "mcp",
        "metrics",
        "nanopub",
        "openapi",
        "pictures",
        "problem",
        "queries",
        "query",
        "readyz",
        "receipts",
        "reconcile",
        "robots",
        "shape",
        "shapes",
        "sitemap",
        "sparql",
        "static",
    )
)
"""First segments of the paths of a service, without endings: no question may have them for a name."""
_QUERY_KEYS = {
    "summary", "question", "keywords", "columns", "params", "lists", "claims", "sort", "related", "no_rows", "not_found"
}  # fmt: skip
_PARAM_KEYS = {"type", "description", "example", "examples", "required", "default", "themes", "values", "values_from"}
_SEARCH_KEYS = {"most", "among", "within"}
_COLUMN_KEYS = {"meaning", "type", "list"}
_SEGMENT = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_PREFIX = re.compile(r"^[ \t]*PREFIX[ \t]+([A-Za-z][\w-]*)?:[ \t]*<([^<>\"{}|^`\\\x00-\x20]+)>", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A variable that a client may bind; a period binds two, its first and its last day, and a search none: it is looked up.

    `themes` are the prefixes tried for a bare slug (type iri); `values` all that a string or the local name of a code may
    be; `values_from` the SELECT whose ?value lists them instead. `default` is taken where nothing is given. Of a search
    `most` is the most hits, `among` the parameter that names their kind, `within` the columns of the text index.
    """

    name: str
    type: str
    description: str
    example: str
    required: bool = False
    themes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    values_from: str = ""
    default: str = ""
    more_examples: tuple[str, ...] = ()
    most: int = 0
    among: str = ""
    within: tuple[str, ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables of the query that it binds."""
        match self.type:
            case "period":
                return (f"{self.name}_first", f"{self.name}_last")
            case "search":
                return ()
        return (self.name,)

    @property
    def examples(self) -> tuple[str, ...]:
        """All values that are known to have an answer."""
        return (self.example, *self.more_examples)


@dataclass(frozen=True, slots=True)
class Column:
    """What a projected variable means, its type ("" is any), and whether it holds several values, joined by ` | `."""

    meaning: str
    type: str = ""
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A curated question: `name` is its path, `columns` the projected variables in their order.

    `claims` are the columns that hold the claims a row rests on, `sort` those that a client may sort by, `related` the
    names of other questions, `prefixes` what its own PREFIX lines declare. With `not_found` no rows is an error, in these words;
    `no_rows` says what it means elsewhere, "" where it is usual.
    """

    name: str
    text: str
    summary: str
    question: str
    columns: Mapping[str, Column]
    parameters: tuple[Parameter, ...] = ()
    not_found: str = ""
    no_rows: str = ""
    claims: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    prefixes: Mapping[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> tuple[str, ...]:
        """What SELECT has to project: the columns, then the variables of the parameters that are no columns."""
        return tuple(dict.fromkeys([*self.columns, *(v for p in self.parameters for v in p.variables)]))


def collect(bundle: Path, folder: Path | None, *, files: bool) -> tuple[Query, ...]:
    """Return the questions of a bundle, or with `files` those that fit any data, and those of a folder of one's own.

    Raises QueryFileError as `load` does, and for a name that is taken or reserved, or a related question that is none.
    """
    queries: dict[str, Query] = {}
    places: dict[str, Path] = {}
    for place in query_folders(bundle, folder, files=files):
        for query in load(place):
            path = place / f"{query.name}.rq"
            if query.name.partition("/")[0] in RESERVED_PATHS:
                raise QueryFileError(f"{path}: this path is taken: name the file otherwise.")
            if query.name in queries:
                raise QueryFileError(f"{path}: {places[query.name]} is a question of this name: name the file otherwise.")
            queries[query.name], places[query.name] = query, path
    for query in queries.values():
        if lost := [name for name in query.related if name not in queries]:
            raise QueryFileError(f"{places[query.name]}: related names {', '.join(lost)}, which is no question.")
    return tuple(queries.values())


def query_folders(bundle: Path, folder: Path | None, *, files: bool) -> tuple[Path, ...]:
    """Return where questions stand. Raises QueryFileError for a folder of one's own that does not exist."""
    if folder is not None and not folder.is_dir():
        raise QueryFileError(f"{folder} is no folder: name one that holds .rq files.")
    return (bundle / "queries" / ("files" if files else "api"), *((folder,) if folder else ()))


def load(folder: Path) -> tuple[Query, ...]:
    """Read each .rq file below a folder; `agreements.rq` is the query agreements, `a/b.rq` the query a/b.

    Raises QueryFileError, naming file and remedy.
    """
    return tuple(read(path, path.relative_to(folder).with_suffix("").as_posix()) for path in sorted(folder.rglob("*.rq")))


def examples(bundle: Path) -> tuple[Query, ...]:
    """Return the examples of federated queries of a bundle, called federated/NAME: each says in its first line what it asks.

    Raises QueryFileError for a file that cannot be read.
    """
    found = []
    for path in sorted((bundle / "queries" / "federated").glob("*.rq")):
        text = _file_text(path)
        asked = text.partition("\n")[0].removeprefix("#").strip()
        found.append(Query(f"federated/{path.stem}", text, asked, asked, {}, prefixes=dict(_PREFIX.findall(text))))
    return tuple(found)


def read(path: Path, name: str) -> Query:
    """Read one .rq file. Raises QueryFileError for unknown or missing keys and wrong types."""
    if not all(_SEGMENT.fullmatch(segment) for segment in name.split("/")):
        raise QueryFileError(f"{path}: the name becomes a URL: write it in small letters, digits and single hyphens.")
    text = _file_text(path)
    header = "\n".join(line.removeprefix("#+").removeprefix(" ") for line in text.splitlines() if line.startswith("#+"))
    try:
        front = tomllib.loads(header)
    except tomllib.TOMLDecodeError as error:
        raise QueryFileError(f"{path}: the front matter is no TOML: {error}") from error
    _refuse_unknown(path, front, _QUERY_KEYS, "key")
    summary, question = _string(path, front, "summary"), _string(path, front, "question")
    columns = _columns(path, front)
    tables = front.get("params", {})
    if not isinstance(tables, dict):
        raise QueryFileError(f"{path}: params has to be tables: write [params.NAME].")
    parameters = tuple(_parameter(path, key, table) for key, table in tables.items())
    _refuse_odd_searches(path, parameters)
    return Query(
        name,
        text,
        summary,
        question,
        columns,
        parameters,
        _string(path, front, "not_found", ""),
        _string(path, front, "no_rows", ""),
        _column_names(path, front, "claims", columns) if "claims" in front else _usual_claims(columns),
        _column_names(path, front, "sort", columns),
        _strings(path, front, "related"),
        _strings(path, front, "keywords"),
        dict(_PREFIX.findall(text)),
    )


def _file_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise QueryFileError(f"{path}: byte {error.start} is not UTF-8.") from error
    except OSError as error:
        raise QueryFileError(f"{path}: {error.strerror}.") from error


def _columns(path: Path, front: Mapping[str, object]) -> Mapping[str, Column]:
    table = front.get("columns")
    if not isinstance(table, dict) or not table:
        raise QueryFileError(f"{path}: [columns] has to give each projected variable its meaning.")
    lists = _strings(path, front, "lists")
    if lost := sorted(set(lists) - table.keys()):
        raise QueryFileError(f"{path}: lists names {', '.join(lost)}, which is no column.")
    columns: dict[str, Column] = {}
    for name, value in table.items():
        _refuse_odd_variable(path, name, f"columns.{name}")
        if isinstance(value, dict):
            _refuse_unknown(path, value, _COLUMN_KEYS, f"key of columns.{name}")
            columns[name] = Column(
                _string(path, value, "meaning", within=f"columns.{name}."),
                _one_of(path, value, "type", COLUMN_TYPES, f"columns.{name}", ""),
                _boolean(path, value, "list", f"columns.{name}.") or name in lists,
            )
        elif isinstance(value, str):
            columns[name] = Column(value, "", name in lists)
        else:
            raise QueryFileError(f"{path}: [columns] has to give each projected variable its meaning.")
    return columns


def _usual_claims(columns: Mapping[str, Column]) -> tuple[str, ...]:
    """Return the columns that hold claims where no key names them: claim, and claims where it is a list."""
    return tuple(name for name in columns if name == "claim" or (name == "claims" and columns[name].is_list))


def _parameter(path: Path, name: str, table: object) -> Parameter:
    within = f"params.{name}"
    if not isinstance(table, dict):
        raise QueryFileError(f"{path}: {within} has to be a table.")
    known = _PARAM_KEYS | _SEARCH_KEYS if table.get("type") == "search" else _PARAM_KEYS
    _refuse_unknown(path, table, known, f"key of {within}")
    _refuse_odd_variable(path, name, within)
    if name in TAKEN_NAMES:
        raise QueryFileError(f"{path}: {within}: every question has a parameter {name} of its own: name this one otherwise.")
    missing = {"type", "description", "example"} - table.keys() - ({"example"} if "examples" in table else set())
    if missing:
        raise QueryFileError(f"{path}: {within} lacks {', '.join(sorted(missing))}.")
    if {"example", "examples"} <= table.keys():
        raise QueryFileError(f"{path}: {within} has example and examples: give one of them.")
    kind = _one_of(path, table, "type", PARAMETER_TYPES, within)
    values = _strings(path, table, "values", f"{within}.")
    values_from = _string(path, table, "values_from", "", f"{within}.")
    if values and values_from:
        raise QueryFileError(f"{path}: {within} has values and values_from: give one of them.")
    if kind == "code" and not values and not values_from:
        raise QueryFileError(f"{path}: {within} is a code: list its values.")
    if (values or values_from) and kind not in ("iri", "code", "string", "integer"):
        raise QueryFileError(f"{path}: {within} is a {kind}, which takes no values.")
    examples = _examples(path, table, within)
    required = _boolean(path, table, "required", f"{within}.")
    default = _text(path, table.get("default", ""), f"{within}.default")
    if required and default:
        raise QueryFileError(f"{path}: {within} is required and has a default: leave one of them out.")
    description = _string(path, table, "description", within=f"{within}.")
    themes = _strings(path, table, "themes", f"{within}.")
    return Parameter(
        name,
        kind,
        description,
        examples[0],
        required,
        themes,
        values,
        values_from,
        default,
        examples[1:],
        **(_search_options(path, table, within) if kind == "search" else {}),
    )


def _examples(path: Path, table: Mapping[str, object], within: str) -> tuple[str, ...]:
    if "example" in table:
        return (_text(path, table["example"], f"{within}.example"),)
    listed = table["examples"]
    if not isinstance(listed, list) or not listed:
        raise QueryFileError(f"{path}: {within}.examples has to be a list of texts or numbers.")
    return tuple(_text(path, one, f"{within}.examples") for one in listed)


def _text(path: Path, value: object, where: str) -> str:
    """Return a text, number or truth value of the front matter as a client would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise QueryFileError(f"{path}: {where} has to be a text or a number.")
    return str(value)


def _search_options(path: Path, table: Mapping[str, object], within: str) -> Mapping[str, Any]:
    most = table.get("most", SEARCH_MOST)
    if type(most) is not int or not 1 <= most <= SEARCH_MOST:
        raise QueryFileError(f"{path}: {within}.most has to be a whole number from 1 to {SEARCH_MOST}.")
    columns = _strings(path, table, "within", f"{within}.") or SEARCH_COLUMNS
    if unknown := set(columns) - set(SEARCH_COLUMNS):
        raise QueryFileError(
            f"{path}: {within}.within names {', '.join(sorted(unknown))}; there are {', '.join(SEARCH_COLUMNS)}."
        )
    return {"most": most, "among": _string(path, table, "among", "", f"{within}."), "within": columns}


def _refuse_odd_searches(path: Path, parameters: Sequence[Parameter]) -> None:
    searches = [parameter for parameter in parameters if parameter.type == "search"]
    if len(searches) > 1:
        raise QueryFileError(f"{path}: a question has one parameter of the type search; the others are strings.")
    for search in searches:
        if search.among and search.among not in {p.name for p in parameters if p.type == "string"}:
            raise QueryFileError(f"{path}: params.{search.name}.among names {search.among}, which is no string parameter.")


def _string(path: Path, table: Mapping[str, object], key: str, default: str | None = None, within: str = "") -> str:
    value = table.get(key, default)
    if value is None:
        raise QueryFileError(f'{path}: {within}{key} is missing: add `#+ {key} = "…"`.')
    if not isinstance(value, str):
        raise QueryFileError(f'{path}: {within}{key} has to be a text: write `#+ {key} = "…"`.')
    return value


def _strings(path: Path, table: Mapping[str, object], key: str, within: str = "") -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise QueryFileError(f'{path}: {within}{key} has to be a list of texts: write `#+ {key} = ["…"]`.')
    return tuple(value)


def _boolean(path: Path, table: Mapping[str, object], key: str, within: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise QueryFileError(f"{path}: {within}{key} has to be true or false.")
    return value


def _one_of(
    path: Path, table: Mapping[str, object], key: str, choices: tuple[str, ...], within: str, default: str | None = None
) -> str:
    value = table.get(key, default)
    if value is None or (value != default and value not in choices):
        raise QueryFileError(f"{path}: {within} has the {key} {value!r}; the {key}s are {', '.join(choices)}.")
    return str(value)


def _column_names(path: Path, table: Mapping[str, object], key: str, columns: Mapping[str, Column]) -> tuple[str, ...]:
    names = _strings(path, table, key)
    if lost := [name for name in names if name not in columns]:
        raise QueryFileError(f"{path}: {key} names {', '.join(lost)}, which is no column.")
    return names


def _refuse_odd_variable(path: Path, name: str, where: str) -> None:
    if not _VARIABLE.fullmatch(name):
        raise QueryFileError(f"{path}: {where} is no name of a variable: write letters, digits and underscores.")


def _refuse_unknown(path: Path, table: Mapping[str, object], known: set[str], what: str) -> None:
    unknown = table.keys() - known
    if unknown:
        raise QueryFileError(f"{path}: {', '.join(sorted(unknown))} is no {what}; there are {', '.join(sorted(known))}.")
