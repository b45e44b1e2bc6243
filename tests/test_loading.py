"""From files to a dataset: strict reading, what is derived, and what counts as fact."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pyoxigraph as ox
import pytest

from suasion import loading
from suasion.errors import DataFileError
from suasion.loading import Dataset
from suasion.prefixes import CLAIM, DEF, GRAPH, ID

BUNDLE = Path(__file__).parents[1]
FACTUAL = {"ReportedAsFact", "ReportedFromSource"}
OTHER = {"Evaluated", "Hedged", "Projected", "Quoted"}
A = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
OWL = "http://www.w3.org/2002/07/owl#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
PREFIXES = f"""\
PREFIX : <{DEF}>
PREFIX actor: <{ID}actor/>
PREFIX claim: <{CLAIM}>
PREFIX oa: <http://www.w3.org/ns/oa#>
PREFIX owl: <{OWL}>
PREFIX rdfs: <{RDFS}>
PREFIX schema: <https://schema.org/>
PREFIX skos: <{SKOS}>
"""

Triples = set[tuple[object, object, object]]


def triples(quads: Iterable[ox.Quad]) -> Triples:
    return {(quad.subject, quad.predicate, quad.object) for quad in quads}


def default(store: ox.Store) -> Triples:
    return triples(store.quads_for_pattern(None, None, None, ox.DefaultGraph()))


def named(store: ox.Store, graph: str) -> Triples:
    return triples(store.quads_for_pattern(None, None, None, ox.NamedNode(graph)))


def pairs(store: ox.Store, predicate: str) -> set[tuple[str, str]]:
    """Return the subjects and objects of a property in the default graph, as text."""
    found = store.quads_for_pattern(None, ox.NamedNode(predicate), None, ox.DefaultGraph())
    return {(str(quad.subject).strip("<>"), str(quad.object).strip("<>")) for quad in found}


def ask(store: ox.Store, pattern: str) -> bool:
    return bool(store.query(f"{PREFIXES} ASK {{ {pattern} }}"))


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PREFIXES + text, encoding="utf-8")
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A bundle with the real derivations and nothing else."""
    shutil.copytree(BUNDLE / "queries" / "derive", tmp_path / "queries" / "derive")
    return tmp_path


def test_each_file_has_its_graph(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("graph_data/claims/b.trig", "graph_data/toys.ttl", "ontology/a.ttl", "ontology/b.ttl")]
    for path in [*paths, tmp_path / "graph_data/notes.txt", tmp_path / "ontology/shapes/a.ttl", tmp_path / "graph_data/x/y.ttl"]:
        write(path, "")
    files = loading.data_files(tmp_path)
    assert [file.path for file in files] == paths
    assert [file.graph.value.removeprefix(GRAPH) for file in files] == ["claims", "toys", "ontology", "ontology"]
    assert [file.format for file in files] == [ox.RdfFormat.TRIG, *[ox.RdfFormat.TURTLE] * 3]


@pytest.mark.parametrize("name", ["nothing", "."])
def test_a_folder_without_data_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataFileError) as caught:
        loading.load(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "name a folder that holds a bundle" in str(caught.value)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("graph_data/toys.ttl", 'actor:a :p "b" .\nactor:a :p "b ;\n.\n'),
        ("graph_data/toys.ttl", "actor:a :p :b .\nactor:b :p ;\n"),
        ("graph_data/toys.ttl", "actor:a :p :b .\nnosuch:a :p :b .\n"),
        ("ontology/toys.ttl", "actor:a :p :b .\nactor:b :p <not an iri> .\n"),
        ("graph_data/toys.ttl", "actor:a :p :b .\nclaim:a { actor:a :p :b . }\n"),
        ("graph_data/claims/toys.trig", "claim:a { actor:a :p :b . }\nclaim:b { actor:a :p ) . }\n"),
        ("graph_data/claims/toys.trig", "claim:a { actor:a :p :b . }\nclaim:b { actor:a :p :b . } }\n"),
    ],
    ids=["open-string", "end-of-block", "undeclared-prefix", "bad-iri", "graph-in-turtle", "bad-object", "extra-brace"],
)
def test_a_file_that_does_not_parse_is_named_with_its_line(file: str, text: str, small: Path) -> None:
    write(small / "graph_data" / "fine.ttl", "actor:a :p :b .\n")
    path = write(small / file, text)
    with pytest.raises(DataFileError) as caught:
        loading.load(small)
    match = re.fullmatch(r"(.+), line (\d+): (.+)", str(caught.value), re.DOTALL)
    assert match, str(caught.value)
    assert match[1] == str(path)
    assert PREFIXES.count("\n") + 2 <= int(match[2]) <= PREFIXES.count("\n") + 4
    assert match[3].strip()


