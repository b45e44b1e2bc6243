"""The vocabulary: its header, each term's words, that each term is used, and that alignments point at what exists."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.namespace import (
    DCTERMS,
    FOAF,
    GEO,
    ORG,
    OWL,
    PROV,
    QB,
    RDF,
    RDFS,
    SDO,
    SH,
    SKOS,
    TIME,
    VANN,
    DefinedNamespace,
)

import suasion
from suasion.loading import Dataset
from suasion.prefixes import BASE, DEF, Prefixes

NAMESPACE = rdflib.Namespace(DEF)
ONTOLOGY = rdflib.URIRef(BASE + "def")
# Classes that say how a term is modelled in SKOS, not what it is like elsewhere.
STRUCTURE = {SKOS.Concept, SKOS.Collection}
ALIGNING = (
    RDFS.subClassOf,
    RDFS.subPropertyOf,
    OWL.equivalentClass,
    OWL.equivalentProperty,
    OWL.sameAs,
    SKOS.exactMatch,
    SKOS.closeMatch,
    SKOS.broadMatch,
    SKOS.narrowMatch,
    SKOS.relatedMatch,
)
# Namespaces whose terms rdflib knows, all of them.
CLOSED: dict[str, type[DefinedNamespace]] = {
    str(space._NS): space for space in (DCTERMS, FOAF, GEO, ORG, OWL, PROV, QB, RDF, RDFS, SDO, SH, SKOS, TIME, VANN)
}
# Terms that neither rdflib nor the list of vocab-terms.csv holds, each with the document that shows it.
SEEN_ELSEWHERE = {
    "http://purl.org/linked-data/sdmx/2009/dimension#refPeriod": "W3C Recommendation The RDF Data Cube Vocabulary, section 6"
}
# Terms that nothing uses, each with the reason why it stays.
_OF_DATASETS = "said of datasets that users add, in their own graphs"
_OF_VERDICTS = "said in verdicts, which are made when datasets are loaded"
UNUSED: dict[str, str] = {
    **dict.fromkeys(("cellCount", "emptyRowCount", "observationCount", "retrieved", "rowCount", "unmatchedCode"), _OF_DATASETS),
    **dict.fromkeys(("byCheck", "claimedValue", "exchangeRate", "observationsUsed", "observedPeriod"), _OF_VERDICTS),
    **dict.fromkeys(("observedValue", "outcome", "ratio", "withoutObservation"), _OF_VERDICTS),
    **dict.fromkeys(("Agrees", "Differs", "NotComparable"), _OF_VERDICTS),
    **dict.fromkeys(("codeYear", "headingPattern"), "written in mappings, which are JSON"),
}

SUFFIXES = {".ttl", ".trig", ".rq", ".ru"}
PREFIX_LINE = re.compile(r"^[ \t]*@?PREFIX[ \t]+([^ \t:]*):[ \t]*<([^>]*)>", re.MULTILINE | re.IGNORECASE)


def theme_files(bundle: Path) -> list[Path]:
    return sorted((bundle / "ontology").glob("*.ttl"))


@pytest.fixture(scope="module")
def ontology(bundle: Path) -> rdflib.Graph:
    graph = rdflib.Graph()
    for file in theme_files(bundle):
        graph.parse(file)
    return graph


@pytest.fixture(scope="module")
def terms(ontology: rdflib.Graph) -> list[rdflib.URIRef]:
    found = sorted(s for s in ontology.subjects(RDFS.isDefinedBy, ONTOLOGY) if isinstance(s, rdflib.URIRef))
    assert len(found) > 100
    return found


def name(term: rdflib.term.Node) -> str:
    return str(term).removeprefix(DEF)


def ours(term: rdflib.term.Node) -> bool:
    return str(term).startswith(DEF)


def one(graph: rdflib.Graph, term: rdflib.term.Node, property_: rdflib.URIRef) -> rdflib.Literal:
    """Return the single value of a property; only called where another test has asked for exactly one."""
    (value,) = graph.objects(term, property_)
    assert isinstance(value, rdflib.Literal)
    return value


# ── Header ──────────────────────────────────────────────────────────────────


def test_the_header_is_complete(ontology: rdflib.Graph) -> None:
    assert list(ontology.subjects(RDF.type, OWL.Ontology)) == [ONTOLOGY]
    once = (
        DCTERMS.title,
        DCTERMS.description,
        DCTERMS.license,
        DCTERMS.created,
        DCTERMS.modified,
        OWL.versionIRI,
        OWL.versionInfo,
        VANN.preferredNamespacePrefix,
        VANN.preferredNamespaceUri,
    )
    assert {str(p): len(list(ontology.objects(ONTOLOGY, p))) for p in once} == {str(p): 1 for p in once}
    for worded in (DCTERMS.title, DCTERMS.description):
        assert one(ontology, ONTOLOGY, worded).language == "en"
    created, modified = (one(ontology, ONTOLOGY, p) for p in (DCTERMS.created, DCTERMS.modified))
    assert {created.datatype, modified.datatype} == {rdflib.XSD.date}
    assert created.value <= modified.value
    assert ontology.value(ONTOLOGY, DCTERMS.license) == rdflib.URIRef("https://creativecommons.org/licenses/by/4.0/")
    assert str(one(ontology, ONTOLOGY, VANN.preferredNamespaceUri)) == DEF
    assert str(one(ontology, ONTOLOGY, VANN.preferredNamespacePrefix)) == "suasion"


def test_the_creator_is_described(ontology: rdflib.Graph) -> None:
    creators = list(ontology.objects(ONTOLOGY, DCTERMS.creator))
    assert creators
    for creator in creators:
        assert ontology.value(creator, FOAF.name), f"{creator} has no foaf:name"


def test_one_version_everywhere(ontology: rdflib.Graph, bundle: Path) -> None:
    change_log = (bundle / "CHANGELOG.md").read_text(encoding="utf-8")
    top = re.search(r"^## \[?v?(\d+\.\d+\.\d+)\b", change_log, re.MULTILINE)
    assert top, "CHANGELOG.md has no heading `## x.y.z`"
    stated = str(one(ontology, ONTOLOGY, OWL.versionInfo))
    assert (stated, top[1]) == (suasion.__version__, suasion.__version__)
    assert str(ontology.value(ONTOLOGY, OWL.versionIRI)) == f"{ONTOLOGY}/{suasion.__version__}"


# ── Terms ───────────────────────────────────────────────────────────────────


def test_what_is_declared_is_a_term(ontology: rdflib.Graph, terms: list[rdflib.URIRef]) -> None:
    """Each class, property and code of ours says that this ontology defines it, and is in its namespace."""
    declared = {s for s in ontology.subjects() if isinstance(s, rdflib.URIRef) and ours(s) and (s, RDF.type, None) in ontology}
    assert sorted(map(name, declared ^ set(terms))) == []


def test_each_term_has_one_label_and_one_definition_in_english(ontology: rdflib.Graph, terms: list[rdflib.URIRef]) -> None:
    wanted = (RDFS.label, SKOS.definition)
    values = {(name(t), name(p)): list(ontology.objects(t, p)) for t in terms for p in wanted}
    faults = [key for key, found in values.items() if [getattr(v, "language", None) for v in found] != ["en"]]
    assert faults == []


def test_each_term_has_an_example(ontology: rdflib.Graph, terms: list[rdflib.URIRef]) -> None:
    assert [name(t) for t in terms if not ontology.value(t, SKOS.example)] == []


def test_each_term_serves_a_competency_question_that_exists(
    ontology: rdflib.Graph, terms: list[rdflib.URIRef], bundle: Path
) -> None:
    questions = rdflib.Graph().parse(bundle / "ontology" / "questions.ttl")
    known = set(questions.subjects(SKOS.notation))
    assert known
    served = {t: set(ontology.objects(t, NAMESPACE.competencyQuestion)) for t in terms}
    assert [name(t) for t, found in served.items() if not found or found - known] == []


def test_definitions_are_phrases(ontology: rdflib.Graph, terms: list[rdflib.URIRef]) -> None:
    """A definition can stand in place of its term: lower case (but for names), no full stop, not the term itself."""
    faults = []
    for term in terms:
        definition, label = str(one(ontology, term, SKOS.definition)), str(one(ontology, term, RDFS.label))
        if definition.rstrip() != definition or definition.endswith("."):
            faults.append(f"{name(term)}: ends in a full stop or a blank")
        if re.search(rf"(?<!\w){re.escape(label)}(?!\w)", definition, re.IGNORECASE):
            faults.append(f"{name(term)}: circular: {label!r} in {definition!r}")
        if re.match(r"(an?|the)\b", definition, re.IGNORECASE) or re.match(r"[A-Z][a-z]", definition):
            faults.append(f"{name(term)}: begins with an article or a capital: {definition!r}")
    assert faults == []


def test_definitions_and_labels_tell_terms_apart(ontology: rdflib.Graph, terms: list[rdflib.URIRef]) -> None:
    """Within a kind, that is: a degree and a claim may both be comparative."""
    for property_ in (RDFS.label, SKOS.definition):
        seen: dict[str, str] = {}
        twice = []
        for term in terms:
            key = f"{ontology.value(term, RDF.type)}: {one(ontology, term, property_)}"
            if key in seen:
                twice.append((seen[key], name(term), key))
            seen[key] = name(term)
        assert twice == []


def test_labels_are_lower_case(ontology: rdflib.Graph, terms: list[rdflib.URIRef]) -> None:
    """Initialisms stay as they are: EDTF, SHA-256."""
    labels = {name(t): str(one(ontology, t, RDFS.label)) for t in terms}
    faults = [
        (term, label)
        for term, label in labels.items()
        if any(not word.islower() and re.search("[a-z]", word) for word in label.split())
    ]
    assert faults == []


def test_names_show_the_kind_of_term(ontology: rdflib.Graph, terms: list[rdflib.URIRef]) -> None:
    """Classes and codes UpperCamel, properties lowerCamel."""
    faults = []
    for term in terms:
        kinds = set(ontology.objects(term, RDF.type))
        properties = kinds & {OWL.ObjectProperty, OWL.DatatypeProperty}
        pattern = r"[a-z][A-Za-z0-9]*" if properties else r"[A-Z][A-Za-z0-9]*"
        if len(kinds) != 1 or not re.fullmatch(pattern, name(term)):
            faults.append(name(term))
    assert faults == []


def test_names_of_terms_follow_their_labels(ontology: rdflib.Graph, terms: list[rdflib.URIRef]) -> None:
    """The name of a class is its label in UpperCamel: what is read is what is written."""
    classes = [t for t in terms if (t, RDF.type, OWL.Class) in ontology]
    faults = [
        (name(t), str(label))
        for t in classes
        if name(t).lower() != re.sub(r"[^a-z0-9]", "", (label := one(ontology, t, RDFS.label)).lower())
    ]
    assert faults == []


def test_domains_and_ranges_are_defined(ontology: rdflib.Graph, terms: list[rdflib.URIRef]) -> None:
    named = {
        o
        for p in (RDFS.domain, RDFS.range, OWL.inverseOf, RDFS.subClassOf, RDFS.subPropertyOf)
        for o in ontology.objects(None, p)
    }
    assert sorted(name(o) for o in named if str(o).startswith(DEF) and o not in set(terms)) == []


# ── Use ─────────────────────────────────────────────────────────────────────


def used_terms(dataset: Dataset) -> set[str]:
    """Return our terms that a statement uses: as its property, as its class or code, in the data or about other terms."""
    found = set()
    for quad in dataset.facts.quads_for_pattern(None, None, None, None):
        found.add(quad.predicate.value)
        about_a_term = isinstance(quad.subject, ox.NamedNode) and quad.subject.value.startswith(DEF)
        if isinstance(quad.object, ox.NamedNode) and (quad.predicate.value == str(RDF.type) or not about_a_term):
            found.add(quad.object.value)
    return {term for term in found if term.startswith(DEF) and not term.startswith(DEF + "prefix-")}


def targets(bundle: Path) -> set[str]:
    """Return what the shapes look at."""
    kinds = {str(p) for p in (SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf)}
    files = sorted((bundle / "ontology" / "shapes").glob("*.ttl"))
    found = [quad for file in files for quad in ox.parse(path=str(file)) if quad.predicate.value in kinds]
    return {quad.object.value for quad in found if isinstance(quad.object, ox.NamedNode)}


def test_each_term_is_used(dataset: Dataset, bundle: Path, terms: list[rdflib.URIRef]) -> None:
    unused = {name(t) for t in terms} - {t.removeprefix(DEF) for t in used_terms(dataset) | targets(bundle)}
    assert sorted(unused - set(UNUSED)) == [], "defined, but nothing uses it: remove it, or give the reason in UNUSED"
    assert sorted(set(UNUSED) - unused) == [], "stands in UNUSED, but is used or gone"


def test_each_term_that_is_used_is_defined(dataset: Dataset, terms: list[rdflib.URIRef]) -> None:
    assert sorted(used_terms(dataset) - {str(t) for t in terms}) == []


def test_shapes_and_queries_name_defined_terms_only(bundle: Path, terms: list[rdflib.URIRef]) -> None:
    known = {name(t) for t in terms}
    faults = []
    for file in sorted([*(bundle / "ontology" / "shapes").rglob("*.ttl"), *(bundle / "queries").rglob("*.r[qu]")]):
        body = re.sub(r'"(?:[^"\\\n]|\\.)*"|<[^>\s]*>|#.*', "", file.read_text(encoding="utf-8"))
        faults += [f"{file.name}: :{t}" for t in set(re.findall(r"(?<![\w:?$-]):([A-Za-z]\w*)", body)) - known]
    assert sorted(faults) == []


# ── Alignments ──────────────────────────────────────────────────────────────


def alignments(graph: rdflib.Graph) -> Iterator[tuple[rdflib.term.Node, rdflib.term.Node]]:
    """Yield pairs of a term and what it is aligned with, where one of them is ours and the other is not."""
    for property_ in ALIGNING:
        for subject, outside in graph.subject_objects(property_):
            if not ours(outside) and outside not in STRUCTURE:
                yield subject, outside


def test_alignments_stand_in_their_file_only(bundle: Path) -> None:
    faults = [
        f"{file.name}: {name(subject)} with {outside}"
        for file in theme_files(bundle)
        if file.name != "alignments.ttl"
        for subject, outside in alignments(rdflib.Graph().parse(file))
    ]
    assert faults == []


def test_the_file_of_alignments_holds_nothing_else(bundle: Path, terms: list[rdflib.URIRef]) -> None:
    graph = rdflib.Graph().parse(bundle / "ontology" / "alignments.ttl")
    assert set(graph.predicates()) <= set(ALIGNING)
    assert len(list(alignments(graph))) == len(graph)
    assert sorted(name(s) for s in graph.subjects() if ours(s) and s not in set(terms)) == []


def test_each_aligned_term_exists(bundle: Path, article: Path | None) -> None:
    """A term exists that rdflib knows; the list of terms seen in the vocabularies' own files, where given, settles the rest."""
    graph = rdflib.Graph().parse(bundle / "ontology" / "alignments.ttl")
    wanted = {str(term) for pair in alignments(graph) for term in pair if not ours(term)}
    spaces = {term: next((n for n in CLOSED if term.startswith(n)), None) for term in wanted}
    known = {term for term, space in spaces.items() if space and rdflib.URIRef(term) in CLOSED[space]}
    assert known
    missing = {term for term, space in spaces.items() if space} - known
    if article:
        with (article.parent / "reference" / "vocab-terms.csv").open(encoding="utf-8", newline="") as rows:
            seen = {row["iri"] for row in csv.DictReader(rows)}
        assert not seen & set(SEEN_ELSEWHERE), "now listed: take it out of SEEN_ELSEWHERE"
        missing = wanted - known - seen - set(SEEN_ELSEWHERE)
    assert sorted(missing) == []


