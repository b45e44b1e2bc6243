"""The description of the interface (OpenAPI 3.1), made from what query files declare."""

import copy
from collections.abc import Mapping, Sequence

from suasion import renderings
from suasion.catalog import Column, Parameter, Query
from suasion.deadlines import LEAST_SECONDS
from suasion.exchange import GRAPH_TYPES, SOLUTION_TYPES
from suasion.formats import NAMES
from suasion.questions import LEVELS, MOST_OFFSET, ORDERS, Backing, choices, parameters

Schema = dict[str, object]
_PARAMETER_TYPES: Mapping[str, Schema] = {
    "integer": {"type": "integer", "minimum": -(10**18) + 1, "maximum": 10**18 - 1},
    "iri": {"type": "string", "pattern": r'^[^\x00-\x20<>"{}|\\^`]+$'},
    "decimal": {"type": "string", "pattern": r"^[+-]?[0-9]{1,18}(\.[0-9]{1,18})?$"},
    "date": {"type": "string", "format": "date"},
    "boolean": {"type": "boolean"},
}
_VALUE_TYPES: Mapping[str, Schema] = {
    "": {"type": ["string", "number", "boolean"]},
    "iri": {"type": "string"},
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "decimal": {"type": "number"},
    "date": {"type": "string"},
    "boolean": {"type": "boolean"},
}
_TEXT: Schema = {"type": "string"}
_FILE: Schema = {
    "type": "object",
    "properties": {"file": {"type": "string", "format": "binary", "description": "The table, as CSV"}},
    "required": ["file"],
}
_SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_STATUSES = {
    400: "An unknown parameter, a request that cannot be read, or a query that does not parse",
    404: "Nothing of the kind",
    406: "No acceptable format",
    410: "A thing that was withdrawn",
    413: "The body is too large",
    414: "The URL is too long",
    415: "The body is of a type that is not read",
    422: "A parameter with a bad value",
    429: "The share of the client is used up",
    500: "The query ended its worker process",
    502: "An endpoint of SERVICE gave no whole result",
    503: "Too busy",
    504: "The query ran out of time",
    507: "The answer is too large",
}
_HEADERS: Mapping[str, tuple[str, Schema]] = {
    "ETag": ("What the answer may be asked for by If-None-Match", _TEXT),
    "Link": ("This page, its neighbours, its query and the metadata of its CSV (RFC 8288)", _TEXT),
    "Suasion-Completeness": ("Whether these are all the rows", {"enum": ["complete", "truncated"]}),
    "Suasion-Dataset": ("The digest of the dataset", {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}),
    "Suasion-Receipt": ("The receipt of the answer, for /receipts", _TEXT),
    "Suasion-Total": ("The number of all rows", {"type": "integer", "minimum": 0}),
}


async def document(base: Mapping[str, object], backing: Backing) -> dict[str, object]:
    """Return the whole description: that of the fixed paths, and two paths for each question, with the values of its codes."""
    whole = copy.deepcopy(dict(base))
    paths = whole.setdefault("paths", {})
    assert isinstance(paths, dict)
    for query in backing.queries.values():
        listed = {p.name: await choices(p, query, backing) for p in query.parameters}
        for path, item in curated_paths(query, listed, backing.most_rows).items():
            assert isinstance(item, dict)
            paths.setdefault(path, {}).update(item)
    components = whole.setdefault("components", {})
    assert isinstance(components, dict)
    components["schemas"] = {**components.get("schemas", {}), **_schemas()}
    components["headers"] = {name: {"description": said, "schema": schema} for name, (said, schema) in _HEADERS.items()}
    components["responses"] = _problem_responses()
    return whole