@pytest.mark.parametrize("file", ["graph_data/toys.ttl", "graph_data/claims/toys.trig"])
def test_a_file_in_another_encoding_is_named_with_its_line(file: str, small: Path) -> None:
    path = small / file
    path.parent.mkdir(parents=True)
    path.write_bytes(b'<https://example.org/a> <https://example.org/b>\n "\xe9" .\n')
    with pytest.raises(DataFileError) as caught:
        loading.load(small)
    assert str(caught.value).startswith(f"{path}, line 2: ")


def test_a_rule_that_does_not_parse_is_named_with_its_line(small: Path) -> None:
    write(small / "graph_data" / "fine.ttl", "actor:a :p :b .\n")
    path = small / "queries" / "derive" / "9-broken.ru"
    path.write_text("INSERT { ?s ?p ?o }\nWHERE {\n  ?s ?p ) .\n}\n", encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        loading.load(small)
    assert str(caught.value).startswith(f"{path}")
    assert re.search(r"\b3\b", str(caught.value).removeprefix(str(path)))


def test_all_files_of_the_real_bundle_are_there(dataset: Dataset, bundle: Path) -> None:
    for file in loading.data_files(bundle):
        parsed = list(ox.parse(path=str(file.path), format=file.format))
        assert parsed, file.path
        for quad in parsed:
            graph = quad.graph_name if isinstance(quad.graph_name, ox.NamedNode) else file.graph
            assert ox.Quad(quad.subject, quad.predicate, quad.object, graph) in dataset.facts, file.path


def test_both_stores_have_the_same_named_graphs(dataset: Dataset) -> None:
    in_facts = {quad for quad in dataset.facts if quad.graph_name != ox.DefaultGraph()}
    in_union = {quad for quad in dataset.union if quad.graph_name != ox.DefaultGraph()}
    assert len(in_facts) > 10_000
    assert in_facts == in_union


def test_the_union_holds_all_of_all_graphs(dataset: Dataset) -> None:
    assert default(dataset.union) == triples(quad for quad in dataset.facts if quad.graph_name != ox.DefaultGraph())


def test_the_default_graph_holds_facts_only(dataset: Dataset) -> None:
    """Every graph that is no claim, not derived and not for codes, and claims that count as fact: no more, no less."""
    modality = ox.NamedNode(DEF + "modality")
    in_claims = dataset.facts.quads_for_pattern(None, modality, None, ox.NamedNode(GRAPH + "claims"))
    by_claim = {quad.subject: str(quad.object).strip("<>").removeprefix(DEF) for quad in in_claims}
    assert set(by_claim.values()) == FACTUAL | OTHER
    expected: Triples = set()
    withheld: Triples = set()
    for graph in dataset.facts.named_graphs():
        assert isinstance(graph, ox.NamedNode)
        assert graph in by_claim or graph.value.startswith(GRAPH)
        content = named(dataset.facts, graph.value)
        if graph.value not in (GRAPH + "derived", GRAPH + "states") and by_claim.get(graph, "ReportedAsFact") in FACTUAL:
            expected |= content
        else:
            withheld |= content
    assert withheld - expected
    assert default(dataset.facts) == expected


@pytest.mark.parametrize("modality", sorted(FACTUAL | OTHER))
def test_what_is_only_claimed_is_no_fact(modality: str, small: Path) -> None:
    shutil.copytree(BUNDLE / "ontology", small / "ontology", ignore=shutil.ignore_patterns("shapes", "examples"))
    write(
        small / "graph_data" / "claims" / "toys.trig",
        f"""
claim:one {{ actor:a :furthers actor:b . }}
claim:one a schema:Claim ; :modality :{modality} .
claim:two {{ actor:a :furthers actor:c . }}
claim:two a schema:Claim ; :modality :Hedged .
claim:three {{ actor:a :furthers actor:c . }}
claim:three a schema:Claim ; :modality :ReportedAsFact .
""",
    )
    dataset = loading.load(small)
    assert ask(dataset.facts, "actor:a :furthers actor:b") is (modality in FACTUAL)
    assert ask(dataset.facts, f"claim:one a schema:Claim ; :modality :{modality}")
    assert ask(dataset.facts, "GRAPH claim:one { actor:a :furthers actor:b }")
    assert ask(dataset.facts, "actor:a :furthers actor:c")
    assert ask(dataset.union, "actor:a :furthers actor:b")


def test_a_graph_without_a_claim_of_its_modality_is_no_fact(small: Path) -> None:
    text = "claim:one { actor:a :furthers actor:b . }\nclaim:one a schema:Claim ."
    write(small / "graph_data" / "claims" / "toys.trig", text)
    dataset = loading.load(small)
    assert not ask(dataset.facts, "actor:a :furthers actor:b")
    assert ask(dataset.union, "actor:a :furthers actor:b")


def test_what_stands_outside_the_graphs_of_a_trig_file_is_about_claims(small: Path) -> None:
    write(small / "graph_data" / "claims" / "a.trig", "claim:one { actor:a :p actor:b . }\nclaim:one a schema:Claim .\n")
    write(small / "graph_data" / "claims" / "b.trig", "claim:two a schema:Claim .\n")
    facts = loading.load(small).facts
    claims = {CLAIM + "one", CLAIM + "two"}
    assert {str(subject).strip("<>") for subject, _, _ in named(facts, GRAPH + "claims")} == claims


def test_a_superproperty_holds_in_the_same_graph(small: Path) -> None:
    write(small / "ontology" / "a.ttl", ":low rdfs:subPropertyOf :middle .\n:middle rdfs:subPropertyOf :high .\n")
    write(small / "graph_data" / "toys.ttl", "actor:a :low actor:b .\n")
    facts = loading.load(small).facts
    for name in ("low", "middle", "high"):
        assert ask(facts, f"GRAPH <{GRAPH}toys> {{ actor:a :{name} actor:b }}"), name
    assert not ask(facts, f"GRAPH <{GRAPH}ontology> {{ actor:a ?p actor:b }}")


def test_an_inverse_holds_the_other_way_round(small: Path) -> None:
    write(small / "ontology" / "a.ttl", ":has owl:inverseOf :of .\n:of owl:inverseOf :has .\n:deep rdfs:subPropertyOf :has .\n")
    write(small / "graph_data" / "toys.ttl", "actor:a :has actor:b .\nactor:c :of actor:d .\nactor:e :deep actor:f .\n")
    facts = loading.load(small).facts
    assert pairs(facts, DEF + "of") == {(f"{ID}actor/{s}", f"{ID}actor/{o}") for s, o in ("ba", "cd", "fe")}
    assert pairs(facts, DEF + "has") == {(f"{ID}actor/{s}", f"{ID}actor/{o}") for s, o in ("ab", "dc", "ef")}


def test_a_superclass_holds_in_the_same_graph(small: Path) -> None:
    write(small / "ontology" / "a.ttl", ":Low rdfs:subClassOf :Middle .\n:Middle rdfs:subClassOf :High .\n")
    write(small / "graph_data" / "toys.ttl", "actor:a a :Low .\n")
    facts = loading.load(small).facts
    assert ask(facts, f"GRAPH <{GRAPH}toys> {{ actor:a a :Low, :Middle, :High }}")


def test_broader_is_followed_to_the_top(small: Path) -> None:
    write(small / "graph_data" / "toys.ttl", "actor:a skos:broader actor:b .\nactor:b skos:broader actor:c .\n")
    facts = loading.load(small).facts
    expected = {(f"{ID}actor/{s}", f"{ID}actor/{o}") for s, o in ("ab", "bc", "ac")}
    assert pairs(facts, SKOS + "broaderTransitive") == expected
    assert len(pairs(facts, SKOS + "broader")) == 2


def test_a_claim_mentions_the_described_things_of_its_content(small: Path) -> None:
    write(small / "graph_data" / "toys.ttl", "".join(f'actor:{n} skos:prefLabel "{n}"@en .\n' for n in "abcd"))
    text = 'claim:one { actor:a :p actor:b . actor:x :p "c" . }\nclaim:one a schema:Claim .\nclaim:two { actor:d :p 1 . }\n'
    write(small / "graph_data" / "claims" / "toys.trig", text)
    facts = loading.load(small).facts
    expected = {(f"{CLAIM}{claim}", f"{ID}actor/{actor}") for claim, actor in (("one", "a"), ("one", "b"), ("two", "d"))}
    assert pairs(facts, DEF + "mentions") == expected


def test_a_passage_has_its_ranges_as_one_text(small: Path) -> None:
    write(
        small / "graph_data" / "passages.ttl",
        """
actor:one oa:hasSelector actor:r1 .
actor:r1 oa:start 5 ; oa:end 17 .
actor:two oa:hasSelector actor:r2, actor:r3 .
actor:r2 :ordinal 1 ; oa:start 90 ; oa:end 99 .
actor:r3 :ordinal 2 ; oa:start 20 ; oa:end 31 .
actor:note :marker 1 ; oa:hasSelector actor:r4 .
actor:r4 oa:start 14 ; oa:end 17 .
""",
    )
    facts = loading.load(small).facts
    expected = {(f"{ID}actor/one", '"5-17"'), (f"{ID}actor/two", '"90-99 20-31"')}
    assert pairs(facts, DEF + "characterRanges") == expected


def derived(store: ox.Store, predicate: str) -> set[tuple[str, str]]:
    """Return the subjects and objects of a property in graph:derived, as text; it stands nowhere else."""
    found = list(store.quads_for_pattern(None, ox.NamedNode(DEF + predicate), None, None))
    assert {quad.graph_name for quad in found} <= {ox.NamedNode(GRAPH + "derived")}
    return {(str(quad.subject.value).rpartition("/")[2], quad.object.value) for quad in found}  # type: ignore[union-attr]


def test_a_thing_stands_in_the_claims_that_name_it_or_rest_on_it(small: Path) -> None:
    text = """claim:one { actor:a :p actor:b . actor:n :q 3 . }
claim:one a schema:Claim ; :passage actor:place ; :citesNote actor:note ; :qualityNote actor:caution ; :credits actor:who .
claim:two { actor:a :p 1 . }
claim:two a schema:Claim .
claim:three { actor:c :p 1 . }
"""
    write(small / "graph_data" / "claims" / "toys.trig", text)
    in_one = {(name, CLAIM + "one") for name in ("a", "b", "n", "place", "note", "caution")}
    assert derived(loading.load(small).facts, "standsIn") == in_one | {("a", CLAIM + "two")}


def test_a_thing_has_the_names_of_its_classes(small: Path) -> None:
    defined = "rdfs:isDefinedBy <https://w3id.org/suasion/def>"
    terms = f':Toy rdfs:subClassOf :Thing ; rdfs:label "toy"@en ; {defined} .\n:Thing rdfs:label "thing"@en ; {defined} .\n'
    write(small / "ontology" / "toys.ttl", terms)
    write(small / "graph_data" / "toys.ttl", "actor:a a :Toy .\nactor:b a skos:Concept .\nactor:c a :Unknown .\n:Red a :Toy .\n")
    expected = {("a", "toy"), ("a", "thing"), ("b", "concept")}
    assert derived(loading.load(small).facts, "kindName") == expected


def test_a_period_includes_its_years_and_an_open_one_runs_to_the_last_that_is_named(small: Path) -> None:
    days = {
        "closed": ':begins "1999-05-01"^^xsd:date ; :ends "2001-01-31"^^xsd:date',
        "since": ':begins "2002-01-01"^^xsd:date',
        "before": ':ends "1998-12-31"^^xsd:date',
        "first": ':begins "1997-01-01"^^xsd:date ; :ends "1997-12-31"^^xsd:date',
        "last": ':begins "2004-01-01"^^xsd:date ; :ends "2004-12-31"^^xsd:date',
        "undated": 'skos:prefLabel "once"@en',
    }
    text = "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>\n"
    write(
        small / "graph_data" / "quantities.ttl", text + "".join(f"actor:{n} a :Period ; {said} .\n" for n, said in days.items())
    )
    years = {
        "closed": {1999, 2000, 2001},
        "since": {2002, 2003, 2004},
        "before": {1997, 1998},
        "first": {1997},
        "last": {2004},
    }
    expected = {(name, str(year)) for name, found in years.items() for year in found}
    assert derived(loading.load(small).facts, "includesYear") == expected


def test_each_real_passage_has_its_ranges_once(dataset: Dataset) -> None:
    passages = dataset.union.quads_for_pattern(None, A, ox.NamedNode(DEF + "Passage"), ox.DefaultGraph())
    ranges = pairs(dataset.facts, DEF + "characterRanges")
    assert sorted(passage for passage, _ in ranges) == sorted(str(quad.subject).strip("<>") for quad in passages)
    assert all(re.fullmatch(r'"\d+-\d+( \d+-\d+)?"', text) for _, text in ranges)


@pytest.mark.parametrize(
    "missing",
    [
        "?p rdfs:subPropertyOf ?super . GRAPH ?g { ?s ?p ?o } FILTER NOT EXISTS { GRAPH ?g { ?s ?super ?o } }",
        "?p owl:inverseOf ?inverse . GRAPH ?g { ?s ?p ?o } FILTER NOT EXISTS { GRAPH ?g { ?o ?inverse ?s } }",
        "?class rdfs:subClassOf ?super . GRAPH ?g { ?s a ?class } FILTER NOT EXISTS { GRAPH ?g { ?s a ?super } }",
        "?low skos:broader+ ?high FILTER NOT EXISTS { ?low skos:broaderTransitive ?high }",
        "?claim a schema:Claim . GRAPH ?claim { { ?x ?p ?o } UNION { ?s ?p ?x } } ?x skos:prefLabel ?n"
        " FILTER NOT EXISTS { ?claim :mentions ?x }",
    ],
    ids=["superproperties", "inverses", "superclasses", "broader", "mentions"],
)
def test_nothing_that_follows_is_missing_in_the_real_data(missing: str, dataset: Dataset) -> None:
    solutions = dataset.union.query(f"{PREFIXES} SELECT * WHERE {{ {missing} }} LIMIT 3")
    assert isinstance(solutions, ox.QuerySolutions)
    assert [str(solution) for solution in solutions] == []
