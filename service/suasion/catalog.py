"""From .rq files to questions: the TOML front matter, strictly read. Knows no HTTP and no engine.

The front matter stands in comment lines `#+ …` at the top of the file; `queries/README.md` is its reference.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from suasion.errors import QueryFileError

PARAMETER_TYPES = ("iri", "code", "string", "integer", "boolean")
_QUERY_KEYS = {"summary", "question", "columns", "params", "lists"}
_PARAM_KEYS = {"type", "description", "example", "required", "themes", "values"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A variable that a client may bind.

    `themes` are the prefixes tried for a bare slug (type iri); `values` the local names that a code may take (type code).
    """

    name: str
    type: str
    description: str
    example: str
    required: bool = False
    themes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A curated question: `name` is its path, `columns` maps each projected variable to its meaning.

    Values of the columns in `lists` hold several values, joined by ` | `.
    """

    name: str
    text: str
    summary: str
    question: str
    columns: Mapping[str, str]
    parameters: tuple[Parameter, ...] = ()
    lists: frozenset[str] = frozenset()


def load(folder: Path) -> tuple[Query, ...]:
    """Read each .rq file below a folder; `agreements.rq` is the query agreements, `a/b.rq` the query a/b.

    Raises QueryFileError, naming file and remedy.
    """
    return tuple(read(path, path.relative_to(folder).with_suffix("").as_posix()) for path in sorted(folder.rglob("*.rq")))


def read(path: Path, name: str) -> Query:
    """Read one .rq file. Raises QueryFileError for unknown or missing keys and wrong types."""
    text = path.read_text(encoding="utf-8")
    header = "\n".join(line.removeprefix("#+").removeprefix(" ") for line in text.splitlines() if line.startswith("#+"))
    try:
        front = tomllib.loads(header)
    except tomllib.TOMLDecodeError as error:
        raise QueryFileError(f"{path}: the front matter is no TOML: {error}") from error
    _refuse_unknown(path, front, _QUERY_KEYS, "key")
    for key in ("summary", "question"):
        if not isinstance(front.get(key), str):
            raise QueryFileError(f'{path}: {key} is missing: add `#+ {key} = "…"`.')
    columns = front.get("columns")
    if not isinstance(columns, dict) or not columns or not all(isinstance(meaning, str) for meaning in columns.values()):
        raise QueryFileError(f"{path}: [columns] has to give each projected variable its meaning.")
    lists = frozenset(front.get("lists", ()))
    if lists - columns.keys():
        raise QueryFileError(f"{path}: lists names {', '.join(sorted(lists - columns.keys()))}, which is no column.")
    parameters = tuple(_parameter(path, key, table) for key, table in front.get("params", {}).items())
    return Query(name, text, front["summary"], front["question"], columns, parameters, lists)


def _parameter(path: Path, name: str, table: object) -> Parameter:
    if not isinstance(table, dict):
        raise QueryFileError(f"{path}: params.{name} has to be a table.")
    _refuse_unknown(path, table, _PARAM_KEYS, f"key of params.{name}")
    missing = {"type", "description", "example"} - table.keys()
    if missing:
        raise QueryFileError(f"{path}: params.{name} lacks {', '.join(sorted(missing))}.")
    if table["type"] not in PARAMETER_TYPES:
        raise QueryFileError(f"{path}: params.{name} has the type {table['type']!r}; the types are {', '.join(PARAMETER_TYPES)}.")
    if table["type"] == "code" and not table.get("values"):
        raise QueryFileError(f"{path}: params.{name} is a code: list its values.")
    return Parameter(
        name,
        table["type"],
        table["description"],
        str(table["example"]),
        table.get("required", False),
        tuple(table.get("themes", ())),
        tuple(table.get("values", ())),
    )


def _refuse_unknown(path: Path, table: Mapping[str, object], known: set[str], what: str) -> None:
    unknown = table.keys() - known
    if unknown:
        raise QueryFileError(f"{path}: {', '.join(sorted(unknown))} is no {what}; there are {', '.join(sorted(known))}.")