def curated_paths(query: Query, listed: Mapping[str, Sequence[str]], most_rows: int) -> dict[str, object]:
    """Return the paths of a question: negotiated, and by format; `listed` are the values that each parameter may have."""
    name = operation_id(query)
    given = [_parameter(p, listed.get(p.name, p.values), most_rows) for p in parameters(query).values()]
    paged = [p for p in given if p["name"] != "provenance"]
    ending: Schema = {
        "name": "format",
        "in": "path",
        "required": True,
        "description": "The format",
        "schema": {"enum": list(renderings.TYPES)},
        "example": "csv",
    }
    said = f"{query.question}\n\nThe query: `/queries/{query.name}`."
    if query.related:
        said += f" Related: {', '.join(f'`/{other}`' for other in query.related)}."
    content = {media_type: {"schema": _TEXT} for media_type in renderings.TYPES.values()}
    content |= {
        "application/json": {"schema": _envelope(query)},
        "application/sparql-results+json": {"schema": _ref("SolutionsInJson")},
        "application/ld+json": {"schema": {"type": "object", "required": ["@context", "@graph"]}},
        "application/csvm+json": {"schema": {"type": "object", "required": ["@context", "url", "tableSchema"]}},
        "application/vnd.citationstyles.csl+json": {"schema": {"type": "array", "items": {"type": "object"}}},
    }
    statuses = (400, 404, 406, 414, 422, 500, 503, 504, 507)
    answered: dict[str, object] = {
        "description": "Rows",
        "headers": {n: {"$ref": f"#/components/headers/{n}"} for n in _HEADERS},
        "content": content,
    }
    texts_first = dict(sorted(content.items(), key=lambda one: not one[0].startswith("text/")))
    common = {"summary": query.summary, "tags": ["questions"]}
    plain = {**common, "operationId": name, "description": f"{said} `Accept` chooses the format, JSON first."}
    by_format = {**common, "operationId": f"{name}_as", "description": f"{said} The ending chooses the format."}
    responses = {"200": answered, **problems(*statuses)}
    for status in set(statuses) - {406}:
        responses[str(status)] = {
            "description": _STATUSES[status],
            "content": {
                "application/problem+json": {"schema": _ref("Problem")},
                "text/html": {"schema": _TEXT},
            },
        }
    # Clients made from this read an answer as the type that comes first: an ending that they choose gives them its text.
    as_text = {**responses, "200": {**answered, "content": texts_first}}
    return {
        f"/{query.name}": {"get": {**plain, "parameters": given, "responses": responses}},
        f"/{query.name}.{{format}}": {"get": {**by_format, "parameters": [ending, *paged], "responses": as_text}},
    }


def operation_id(query: Query) -> str:
    """Return the stable name of a question in clients made from the description."""
    return query.name.replace("/", "_").replace("-", "_")


def problems(*statuses: int) -> dict[str, object]:
    """Return the responses of an operation that may fail with these statuses."""
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def front_operation() -> dict[str, object]:
    """Return the OpenAPI entry of the front page, which answers who asks for a graph with the dataset."""
    content: Schema = {kind: {"schema": _TEXT} for kind in ("text/html", *GRAPH_TYPES)}
    content["application/ld+json"] = {"schema": {"type": "array"}}
    return {"responses": {"200": {"description": "The questions, or the dataset described", "content": content}}}


def list_operation() -> dict[str, object]:
    """Return the OpenAPI entry of the list of questions."""
    content = {"application/json": {"schema": {"type": "object", "required": ["questions"]}}, "text/html": {"schema": _TEXT}}
    return {"responses": {"200": {"description": "The questions", "content": content}, **problems(400, 406)}}


def turtle_operation() -> dict[str, object]:
    """Return the OpenAPI entry of the questions in Turtle."""
    return {
        "responses": {"200": {"description": "The questions", "content": {"text/turtle": {"schema": _TEXT}}}, **problems(400)}
    }


def query_operation(name: str) -> dict[str, object]:
    """Return the OpenAPI entry of the text of a question, by the name of one."""
    content = {
        "text/plain": {"schema": _TEXT},
        "text/turtle": {"schema": _TEXT},
        "application/ld+json": {"schema": {"type": "object"}},
    }
    said = "SPARQL; with .ttl at the end of the name the question as SHACL, with /context.jsonld its JSON-LD context"
    return {
        "parameters": [_path_part("name", "The question", name)],
        "responses": {"200": {"description": said, "content": content}, **problems(400, 404)},
    }


