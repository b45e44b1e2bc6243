"""Hostile queries, each with a name: what ends engines, keeps planners busy, fills memory, never ends, or reaches outside.

The forms are those of which an engine is known to die or to hang; their sizes are those that do it. For each family there are
some that a gate should refuse, and some just below its limits, which have to be borne.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from urllib.parse import quote

CITO = "http://purl.org/spar/cito/"
DEF = "https://w3id.org/suasion/def#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
COUNT = "SELECT (COUNT(*) AS ?n) WHERE "


@dataclass(frozen=True, slots=True)
class Hostile:
    """A query by name; `answer` is the number that it has to give as ?n, if it is answered at all."""

    name: str
    query: str
    answer: int | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """A query that tries to make the service connect to a URL."""

    name: str
    query: str


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """A request that tries to make the service connect to a URL; `path` holds the parameters too."""

    name: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


def nested(start: str, opening: str, inner: str, closing: str, end: str, levels: int) -> str:
    return start + opening * levels + inner + closing * levels + end


def nesting() -> Iterator[Hostile]:
    """Yield nestings that overflow an ordinary stack, and some of the depth that a gate lets through."""
    forms: dict[str, tuple[str, str, str, str, str, int]] = {
        "parentheses": ("ASK { FILTER(", "(", "1", ")", ") }", 100_000),
        "functions": ("ASK { FILTER(", "STR(", "1", ")", ") }", 20_000),
        "ifs": ("ASK { FILTER(", "IF(true,", "1", ",2)", ") }", 10_000),
        "groups": ("SELECT * WHERE {", "{ ", "?s ?p ?o", " }", " }", 50_000),
        "optionals": ("SELECT * WHERE {", "OPTIONAL { ?s ?p ?o ", "", "}", "}", 3_200),
        "unions": ("SELECT * WHERE {", "{ ?s ?p ?o } UNION { ", "?s ?p ?o", " }", "}", 3_200),
        "sub-selects": ("SELECT * WHERE ", "{ SELECT * WHERE ", "{ ?s ?p ?o }", " }", "", 6_400),
        "graphs": ("SELECT * WHERE {", "GRAPH ?g { ", "?s ?p ?o", " }", "}", 6_400),
        "exists": ("ASK {", "FILTER EXISTS { ", "?s ?p ?o", " }", "}", 3_200),
        "quoted-triples": ("SELECT * WHERE { ?s ?p ", "<< ?s ?p ", "?o", " >>", " }", 6_400),
        "blank-nodes": ("SELECT * WHERE { ?s ?p ", "[ ?p ", "?o", " ]", " }", 20_000),
        "lists": ("SELECT * WHERE { ?s ?p ", "( ", "1", " )", " }", 20_000),
        "stars": ("SELECT * WHERE { ?s ", "(", "<urn:p>", ")*", " ?o }", 6_400),
        "not": ("ASK { FILTER(", "!", "true", "", ") }", 50_000),
        "minus-signs": ("ASK { FILTER(1 = ", "- ", "1", "", ") }", 50_000),
        "inverses": ("SELECT * WHERE { ?s ", "^", "<urn:p>", "", " ?o }", 50_000),
    }
    for name, (start, opening, inner, closing, end, levels) in forms.items():
        yield Hostile(f"nested-{name}", nested(start, opening, inner, closing, end, levels))
    for name in ("parentheses", "functions", "optionals", "sub-selects", "exists", "stars"):
        start, opening, inner, closing, end, _ = forms[name]
        yield Hostile(f"nested-{name}-60", nested(start, opening, inner, closing, end, 60))


def wide() -> Iterator[Hostile]:
    """Yield flat queries that are so wide that parsing or planning them overflows the stack."""
    yield Hostile("wide-unions", "SELECT * WHERE { " + " UNION ".join(["{ ?s ?p ?o }"] * 10_000) + " }")
    yield Hostile("wide-sum", "ASK { FILTER(" + "+".join(["1"] * 20_000) + ") }")
    yield Hostile("wide-filters", "ASK { " + "FILTER(1) " * 10_000 + "}")
    yield Hostile("wide-binds", "ASK { " + " ".join(f"BIND(1 AS ?v{n})" for n in range(10_000)) + " }")
    yield Hostile("wide-minus", "ASK { ?s ?p ?o " + "MINUS { ?s ?p 1 } " * 10_000 + "}")
    yield Hostile("wide-chain", "ASK { " + " . ".join(f"?v{n} ?p ?v{n + 1}" for n in range(11_847)) + " }")
    yield Hostile("wide-groups", "ASK { " + " ".join(f"{{ ?a{n} ?b{n} ?c{n} }}" for n in range(8_000)) + " }")
    yield Hostile("wide-graphs", "ASK { " + "GRAPH ?g { ?s ?p ?o } " * 8_000 + "}")
    yield Hostile("wide-sub-selects", "ASK { " + "{ SELECT * { ?s ?p ?o } } " * 8_000 + "}")
    yield Hostile("wide-projection", "SELECT " + " ".join(f"(1 AS ?v{n})" for n in range(15_000)) + " WHERE { }")
    yield Hostile("wide-order", "SELECT * WHERE { ?s ?p ?o } ORDER BY " + "STR(?s) DESC(?o) " * 12_000)
    yield Hostile("wide-groupings", "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o } GROUP BY " + "STR(?o) " * 25_000)
    yield Hostile("wide-coalesce", "SELECT (COALESCE(" + ",".join(["?none"] * 40_000) + ", 1) AS ?n) WHERE { }", 1)
    yield Hostile("wide-prefixes", "".join(f"PREFIX p{n}: <urn:{n}>\n" for n in range(10_000)) + "ASK { }")


def planning() -> Iterator[Hostile]:
    """Yield queries whose planning takes the third power of their length, or more; each also at the limit of the gate."""
    for times in (60, 200):
        yield Hostile(f"plan-optionals-{times}", "ASK { ?s ?p ?o " + "OPTIONAL { ?s ?p ?o } " * times + "}")
    for times in (99, 200):
        yield Hostile(f"plan-list-{times}", "ASK { ?s ?p (" + "1 " * times + ") }")
    for times in (199, 800):
        yield Hostile(f"plan-chain-{times}", "ASK { " + " . ".join(f"?v{n} ?p ?v{n + 1}" for n in range(times)) + " }")
    for times in (99, 800):
        yield Hostile(f"plan-path-{times}", "ASK { ?s " + "/".join(["<urn:p>"] * times) + " ?o }")
    for times in (790, 3_200):
        yield Hostile(f"plan-or-{times}", "ASK { ?s ?p ?o FILTER(" + " || ".join(["?o"] * times) + ") }")
    yield Hostile("plan-groups-400", "ASK { " + " ".join(f"{{ ?v{n} ?p ?v{n + 1} }}" for n in range(400)) + " }")
    yield Hostile("plan-exists-400", "ASK { ?s ?p ?o " + "FILTER EXISTS { ?s ?p ?o } " * 399 + "}")


def memory() -> Iterator[Hostile]:
    """Yield queries that fill memory from a few bytes."""
    product = "{ ?a ?b ?c . ?d ?e ?f }"
    yield Hostile("memory-order", f"SELECT * WHERE {product} ORDER BY ?a ?d ?f ?c")
    yield Hostile("memory-group", f"SELECT ?a ?d ?f (COUNT(*) AS ?n) WHERE {product} GROUP BY ?a ?c ?d ?f")
    yield Hostile("memory-distinct", f"SELECT DISTINCT ?a ?c ?d ?f WHERE {product}")
    yield Hostile("memory-count-distinct", f"SELECT (COUNT(DISTINCT CONCAT(STR(?a), STR(?d), STR(?f))) AS ?n) WHERE {product}")
    yield Hostile("memory-group-concat", f"SELECT (GROUP_CONCAT(STR(?a)) AS ?n) WHERE {product}")
    yield Hostile("memory-answer", f"SELECT * WHERE {product}")
    yield Hostile("memory-construct", f"CONSTRUCT {{ ?a ?e ?f . ?d ?b ?c }} WHERE {product}")
    yield Hostile("memory-describe", f"DESCRIBE ?a ?d WHERE {product}")
    yield Hostile("memory-describe-all", "DESCRIBE ?s ?o WHERE { ?s ?p ?o }")
    yield Hostile(
        "memory-hash-join",
        COUNT + "{ { SELECT * { ?a ?b ?c . ?d ?e ?f } } { SELECT * { ?f ?g ?h . ?i ?j ?c } } }",
    )
    yield Hostile("memory-uuid", "SELECT DISTINCT (STRUUID() AS ?u) WHERE " + product)


def growing() -> Iterator[Hostile]:
    """Yield queries that build a literal of twice the length, or more, at each step."""
    for times in (20, 30, 40):
        steps = " ".join(f"BIND(CONCAT(?v{n}, ?v{n}) AS ?v{n + 1})" for n in range(times))
        query = f'SELECT (STRLEN(?v{times}) AS ?n) WHERE {{ BIND("a" AS ?v0) {steps} }}'
        yield Hostile(f"grow-concat-{times}", query, 2**times)
    steps = " ".join(f'BIND(REPLACE(?v{n}, "a", "aaaaaaaaaa") AS ?v{n + 1})' for n in range(12))
    yield Hostile("grow-replace-12", f'SELECT (STRLEN(?v12) AS ?n) WHERE {{ BIND("a" AS ?v0) {steps} }}', 10**12)
    steps = " ".join(f"BIND(ENCODE_FOR_URI(?v{n}) AS ?v{n + 1})" for n in range(90))
    yield Hostile("grow-encode-90", f'SELECT (STRLEN(?v90) AS ?n) WHERE {{ BIND("é" AS ?v0) {steps} }}', 362)


def endless() -> Iterator[Hostile]:
    """Yield queries that need little memory and do not come to an end."""
    yield Hostile("endless-count", COUNT + "{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }")
    values = " ".join(f"VALUES ?v{n} {{ {' '.join(map(str, range(100)))} }}" for n in range(6))
    yield Hostile("endless-values", COUNT + f"{{ {values} }}", 100**6)
    yield Hostile("endless-offset", "SELECT * WHERE { ?a ?b ?c . ?d ?e ?f } OFFSET 900000000 LIMIT 1")
    yield Hostile("endless-regex", COUNT + '{ ?a ?b ?c . ?d ?e ?f FILTER(REGEX(CONCAT(STR(?c), STR(?f)), "^(x+x+)+y$")) }')
    yield Hostile("endless-not-exists", COUNT + "{ ?a ?b ?c . ?d ?e ?f FILTER NOT EXISTS { ?c ?x ?f . ?f ?y ?a } }")
    yield Hostile("endless-minus", COUNT + "{ ?a ?b ?c . ?d ?e ?f MINUS { ?a ?x ?f . ?y ?z ?c } }")
    yield Hostile("endless-hash", COUNT + '{ ?a ?b ?c . ?d ?e ?f FILTER(SHA512(CONCAT(STR(?a), STR(?f))) = "") }')
    yield Hostile("endless-ask", "ASK { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?a = ?c && ?d = ?f && ?g = 1) }")
    yield Hostile("endless-optional", COUNT + "{ ?a ?b ?c OPTIONAL { ?d ?e ?f FILTER(STRLEN(STR(?f)) > STRLEN(STR(?c))) } }")
    yield Hostile("endless-graphs", COUNT + "{ GRAPH ?g { ?a ?b ?c } GRAPH ?h { ?d ?e ?f } GRAPH ?i { ?j ?k ?l } }")


def paths() -> Iterator[Hostile]:
    """Yield property paths on the cycles of the real graph, from every node to every node."""
    linked = f"<{CITO}supports>|^<{CITO}supports>|<{DEF}contrastsWith>|<{DEF}associatedWith>|<{CITO}disagreesWith>"
    yield Hostile("path-cycles", COUNT + f"{{ ?a ({linked})* ?b }}")
    yield Hostile("path-cycles-of-cycles", COUNT + f"{{ ?a (({linked})+/(^<{SKOS}broader>|<{SKOS}broader>)*)+ ?b }}")
    yield Hostile("path-anything", COUNT + "{ ?a (!<urn:p>|^!<urn:p>)+ ?b }")
    yield Hostile("path-anything-twice", COUNT + "{ ?a (!<urn:p>|!<urn:q>)* ?b . ?b (!<urn:p>)* ?c }")


def regexes() -> Iterator[Hostile]:
    """Yield regular expressions that other engines do not survive."""
    long = "a" * 100_000
    yield Hostile("regex-backtracking", f'SELECT (IF(REGEX("{long}b", "^(a+)+$"), 1, 0) AS ?n) WHERE {{ }}', 0)
    yield Hostile("regex-repeats", 'SELECT (REGEX("a", "((a{1,1000}){1,1000}){1,1000}") AS ?n) WHERE { }')
    yield Hostile("regex-compile", f'SELECT (REGEX("{long}", "(((a{{0,30}}){{0,30}}){{0,30}}){{0,4}}") AS ?n) WHERE {{ }}')
    yield Hostile("regex-nested", f'SELECT (REGEX("a", "{"(" * 40_000}a{")" * 40_000}") AS ?n) WHERE {{ }}')


def large() -> Iterator[Hostile]:
    """Yield texts that are large but plain; those below the limits have to be answered right, or refused."""
    yield Hostile("large-values", COUNT + "{ VALUES ?v { " + " ".join(map(str, range(30_000))) + " } }", 30_000)
    yield Hostile("large-in", COUNT + "{ ?s ?p ?o FILTER(?o IN (" + ", ".join(f'"x{n}"' for n in range(20_000)) + ")) }", 0)
    yield Hostile("large-literal-200-kb", f'SELECT (STRLEN("{"x" * 200_000}") AS ?n) WHERE {{ }}', 200_000)
    yield Hostile("large-literal-1-mb", f'SELECT (STRLEN("{"x" * 1_000_000}") AS ?n) WHERE {{ }}', 1_000_000)
    yield Hostile("large-literal-2-mb", f'SELECT (STRLEN("{"x" * 2_000_000}") AS ?n) WHERE {{ }}', 2_000_000)
    yield Hostile("large-iri", f"ASK {{ <urn:{'x' * 200_000}> ?p ?o }}")
    yield Hostile("large-comment", "ASK { } #" + "x" * 200_000)
    yield Hostile("large-variable", f"SELECT ?{'x' * 200_000} WHERE {{ }}")
    yield Hostile("large-escapes", 'ASK { FILTER(STRLEN("' + "\\u0041" * 40_000 + '") = 40000) }')
    yield Hostile("large-quotes", 'ASK { FILTER("""' + '\\"' * 100_000 + '""" = "") }')
    yield Hostile("large-from", "SELECT * " + " ".join(f"FROM NAMED <urn:{n}>" for n in range(10_000)) + " WHERE { }")
    yield Hostile("large-numbers", f"SELECT ({'9' * 50_000} * 1e{'9' * 50_000} AS ?n) WHERE {{ }}")
    edges = '(ABS("-9223372036854775808"^^<http://www.w3.org/2001/XMLSchema#long>) AS ?x)'
    yield Hostile("large-edges", f'SELECT {edges} (SUBSTR("é", -9223372036854775807, 9223372036854775807) AS ?y) WHERE {{ }}')


