"""Mappings of tables to observations: CSVW metadata (Metadata Vocabulary for Tabular Data, W3C 2015), read strictly.

A mapping describes one table. What is supported of the vocabulary is in docs/datasets.md; any other key is an error, so that
nothing is understood otherwise than it was meant. Column names and templates are checked here, cells are not.
"""

import json
import re
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from suasion.errors import DataFileError
from suasion.prefixes import DEF
from suasion.terms import IRI

CONTEXT = "http://www.w3.org/ns/csvw"
SCHEME = DEF + "identifierScheme"
CODE_YEAR = DEF + "codeYear"
PATTERN = DEF + "headingPattern"
QB = "http://purl.org/linked-data/cube#"
ROLES = {QB + name: name for name in ("DimensionProperty", "MeasureProperty", "AttributeProperty")}
_XSD = "http://www.w3.org/2001/XMLSchema#"
_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
# Prefixes of the initial context that CSVW has (RDFa Core Initial Context), as far as mappings need them.
_PREFIXES = {
    "csvw": "http://www.w3.org/ns/csvw#",
    "dc": "http://purl.org/dc/terms/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "qb": QB,
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": _XSD,
}
# Section 5.11.1; `number` is a double.
DATATYPES = {name: _XSD + name for name in ("string", "integer", "decimal", "double", "date", "gYear", "boolean", "anyURI")} | {
    "number": _XSD + "double"
}
_TABLE_KEYS = {"@context", "url", "dialect", "tableSchema"}
_SCHEMA_KEYS = {"aboutUrl", "columns"}
_COLUMN_KEYS = {"name", "titles", "datatype", "null", "propertyUrl", "valueUrl", "suppressOutput", "required", "lang", "virtual"}
_DIALECT_KEYS = {"delimiter", "encoding", "quoteChar", "skipRows"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FIELD = re.compile(r"\{([^{}]*)\}")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*")

Value = tuple[str, bool]
"""An IRI (true) or a text (false)."""


@dataclass(frozen=True, slots=True)
class Template:
    """A URI template of level 1 (RFC 6570): texts, and between them names of columns, or `_row`."""

    texts: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: by which titles it is found, and what its cells become.

    `datatype` is an IRI, "" for a string with or without a language. A cell of `scheme` is a code, of the year that the
    column `code_year` has, or of any. `properties` are said of the property itself, in the structure of the dataset.

    A column with a `pattern` is all columns whose heading has that form, one below the other; the `virtual` column beside it has
    what their headings say.
    """

    name: str
    titles: tuple[str, ...]
    property: str
    datatype: str = ""
    language: str = ""
    null: tuple[str, ...] = ("",)
    value: Template | None = None
    scheme: str = ""
    code_year: str = ""
    role: str = "AttributeProperty"
    suppressed: bool = False
    required: bool = False
    pattern: re.Pattern[str] | None = None
    virtual: bool = False
    properties: Map[str, tuple[Value, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text file writes its table."""

    delimiter: str = ","
    encoding: str = "utf-8-sig"
    quote: str = '"'
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Mapping:
    """What becomes of a table. `properties` describe the dataset: title, source, licence and the like."""

    path: Path
    text: bytes
    name: str
    title: str
    about: Template
    columns: tuple[Column, ...]
    dialect: Dialect
    properties: Map[str, tuple[Value, ...]]

    @property
    def sha256(self) -> str:
        """The digest of the file."""
        return sha256(self.text).hexdigest()


def read(path: Path) -> Mapping:
    """Read a mapping.

    Raises DataFileError that names file, place and remedy for what is not JSON, not CSVW, or CSVW that is not supported.
    """
    try:
        text = path.read_bytes()
        table = json.loads(text)
    except OSError as error:
        raise DataFileError(f"{path}: {(error.strerror or str(error)).lower()}: check the name and who may read it.") from error
    except (ValueError, RecursionError) as error:
        raise DataFileError(f"{path}: no JSON ({error}): write CSVW metadata, see docs/datasets.md.") from None
    try:
        return _mapping(path, text, _object(table, "the file"))
    except _FaultError as fault:
        raise DataFileError(f"{path}: {fault}.") from None


class _FaultError(Exception):
    """What is wrong, and a remedy, without the name of the file."""


def _mapping(path: Path, text: bytes, table: Map[str, Any]) -> Mapping:
    context = table.get("@context")
    if context != CONTEXT and not (isinstance(context, list) and context[:1] == [CONTEXT]):
        raise _FaultError(f'"@context" is {context!r}: write "@context": "{CONTEXT}"')
    properties = _common(table, _TABLE_KEYS, "the table")
    name = _only(properties, "identifier", path)
    if not SLUG.fullmatch(name):
        raise _FaultError(f'"dc:identifier" is {name!r}: write small letters, digits and hyphens')
    schema = _object(table.get("tableSchema"), '"tableSchema"')
    _refuse_unknown(schema, _SCHEMA_KEYS, '"tableSchema"')
    listed = schema.get("columns")
    if not isinstance(listed, list) or not listed:
        raise _FaultError('"tableSchema" has no list "columns": describe the columns that are to be read')
    columns = tuple(_column(_object(column, f"column {number}"), number) for number, column in enumerate(listed, start=1))
    names = [column.name for column in columns]
    if twice := {name for name in names if names.count(name) > 1}:
        raise _FaultError(f"two columns have the name {min(twice)!r}: give each its own")
    about = _template(schema.get("aboutUrl"), '"aboutUrl"')
    if unknown := sorted(set(about.names) - {*names, "_row"}):
        raise _FaultError(f'"aboutUrl" has the field {{{unknown[0]}}}, which is the "name" of no column: mend it')
    for column in columns:
        if column.code_year and column.code_year not in names:
            raise _FaultError(f'"{CODE_YEAR}" of {column.name!r} names no column: it is the "name" of one')
    if [sum(bool(column.pattern) for column in columns), sum(column.virtual for column in columns)] not in ([0, 0], [1, 1]):
        raise _FaultError(f'a wide table takes one column with "{PATTERN}" and one that is "virtual": write both, or neither')
    if not any(column.role == "MeasureProperty" for column in columns):
        raise _FaultError('no column is a measure: give one "rdf:type": {"@id": "qb:MeasureProperty"}')
    for needed in ("source", "license"):
        _only(properties, needed, path)
    return Mapping(path, text, name, _only(properties, "title", path), about, columns, _dialect(table), properties)


def _column(column: Map[str, Any], number: int) -> Column:
    titles = _texts(column.get("titles", column.get("name")), f'"titles" of column {number}')
    name = column.get("name", titles[0])
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _FaultError(f'"name" of column {number} is {name!r}: write a letter, then letters, digits and _')
    where = f"column {name!r}"
    properties = dict(_common(column, _COLUMN_KEYS, where))
    scheme, code_year, pattern = (_plain(properties.pop(key, ()), key, where) for key in (SCHEME, CODE_YEAR, PATTERN))
    roles = [ROLES.get(value, "") for value, _ in properties.pop(_RDF_TYPE, ((QB + "AttributeProperty", True),))]
    if len(roles) != 1 or not roles[0]:
        raise _FaultError(
            f'"rdf:type" of {where} is none of {", ".join(f"qb:{role}" for role in ROLES.values())}: write one of them'
        )
    datatype = column.get("datatype", "string")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise _FaultError(f'"datatype" of {where} is {datatype!r}: it takes {", ".join(sorted(DATATYPES))}')
    language = column.get("lang", "")
    if language and (not isinstance(language, str) or not _LANGUAGE.fullmatch(language)):
        raise _FaultError(f'"lang" of {where} is {language!r}: write a language tag, such as "en"')
    value = _template(column["valueUrl"], f'"valueUrl" of {where}') if "valueUrl" in column else None
    if value and any(field != name for field in value.names):
        raise _FaultError(f'"valueUrl" of {where} may have the field {{{name}}} only: mend it')
    if value and scheme:
        raise _FaultError(f'{where} has both "valueUrl" and "{SCHEME}": leave one out')
    if sum((bool(pattern), "titles" in column, column.get("virtual") is True)) > 1:
        raise _FaultError(f'{where} has more than one of "titles", "virtual" and "{PATTERN}": leave one')
    for key in ("suppressOutput", "required", "virtual"):
        if not isinstance(column.get(key, False), bool):
            raise _FaultError(f'"{key}" of {where} is neither true nor false: write one of them')
    return Column(
        name=name,
        titles=titles,
        property=_url(column.get("propertyUrl", f"#{name}"), f'"propertyUrl" of {where}'),
        datatype="" if datatype == "string" else DATATYPES[datatype],
        language=language,
        null=_texts(column.get("null", ""), f'"null" of {where}'),
        value=value,
        scheme=scheme,
        code_year=code_year,
        role=roles[0],
        suppressed=column.get("suppressOutput", False),
        required=column.get("required", False),
        pattern=_pattern(pattern, where) if pattern else None,
        virtual=column.get("virtual", False),
        properties=properties,
    )


def _dialect(table: Map[str, Any]) -> Dialect:
    given = _object(table.get("dialect", {}), '"dialect"')
    _refuse_unknown(given, _DIALECT_KEYS, '"dialect"')
    delimiter, quote, skip = given.get("delimiter", ","), given.get("quoteChar", '"'), given.get("skipRows", 0)
    if not all(isinstance(sign, str) and len(sign) == 1 for sign in (delimiter, quote)):
        raise _FaultError('"delimiter" and "quoteChar" of "dialect" are one character each: mend them')
    if not isinstance(skip, int) or isinstance(skip, bool) or skip < 0:
        raise _FaultError(f'"skipRows" of "dialect" is {skip!r}: write a whole number')
    encoding = given.get("encoding", "utf-8")
    try:
        "".encode(encoding)
    except (LookupError, TypeError):
        raise _FaultError(
            f'"encoding" of "dialect" is {encoding!r}, which is not known: write utf-8 or latin-1, for instance'
        ) from None
    return Dialect(delimiter, "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding, quote, skip)


def _common(values: Map[str, Any], known: set[str], where: str) -> Map[str, tuple[Value, ...]]:
    """Return the common properties (section 5.8) by their IRIs, with their values; anything else has to be known."""
    found: dict[str, tuple[Value, ...]] = {}
    for key, value in values.items():
        if key not in known:
            if ":" not in key:
                raise _FaultError(f"{where} has the key {key!r}, which is not supported: remove it")
            found[_expanded(key, where)] = tuple(
                _value(one, key, where) for one in (value if isinstance(value, list) else [value])
            )
    return found


def _value(value: object, key: str, where: str) -> Value:
    if isinstance(value, str):
        return value, False
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value), False
    if isinstance(value, dict) and set(value) == {"@id"} and isinstance(value["@id"], str):
        return _expanded(value["@id"], where), True
    raise _FaultError(f'"{key}" of {where} is {value!r}: write a text, a whole number, or {{"@id": "an IRI"}}')


def _expanded(name: str, where: str) -> str:
    prefix, _, local = name.partition(":")
    iri = name if local.startswith("//") else _PREFIXES.get(prefix, "") + local if prefix in _PREFIXES else ""
    if not IRI.fullmatch(iri):
        raise _FaultError(f"{where} names {name!r}: write a whole IRI, or one of the prefixes {', '.join(sorted(_PREFIXES))}")
    return iri


def _template(value: object, where: str) -> Template:
    if not isinstance(value, str) or not value:
        raise _FaultError(f'{where} is missing or no text: write a template, such as "#{{code}}-{{year}}"')
    parts = _FIELD.split(value)
    texts, names = tuple(parts[::2]), tuple(parts[1::2])
    if any(not (_NAME.fullmatch(name)) for name in names) or any(set(text) & set("{}") for text in texts):
        raise _FaultError(f"{where} is {value!r}: fields are names of columns, such as {{code}}, and nothing else")
    _url(texts[0] + "x" * len(names) + "".join(texts[1:]), where)
    return Template(texts, names)


def _pattern(text: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.ASCII)
    except re.error as error:
        raise _FaultError(f'"{PATTERN}" of {where} is {text!r}, no regular expression ({error}): mend it') from None


def _url(value: object, where: str) -> str:
    """Return a whole IRI, or what follows the IRI of the dataset; raise for anything else."""
    if not isinstance(value, str) or not IRI.fullmatch(f"https://w3id.org/x{value}" if value.startswith("#") else value):
        raise _FaultError(f'{where} is {value!r}: write a whole IRI, or "#" and what follows the name of the dataset')
    return value


def _only(properties: Map[str, tuple[Value, ...]], name: str, path: Path) -> str:
    found = properties.get(_PREFIXES["dc"] + name, ())
    if len(found) != 1 or not found[0][0]:
        raise _FaultError(f'no single "dc:{name}": say it once, or {path.name} makes data that nobody can trace')
    return found[0][0]


def _plain(values: tuple[Value, ...], key: str, where: str) -> str:
    if not values:
        return ""
    if len(values) != 1 or values[0][1]:
        raise _FaultError(f'"{key}" of {where} is no text: write one')
    return values[0][0]


def _texts(value: object, where: str) -> tuple[str, ...]:
    texts = tuple(value) if isinstance(value, list) else (value,)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise _FaultError(f"{where} is {value!r}: write a text, or a list of texts")
    return texts


def _object(value: object, where: str) -> Map[str, Any]:
    if not isinstance(value, dict):
        raise _FaultError(f"{where} is no JSON object: see docs/datasets.md")
    return value


def _refuse_unknown(values: Map[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(set(values) - known):
        raise _FaultError(f"{where} has the key {unknown[0]!r}, which is not supported: it takes {', '.join(sorted(known))}")
