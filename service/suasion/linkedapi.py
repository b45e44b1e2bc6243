"""The description of linked data in OpenAPI: what IRIs of ours lead to, and documents that take their format from Accept."""

from collections.abc import Mapping, Sequence

from suasion import dumps, papers, renderings
from suasion.linked import MOST_PAGES
from suasion.openapi import Schema, problems
from suasion.things import MOST_STATEMENTS

_TEXT: Schema = {"type": "string"}
_GRAPHS = {ending: papers.FORMATS[ending] for ending in papers.FORMATS if ending != "html"}
_ENTRIES = {ending: renderings.TYPES[ending] for ending in renderings.CITATIONS}
_DOWNLOADS = {f"{ending}{end}": kind for ending, kind in dumps.TYPES.items() for end, kind in (("", kind), (".gz", dumps.GZIP))}
_ASKED = (500, 503, 504, 507)
"""What an answer that the engine is asked for may fail with."""


def paths(*, bundle: bool) -> dict[str, object]:
    """Return the entries of linked data; of RDF files only those of the dataset, as the paths of their things are any."""
    described = _document("dataset", "The dataset in VoID and DCAT", papers.FORMATS)
    found = {
        "/dataset": described,
        "/.well-known/void": {**described, "operationId": "linked_void"},
        "/dataset.{format}": _by_format("dataset", "The dataset described, or whole", {**papers.FORMATS, **_DOWNLOADS}),
    }
    return {path: {"get": entry} for path, entry in {**found, **(_of_bundle() if bundle else {})}.items()}


def _of_bundle() -> dict[str, dict[str, object]]:
    thing = [_part("theme", "The kind of thing", "actor"), _part("name", "Its name within the kind", "japan")]
    claim = [_part("name", "The name of a claim", "japan-granted-cambodia-for-health-2008")]
    window = [_whole("page", MOST_PAGES, 1), _whole("limit", MOST_STATEMENTS, MOST_STATEMENTS)]
    said = "What the graph says of a thing"
    question = [_part("name", "The name of a question", "claims")]
    problem = [_part("name", "The name of a type of problem", "TimedOut")]
    quads = {ending: papers.FORMATS[ending] for ending in ("trig", "nq")}
    return {
        "/id/{theme}/{name}": _leading("thing", "From a thing to the document about it", thing, 410),
        "/doc/{theme}/{name}": _document("document", said, papers.FORMATS, [*thing, *window], 410, 422),
        "/doc/{theme}/{name}.{format}": _by_format(
            "document",
            f"{said}, or how to cite it (without page and limit)",
            {**papers.FORMATS, **_ENTRIES},
            [*thing, *window],
            410,
            422,
        ),
        "/def": _document("ontology", "The ontology", papers.FORMATS),
        "/def.{format}": _by_format("ontology", "The ontology", papers.FORMATS),
        "/def/{version}": _leading("version", "From a version to the ontology", [_part("version", "A version", "0.1.0")], 410),
        "/query/{name}": _leading("query", "From a question to its page, its SPARQL or its SHACL", question, 406),
        "/query/{name}.{format}": _by_format("query", "A question as SHACL", _GRAPHS, question),
        "/problem/{name}": _document("problem", "What a type of problem means", papers.FORMATS, problem),
        "/shape/{name}": _leading("shape", "From a SHACL shape to all of them", [_part("name", "A shape", "actor")]),
        "/shapes.ttl": _entry("shapes", "The SHACL shapes", {"200": _answer("Turtle", ["text/turtle"])}, ()),
        "/nanopub/{name}": _leading("nanopublication", "From a claim to its nanopublication", claim, 406, 410),
        "/nanopub/{name}.{format}": _by_format("nanopublication", "A claim as a nanopublication", quads, claim, 410),
        "/mappings.sssom.tsv": _entry(
            "mappings",
            "What is the same elsewhere, as SSSOM",
            {"200": _answer("The mappings", ["text/tab-separated-values"]), **problems(*_ASKED)},
            (),
        ),
    }


def _entry(name: str, said: str, responses: Mapping[str, object], given: Sequence[object]) -> dict[str, object]:
    return {
        "operationId": f"linked_{name}",
        "summary": said,
        "tags": ["linked data"],
        "parameters": list(given),
        "responses": {**responses, **problems(400)},
    }


def _document(
    name: str, said: str, formats: Mapping[str, str], given: Sequence[object] = (), *statuses: int
) -> dict[str, object]:
    """Return the entry of a document whose format Accept chooses."""
    missing = (404,) if given else ()
    answer = _answer("The document", list(formats.values()))
    return _entry(name, said, {"200": answer, **problems(*missing, 406, *statuses, *_ASKED)}, given)


def _by_format(
    name: str, said: str, formats: Mapping[str, str], given: Sequence[object] = (), *statuses: int
) -> dict[str, object]:
    """Return the entry of a document whose ending chooses the format."""
    ending = {**_part("format", "The format", next(iter(formats))), "schema": {"enum": list(formats)}}
    answer = _answer("The document", list(formats.values()))
    return _entry(f"{name}_as", f"{said}, by ending", {"200": answer, **problems(404, *statuses, *_ASKED)}, [*given, ending])


def _leading(name: str, said: str, given: Sequence[object], *statuses: int) -> dict[str, object]:
    """Return the entry of an IRI that leads to a document."""
    header = {"description": "Where it is described", "schema": _TEXT}
    answer = {**_answer("See other", ["text/plain"]), "headers": {"Location": header, "Link": {"schema": _TEXT}}}
    return _entry(name, said, {"303": answer, **problems(404, *statuses, *_ASKED)}, given)


def _answer(said: str, types: Sequence[str]) -> dict[str, object]:
    return {"description": said, "content": {kind: {"schema": _schema(kind)} for kind in dict.fromkeys(types)}}


def _schema(media_type: str) -> Schema:
    if media_type == dumps.GZIP:
        return {"type": "string", "format": "binary"}
    if media_type.endswith("+json"):
        return {"type": ["object", "array"]}
    return _TEXT


def _part(name: str, said: str, example: str) -> dict[str, object]:
    schema: Schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "description": said, "schema": schema, "example": example}


def _whole(name: str, most: int, default: int) -> dict[str, object]:
    schema: Schema = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    said = "The part of a long document" if name == "page" else "Most statements in a part"
    return {"name": name, "in": "query", "required": False, "description": said, "schema": schema, "example": default}
