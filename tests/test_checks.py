"""Each check has been seen to fail: a small bundle with one fault trips that check, and no other."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox
import pytest

from suasion import checks, loading
from suasion.checks import Fault
from suasion.errors import DataFileError, FaultsFound
from suasion.loading import Dataset
from suasion.prefixes import ID, Prefixes

BUNDLE = Path(__file__).parents[1]
RULES = [path.stem for path in sorted((BUNDLE / "queries" / "checks").glob("*.rq"))]

HEALTHY_TTL = """
source:text a fabio:DigitalItem ; skos:prefLabel "a text"@en ; :codePoints 100 .
passage:s901 a :Passage, doco:Sentence ; oa:hasSource source:text ; oa:hasSelector selector:s901 .
selector:s901 a oa:TextPositionSelector ; oa:start 0 ; oa:end 100 .
passage:s902 a :Passage, doco:Sentence ; :carriesNoClaim "an aside"@en .
note:901 a c4o:InTextReferencePointer .
unit:toy skos:prefLabel "toy"@en .
actor:toyland a :Actor ; skos:prefLabel "Toyland"@en .
actor:playland a :Actor ; skos:prefLabel "Playland"@en ; adms:identifier identifier:playland .
identifier:playland :identifierScheme "TOY" ; skos:notation "42" .
"""
HEALTHY_TRIG = """
claim:toyland-helps { actor:toyland :furthers actor:playland . figure:toys :value 7 ; :unit unit:toy . }
claim:toyland-helps a schema:Claim ; :modality :ReportedFromSource ; :citesNote note:901 ;
  :passage passage:s901 .
"""
CLAIM = "a schema:Claim ; :modality :Evaluated ; :passage passage:s901"
CONTENT = "{ actor:toyland :furthers actor:playland . }"


@dataclass(frozen=True, slots=True)
class Trip:
    """What trips a check: the text of a file in graph_data, and the short name of what is at fault."""

    subject: str
    text: str
    file: str = "fault.ttl"


def claim(extra: str, stated: str = CLAIM) -> Trip:
    return Trip("claim:faulty", f"claim:faulty {CONTENT}\nclaim:faulty {stated}{extra} .", "claims/fault.trig")


def modality(name: str, extra: str) -> Trip:
    return claim(extra, CLAIM.replace("Evaluated", name))


def in_content(subject: str, content: str, described: str = "") -> Trip:
    about = f"{subject} {described} .\n" if described else ""
    return Trip(subject, f"{about}claim:faulty {{\n{content}\n}}\nclaim:faulty {CLAIM} .", "claims/fault.trig")


TRIPS: Mapping[str, Mapping[str, Trip]] = {
    "blank-node": {
        "object": Trip("concept:toys", "concept:toys :figure [] ."),
        "in-a-claim": in_content("actor:toyland", "actor:toyland :furthers [] ."),
    },
    "claim-without-content": {"no-graph": Trip("claim:faulty", f"claim:faulty {CLAIM} .", "claims/fault.trig")},
    "claim-without-passage": {"no-passage": claim("", "a schema:Claim ; :modality :Evaluated")},
    "content-without-claim": {"no-claim": Trip("claim:faulty", f"claim:faulty {CONTENT}", "claims/fault.trig")},
    "control-character": {
        name: Trip("concept:toys", f'concept:toys skos:prefLabel "to{escape}ys"@en .')
        for name, escape in {
            "null": "\\u0000",
            "bell": "\\u0007",
            "tab": "\\u000B",
            "escape": "\\u001B",
            "last": "\\u001F",
        }.items()
    },
    "figure-with-two-values": {
        "in-one-graph": in_content("figure:two", "figure:two :value 1, 2 ; :unit unit:toy ."),
        "in-two-graphs": in_content("figure:toys", "figure:toys :value 8 ."),
    },
    "figure-without-unit": {"no-unit": in_content("figure:bare", "figure:bare :value 3 .")},
    "modality-against-credit": {
        "from-source": modality("ReportedFromSource", ""),
        "as-fact-with-credit": modality("ReportedAsFact", " ; :credits actor:toyland"),
        "as-fact-with-note": modality("ReportedAsFact", " ; :citesNote note:901"),
        "quoted": modality("Quoted", " ; :citesNote note:901"),
        "hedged": modality("Hedged", ""),
    },
    "note-not-cited": {"no-claim": Trip("note:902", "note:902 a c4o:InTextReferencePointer .")},
    "offset-outside-source": {
        name: Trip(
            "selector:faulty",
            f"selector:faulty oa:start {start} ; oa:end {end} .\n"
            "passage:s903 a :Passage ; oa:hasSource source:text ; oa:hasSelector selector:faulty .",
        )
        for name, (start, end) in {"before": (-1, 5), "after": (5, 101), "empty": (5, 5), "reversed": (6, 5)}.items()
    },
    "passage-unused": {"no-claim": Trip("passage:s901-part", "passage:s901-part a :Passage ; dcterms:isPartOf passage:s901 .")},
    "sentence-not-accounted-for": {"no-claim": Trip("passage:s903", "passage:s903 a :Passage, doco:Sentence .")},
    "thing-without-label": {
        "subject": in_content("actor:nameless", "actor:nameless :furthers actor:toyland ."),
        "object": in_content("instrument:nameless", "actor:toyland :instrument instrument:nameless .", described="skos:note 'x'"),
    },
    "two-things-one-code": {
        "one-scheme": Trip(
            "actor:toyland",
            "actor:toyland adms:identifier identifier:toyland .\n"
            'identifier:toyland :identifierScheme "TOY" ; skos:notation "42" .',
        )
    },
    "two-things-one-label": {"one-theme": Trip("actor:toyland-again", 'actor:toyland-again skos:prefLabel "Toyland"@en .')},
    "unknown-note": {"not-described": claim(" ; :citesNote note:999")},
    "unknown-passage": {
        "of-a-claim": claim(" , passage:s999"),
        "of-a-quality-note": Trip("quality:faulty", "quality:faulty :onPassage passage:s999 ."),
        "of-a-name": Trip("name:faulty", "name:faulty :occursIn passage:s999 ."),
    },
    "unknown-term": {
        "property": Trip("concept:toys", "concept:toys :noSuchProperty 1 ."),
        "class": Trip("concept:toys", "concept:toys a :NoSuchClass ."),
        "in-a-claim": in_content("actor:toyland", "actor:toyland :noSuchProperty actor:playland ."),
    },
}
CASES = [pytest.param(rule, trip, id=f"{rule}-{name}") for rule, trips in TRIPS.items() for name, trip in trips.items()]


def write(path: Path, text: str, prefixes: Prefixes) -> Path:
    """Write a data file with all declared prefixes, the subject of a block on a line of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in sorted(prefixes.table.items()))
    blocks = re.sub(r"^([\w-]+:[\w-]+) (?!\{)", r"\1\n    ", text.strip(), flags=re.MULTILINE)
    path.write_text(f"{head}\n{blocks}\n", encoding="utf-8")
    return path