FAMILIES: tuple[Callable[[], Iterator[Hostile]], ...] = (
    nesting,
    wide,
    planning,
    memory,
    growing,
    endless,
    paths,
    regexes,
    large,
)


def hostile() -> list[Hostile]:
    return list(chain.from_iterable(family() for family in FAMILIES))


def probes(url: str) -> Iterator[Probe]:
    """Yield queries that would fetch a URL (one with a host, and no slash at its end), in every disguise."""
    call = f"SERVICE <{url}/> {{ ?s ?p ?o }}"
    word, escaped = "".join(f"\\u{ord(letter):04X}" for letter in "SERVICE"), url.replace("h", "\\u0068", 1)
    host, _, port = url.removeprefix("http://").rpartition(":")
    yield Probe("service", f"SELECT * WHERE {{ {call} }}")
    yield Probe("service-silent", f"SELECT * WHERE {{ SERVICE SILENT <{url}/> {{ ?s ?p ?o }} }}")
    yield Probe("odd-case", f"SELECT * WHERE {{ sErViCe SiLeNt <{url}/> {{ ?s ?p ?o }} }}")
    yield Probe("no-blanks", f"SELECT*WHERE{{SERVICE<{url}/>{{?s ?p ?o}}}}")
    yield Probe("after-a-number", f"SELECT * WHERE {{ ?a ?b 1SERVICE<{url}/>{{ ?s ?p ?o }} }}")
    yield Probe("after-an-exponent", f"SELECT * WHERE {{ BIND(1 AS ?a) FILTER(?a = 1e0)SERVICE<{url}/>{{ ?s ?p ?o }} }}")
    yield Probe("after-true", f"SELECT * WHERE {{ ?a ?b trueSERVICE<{url}/>{{ ?s ?p ?o }} }}")
    yield Probe("after-a-comment", f"SELECT * WHERE {{ # not here\rSERVICE # nor here\n<{url}/> {{ ?s ?p ?o }} }}")
    yield Probe("after-a-hash-in-an-iri", f"SELECT * WHERE {{ OPTIONAL {{ ?a <urn:x#y> ?b }} {call} }}")
    yield Probe("after-an-escaped-quote", f'SELECT * WHERE {{ OPTIONAL {{ ?a ?b "\\"#" }} {call} }}')
    yield Probe("after-a-long-string", f'SELECT * WHERE {{ OPTIONAL {{ ?a ?b """x\\"""" }} {call} }}')
    yield Probe("after-a-long-apostrophe", f"SELECT * WHERE {{ OPTIONAL {{ ?a ?b '''a''b\\'''' }} {call} }}")
    yield Probe("after-a-less-than", f"SELECT * WHERE {{ BIND(1 AS ?a) FILTER(?a<2) {call} FILTER(?a>0) }}")
    yield Probe("after-an-escaped-name", f"PREFIX x: <urn:x> SELECT * WHERE {{ OPTIONAL {{ ?a x:a\\' ?b }} {call} }}")
    yield Probe("after-an-escape-for-a-quote", f'SELECT * WHERE {{ OPTIONAL {{ ?a ?b "\\u0022" }} {call} }}')
    yield Probe("escaped-keyword", f"SELECT * WHERE {{ \\u0053ERVICE <{url}/> {{ ?s ?p ?o }} }}")
    yield Probe("escaped-in-whole", f"SELECT * WHERE {{ {word} <{url}/> {{ ?s ?p ?o }} }}")
    yield Probe("escaped-iri", f"SELECT * WHERE {{ SERVICE <{escaped}/> {{ ?s ?p ?o }} }}")
    yield Probe("as-a-prefix", f"PREFIX SERVICE: <{url}/> SELECT * WHERE {{ SERVICE SERVICE:x {{ ?s ?p ?o }} }}")
    yield Probe("glued-to-a-prefix", f"PREFIX : <{url}/> SELECT * WHERE {{ SERVICE:x {{ ?s ?p ?o }} }}")
    yield Probe("glued-silent", f"PREFIX x: <{url}/> SELECT * WHERE {{ SERVICE SILENTx:x {{ ?s ?p ?o }} }}")
    yield Probe("base-relative", f"BASE <{url}/> SELECT * WHERE {{ SERVICE <sparql> {{ ?s ?p ?o }} }}")
    yield Probe("base-and-dots", f"BASE <{url}/a/b> SELECT * WHERE {{ SERVICE <../x> {{ ?s ?p ?o }} }}")
    yield Probe("network-path", f"BASE <http:x> SELECT * WHERE {{ SERVICE <//{host}:{port}/> {{ ?s ?p ?o }} }}")
    yield Probe("user-info", f"SELECT * WHERE {{ SERVICE <http://user:word@{host}:{port}/> {{ ?s ?p ?o }} }}")
    yield Probe("decimal-address", f"SELECT * WHERE {{ SERVICE <http://2130706433:{port}/> {{ ?s ?p ?o }} }}")
    yield Probe("host-name", f"SELECT * WHERE {{ SERVICE <http://localhost:{port}/> {{ ?s ?p ?o }} }}")
    yield Probe("https", f"SELECT * WHERE {{ SERVICE <https://{host}:{port}/> {{ ?s ?p ?o }} }}")
    yield Probe("bound-variable", f"SELECT * WHERE {{ BIND(<{url}/> AS ?w) SERVICE ?w {{ ?s ?p ?o }} }}")
    yield Probe("variable-of-values", f"SELECT * WHERE {{ VALUES ?w {{ <{url}/> }} SERVICE SILENT ?w {{ ?s ?p ?o }} }}")
    yield Probe("in-exists", f"ASK {{ FILTER EXISTS {{ {call} }} }}")
    yield Probe("in-not-exists", f"ASK {{ FILTER NOT EXISTS {{ {call} }} }}")
    yield Probe("in-if", f"ASK {{ BIND(IF(EXISTS {{ {call} }}, 1, 2) AS ?x) }}")
    yield Probe("in-optional", f"SELECT * WHERE {{ OPTIONAL {{ {call} }} }}")
    yield Probe("in-union", f"SELECT * WHERE {{ {{ }} UNION {{ {call} }} }}")
    yield Probe("in-minus", f"SELECT * WHERE {{ VALUES ?s {{ 1 }} MINUS {{ {call} }} }}")
    yield Probe("in-graph", f"SELECT * WHERE {{ GRAPH ?g {{ {call} }} }}")
    yield Probe("in-sub-select", f"SELECT * WHERE {{ {{ SELECT ?s WHERE {{ {call} }} LIMIT 1 }} }}")
    yield Probe("in-service", f"SELECT * WHERE {{ SERVICE <urn:x> {{ {call} }} }}")
    yield Probe("in-describe", f"DESCRIBE ?s WHERE {{ {call} }}")
    yield Probe("in-construct", f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ {call} }}")
    yield Probe("in-order", f"SELECT * WHERE {{ ?a ?b ?c }} ORDER BY EXISTS {{ {call} }} LIMIT 1")
    yield Probe("in-having", f"SELECT (COUNT(*) AS ?n) WHERE {{ }} HAVING (EXISTS {{ {call} }})")
    yield Probe("from", f"SELECT * FROM <{url}/x.ttl> WHERE {{ ?s ?p ?o }}")  # noqa: S608
    yield Probe("from-named", f"SELECT * FROM NAMED <{url}/x.ttl> WHERE {{ GRAPH ?g {{ ?s ?p ?o }} }}")  # noqa: S608
    yield Probe("graph", f"SELECT * WHERE {{ GRAPH <{url}/x.ttl> {{ ?s ?p ?o }} }}")
    yield Probe("describe", f"DESCRIBE <{url}/x>")
    yield Probe("load", f"LOAD <{url}/x.ttl>")
    yield Probe("load-silent", f"LOAD SILENT <{url}/x.ttl> INTO GRAPH <urn:x>")
    yield Probe("load-after-a-query", f"SELECT * WHERE {{ }} ; LOAD <{url}/x.ttl>")
    yield Probe("update-where", f"INSERT {{ ?s ?p ?o }} WHERE {{ {call} }}")
    yield Probe("function", f"SELECT (<{url}/f>(1) AS ?x) WHERE {{ }}")
    yield Probe("datatype", f'SELECT ("x"^^<{url}/type> AS ?x) WHERE {{ }}')