# ── Prefixes ────────────────────────────────────────────────────────────────


def test_the_prefix_table_is_one_to_one(ontology: rdflib.Graph, prefixes: Prefixes) -> None:
    rows = list(ontology.objects(ONTOLOGY, SH.declare))
    read = {str(ontology.value(row, SH.prefix)): str(ontology.value(row, SH.namespace)) for row in rows}
    assert read == dict(prefixes.table)
    assert len(read) == len(rows) == len(set(read.values())) == len(list(ontology.subjects(SH.prefix)))
    assert all(iri[-1] in "/#" for iri in read.values())


def test_all_files_agree_with_the_prefix_table(bundle: Path, prefixes: Prefixes) -> None:
    faults, used = [], set()
    files = [f for folder in ("ontology", "graph_data", "queries") for f in (bundle / folder).rglob("*") if f.suffix in SUFFIXES]
    for file in sorted(files):
        for prefix, namespace in PREFIX_LINE.findall(file.read_text(encoding="utf-8")):
            used.add(prefix)
            if prefixes.table.get(prefix) != namespace:
                faults.append(f"{file.relative_to(bundle)}: {prefix}: <{namespace}>")
    assert faults == []
    assert len(used) > 50


def test_the_picture_of_the_classes_names_terms_that_exist(bundle: Path, ontology: rdflib.Graph) -> None:
    drawing = (bundle / "ontology" / "classes.svg").read_text(encoding="utf-8")
    texts = re.findall(r"<text [^>]*>([^<]+)</text>", drawing)
    related = {word for text in texts if "→" in text for word in re.findall(r"\w+", text)}
    named = {word for text in texts for word in re.findall(r"(?<![:\w])[a-z]*[A-Z]\w*", text)} - {"Content", "IRI"}
    assert len(related | named) > 50
    assert sorted(word for word in related | named if (NAMESPACE[word], RDF.type, None) not in ontology) == []
