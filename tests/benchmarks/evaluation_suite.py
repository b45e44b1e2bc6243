"""The W3C tests of SPARQL queries, asked over HTTP of this service and of the Oxigraph server, as JSON.

The tests are not part of the repository: name a folder that holds manifests as the W3C publishes them, such as sparql11 of
its rdf-tests. The data of a test are given to `suasion serve` as files, and to the Oxigraph server as N-Quads by its Graph Store
Protocol. Each query is asked once for every format, in one of the three ways to send it, and every answer is read by code that
shares nothing with the engines. A test passes with the terms that it expects, up to the labels of blank nodes, and is counted
apart as "same_values" when numbers are written otherwise, such as 1 for 01. A test of SPARQL syntax passes when the answer is
400, or is not, as it should be. What needs SERVICE or an entailment regime is not asked.
"""

import argparse
import csv
import http.client
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import cast
from urllib.parse import quote, unquote, urlencode, urljoin
from xml.etree import ElementTree

import rdflib
from rdflib import RDF, BNode, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.compare import isomorphic

ROOT = Path(__file__).parents[2]
BASE = "http://suite.example/"
MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
QT = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-query#")
RS = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/result-set#")
DAWGT = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-dawg#")
SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
XSD = "http://www.w3.org/2001/XMLSchema#"
SOLUTIONS = ("application/sparql-results+json", "application/sparql-results+xml", "text/csv", "text/tab-separated-values")
GRAPHS = {
    "text/turtle": "turtle",
    "application/n-triples": "nt",
    "application/n-quads": "nquads",
    "application/trig": "trig",
    "application/rdf+xml": "xml",
    "application/ld+json": "json-ld",
}
OXIGRAPH_GRAPHS = ("text/turtle", "application/n-triples", "application/rdf+xml")
SAME_VALUES = "the same values, written otherwise"
_NUMERIC = re.compile(XSD + r"(decimal|float|double|\w*(?:integer|long|int|short|byte))$", re.IGNORECASE)
_SERVICE = re.compile(r"\bSERVICE\b", re.IGNORECASE)
_SYNTAX = re.compile(r"(Positive|Negative)SyntaxTest(?:1[12])?$")
_FROM = re.compile(r"\bFROM\s+(?:NAMED\s+)?<([^>]*)>", re.IGNORECASE)
_ORDERED = re.compile(r"\bORDER\s+BY\b", re.IGNORECASE)

Term = tuple[str, ...]
"""("iri", IRI), ("bnode", label) or ("literal", text, language, datatype); in CSV ("text", cell) and ("bnode", label)."""
Row = Mapping[str, Term]
Solutions = Sequence[Row]
Result = bool | Solutions | Graph


@dataclass(frozen=True, slots=True)
class Test:
    """A test of a manifest; files are named by IRIs below BASE."""

    name: str
    kind: str
    query: str
    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    result: str = ""
    lax: bool = False
    skipped: str = ""


@dataclass(slots=True)
class Tally:
    """What came of the tests, by kind and format."""

    passed: Counter[str] = field(default_factory=Counter)
    same_values: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def note(self, kind: str, name: str, fault: str) -> None:
        (self.same_values if fault == SAME_VALUES else self.failed if fault else self.passed)[kind] += 1
        if fault and fault != SAME_VALUES:
            self.failures.append(f"{name} [{kind}]: {fault}")


# ── Manifests ────────────────────────────────────────────────────────────────


def path_of(iri: str, folder: Path) -> Path:
    return folder / unquote(iri.partition("#")[0].removeprefix(BASE))


def tests(folder: Path) -> Iterator[Test]:
    for manifest in sorted(folder.rglob("manifest*.ttl")):
        iri = BASE + quote(manifest.relative_to(folder).as_posix())
        graph = Graph().parse(manifest, format="turtle", publicID=iri)
        for entries in graph.objects(None, MF.entries):
            for entry in Collection(graph, entries):
                if test := described(graph, entry, folder):
                    yield test


