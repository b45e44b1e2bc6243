"""The prefix table: read from the ontology, and short names that lead back to their IRIs."""

from pathlib import Path

import pyoxigraph as ox
import pytest

from suasion.errors import DataFileError
from suasion.loading import Dataset
from suasion.prefixes import CLAIM, DEF, ID, Prefixes, declared

TOYS = Prefixes({"": "https://example.org/def#", "toy": "https://example.org/toy/", "car": "https://example.org/toy/car/"})


def test_the_table_is_what_the_engine_reads_in_the_ontology(dataset: Dataset, prefixes: Prefixes) -> None:
    solutions = dataset.union.query(
        "PREFIX sh: <http://www.w3.org/ns/shacl#> SELECT DISTINCT ?prefix ?namespace WHERE { "
        "<https://w3id.org/suasion/def> sh:declare ?one . ?one sh:prefix ?prefix ; sh:namespace ?namespace }"
    )
    assert isinstance(solutions, ox.QuerySolutions)
    assert {row["prefix"].value: row["namespace"].value for row in solutions} == dict(prefixes.table)
    assert prefixes.table["actor"] == ID + "actor/"


def test_no_two_prefixes_share_a_namespace(prefixes: Prefixes) -> None:
    assert len(set(prefixes.table.values())) == len(prefixes.table)
    assert DEF in prefixes.table.values()


def test_short_names_of_all_iris_of_the_graph_lead_back(dataset: Dataset, prefixes: Prefixes) -> None:
    terms = {term for quad in dataset.union for term in (quad.subject, quad.predicate, quad.object)}
    iris = {term.value for term in terms if isinstance(term, ox.NamedNode)}
    shortened = {iri: prefixes.shorten(iri) for iri in iris}
    short = {iri: name for iri, name in shortened.items() if name != iri}
    assert len(short) > 5000
    assert {iri: name for iri, name in short.items() if prefixes.expand(name) != iri} == {}
    assert len(set(shortened.values())) == len(iris)
    assert {iri for iri in iris if iri.startswith((CLAIM, ID + "actor/", ID + "passage/"))} - short.keys() == set()


@pytest.mark.parametrize(
    ("iri", "short"),
    [
        ("https://example.org/toy/ball", "toy:ball"),
        ("https://example.org/toy/car/red", "car:red"),
        ("https://example.org/def#Toy", ":Toy"),
        ("https://example.org/toy/a.b_c-2", "toy:a.b_c-2"),
    ],
)
def test_the_longest_namespace_gives_the_short_name(iri: str, short: str) -> None:
    assert TOYS.shorten(iri) == short
    assert TOYS.expand(short) == iri


@pytest.mark.parametrize(
    "iri",
    [
        "https://example.org/toy/",
        "https://example.org/toy/car/red/fast",
        "https://example.org/toy/ends.",
        "https://example.org/toy/-dash",
        "https://example.org/toy/a b",
        "https://example.org/toy/é",
        "https://example.org/other",
        "",
    ],
)
def test_an_iri_without_a_safe_short_name_stays_as_it_is(iri: str) -> None:
    assert TOYS.shorten(iri) == iri


@pytest.mark.parametrize(
    "text", ["ball", "", ":", "toy:", "other:ball", "toy:a/b", "toy:a b", "toy:a\n", "toy:a:b", "https://example.org/x"]
)
def test_what_is_no_short_name_is_not_expanded(text: str) -> None:
    assert TOYS.expand(text) is None


def test_a_bundle_without_the_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(DataFileError) as caught:
        declared(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'ontology' / 'ontology.ttl'}: No such file")
    assert str(caught.value).endswith("the prefix table is read from this file.")


@pytest.mark.parametrize("text", ["", "PREFIX sh: <http://www.w3.org/ns/shacl#>\n", 'sh:prefix "toy" ;\n'])
def test_an_ontology_without_a_table_is_refused_with_the_remedy(text: str, tmp_path: Path) -> None:
    path = tmp_path / "ontology" / "ontology.ttl"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        declared(tmp_path)
    assert str(caught.value).startswith(f"{path}: no sh:declare with sh:prefix and sh:namespace")


def test_an_ontology_in_another_encoding_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "ontology" / "ontology.ttl"
    path.parent.mkdir()
    path.write_bytes(b"# \xe9\n")
    with pytest.raises(DataFileError) as caught:
        declared(tmp_path)
    assert str(path) in str(caught.value)


def test_a_namespace_may_end_within_a_word_and_the_longest_that_fits_is_taken() -> None:
    table = {"a": "https://example.org/", "b": "https://example.org/CHEBI_", "c": "https://example.org/CHEBI_1"}
    prefixes = Prefixes(table)
    shown = {name: prefixes.shorten(f"https://example.org/{name}") for name in ("x", "CHEBI_27", "CHEBI_15", "CHEBI_1", "x/y")}
    assert shown == {
        "x": "a:x",
        "CHEBI_27": "b:27",
        "CHEBI_15": "c:5",
        "CHEBI_1": "https://example.org/CHEBI_1",
        "x/y": "https://example.org/x/y",
    }
