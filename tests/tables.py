"""The generated tables of the documentation: `PYTHONPATH=service python tests/tables.py` rewrites them in place.

A table stands between `<!-- generated: NAME -->` and `<!-- end -->`. NAME is a key of TABLES, or `answer`: the first rows
of the SPARQL query that stands above it.
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import pyoxigraph as ox

from suasion import __main__ as command_line
from suasion import catalog, errors, exchange, loading, settings
from suasion import formats as answer_formats
from suasion.loading import Dataset
from suasion.prefixes import Prefixes, declared

ROOT = Path(__file__).parents[1]
SHOWN_ROWS = 4
_MARKED = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_SPARQL = re.compile(r"^```sparql\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LEAF = re.compile(r"^\s+[+x-] (\w+)\s+(.*?)(?:\s{2,}\d.*)?$", re.MULTILINE)
_HEAD = """PREFIX : <https://w3id.org/suasion/def#>
PREFIX dqv: <http://www.w3.org/ns/dqv#>
PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX schema: <https://schema.org/>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
"""


@dataclass(frozen=True, slots=True)
class Source:
    """What tables are made from."""

    bundle: Path
    dataset: Dataset
    prefixes: Prefixes

    def rows(self, body: str, store: ox.Store | None = None) -> list[tuple[str, ...]]:
        """Answer a SELECT query on all graphs together, or on a store; IRIs are shortened, what is unbound is empty."""
        solutions = (store or self.dataset.union).query(_HEAD + body)
        assert isinstance(solutions, ox.QuerySolutions)
        return [tuple(self.text(term) for term in row) for row in solutions]

    def text(self, term: object) -> str:
        if isinstance(term, ox.NamedNode):
            return self.prefixes.shorten(term.value)
        return term.value if isinstance(term, ox.Literal) else ""


def documents(root: Path) -> tuple[Path, ...]:
    """Return the documents of the repository, sorted."""
    folders = ("", "docs", "ontology", "graph_data", "queries")
    return tuple(sorted(path for folder in folders for path in (root / folder).glob("*.md")))


def rewritten(text: str, source: Source) -> str:
    """Return a document with each of its generated tables made anew."""

    def fill(mark: re.Match[str]) -> str:
        above = _SPARQL.findall(text[: mark.start()])
        table = answer(source, above[-1]) if mark[2] == "answer" else TABLES[mark[2]](source)
        return f"{mark[1]}\n{table}\n\n{mark[3]}"

    return _MARKED.sub(fill, text)


def terms(source: Source) -> str:
    """Return the terms of the ontology, a table for each file that defines some."""
    about = {
        term: (kind, definition, example, question)
        for term, kind, definition, example, question in source.rows(
            "SELECT ?term (MIN(?kindName) AS ?kind) ?definition (MIN(?one) AS ?example) (MIN(?number) AS ?question) WHERE {"
            " ?term rdfs:isDefinedBy <https://w3id.org/suasion/def> ; a ?class ; skos:definition ?definition ;"
            " skos:example ?one ; :competencyQuestion/skos:notation ?number ."
            " OPTIONAL { ?class rdfs:isDefinedBy <https://w3id.org/suasion/def> ; rdfs:label ?label }"
            ' BIND(IF(?class = owl:Class, "class", IF(?class = owl:ObjectProperty, "property to a thing",'
            ' IF(?class = owl:DatatypeProperty, "property to a value", CONCAT("code: ", ?label)))) AS ?kindName) }'
            " GROUP BY ?term ?definition"
        )
    }
    parts = []
    for path in sorted((source.bundle / "ontology").glob("*.ttl")):
        defined = re.findall(r"^:(\w+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        rows = [[f"`:{name}`", *about[f":{name}"]] for name in defined if f":{name}" in about]
        if rows and path.stem != "alignments":
            head = f"#### [{path.name}]({path.name})\n\n{_opening(path)}\n\n"
            parts.append(head + _table(["Term", "Is a", "Definition", "Example", "Serves"], rows))
    return "\n\n".join(parts)


def claim_files(source: Source) -> str:
    """Return the files of claims, with what each holds."""
    rows = []
    for path in sorted((source.bundle / "graph_data" / "claims").glob("*.trig")):
        store = ox.Store()
        store.load(path=str(path), format=ox.RdfFormat.TRIG)
        number = {
            name: source.rows(f"SELECT (COUNT(DISTINCT ?x) AS ?n) WHERE {{ {pattern} }}", store)[0][0]
            for name, pattern in (
                ("claims", "?x a schema:Claim"),
                ("facts", "?x a schema:Claim ; :modality ?m VALUES ?m { :ReportedAsFact :ReportedFromSource }"),
                ("passages", "?claim a schema:Claim ; :passage ?x"),
                ("notes", "?x a dqv:QualityAnnotation"),
            )
        }
        rows.append([f"[{path.name}](claims/{path.name})", _opening(path), *number.values()])
    return _table(["File", "Holds", "Claims", "Of them in the default graph", "Passages", "Quality notes"], rows)


def graphs(source: Source) -> str:
    """Return the data files that are no claims, with the graph that each becomes."""
    paths = sorted((source.bundle / "graph_data").glob("*.ttl"))
    rows = [[f"[{path.name}]({path.name})", f"`graph:{path.stem}`", _opening(path)] for path in paths]
    return _table(["File", "Graph", "Holds"], rows)


def modalities(source: Source) -> str:
    """Return the modalities, with how many claims have each."""
    found = source.rows(
        "SELECT ?code ?fact ?definition (COUNT(?claim) AS ?n) WHERE { ?code a :Modality ; skos:definition ?definition ;"
        " :countsAsFact ?fact . OPTIONAL { ?claim :modality ?code } } GROUP BY ?code ?fact ?definition ORDER BY DESC(?fact) ?code"
    )
    rows = [[f"`{code}`", definition, "yes" if fact == "true" else "no", n] for code, fact, definition, n in found]
    return _table(["Modality", "Definition", "In the default graph", "Claims"], rows)


def note_kinds(source: Source) -> str:
    """Return the kinds of data-quality notes, with how many notes are of each."""
    found = source.rows(
        "SELECT ?code ?definition (COUNT(?note) AS ?n) WHERE { ?code a :NoteKind ; skos:definition ?definition ."
        " OPTIONAL { ?note :noteKind ?code } } GROUP BY ?code ?definition ORDER BY ?code"
    )
    return _table(["Kind", "Definition", "Notes"], [[f"`{code}`", definition, n] for code, definition, n in found])


def endpoints(source: Source) -> str:
    """Return the curated endpoints, with their parameters; a required one is set in bold."""
    rows = []
    for query in catalog.load(source.bundle / "queries" / "api"):
        given = (f"**`{p.name}`**" if p.required else f"`{p.name}`" for p in query.parameters)
        rows.append([f"[`/{query.name}`](api/{query.name}.rq)", query.question, ", ".join(given)])
    return _table(["Endpoint", "Question", "Parameters"], rows)


def parameters(source: Source) -> str:
    """Return the parameters of the curated endpoints, each with the endpoints that take it."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for query in catalog.load(source.bundle / "queries" / "api"):
        for p in query.parameters:
            kind = "one of " + ", ".join(f"`{value}`" for value in p.values) if p.values else p.type
            found.setdefault((p.name, kind, p.description, p.example), []).append(f"`/{query.name}`")
    rows = [
        [f"`{name}`", kind, meaning, f"`{example}`", ", ".join(paths)] for (name, kind, meaning, example), paths in found.items()
    ]
    return _table(["Parameter", "Takes", "Meaning", "Example", "Of"], sorted(rows))


