"""The texts that an agent may read: guide, ontology, prefixes, the SPARQL of questions. Knows neither MCP nor HTTP."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from suasion import openapi, tools
from suasion.assembly import Assembly
from suasion.prefixes import Prefixes

_SPARQL, _TURTLE, _MARKDOWN = "application/sparql-query", "text/turtle", "text/markdown"


@dataclass(frozen=True, slots=True)
class Text:
    """A text, by its URI; `read` returns it, from disk where it is long."""

    uri: str
    title: str
    media_type: str
    read: Callable[[], str]


def offered(assembly: Assembly) -> dict[str, Text]:
    """Return the texts by URI; for RDF files no more than their guide and the questions of one's own."""
    return {text.uri: text for text in _texts(assembly)}


def _texts(assembly: Assembly) -> Iterator[Text]:
    yield Text("suasion://guide", "How to ask this graph, with examples", _MARKDOWN, lambda: tools.guide(assembly))
    if assembly.source.bundle:
        ontology = assembly.bundle / "ontology"
        prefixes = assembly.backing.prefixes
        yield Text("suasion://prefixes", "The prefixes, as PREFIX lines of SPARQL", _SPARQL, lambda: _lines(prefixes))
        yield Text("suasion://ontology", "The ontology, all themes", _TURTLE, lambda: _together(ontology))
        for file in sorted(ontology.glob("*.ttl")):
            yield Text(f"suasion://ontology/{file.stem}", f"The ontology: {file.stem}", _TURTLE, _reader(file))
        asked = sorted((assembly.bundle / "queries" / "questions").glob("*.rq"))
        yield Text("suasion://competency-questions", "Questions with known answers", _MARKDOWN, lambda: _competency(asked))
        for file in asked:
            yield Text(f"suasion://competency-questions/{file.stem}", f"SPARQL of {file.stem}", _SPARQL, _reader(file))
    for query in assembly.queries:
        uri = f"suasion://queries/{openapi.operation_id(query)}"
        yield Text(uri, f"SPARQL of the tool {openapi.operation_id(query)}", _SPARQL, lambda text=query.text: text)  # type: ignore[misc]


def _reader(file: Path) -> Callable[[], str]:
    return lambda: file.read_text(encoding="utf-8")


def _lines(prefixes: Prefixes) -> str:
    return "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in prefixes.table.items())


def _together(ontology: Path) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(ontology.glob("*.ttl")))


def _competency(files: list[Path]) -> str:
    """Return the questions, which are the first lines of their files, each with the URI of its SPARQL."""
    lines = ((file.stem, file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")) for file in files)
    return "# Competency questions\n\n" + "".join(f"- {said} (suasion://competency-questions/{stem})\n" for stem, said in lines)