def described(graph: Graph, entry: rdflib.term.Node, folder: Path) -> Test | None:
    kinds = [str(kind).rpartition("#")[2] for kind in graph.objects(entry, RDF.type)]
    approval = graph.value(entry, DAWGT.approval)
    action = graph.value(entry, MF.action)
    if action is None or approval in (DAWGT.Withdrawn, DAWGT.Rejected):
        return None
    name = str(entry).removeprefix(BASE)
    syntax = next((match for kind in kinds if (match := _SYNTAX.match(kind))), None)
    if syntax:
        federated = _SERVICE.search(path_of(str(action), folder).read_text(encoding="utf-8"))
        return Test(name, syntax[1].lower() + " syntax", str(action), skipped="SERVICE" if federated else "")
    if not {"QueryEvaluationTest", "CSVResultFormatTest"} & set(kinds):
        return None
    query = str(graph.value(action, QT.query))
    default = tuple(str(iri) for iri in graph.objects(action, QT.data))
    named = tuple(str(iri) for iri in graph.objects(action, QT.graphData))
    files = tuple(dict.fromkeys((*default, *named)))
    text = path_of(query, folder).read_text(encoding="utf-8")
    if not files:
        files = tuple(dict.fromkeys(urljoin(query, iri) for iri in _FROM.findall(text)))
    skipped = ""
    if _SERVICE.search(text):
        skipped = "SERVICE"
    elif (action, SD.entailmentRegime, None) in graph:
        skipped = "an entailment regime"
    return Test(
        name,
        "CSV" if "CSVResultFormatTest" in kinds else "evaluation",
        query,
        default,
        named,
        files,
        str(graph.value(entry, MF.result)),
        (entry, MF.resultCardinality, MF.LaxCardinality) in graph,
        skipped,
    )


# ── Results ──────────────────────────────────────────────────────────────────


def literal(text: str, language: str = "", datatype: str = "") -> Term:
    implied = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString" if language else XSD + "string"
    return ("literal", text, language.lower(), datatype or implied)


def term_of(node: object) -> Term:
    if isinstance(node, URIRef):
        return ("iri", str(node))
    if isinstance(node, BNode):
        return ("bnode", str(node))
    assert isinstance(node, Literal)
    return literal(str(node), node.language or "", str(node.datatype or ""))


def read_json(body: bytes) -> bool | Solutions:
    document = json.loads(body)
    if "boolean" in document:
        return cast(bool, document["boolean"])
    return [{name: json_term(term) for name, term in row.items()} for row in document["results"]["bindings"]]


def json_term(term: Mapping[str, str]) -> Term:
    if term["type"] == "uri":
        return ("iri", term["value"])
    if term["type"] == "bnode":
        return ("bnode", term["value"])
    return literal(term["value"], term.get("xml:lang", ""), term.get("datatype", ""))


def read_xml(body: bytes) -> bool | Solutions:
    space = "{http://www.w3.org/2005/sparql-results#}"
    root = ElementTree.fromstring(body)  # noqa: S314 - written on this machine
    boolean = root.find(f"{space}boolean")
    if boolean is not None:
        return (boolean.text or "").strip() == "true"
    return [
        {binding.attrib["name"]: xml_term(binding[0]) for binding in row.iter(f"{space}binding") if len(binding)}
        for row in root.iter(f"{space}result")
    ]


def xml_term(element: ElementTree.Element) -> Term:
    text = element.text or ""
    kind = element.tag.rpartition("}")[2]
    if kind == "literal":
        return literal(text, element.get("{http://www.w3.org/XML/1998/namespace}lang", ""), element.get("datatype", ""))
    return ("iri" if kind == "uri" else "bnode", text)


def read_csv(body: bytes) -> bool | Solutions:
    text = body.decode("utf-8")
    if text.strip() in ("true", "false"):
        return text.strip() == "true"
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    return [{name: csv_term(cell) for name, cell in zip(head, row or [""] * len(head), strict=True) if cell} for row in rows]


def csv_term(cell: str) -> Term:
    return ("bnode", cell[2:]) if cell.startswith("_:") else ("text", cell)


_TSV = re.compile(
    r"""
      <(?P<iri>[^<>]*)> | _:(?P<bnode>\S+)
    | (?P<quote>["'])(?P<text>(?:[^\\]|\\.)*)(?P=quote)(?:@(?P<language>[\w-]+)|\^\^<(?P<datatype>[^<>]*)>)?
    | (?P<integer>[+-]?\d+) | (?P<decimal>[+-]?\d*\.\d+) | (?P<double>[+-]?(?:\d+\.?\d*|\.\d+)[eE][+-]?\d+)
    | (?P<boolean>true|false)
    """,
    re.VERBOSE,
)
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


def read_tsv(body: bytes) -> bool | Solutions:
    text = body.decode("utf-8")
    if text.strip() in ("true", "false"):
        return text.strip() == "true"
    head, *lines = text.removesuffix("\n").replace("\r\n", "\n").split("\n")
    names = [name.removeprefix("?") for name in head.split("\t")]  # [""] where there is no variable, and its cells are empty
    rows = (zip(names, line.split("\t"), strict=True) for line in lines)
    return [{name: tsv_term(cell) for name, cell in row if cell} for row in rows]