def run(bundle: Path, prefixes: Prefixes) -> tuple[Fault, ...]:
    return checks.run(loading.load(bundle).union, bundle, prefixes)


@pytest.fixture
def small(tmp_path: Path, prefixes: Prefixes) -> Path:
    """A healthy bundle: the real ontology, derivations and checks, with a few toy data."""
    for folder in ("queries/derive", "queries/checks"):
        shutil.copytree(BUNDLE / folder, tmp_path / folder)
    (tmp_path / "ontology").mkdir()
    for path in (BUNDLE / "ontology").glob("*.ttl"):
        shutil.copy(path, tmp_path / "ontology")
    write(tmp_path / "graph_data" / "healthy.ttl", HEALTHY_TTL, prefixes)
    write(tmp_path / "graph_data" / "claims" / "healthy.trig", HEALTHY_TRIG, prefixes)
    return tmp_path


def test_the_real_bundle_is_healthy(dataset: Dataset, bundle: Path, prefixes: Prefixes) -> None:
    assert [str(fault) for fault in checks.run(dataset.union, bundle, prefixes)] == []


def test_the_small_bundle_is_healthy(small: Path, prefixes: Prefixes) -> None:
    assert [str(fault) for fault in run(small, prefixes)] == []


@pytest.mark.parametrize("rule", RULES)
def test_each_check_has_a_fixture_that_trips_it(rule: str) -> None:
    assert rule in TRIPS, f"queries/checks/{rule}.rq: write a bundle in TRIPS that trips this check"


def test_each_fixture_has_its_check() -> None:
    assert sorted(TRIPS) == RULES


