"""From .rq files to questions: the TOML front matter, strictly read. Knows no HTTP and no engine.

The front matter stands in comment lines `#+ …` at the top of the file; `queries/README.md` is its reference.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suasion.errors import QueryFileError

PARAMETER_TYPES = ("iri", "code", "string", "integer", "search")
SEARCH_COLUMNS = ("names", "codes", "texts")
SEARCH_MOST = 2000
_QUERY_KEYS = {"summary", "question", "columns", "params", "lists", "not_found"}
_PARAM_KEYS = {"type", "description", "example", "required", "themes", "values"}
_SEARCH_KEYS = {"most", "among", "within"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A variable that a client may bind, or (type search) a text that is looked up.

    `themes` are the prefixes tried for a bare slug (type iri); `values` all that a string or the local name of a code may be.
    Of a search `most` is the most hits, `among` the parameter that names their kind, `within` the columns of the text index.
    """

    name: str
    type: str
    description: str
    example: str
    required: bool = False
    themes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    most: int = 0
    among: str = ""
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A curated question: `name` is its path, `columns` maps each projected variable to its meaning.

    Columns in `lists` hold several values, joined by ` | `. With `not_found` no rows is an error, in these words.
    """

    name: str
    text: str
    summary: str
    question: str
    columns: Mapping[str, str]
    parameters: tuple[Parameter, ...] = ()
    lists: frozenset[str] = frozenset()
    not_found: str = ""


def load(folder: Path) -> tuple[Query, ...]:
    """Read each .rq file below a folder; `agreements.rq` is the query agreements, `a/b.rq` the query a/b.

    Raises QueryFileError, naming file and remedy.
    """
    return tuple(read(path, path.relative_to(folder).with_suffix("").as_posix()) for path in sorted(folder.rglob("*.rq")))


def read(path: Path, name: str) -> Query:
    """Read one .rq file. Raises QueryFileError for unknown or missing keys and wrong types."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise QueryFileError(f"{path}: byte {error.start} is not UTF-8.") from error
    header = "\n".join(line.removeprefix("#+").removeprefix(" ") for line in text.splitlines() if line.startswith("#+"))
    try:
        front = tomllib.loads(header)
    except tomllib.TOMLDecodeError as error:
        raise QueryFileError(f"{path}: the front matter is no TOML: {error}") from error
    _refuse_unknown(path, front, _QUERY_KEYS, "key")
    summary, question = _string(path, front, "summary"), _string(path, front, "question")
    columns = _strings_by_name(path, front, "columns")
    lists = frozenset(_strings(path, front, "lists"))
    if lists - columns.keys():
        raise QueryFileError(f"{path}: lists names {', '.join(sorted(lists - columns.keys()))}, which is no column.")
    tables = front.get("params", {})
    if not isinstance(tables, dict):
        raise QueryFileError(f"{path}: params has to be tables: write [params.NAME].")
    parameters = tuple(_parameter(path, key, table) for key, table in tables.items())
    searches = [parameter for parameter in parameters if parameter.type == "search"]
    if len(searches) > 1:
        raise QueryFileError(f"{path}: a question has one parameter of the type search; the others are strings.")
    for search in searches:
        if search.among and search.among not in {p.name for p in parameters if p.type == "string"}:
            raise QueryFileError(f"{path}: params.{search.name}.among names {search.among}, which is no string parameter.")
    return Query(name, text, summary, question, columns, parameters, lists, _string(path, front, "not_found", ""))


def _parameter(path: Path, name: str, table: object) -> Parameter:
    if not isinstance(table, dict):
        raise QueryFileError(f"{path}: params.{name} has to be a table.")
    known = _PARAM_KEYS | _SEARCH_KEYS if table.get("type") == "search" else _PARAM_KEYS
    _refuse_unknown(path, table, known, f"key of params.{name}")
    missing = {"type", "description", "example"} - table.keys()
    if missing:
        raise QueryFileError(f"{path}: params.{name} lacks {', '.join(sorted(missing))}.")
    if table["type"] not in PARAMETER_TYPES:
        raise QueryFileError(f"{path}: params.{name} has the type {table['type']!r}; the types are {', '.join(PARAMETER_TYPES)}.")
    if table["type"] == "code" and not table.get("values"):
        raise QueryFileError(f"{path}: params.{name} is a code: list its values.")
    required = table.get("required", False)
    if not isinstance(required, bool):
        raise QueryFileError(f"{path}: params.{name}.required has to be true or false.")
    if not isinstance(table["example"], str | int):
        raise QueryFileError(f"{path}: params.{name}.example has to be a text or a whole number.")
    return Parameter(
        name,
        table["type"],
        _string(path, table, "description", within=f"params.{name}."),
        str(table["example"]),
        required,
        _strings(path, table, "themes", f"params.{name}."),
        _strings(path, table, "values", f"params.{name}."),
        **(_search_options(path, name, table) if table["type"] == "search" else {}),
    )


def _search_options(path: Path, name: str, table: Mapping[str, object]) -> Mapping[str, Any]:
    most = table.get("most", SEARCH_MOST)
    if type(most) is not int or not 1 <= most <= SEARCH_MOST:
        raise QueryFileError(f"{path}: params.{name}.most has to be a whole number from 1 to {SEARCH_MOST}.")
    within = _strings(path, table, "within", f"params.{name}.") or SEARCH_COLUMNS
    if unknown := set(within) - set(SEARCH_COLUMNS):
        raise QueryFileError(
            f"{path}: params.{name}.within names {', '.join(sorted(unknown))}; there are {', '.join(SEARCH_COLUMNS)}."
        )
    return {"most": most, "among": _string(path, table, "among", "", f"params.{name}."), "within": within}


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


def _strings_by_name(path: Path, table: Mapping[str, object], key: str) -> Mapping[str, str]:
    value = table.get(key)
    if not isinstance(value, dict) or not value or not all(isinstance(meaning, str) for meaning in value.values()):
        raise QueryFileError(f"{path}: [{key}] has to give each projected variable its meaning.")
    return value


def _refuse_unknown(path: Path, table: Mapping[str, object], known: set[str], what: str) -> None:
    unknown = table.keys() - known
    if unknown:
        raise QueryFileError(f"{path}: {', '.join(sorted(unknown))} is no {what}; there are {', '.join(sorted(known))}.")