def tsv_term(cell: str) -> Term:
    match = _TSV.fullmatch(cell)
    if match is None:
        raise ValueError(f"no term of TSV: {cell!r}")
    if match["iri"] is not None:
        return ("iri", match["iri"])
    if match["bnode"]:
        return ("bnode", match["bnode"])
    if match["quote"]:
        text = re.sub(
            r"\\(?:u(.{4})|U(.{8})|(.))", lambda m: _ESCAPES[m[3]] if m[3] else chr(int(m[1] or m[2], 16)), match["text"]
        )
        return literal(text, match["language"] or "", match["datatype"] or "")
    return literal(cell, "", XSD + next(kind for kind in ("integer", "decimal", "double", "boolean") if match[kind]))


READERS: Mapping[str, Callable[[bytes], bool | Solutions]] = dict(
    zip(SOLUTIONS, (read_json, read_xml, read_csv, read_tsv), strict=True)
)


def read_graph(body: bytes, form: str) -> Graph:
    dataset = rdflib.Dataset()
    target = dataset if form in ("nquads", "trig", "json-ld") else dataset.default_graph
    target.parse(data=body, format=form, publicID=BASE)
    graph = Graph()
    graph += dataset.default_graph
    return graph


def expected(test: Test, folder: Path) -> tuple[Result, bool]:
    """Return the result that a test expects, and whether the order of its rows matters."""
    path = path_of(test.result, folder)
    body = path.read_bytes()
    by_ending = {".srx": read_xml, ".srj": read_json, ".csv": read_csv, ".tsv": read_tsv}
    if reader := by_ending.get(path.suffix):
        query = path_of(test.query, folder).read_text(encoding="utf-8")
        return reader(body), bool(_ORDERED.search(query))
    graph = Graph().parse(data=body, format="xml" if path.suffix == ".rdf" else "turtle", publicID=test.result)
    result = graph.value(predicate=RDF.type, object=RS.ResultSet)
    if result is None:
        return graph, False
    boolean = graph.value(result, RS.boolean)
    if boolean is not None:
        return str(boolean) == "true", False
    found: list[tuple[int, Row]] = []
    for solution in graph.objects(result, RS.solution):
        bindings = list(graph.objects(solution, RS.binding))
        row = {str(graph.value(one, RS.variable)): term_of(graph.value(one, RS.value)) for one in bindings}
        found.append((int(str(graph.value(solution, RS["index"]) or 0)), row))
    found.sort(key=lambda pair: pair[0])
    return [row for _, row in found], any(index for index, _ in found)


def as_graph(rows: Iterable[Mapping[str, object]]) -> Graph:
    """Return solutions as a graph, which is isomorphic to that of others when those are the same but for blank nodes."""
    graph = Graph()
    labels: dict[object, BNode] = {}
    counted = Counter(tuple(sorted(row.items(), key=lambda pair: pair[0])) for row in rows)
    for row, number in counted.items():
        node = BNode()
        graph.add((node, URIRef(BASE + "times"), Literal(number)))
        for name, term in row:
            blank = isinstance(term, tuple) and term[0] == "bnode"
            value = labels.setdefault(term, BNode()) if blank else Literal(json.dumps(term))
            graph.add((node, URIRef(BASE + "column/" + quote(name)), value))
    return graph


def as_csv(rows: Solutions) -> Solutions:
    """Return what CSV keeps of solutions: the text of each term, and nothing of an empty one."""
    return [
        {name: ("bnode", "_" + term[1]) if term[0] == "bnode" else csv_term(term[1]) for name, term in row.items() if term[1]}
        for row in rows
    ]


def valued(result: Result) -> Result:
    """Return solutions with numbers as numbers, so that those of one datatype and value are equal."""
    if isinstance(result, bool | Graph):
        return result
    return [{name: valued_term(term) for name, term in row.items()} for row in result]


def valued_term(term: Term) -> Term:
    if term[0] == "text" or (term[0] == "literal" and _NUMERIC.match(term[3])):
        try:
            number = float(term[1])
        except ValueError:
            return term
        return (term[0], repr(round(number, 12)), *term[2:])
    return term


