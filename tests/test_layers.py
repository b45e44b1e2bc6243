"""Imports inside the package flow one way, and the HTTP side stays free of the engine."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

# Top to bottom: a module imports from the lines below its own only. `__init__` is the package, which holds the version; what it
# imports when it is asked to open a graph is no layer.
LAYERS = (
    ("__main__",),
    ("copies",),
    ("client",),
    ("announced", "app", "embedded"),
    ("mcpserver",),
    ("shelf",),
    ("tools",),
    ("linkedapi", "reconciling"),
    ("editor", "offprints", "openapi", "operation", "pictures", "reference"),
    ("bulk", "curated", "guard", "guide", "linked", "observation"),
    ("depictions", "doorway", "graphs", "home", "pages", "papers", "updates"),
    ("answertable",),
    ("evidence", "portraits"),
    ("sights",),
    ("asking", "assembly", "crawling", "datacard", "renderings", "sparql"),
    ("citations", "codings", "delivery"),
    ("problems",),
    ("locate", "shapes", "worker"),
    ("conformity", "matching", "observations", "questions"),
    ("checks", "engine", "evaluation", "projection", "publication", "verdicts", "verify", "writing"),
    ("answers", "crosswalk", "dumps", "forms", "hits", "inventory", "remote", "sssom", "things", "turtle", "uploads"),
    ("importing",),
    ("cubes",),
    ("layouts",),
    ("collection", "tabular"),
    ("keys", "mappings"),
    ("accesslog", "described", "federation", "fetching", "formats", "inlining", "loading", "ordering"),
    ("protocol", "receipts", "terms", "tokens"),
    ("neighbourhoods",),
    ("connections",),
    ("clauses", "files", "places", "textindex"),
    ("whereabouts",),
    ("maps",),
    ("charts", "checking", "comparing"),
    ("amounts", "articlemap", "networks", "timelines"),
    (
        "catalog",
        "clients",
        "confinement",
        "cors",
        "deadlines",
        "documents",
        "exchange",
        "fairness",
        "fingerprints",
        "gate",
        "generations",
        "geography",
        "listener",
        "metrics",
        "negotiation",
        "overhttp",
        "pagecache",
        "prefixes",
        "processes",
        "progress",
        "results",
        "serialising",
        "settings",
        "source",
        "statements",
        "streams",
        "words",
    ),
    ("errors", "syntax"),
    ("__init__",),
)

# The process that listens: it never parses, plans or evaluates, so that nothing a client sends can end it.
HTTP_SIDE = [
    "amounts",
    "articlemap",
    "asking",
    "charts",
    "checking",
    "comparing",
    "connections",
    "geography",
    "maps",
    "neighbourhoods",
    "networks",
    "pictures",
    "sights",
    "statements",
    "timelines",
    "whereabouts",
    "accesslog",
    "announced",
    "answers",
    "assembly",
    "bulk",
    "crosswalk",
    "fairness",
    "federation",
    "fetching",
    "gate",
    "graphs",
    "answertable",
    "app",
    "catalog",
    "citations",
    "client",
    "clients",
    "codings",
    "cors",
    "crawling",
    "curated",
    "datacard",
    "deadlines",
    "delivery",
    "depictions",
    "described",
    "documents",
    "doorway",
    "dumps",
    "editor",
    "embedded",
    "engine",
    "errors",
    "evidence",
    "exchange",
    "formats",
    "forms",
    "generations",
    "guard",
    "guide",
    "home",
    "inventory",
    "mcpserver",
    "linked",
    "linkedapi",
    "listener",
    "matching",
    "metrics",
    "negotiation",
    "observation",
    "offprints",
    "openapi",
    "operation",
    "overhttp",
    "pagecache",
    "pages",
    "papers",
    "places",
    "portraits",
    "problems",
    "prefixes",
    "processes",
    "protocol",
    "publication",
    "questions",
    "receipts",
    "reconciling",
    "reference",
    "remote",
    "renderings",
    "results",
    "settings",
    "shelf",
    "source",
    "sparql",
    "sssom",
    "terms",
    "things",
    "tools",
    "tokens",
    "turtle",
    "updates",
    "words",
]
ENGINE_SIDE = {
    *("evaluation", "files", "hits", "importing", "inlining", "keys", "loading", "observations", "ordering"),
    *("textindex", "uploads", "verdicts", "worker", "writing"),
    *("pyoxigraph", "rdflib", "pyshacl"),
}


def imported(source: str, package: frozenset[str]) -> Iterator[str]:
    """Yield what a module imports, inside functions too: modules of the package by stem, others by their first name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first, _, rest = alias.name.partition(".")
                yield (rest or "__init__") if first == "suasion" else first
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where they lead: write from suasion import …"
            first, _, rest = (node.module or "").partition(".")
            if first != "suasion":
                yield first
            elif rest:
                yield rest
            else:
                yield from (alias.name if alias.name in package else "__init__" for alias in node.names)


def imports(bundle: Path) -> dict[str, set[str]]:
    files = sorted((bundle / "service" / "suasion").rglob("*.py"))
    stems = frozenset(file.stem for file in files)
    return {file.stem: set(imported(file.read_text(encoding="utf-8"), stems)) for file in files}


def reached(start: str, graph: Mapping[str, set[str]]) -> dict[str, str]:
    """Return each module that is reached from a start, with the chain that leads to it."""
    chains = {start: start}
    waiting = [start]
    while waiting:
        here = waiting.pop()
        for there in sorted(graph.get(here, ())):
            if there not in chains:
                chains[there] = f"{chains[here]} → {there}"
                waiting.append(there)
    return chains


def test_each_module_stands_in_the_table_once(bundle: Path) -> None:
    table = [module for layer in LAYERS for module in layer]
    assert sorted(table) == sorted(imports(bundle)), "LAYERS and service/suasion/*.py differ"


def test_imports_flow_one_way(bundle: Path) -> None:
    depth = {module: number for number, layer in enumerate(LAYERS) for module in layer}
    upward = [
        f"{module} imports {other}, which is not below it"
        for module, others in imports(bundle).items()
        for other in sorted(others & set(depth))
        if depth[other] <= depth[module] and module != "__init__"
    ]
    assert upward == []


def test_the_http_side_reaches_no_engine(bundle: Path) -> None:
    graph = imports(bundle)
    assert set(HTTP_SIDE) <= set(graph)
    chains = [chain for module in HTTP_SIDE for end, chain in reached(module, graph).items() if end in ENGINE_SIDE]
    assert chains == []
    # The rule is not idle: the other side does reach it.
    assert "pyoxigraph" in reached("worker", graph)


def test_the_running_service_has_loaded_no_engine(bundle: Path) -> None:
    """Other packages could bring the engine in behind our back: ask the interpreter."""
    program = "import sys, suasion.app, suasion.announced; print(*sorted(name.partition('.')[0] for name in sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(bundle / "service")},
    )
    loaded = set(run.stdout.split())
    assert "fastapi" in loaded
    assert "mcp" not in loaded  # it is slow to import, and comes with the first agent
    assert loaded & {"pyoxigraph", "rdflib", "pyshacl"} == set()


def test_only_these_modules_touch_the_engine(bundle: Path) -> None:
    users = {module for module, others in imports(bundle).items() if "pyoxigraph" in others}
    assert users <= {
        *("checks", "conformity", "evaluation", "files", "hits", "inlining", "loading", "locate", "projection", "serialising"),
        *("importing", "keys", "observations", "shapes", "uploads", "verdicts", "verify", "worker", "writing"),
    }