def questions(source: Source) -> str:
    """Return the competency questions, with the query that answers each."""
    files = {path.stem[:5].upper(): path.name for path in (source.bundle / "queries" / "questions").glob("*.rq")}
    found = source.rows(
        "SELECT ?number ?words WHERE { ?q a schema:Question ; skos:notation ?number ; skos:prefLabel ?words } ORDER BY ?number"
    )
    rows = [[f"[{number}](questions/{files[number]})", words] for number, words in found]
    return _table(["Question", "In words"], rows)


def checks(source: Source) -> str:
    """Return the checks, with the rule that each keeps."""
    paths = sorted((source.bundle / "queries" / "checks").glob("*.rq"))
    return _table(["Check", "Rule"], [[f"[`{path.stem}`](checks/{path.name})", _opening(path)] for path in paths])


def derivations(source: Source) -> str:
    """Return the updates that run when the data are loaded, in their order."""
    paths = sorted((source.bundle / "queries" / "derive").glob("*.ru"))
    return _table(["Update", "Adds"], [[f"[`{path.name}`](derive/{path.name})", _opening(path)] for path in paths])


def setting_table(_: Source) -> str:
    """Return the settings, with the option of `suasion serve` that overrides each, and what each may be."""
    body = ast.parse(inspect.getsource(settings.Settings)).body[0]
    assert isinstance(body, ast.ClassDef)
    said = [node.value.value for node in body.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]
    serve_options = inspect.getsource(command_line)
    rows = []
    for field, meaning in zip(fields(settings.Settings), said[1:], strict=True):
        option = "--" + field.name.replace("_", "-")
        shown = f"`{option}`" if f'serve.add_argument("{option}"' in serve_options else ""
        default = f"`{field.default}`" if field.default != "" else "empty"
        takes = str(settings.rules().get(field.name, ""))
        rows.append([f"`{settings.PREFIX}{field.name.upper()}`", shown, default, takes, str(meaning)])
    return _table(["Variable", "Option", "Default", "Takes", "Meaning"], rows)