def table_operation(parameters: Mapping[str, Parameter]) -> dict[str, object]:
    """Return the OpenAPI entry of tables of codes, by what they take."""
    return {
        "parameters": [_given(p.name, p.description, p.example) for p in parameters.values()],
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {"schema": _TEXT, "example": "scheme,code,date\ncow,710,2008\n"},
                "multipart/form-data": {"schema": _FILE},
            },
        },
        "responses": {
            "200": {"description": "The table, with columns added", "content": {"text/csv": {"schema": _TEXT}}},
            **problems(400, 413, 415, 422, 500, 503, 504, 507),
        },
    }


def reconciliation_operation(method: str) -> dict[str, object]:
    """Return the OpenAPI entry of reconciliation: queries or an extension in the URL, or in a form."""
    fields = {"queries": '{"q0":{"query":"Burma"}}', "extend": '{"ids":["actor:japan"],"properties":[{"id":"cow"}]}'}
    said = "JSON of the Reconciliation Service API 0.2"
    entry: dict[str, object] = {
        "responses": {
            "200": {"description": said, "content": {"application/json": {"schema": {"type": "object"}}}},
            **problems(413, 415, 422, 500, 503, 504, 507),
        }
    }
    if method == "GET":
        return {"parameters": [_given(name, said, example) for name, example in fields.items()], **entry}
    schema = {"type": "object", "properties": dict.fromkeys(fields, _TEXT), "example": {"queries": fields["queries"]}}
    return {"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}, **entry}


def lookup_operation(media_type: str, examples: Mapping[str, str], *, required: bool) -> dict[str, object]:
    """Return the OpenAPI entry of a help to reconciliation, by what it is given, or has to be, and an example of each."""
    schema = _TEXT if media_type == "text/html" else {"type": "object"}
    return {
        "parameters": [{**_given(name, name, example), "required": required} for name, example in examples.items()],
        "responses": {
            "200": {"description": "What is looked up", "content": {media_type: {"schema": schema}}},
            **problems(404, 422, 500, 503, 504, 507),
        },
    }


def _given(name: str, description: str, example: str) -> dict[str, object]:
    return {"name": name, "in": "query", "description": description, "schema": _TEXT, "example": example}


def receipt_operation() -> dict[str, object]:
    """Return the OpenAPI entry of receipts."""
    return {
        "parameters": [
            {**_path_part("id", "receipt.id of an answer", "e30"), "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}}
        ],
        "responses": {
            "200": {"description": "The verdict", "content": {"application/json": {"schema": _ref("Verdict")}}},
            **problems(400, 404, 422, 500, 503, 504, 507),
        },
    }


def sparql_operation(method: str) -> dict[str, object]:
    """Return the OpenAPI entry of the SPARQL endpoint for GET or POST."""
    asked = "SELECT ?claim ?summary WHERE { ?claim <https://w3id.org/suasion/def#summary> ?summary } LIMIT 5"
    names = (("default-graph-uri", "A graph of the default graph"), ("named-graph-uri", "A named graph of the dataset"))
    common: list[dict[str, object]] = [
        {"name": n, "in": "query", "description": d, "schema": {"type": "array", "items": {"type": "string", "format": "uri"}}}
        for n, d in names
    ]
    common += [
        {"name": "format", "in": "query", "description": "Goes before Accept", "schema": {"enum": list(NAMES)}},
        {
            "name": "timeout",
            "in": "query",
            "description": "Seconds that the query may take; more than the service allows is what it allows",
            "schema": {"type": "number", "minimum": LEAST_SECONDS},
        },
        {
            "name": "partial",
            "in": "query",
            "description": "Whether rows that are not all may be answered, marked as truncated",
            "schema": {"type": "boolean", "default": False},
        },
    ]
    query: dict[str, object] = {"name": "query", "in": "query", "required": True, "schema": _TEXT, "example": asked}
    form: Schema = {"type": "object", "required": ["query"], "properties": {"query": _TEXT}, "example": {"query": asked}}
    body = {
        "required": True,
        "content": {
            "application/sparql-query": {"schema": _TEXT, "example": asked},
            "application/x-www-form-urlencoded": {"schema": form},
        },
    }
    sent = (413, 415) if method == "POST" else ()
    statuses = (400, 406, *sent, 422, 429, 500, 502, 503, 504, 507)
    return {
        "summary": "SPARQL 1.1 Protocol, read only",
        "operationId": "sparql" if method == "GET" else "sparql_post",
        "parameters": [query, *common] if method == "GET" else common,
        **({} if method == "GET" else {"requestBody": body}),
        "responses": {
            "200": {"description": "Results", "content": {t: {} for t in (*SOLUTION_TYPES, *GRAPH_TYPES)}},
            **problems(*statuses),
        },
    }


def _path_part(name: str, description: str, example: str) -> dict[str, object]:
    schema: Schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema, "example": example}


def parameter_schema(parameter: Parameter, listed: Sequence[str], most_rows: int) -> Schema:
    """Return the JSON Schema of what a parameter takes; `listed` are the values that it may have, none where it is open."""
    schema: Schema = dict(_PARAMETER_TYPES.get(parameter.type, {"type": "string", "minLength": 1}))
    if parameter.name in ("limit", "offset"):
        least, most = (1, most_rows) if parameter.name == "limit" else (0, MOST_OFFSET)
        schema = {"type": "integer", "minimum": least, "maximum": most, "default": most_rows if least else 0}
    elif listed:
        schema = {"enum": [_typed(parameter, value) for value in listed]}
    if parameter.default:
        schema["default"] = _typed(parameter, parameter.default)
    if parameter.name == "provenance":
        schema["default"] = LEVELS[1]
    return schema


def row_schema(query: Query) -> Schema:
    """Return the JSON Schema of a row: its columns, with what they mean."""
    return {
        "type": "object",
        "required": list(query.columns),
        "properties": {name: _column(column) for name, column in query.columns.items()},
        "additionalProperties": False,
    }


def _parameter(parameter: Parameter, listed: Sequence[str], most_rows: int) -> dict[str, object]:
    described: dict[str, object] = {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.description,
        "schema": parameter_schema(parameter, listed, most_rows),
    }
    shown = [min(int(p), most_rows) if parameter.name == "limit" else _typed(parameter, p) for p in parameter.examples]
    if len(shown) == 1:
        return {**described, "example": shown[0]}
    return {**described, "examples": {str(value): {"value": value} for value in shown}}


def _typed(parameter: Parameter, text: str) -> object:
    """Return a text as JSON writes a value of its parameter."""
    match parameter.type:
        case "integer":
            return int(text)
        case "boolean":
            return text.lower() in ("true", "1")
    return text


def _envelope(query: Query) -> Schema:
    """Return what all answers have, with columns and rows of this one: were rows in both, made clients would not know them."""
    own: Schema = {
        "columns": {
            "type": "object",
            "properties": {name: {"const": column.meaning} for name, column in query.columns.items()},
            "required": list(query.columns),
        },
        "rows": {"type": "array", "items": row_schema(query)},
    }
    narrowed: Schema = {"type": "object", "required": list(own), "properties": own}
    return {"allOf": [_ref("Answer"), narrowed]}


def _column(column: Column) -> Schema:
    value = _VALUE_TYPES[column.type]
    if column.is_list:
        return {"type": "array", "items": value, "description": column.meaning}
    kinds = value["type"]
    return {"type": [*(kinds if isinstance(kinds, list) else [kinds]), "null"], "description": column.meaning}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _problem_responses() -> dict[str, object]:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {str(status): {"description": meaning, "content": content} for status, meaning in _STATUSES.items()}


def _schemas() -> dict[str, object]:
    """Return what several operations share."""
    link: Schema = {"type": ["string", "null"]}
    receipt: Schema = {
        "type": "object",
        "required": ["id", "query_sha256", "dataset_sha256", "result_sha256", "time"],
        "properties": {
            "id": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
            "query_sha256": _SHA256,
            "dataset_sha256": {**_SHA256, "type": ["string", "null"]},
            "result_sha256": _SHA256,
            "time": {"type": "string", "format": "date-time"},
        },
    }
    answer: dict[str, Schema] = {
        "question": _TEXT,
        "summary": _TEXT,
        "parameters": {"type": "object", "additionalProperties": _TEXT},
        "completeness": {"enum": ["complete", "truncated"]},
        "total": {"type": "integer", "minimum": 0},
        "offset": {"type": "integer", "minimum": 0},
        "limit": {"type": "integer", "minimum": 1},
        "sort": {"type": ["object", "null"], "properties": {"by": _TEXT, "order": {"enum": list(ORDERS)}}},
        "note": {"type": ["string", "null"]},
        "links": {"type": "object", "required": ["self", "next", "prev", "describedby"], "additionalProperties": link},
        "related": {
            "type": "array",
            "items": {"type": "object", "required": ["question", "link"], "properties": {"question": _TEXT, "link": _TEXT}},
        },
        "dataset": {"type": "object", "properties": {"sha256": _TEXT, "quads": {"type": "integer"}}},
        "provenance": {
            "type": "object",
            "required": ["level"],
            "properties": {
                "level": {"enum": list(LEVELS)},
                "rows": {"type": "array", "items": {"type": "array", "items": _TEXT}},
                "claims": {"type": "object", "additionalProperties": _ref("Claim")},
            },
        },
        "citation": _TEXT,
        "receipt": _ref("Receipt"),
    }
    texts: Schema = {"type": "array", "items": _TEXT}
    claim: dict[str, Schema] = {
        **{name: {"type": ["string", "null"]} for name in ("summary", "kind", "modality", "section", "passage", "ranges")},
        **dict.fromkeys(("voices", "credits", "hedges"), texts),
        "markers": {"type": "array", "items": {"type": "integer"}},
    }
    problem: dict[str, Schema] = {
        "type": {"type": "string", "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, and what to do"},
        "parameter": {"type": "string", "description": "The parameter at fault"},
        "accepted": {"type": "string", "description": "What it takes"},
        "example": {"type": "string", "description": "A call that works"},
        "completeness": {"const": "timed out"},
        "offset": {"type": "integer", "description": "The first row that was asked for"},
        "limit": {"description": "How many rows were asked for; else the limit that was passed"},
        "total": {"type": "null", "description": "How many rows there are: not known"},
    }
    return {
        "Answer": {"type": "object", "required": list(answer), "properties": answer},
        "Claim": {"type": "object", "required": list(claim), "properties": claim},
        "Problem": {"type": "object", "required": ["type", "title", "status", "detail"], "properties": problem},
        "Receipt": receipt,
        "SolutionsInJson": {
            "type": "object",
            "required": ["head", "results"],
            "properties": {
                "head": {"type": "object", "required": ["vars"], "properties": {"vars": texts}},
                "results": {
                    "type": "object",
                    "required": ["bindings"],
                    "properties": {"bindings": {"type": "array", "items": {"type": "object"}}},
                },
            },
        },
        "Verdict": {
            "type": "object",
            "required": ["question", "parameters", "verdict", "changed", "then", "now"],
            "properties": {
                "verdict": {"enum": ["same", "changed"]},
                "changed": {"type": "array", "items": {"enum": ["query", "dataset", "result"]}},
                "then": _ref("Receipt"),
                "now": {"oneOf": [_ref("Receipt"), {"type": "null"}]},
            },
        },
    }
