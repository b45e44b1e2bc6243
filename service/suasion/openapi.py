"""OpenAPI entries, made from what a query file declares."""

import re
from collections.abc import Mapping

from suasion.catalog import Parameter, Query
from suasion.exchange import GRAPH_TYPES, SOLUTION_TYPES
from suasion.formats import NAMES

_JSON_TYPES = {"iri": "string", "code": "string", "string": "string", "search": "string", "integer": "integer"}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
_STATUSES = {
    400: "An unknown parameter, or a query that does not parse",
    406: "No acceptable format",
    422: "A parameter with a bad value",
    500: "The query ended its worker process",
    503: "Too busy",
    504: "The query ran out of time",
    507: "The answer is too large",
}


def curated_operation(query: Query, most_rows: int) -> dict[str, object]:
    """Return the OpenAPI entry of a curated question: its parameters and responses."""
    paging: list[dict[str, object]] = [
        {
            "name": "limit",
            "in": "query",
            "description": "Most rows to answer",
            "schema": {"type": "integer", "minimum": 1, "maximum": most_rows, "default": most_rows},
        },
        {
            "name": "offset",
            "in": "query",
            "description": "Rows to pass over",
            "schema": {"type": "integer", "minimum": 0, "default": 0, "maximum": 10**9},
        },
    ]
    parameters = [_parameter(parameter) for parameter in query.parameters] + paging
    row = {"type": "object", "required": list(query.columns), "properties": {n: _column(query, n) for n in query.columns}}
    envelope = {
        "type": "object",
        "required": ["question", "completeness", "total", "offset", "limit", "links", "dataset", "columns", "rows"],
        "properties": {
            "question": {"type": "string"},
            "completeness": {"enum": ["complete", "truncated"]},
            "total": {"type": "integer"},
            "offset": {"type": "integer"},
            "limit": {"type": "integer"},
            "note": {"type": ["string", "null"]},
            "links": {"type": "object"},
            "dataset": {"type": "object"},
            "columns": {"type": "object"},
            "rows": {"type": "array", "items": row},
        },
    }
    answers = {
        "application/json": {"schema": envelope},
        "text/csv": {"schema": {"type": "string"}},
        "application/sparql-results+json": {"schema": {"type": "object"}},
    }
    return {
        "summary": query.summary,
        "description": f"{query.question}\n\nThe query: `/queries/{query.name}`. Other formats: `.csv`, `.srj`, or by `Accept`.",
        "operationId": query.name.replace("/", "_").replace("-", "_"),
        "parameters": parameters,
        "responses": {"200": {"description": "Rows", "content": answers}, **_problems()},
    }


def path_parameters(path: str) -> dict[str, object]:
    """Return the OpenAPI entry of the variable parts of a path, such as name in /queries/{name:path}."""
    names = re.findall(r"\{(\w+)", path)
    return {"parameters": [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names]}


def sparql_operation() -> dict[str, object]:
    """Return the OpenAPI entry of the SPARQL endpoint."""
    example = "SELECT ?claim ?summary WHERE { ?claim <https://w3id.org/suasion/def#summary> ?summary } LIMIT 5"
    names = (("default-graph-uri", "A graph of the default graph"), ("named-graph-uri", "A named graph of the dataset"))
    return {
        "summary": "SPARQL 1.1 Protocol, read only",
        "parameters": [
            {"name": "query", "in": "query", "required": True, "schema": {"type": "string"}, "example": example},
            *(
                {"name": n, "in": "query", "description": d, "schema": {"type": "array", "items": {"type": "string"}}}
                for n, d in names
            ),
            {"name": "format", "in": "query", "description": "Goes before Accept", "schema": {"enum": list(NAMES)}},
            {
                "name": "timeout",
                "in": "query",
                "description": "Seconds that the query may take",
                "schema": {"type": "number", "exclusiveMinimum": 0},
            },
            {
                "name": "partial",
                "in": "query",
                "description": "Whether rows that are not all may be answered, marked as truncated",
                "schema": {"type": "boolean", "default": False},
            },
        ],
        "responses": {
            "200": {"description": "Results", "content": {t: {} for t in (*SOLUTION_TYPES, *GRAPH_TYPES)}},
            **_problems({502: "An endpoint of SERVICE gave no whole result"}),
        },
    }


def _parameter(parameter: Parameter) -> dict[str, object]:
    schema: dict[str, object] = {"type": _JSON_TYPES[parameter.type]}
    if parameter.values:
        schema["enum"] = list(parameter.values)
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.description,
        "schema": schema,
        "example": int(parameter.example) if parameter.type == "integer" else parameter.example,
    }


def _column(query: Query, name: str) -> dict[str, object]:
    kind: dict[str, object] = {"type": "array", "items": {"type": "string"}} if name in query.lists else {}
    return kind | {"description": query.columns[name]}


def _problems(more: Mapping[int, str] | None = None) -> dict[str, dict[str, object]]:
    content = {"application/problem+json": {"schema": _PROBLEM}}
    statuses = {**_STATUSES, **(more or {})}
    return {str(status): {"description": meaning, "content": content} for status, meaning in statuses.items()}