def problems(_: Source) -> str:
    """Return the errors that a request can meet, by status."""
    drawn = dict(_LEAF.findall(errors.__doc__ or ""))
    rows = []
    for error in error_classes():
        if issubclass(error, errors.RequestError | errors.Unanswered) and error not in (errors.RequestError, errors.Unanswered):
            meaning = next(drawn[base.__name__] for base in error.__mro__ if base.__name__ in drawn)
            rows.append([str(error.status), f"`{error.__name__}`", error.title, meaning])
    return _table(["Status", "Type", "Title", "When"], sorted(rows))


def data_errors(_: Source) -> str:
    """Return the errors that the command line can meet in a bundle."""
    drawn = dict(_LEAF.findall(errors.__doc__ or ""))
    found = [error for error in error_classes() if issubclass(error, errors.DataError)]
    return _table(["Error", "Title", "When"], [[f"`{e.__name__}`", e.title, drawn[e.__name__]] for e in found])


def commands(_: Source) -> str:
    """Return the commands, as the module of the command line lists them."""
    listed = re.findall(r"^(suasion \w+) +(\S.*)$", command_line.__doc__ or "", re.MULTILINE)
    return _table(["Command", "Does"], [[f"`{command}`", meaning] for command, meaning in listed])


def formats(_: Source) -> str:
    """Return the media types that /sparql answers with, and the other names of each."""
    rows = []
    for media_type in (*exchange.SOLUTION_TYPES, *exchange.GRAPH_TYPES):
        kinds = "`SELECT`, `ASK`" if media_type in exchange.SOLUTION_TYPES else "`CONSTRUCT`, `DESCRIBE`"
        also = (
            ", ".join(f"`{name}`" for name, types in table.items() if media_type in types)
            for table in (dict(answer_formats.ALIASES), answer_formats.NAMES)
        )
        rows.append([f"`{media_type}`", kinds, *also])
    return _table(["Media type", "Answers", "Also asked for as", "Short, in `format`"], rows)


def answer(source: Source, query: str) -> str:
    """Return the first rows of a query on what is reported as fact, and how many there are."""
    solutions = source.dataset.facts.query(query)
    assert isinstance(solutions, ox.QuerySolutions)
    names = [f"?{variable.value}" for variable in solutions.variables]
    rows = [[source.text(term) for term in row] for row in solutions]
    count = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
    shown = count if len(rows) <= SHOWN_ROWS else f"The first {SHOWN_ROWS} of {count}"
    return f"{_table(names, rows[:SHOWN_ROWS])}\n\n{shown}."


def error_classes() -> tuple[type[errors.SuasionError], ...]:
    """Return the error classes, in the order in which the module defines them."""
    found = vars(errors).values()
    return tuple(value for value in found if isinstance(value, type) and issubclass(value, errors.SuasionError))


TABLES: dict[str, Callable[[Source], str]] = {
    "checks": checks,
    "claim-files": claim_files,
    "commands": commands,
    "data-errors": data_errors,
    "derivations": derivations,
    "endpoints": endpoints,
    "formats": formats,
    "graphs": graphs,
    "modalities": modalities,
    "note-kinds": note_kinds,
    "parameters": parameters,
    "problems": problems,
    "questions": questions,
    "settings": setting_table,
    "terms": terms,
}


def load_source(bundle: Path) -> Source:
    """Load what tables are made from."""
    return Source(bundle, loading.load(bundle), declared(bundle))


def _opening(path: Path) -> str:
    """Return what a file says of itself in its first comment line."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# "), f"{path}: the first line has to be a comment that says what it holds"
    return first.removeprefix("# ")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Rewrite each document."""
    source = load_source(ROOT)
    for path in documents(ROOT):
        before = path.read_text(encoding="utf-8")
        path.write_text(rewritten(before, source), encoding="utf-8")


if __name__ == "__main__":
    main()