def http_probes(url: str) -> Iterator[HttpProbe]:
    """Yield requests that would fetch a URL because of a parameter, a header, a body or a path."""
    ask, escaped = quote("ASK { ?s ?p ?o }"), quote(url + "/x.ttl", safe="")
    yield HttpProbe("default-graph-uri", "GET", f"/sparql?query={ask}&default-graph-uri={escaped}")
    yield HttpProbe("named-graph-uri", "GET", f"/sparql?query={ask}&named-graph-uri={escaped}")
    yield HttpProbe("graph-store", "GET", f"/graph-store?graph={escaped}")
    yield HttpProbe("graph-in-the-path", "GET", f"/graph/{escaped}")
    yield HttpProbe("entity", "GET", f"/entity?thing={escaped}")
    yield HttpProbe("claims", "GET", f"/claims?thing={escaped}")
    yield HttpProbe("query-name", "GET", f"/queries/{escaped}")
    yield HttpProbe("absolute-form", "GET", f"{url}/x")
    yield HttpProbe("host", "GET", f"/sparql?query={ask}", (("X-Forwarded-Host", url[7:]), ("Forwarded", f"host={url[7:]}")))
    yield HttpProbe("origin", "GET", f"/sparql?query={ask}", (("Origin", url), ("Referer", url + "/x")))
    update = (("Content-Type", "application/sparql-update"),)
    form = (("Content-Type", "application/x-www-form-urlencoded"),)
    yield HttpProbe("load", "POST", "/sparql", update, f"LOAD <{url}/x.ttl>".encode())
    yield HttpProbe("load-in-a-form", "POST", "/sparql", form, f"update=LOAD+%3C{escaped}%3E".encode())
    yield HttpProbe("load-as-a-query", "POST", "/sparql", form, f"query=LOAD+%3C{escaped}%3E".encode())
    yield HttpProbe("using-graph-uri", "POST", "/sparql", form, f"query={ask}&using-graph-uri={escaped}".encode())
    context = f'{{"@context": "{url}/context.jsonld", "@id": "urn:a", "name": "b"}}'.encode()
    entity = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e SYSTEM "{url}/e">]><r>&e;</r>'.encode()
    for method, path in (("POST", "/sparql"), ("PUT", "/graph-store?default"), ("POST", "/graph-store?graph=urn:x")):
        yield HttpProbe(f"json-ld-{method}-{path}", method, path, (("Content-Type", "application/ld+json"),), context)
        yield HttpProbe(f"rdf-xml-{method}-{path}", method, path, (("Content-Type", "application/rdf+xml"),), entity)