def difference(found: Result, wanted: Result, ordered: bool, lax: bool) -> str:
    """Return how a result differs from the one wanted, "" when they are the same up to the labels of blank nodes."""
    if isinstance(found, Graph) or isinstance(wanted, Graph):
        if isinstance(found, Graph) and isinstance(wanted, Graph) and isomorphic(found, wanted):
            return ""
        return "another graph"
    if isinstance(found, bool) or isinstance(wanted, bool):
        return "" if found is wanted else f"{found!r:.60} instead of {wanted!r:.60}"
    if lax:
        most = Counter(tuple(sorted(row.items())) for row in wanted)
        least = Counter(tuple(sorted(row.items())) for row in found)
        return "" if set(most) == set(least) and least <= most else "other rows, or one too often"
    if not isomorphic(as_graph(found), as_graph(wanted)):
        if valued(found) != found and not difference(valued(found), valued(wanted), ordered, lax):
            return SAME_VALUES
        return f"{len(found)} rows {list(found)!r:.300} instead of {len(wanted)} rows {list(wanted)!r:.300}"
    if ordered:
        numbered = [[{**row, "": index} for index, row in enumerate(rows)] for rows in (found, wanted)]
        return "" if isomorphic(as_graph(numbered[0]), as_graph(numbered[1])) else "another order"
    return ""


# ── Servers ──────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Endpoint:
    """A SPARQL endpoint that listens on a port of this machine, asked over one connection."""

    port: int
    path: str
    graphs: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...] = ()

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers))
            reply = connection.getresponse()
            return reply.status, reply.headers.get("content-type", ""), reply.read()
        finally:
            connection.close()

    def ask(self, query: str, accept: str, parameters: Sequence[tuple[str, str]]) -> tuple[int, str, bytes]:
        """Send a query by the way that stands for the format."""
        headers = {"Accept": accept}
        way = (*SOLUTIONS, *GRAPHS).index(accept) % 3
        if way == 0:
            target = self.path + (f"?{urlencode(parameters)}" if parameters else "")
            return self.send("POST", target, {**headers, "Content-Type": "application/sparql-query"}, query.encode("utf-8"))
        encoded = urlencode([("query", query), *parameters])
        if way == 1:
            return self.send("GET", f"{self.path}?{encoded}", headers)
        return self.send("POST", self.path, {**headers, "Content-Type": "application/x-www-form-urlencoded"}, encoded.encode())


Serving = Callable[[Test], AbstractContextManager[tuple[Endpoint, Sequence[tuple[str, str]]]]]
"""Puts the data of a test on a server; gives the endpoint and the parameters that name the dataset of the test."""


def suasion(folder: Path) -> Serving:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "service"),
        "SUASION_CLIENT_SECONDS_PER_MINUTE": "0",
        "SUASION_WORKERS": "1",
        "SUASION_OWN_WORKERS": "1",
    }

    @contextmanager
    def serving(test: Test) -> Iterator[tuple[Endpoint, Sequence[tuple[str, str]]]]:
        with tempfile.TemporaryDirectory() as scratch:
            paths = [path_of(iri, folder) for iri in test.files]
            if not paths:
                paths = [Path(scratch) / "empty.nt"]
                paths[0].touch()
            options = ["--base-iri", test.files[0] if test.files else BASE]
            parameters: list[tuple[str, str]] = []
            if test.named or not test.default:
                options.append("--graph-per-file")
                parameters += [("default-graph-uri", iri) for iri in test.default]
                parameters += [("named-graph-uri", iri) for iri in test.named]
            command = [sys.executable, "-m", "suasion", "serve", "--port", "0", *options, *map(str, paths)]
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=scratch
            )
            assert process.stdout and process.stderr
            try:
                line = process.stdout.readline()
                if not line.startswith("Suasion answers at "):
                    raise RuntimeError(process.stderr.read().strip() or line)
                port = int(line.strip().rstrip("/").rpartition(":")[2])
                yield Endpoint(port, "/sparql", tuple(GRAPHS)), parameters
            finally:
                process.terminate()
                process.communicate(timeout=30)

    return serving


