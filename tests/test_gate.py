"""The gate: lets real queries through, refuses what ends engines, and cannot be fooled about SERVICE."""

import time
from contextlib import suppress
from pathlib import Path

import pytest

from suasion import federation, gate
from suasion.errors import BadQuery

LIMITS = gate.Limits()


def refused(query: str) -> str:
    with pytest.raises(BadQuery) as caught:
        gate.pass_through(query, LIMITS)
    return str(caught.value.extra["limit"])


def test_every_query_of_the_bundle_passes(bundle: Path) -> None:
    for path in sorted((bundle / "queries").rglob("*.rq")):
        text = path.read_text(encoding="utf-8")
        if path.parent.name == "federated":
            text, clauses = federation.split(text, {"https://query.wikidata.org/sparql": ""}, LIMITS)
            assert clauses
        gate.pass_through(text, LIMITS)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * WHERE { SERVICE <http://a/> { ?s ?p ?o } }",
        "SELECT * WHERE { service silent <http://a/> { } }",
        "SELECT * WHERE{?s ?p 1SERVICE<http://a/>{}}",
        "SELECT * WHERE{?s ?p 1e5SERVICE<http://a/>{}}",
        "SELECT * WHERE{?s ?p trueSERVICE<http://a/>{}}",
        "PREFIX : <http://a/> SELECT * WHERE { SERVICE:ep { } }",
        'SELECT * WHERE { ?s ?p """\\"""" . SERVICE <http://a/> { } }',
        "SELECT * WHERE { ?s ?p '''a''b\\'''' . SERVICE <http://a/> { } }",
        'SELECT * WHERE { ?s <http://x/\\u0041#> "\\u0022" . SERVICE <http://a/> { } }',
        "SELECT * WHERE { \\u0053ERVICE <http://a/> { } }",
        "SELECT * WHERE { # comment\n SERVICE <http://a/> { } }",
        'SELECT * WHERE { ?s <http://a/#b> "#" . SERVICE <http://a/> { } }',
        "ASK { FILTER EXISTS { SERVICE ?where { ?s ?p ?o } } }",
    ],
)
def test_service_is_found_wherever_it_hides(query: str) -> None:
    assert refused(query) == "service"


@pytest.mark.parametrize(
    "query",
    [
        'SELECT * WHERE { ?s ?p "SERVICE <http://a/>" }',
        "SELECT * WHERE { ?service ?p <http://a/SERVICE> }",
        "SELECT * WHERE { ?s ?p ?o } # SERVICE",
        "PREFIX a: <http://a/> SELECT * WHERE { ?s a:service ?o }",
        "SELECT * WHERE { VALUES ?x { " + "<http://a/> " * 5000 + "} }",
        "SELECT * WHERE { ?s ?p ?o FILTER(?o IN (" + ", ".join(map(str, range(5000))) + ")) }",
        "PREFIX x: <http://x/> SELECT * WHERE { VALUES ?d { " + '"1"^^x:y ' * 500 + "} ?s ?p ?d }",
        "SELECT * WHERE { " + " UNION ".join(["{ ?s ?p ?o }"] * 19) + " }",
    ],
)
def test_harmless_queries_pass(query: str) -> None:
    gate.pass_through(query, LIMITS)


@pytest.mark.parametrize(
    ("query", "limit"),
    [
        ("SELECT * WHERE { FILTER(" + "(" * 3000 + "1" + ")" * 3000 + ") }", "depth"),
        ("SELECT * WHERE { " + "{ " * 2000 + "} " * 2000 + "}", "depth"),
        ("SELECT * WHERE { " + "<< " * 500 + "?s ?p ?o" + " >>" * 500 + " ?p ?o }", "depth"),
        ("SELECT * WHERE { " + "OPTIONAL { ?s ?p ?o } " * 200 + "}", "optionals"),
        ("SELECT * WHERE { ?s ?p (" + "1 " * 200 + ") }", "triples"),
        ("SELECT * WHERE { " + "?s ?p ?o . " * 1000 + "}", "triples"),
        ("SELECT * WHERE { ?s " + "/".join(["<http://p>"] * 400) + " ?o }", "paths"),
        ("SELECT * WHERE { ?s ?p ?o FILTER(" + "||".join(["?o"] * 4000) + ") }", "operators"),
        ("SELECT * WHERE { " + " UNION ".join(["{ ?s ?p ?o }"] * 6400) + " }", "operators"),
        ("SELECT * WHERE { ?s ?p ?o FILTER(?o = " + "+".join(["1"] * 7000) + ") }", "paths"),
        ("#" * 300_000, "characters"),
    ],
    ids=lambda value: value if len(value) < 12 else "",
)
def test_what_ends_engines_is_refused(query: str, limit: str) -> None:
    assert refused(query) == limit


@pytest.mark.alone
@pytest.mark.parametrize(
    "unit", ['"', "'", '"""', '"\\"', '"""\\"\\"', "<", "\\u0022", "'''\\'", "a:\\", "1e", "(" + '"', "#", "?", "@"]
)
def test_the_time_grows_with_the_length_and_not_its_square(unit: str) -> None:
    """Ten times the text may take some ten times as long, not a hundred times."""

    def took(times: int) -> float:
        started = time.perf_counter()
        with suppress(BadQuery):
            gate.pass_through(unit * times, LIMITS)
        return time.perf_counter() - started

    size = 24_000 // len(unit)
    small = max(min(took(size) for _ in range(3)), 0.0005)
    assert min(took(size * 10) for _ in range(3)) < small * 40
