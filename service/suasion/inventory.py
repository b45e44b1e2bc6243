"""What a dataset holds: classes, properties and graphs, with how often they occur; and its guide with examples."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from suasion.described import Ask
from suasion.exchange import Question, Term
from suasion.prefixes import CLAIM, Prefixes

_MOST = 500
_EXAMPLE = re.compile(r"^## (?P<title>.+)\n(?:(?!## |```).*\n)*```sparql\n(?P<query>(?:(?!```).*\n)*)```$", re.MULTILINE)
_GRAPHS = """\
SELECT ?graph ?number WHERE {
  { SELECT ?graph (COUNT(*) AS ?number) WHERE { GRAPH ?graph { ?subject ?property ?value } } GROUP BY ?graph }
}
ORDER BY ?graph"""


@dataclass(frozen=True, slots=True)
class Counted:
    """A class or property: what it means, and how many things or triples have it in all graphs and in the default graph."""

    name: str
    meaning: str
    everywhere: int
    in_default_graph: int


@dataclass(frozen=True, slots=True)
class Inventory:
    """The commonest classes and properties, and the graphs that are no claims; `whole` says whether these are all."""

    classes: tuple[Counted, ...]
    properties: tuple[Counted, ...]
    graphs: Mapping[str, int]
    claim_graphs: int
    whole: bool


async def taken(ask: Ask, queries: Path, prefixes: Prefixes) -> Inventory:
    """Take the inventory, by the queries of a folder; answers are kept by who is asked. Raises what the engine raises."""
    classes, all_classes = await _counted(ask, (queries / "classes.rq").read_text(encoding="utf-8"), "class", prefixes)
    properties, all_properties = await _counted(
        ask, (queries / "properties.rq").read_text(encoding="utf-8"), "property", prefixes
    )
    found = json.loads((await ask(Question(_GRAPHS, rows=(0, 10**6)))).body)["rows"]
    graphs = {row["graph"]["value"]: int(row["number"]["value"]) for row in found}
    named = {prefixes.shorten(iri): number for iri, number in graphs.items() if not iri.startswith(CLAIM)}
    shown = dict(list(named.items())[:_MOST])
    whole = all_classes and all_properties and len(shown) == len(named)
    return Inventory(classes, properties, shown, len(graphs) - len(named), whole)


def examples(guide: str) -> Iterator[tuple[str, str]]:
    """Yield the examples of a guide, each with its heading: the first block of SPARQL below it in Markdown."""
    for found in _EXAMPLE.finditer(guide):
        yield found["title"], found["query"]


async def _counted(ask: Ask, query: str, name: str, prefixes: Prefixes) -> tuple[tuple[Counted, ...], bool]:
    everywhere = json.loads((await ask(Question(query, union=True, rows=(0, _MOST)))).body)
    by_default = json.loads((await ask(Question(query, rows=(0, 10**6)))).body)["rows"]
    facts = {row[name]["value"]: int(row["number"]["value"]) for row in by_default}
    counted: dict[str, Counted] = {}
    for row in everywhere["rows"]:
        iri = row[name]["value"]
        number = int(row["number"]["value"])
        counted.setdefault(iri, Counted(prefixes.shorten(iri), _meaning(row, prefixes), number, facts.get(iri, 0)))
    return tuple(counted.values()), everywhere["total"] == len(everywhere["rows"])


def _meaning(row: Mapping[str, Term], prefixes: Prefixes) -> str:
    meaning = next((row[name]["value"] for name in ("definition", "label") if name in row), "")
    return f"{meaning}; its value is a {prefixes.shorten(row['range']['value'])}" if "range" in row and meaning else meaning