@contextmanager
def oxigraph(folder: Path, binary: Path) -> Iterator[Serving]:
    from light_queries import free_port, wait_for

    port = free_port()
    process = subprocess.Popen([str(binary), "serve", "--bind", f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    endpoint = Endpoint(port, "/query", OXIGRAPH_GRAPHS)

    @contextmanager
    def serving(test: Test) -> Iterator[tuple[Endpoint, Sequence[tuple[str, str]]]]:
        endpoint.send("POST", "/update", {"Content-Type": "application/sparql-update"}, b"DROP ALL")
        from_query = set(test.files) - set(test.default) - set(test.named)
        for target, iris in (("", test.default), ("named", (*test.named, *from_query))):
            for iri in iris:
                path = path_of(iri, folder)
                form = {".rdf": "xml", ".nt": "nt"}.get(path.suffix, "turtle")
                lines = Graph().parse(path, format=form, publicID=iri).serialize(format="nt", encoding="utf-8")
                where = f"/store?{urlencode({'graph': iri}) if target else 'default'}"
                status, _, body = endpoint.send("POST", where, {"Content-Type": "application/n-triples"}, lines)
                if status >= 300:
                    raise RuntimeError(body.decode("utf-8", "replace"))
        yield endpoint, ()

    try:
        wait_for(port, process)
        yield serving
    finally:
        process.terminate()
        process.wait(timeout=20)


# ── Running ──────────────────────────────────────────────────────────────────


def query_text(test: Test, folder: Path) -> str:
    """Return the query with its own IRI as base, as relative IRIs in it are meant."""
    return f"BASE <{test.query}>\n" + path_of(test.query, folder).read_bytes().decode("utf-8")


def evaluate(test: Test, folder: Path, endpoint: Endpoint, parameters: Sequence[tuple[str, str]], tally: Tally) -> None:
    wanted, ordered = expected(test, folder)
    query = query_text(test, folder)
    formats = endpoint.graphs if isinstance(wanted, Graph) else ("text/csv",) if test.kind == "CSV" else SOLUTIONS
    for accept in formats:
        try:
            status, kind, body = endpoint.ask(query, accept, parameters)
            if status != 200:
                fault = f"status {status}: {body.decode('utf-8', 'replace'):.200}"
            elif kind.partition(";")[0] != accept:
                fault = f"answered as {kind}"
            elif isinstance(wanted, Graph):
                fault = difference(read_graph(body, GRAPHS[accept]), wanted, ordered, test.lax)
            else:
                wish = as_csv(wanted) if accept == "text/csv" and not isinstance(wanted, bool) and test.kind != "CSV" else wanted
                fault = difference(READERS[accept](body), wish, ordered, test.lax)
        except (ValueError, OSError, http.client.HTTPException, ElementTree.ParseError, KeyError) as error:
            fault = f"{type(error).__name__}: {error}"
        tally.note(accept, test.name, fault)


def check_syntax(test: Test, folder: Path, endpoint: Endpoint, tally: Tally) -> None:
    status, _, body = endpoint.ask(query_text(test, folder), SOLUTIONS[0], ())
    if status == 406:  # a graph, which the format cannot carry: it was parsed
        status = 200
    right = (status == 400) == (test.kind == "negative syntax")
    tally.note(test.kind, test.name, "" if right else f"status {status}: {body.decode('utf-8', 'replace'):.200}")


def run(found: Sequence[Test], folder: Path, serving: Serving) -> Tally:
    tally = Tally()

    def data(test: Test) -> tuple[tuple[str, ...], ...]:
        return (test.files, test.default, test.named)

    asked = sorted((test for test in found if not test.skipped), key=data)
    for _, group in groupby(asked, data):
        alike = list(group)
        try:
            with serving(alike[0]) as (endpoint, parameters):
                for test in alike:
                    if test.kind.endswith("syntax"):
                        check_syntax(test, folder, endpoint, tally)
                    else:
                        evaluate(test, folder, endpoint, parameters, tally)
        except RuntimeError as error:
            for test in alike:
                tally.note("data", test.name, str(error))
    return tally


def report(tally: Tally) -> dict[str, object]:
    kinds = sorted({*tally.passed, *tally.same_values, *tally.failed})
    return {
        "passed": sum(tally.passed.values()),
        "same_values": sum(tally.same_values.values()),
        "failed": sum(tally.failed.values()),
        "by_kind": {
            kind: {"passed": tally.passed[kind], "same_values": tally.same_values[kind], "failed": tally.failed[kind]}
            for kind in kinds
        },
        "failures": sorted(tally.failures),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder with the manifests of the W3C")
    parser.add_argument("--oxigraph", type=Path, help="the program of the Oxigraph server, to ask the same of it")
    parser.add_argument("--only", default="", help="a part of the names of the tests to run")
    options = parser.parse_args()
    rdflib.NORMALIZE_LITERALS = False
    folder = options.folder.resolve()
    found = [test for test in tests(folder) if options.only in test.name]
    document: dict[str, object] = {
        "tests": dict(Counter(test.kind for test in found if not test.skipped)),
        "not_asked": dict(Counter(f"needs {test.skipped}" for test in found if test.skipped)),
        "suasion": report(run(found, folder, suasion(folder))),
    }
    if options.oxigraph:
        with oxigraph(folder, options.oxigraph) as serving:
            document["oxigraph"] = report(run(found, folder, serving))
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