@pytest.mark.parametrize(("rule", "trip"), CASES)
def test_a_fault_trips_one_check_and_is_found_in_its_line(rule: str, trip: Trip, small: Path, prefixes: Prefixes) -> None:
    path = write(small / "graph_data" / trip.file, trip.text, prefixes)
    faults = run(small, prefixes)
    assert {fault.rule for fault in faults} == {rule}, [str(fault) for fault in faults]
    assert {fault.subject for fault in faults} == {trip.subject}
    written = [healthy for healthy in sorted((small / "graph_data").rglob("healthy.*")) if starting(healthy, trip.subject)]
    first = min([path, *written]) if written else path
    assert {fault.place for fault in faults} == {f"{first}:{starting(first, trip.subject)}"}
    assert all(len(fault.message) > 20 and fault.message.endswith(".") for fault in faults)


def starting(path: Path, subject: str) -> int:
    """Return the number of the first line that starts with a short name, or 0."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((number for number, line in enumerate(lines, start=1) if line.split(" ")[0] == subject), 0)


def test_a_fault_says_place_subject_message_and_rule() -> None:
    fault = Fault("some-rule", "actor:x", "graph_data/a.ttl:12", "Mend it.")
    assert str(fault) == "graph_data/a.ttl:12: actor:x: Mend it. [some-rule]"


def test_faults_are_refused_with_the_first_and_the_count_of_the_rest() -> None:
    faults = tuple(Fault("some-rule", f"actor:{n}", f"a.ttl:{n}", "Mend it.") for n in range(1, 4))
    checks.refuse_faults(())
    with pytest.raises(FaultsFound) as one:
        checks.refuse_faults(faults[:1])
    assert str(one.value) == str(faults[0])
    with pytest.raises(FaultsFound) as many:
        checks.refuse_faults(faults)
    assert str(many.value) == f"{faults[0]} (and 2 more: run `suasion check`)"


def test_a_check_that_does_not_parse_is_named_with_its_line(small: Path, prefixes: Prefixes) -> None:
    path = small / "queries" / "checks" / "broken.rq"
    path.write_text("# A rule.\nSELECT ?subject ?message WHERE {\n  ?subject ?message ) .\n}\n", encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        run(small, prefixes)
    assert str(caught.value).startswith(f"{path}, line 3, column ")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?subject WHERE { ?subject a ?class }",
        "SELECT ?message WHERE { ?message a ?class }",
        "SELECT ?subject WHERE { ?subject a <https://example.org/nothing> }",
        "ASK { ?subject a ?message }",
        "CONSTRUCT { ?subject a ?message } WHERE { ?subject a ?message }",
    ],
    ids=["no-message", "no-subject", "no-message-and-no-row", "ask", "construct"],
)
def test_a_check_of_another_form_is_refused(query: str, small: Path, prefixes: Prefixes) -> None:
    path = small / "queries" / "checks" / "odd.rq"
    path.write_text(query, encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        run(small, prefixes)
    assert str(caught.value) == f"{path}: a check is a SELECT of ?subject and ?message."


def test_everything_described_in_the_real_data_has_a_place(dataset: Dataset, bundle: Path) -> None:
    places = checks.written_places(bundle)
    subjects = {quad.subject for quad in dataset.union.quads_for_pattern(None, None, None, None)}
    iris = {node.value for node in subjects if isinstance(node, ox.NamedNode) and node.value.startswith(ID)}
    assert len(iris) > 1000
    assert sorted(iris - places.keys()) == []


def test_places_are_lines_that_begin_with_the_thing(bundle: Path, prefixes: Prefixes) -> None:
    lines: dict[str, list[str]] = {}
    written_places = checks.written_places(bundle)
    assert len(written_places) > 1000
    for iri, place in written_places.items():
        file, _, number = place.rpartition(":")
        if file not in lines:
            lines[file] = Path(file).read_text(encoding="utf-8").splitlines()
        written = lines[file][int(number) - 1].split()[0]
        short = prefixes.shorten(iri)
        assert written in (short, f"<{iri}>", f"<{short}>"), place


@pytest.mark.parametrize(
    "text",
    [
        "PREFIX toy: <https://example.org/>\n\ntoy:a\n    toy:p toy:b ;\n.",
        "prefix toy: <https://example.org/>\n\ntoy:a toy:p toy:b .",
        "@prefix toy: <https://example.org/> .\n\ntoy:a\n    toy:p toy:b .",
        "PREFIX toy: <https://example.org/>\n# toy:a\n<https://example.org/a>\n    toy:p toy:b .",
        "PREFIX : <https://example.org/>\n\n:a a :b .\n:a a :c .",
    ],
    ids=["style", "one-line", "turtle-1.0", "iri", "empty-prefix"],
)
def test_the_place_of_a_block_is_its_first_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "graph_data" / "toys.ttl"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    loading.load(tmp_path)
    assert checks.written_places(tmp_path).get("https://example.org/a") == f"{path}:3"
