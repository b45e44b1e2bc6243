"""Each recorded spelling names one thing and stands in its passages; read against the article where that is at hand."""

import csv
import os
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox
import pytest

from suasion import loading, verify
from suasion.fingerprints import NOTE_MARKER, words
from suasion.prefixes import DEF, ID

BUNDLE = Path(__file__).parents[1]
A = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
LABEL = ox.NamedNode("http://www.w3.org/2008/05/skos-xl#Label")
LITERAL_FORM = ox.NamedNode("http://www.w3.org/2008/05/skos-xl#literalForm")
PREF_LABEL = ox.NamedNode("http://www.w3.org/2004/02/skos/core#prefLabel")
NAME_OF = ox.NamedNode(DEF + "nameOf")
OCCURS_IN = ox.NamedNode(DEF + "occursIn")
NAMED_IN_TEXT = ox.NamedNode(DEF + "namedInText")
WORD_COUNT = ox.NamedNode(DEF + "wordCount")
PASSAGE = ox.NamedNode(DEF + "Passage")

# One spelling for two things: the things that share it, and why.
SHARED_FORMS: Mapping[str, tuple[frozenset[str], str]] = {
    "Beijing": (
        frozenset({"actor/china", "place/beijing"}),
        "the capital stands for the state, but is the city in the name of the Games",
    ),
    "Tokyo": (
        frozenset({"actor/japan", "place/tokyo"}),
        "the capital stands for the state, but is the city in the name of the Declaration",
    ),
}


@dataclass(frozen=True, slots=True)
class Name:
    """A label as the graph records it: one form and one thing where it is sound."""

    iri: str
    forms: tuple[str, ...]
    things: tuple[ox.NamedNode, ...]
    passages: tuple[ox.NamedNode, ...]


@pytest.fixture(scope="module")
def union() -> ox.Store:
    return loading.load(BUNDLE).union


@pytest.fixture(scope="module")
def names(union: ox.Store) -> tuple[Name, ...]:
    labels = sorted(node.value for node in _subjects(union, A, LABEL))
    return tuple(
        Name(
            iri,
            tuple(form.value for form in _objects(union, ox.NamedNode(iri), LITERAL_FORM) if isinstance(form, ox.Literal)),
            _nodes(union, ox.NamedNode(iri), NAME_OF),
            _nodes(union, ox.NamedNode(iri), OCCURS_IN),
        )
        for iri in labels
    )


@pytest.fixture(scope="module")
def sentences(union: ox.Store) -> dict[str, str] | None:
    """The text of each sentence, heading and caption by the IRI of its passage; None where the article is not at hand.

    Lost hyphens are restored, note markers dropped, line breaks made spaces and apostrophes straight.
    """
    given = os.environ.get("ARTICLE_DIR")
    folder = Path(given) if given else BUNDLE.parent / "shared" / "article"
    if not given and not (folder / "article.txt").exists():
        return None
    data = (folder / "article.txt").read_bytes()
    assert verify.is_recorded_source(data, verify.recorded_digest(union)), f"{folder}: article.txt is not the recorded source"
    text = data.decode("utf-8")
    lost = {int(row["offset"]): row["insert"] for row in _rows(folder / "repairs.csv")}
    whole = {}
    for row in _rows(folder / "sentences.csv"):
        ends = [tuple(map(int, span.split("-"))) for span in row["ranges"].split(";")]
        pieces = ("".join(lost.get(at, "") + text[at] for at in range(start, end)) for start, end in ends)
        whole[f"{ID}passage/{row['sentence']}"] = _straight(" ".join(NOTE_MARKER.sub("", " ".join(pieces)).split()))
    return whole


def test_every_name_has_one_form_names_one_thing_and_occurs(names: tuple[Name, ...]) -> None:
    assert names
    assert [name.iri for name in names if len(name.forms) != 1 or not name.forms[0].strip()] == []
    assert [name.iri for name in names if len(name.things) != 1] == []
    assert [name.iri for name in names if not name.passages] == []


def test_every_named_thing_is_described_as_named_in_the_text(union: ox.Store, names: tuple[Name, ...]) -> None:
    things = {thing for name in names for thing in name.things}
    assert [thing.value for thing in things if not _objects(union, thing, PREF_LABEL)] == []
    assert [thing.value for thing in things if [v.value for v in _objects(union, thing, NAMED_IN_TEXT)] != ["true"]] == []


def test_every_recorded_passage_exists(union: ox.Store, names: tuple[Name, ...]) -> None:
    passages = set(_subjects(union, A, PASSAGE))
    assert [(name.iri, passage.value) for name in names for passage in name.passages if passage not in passages] == []


def test_a_form_names_two_things_only_where_the_table_says_why(names: tuple[Name, ...]) -> None:
    things: dict[str, list[str]] = defaultdict(list)
    for name in names:
        for form in name.forms:
            things[form] += [thing.value.removeprefix(ID) for thing in name.things]
    assert all(reason for _, reason in SHARED_FORMS.values())
    assert {form: sorted(several) for form, several in things.items() if len(several) > 1} == {
        form: sorted(expected) for form, (expected, _) in SHARED_FORMS.items()
    }


def test_every_spelling_stands_in_its_passages(
    union: ox.Store, names: tuple[Name, ...], sentences: dict[str, str] | None
) -> None:
    absent = []
    for name in names:
        for passage in name.passages:
            if sentences is not None:
                stands = all(_pattern(form).search(sentences.get(passage.value, "")) for form in name.forms)
            else:  # without the text: a passage has at least the words of the spelling
                count = sum(int(number.value) for number in _objects(union, passage, WORD_COUNT))
                stands = all(len(words(form)) <= count for form in name.forms)
            if not stands:
                absent.append((name.iri, passage.value))
    assert absent == []


def test_every_occurrence_of_a_spelling_of_several_words_is_recorded(
    names: tuple[Name, ...], sentences: dict[str, str] | None
) -> None:
    """An occurrence inside a longer recorded name is part of that name, and may be left out."""
    recorded: dict[str, set[str]] = defaultdict(set)
    for name in names:
        for passage in name.passages:
            recorded[passage.value].update(name.forms)
    several = {form: _pattern(form) for name in names for form in name.forms if " " in form}
    missing = []
    for iri, text in (sentences or {}).items():
        named = [found.span() for form in recorded[iri] for found in _pattern(form).finditer(text)]
        for form in several.keys() - recorded[iri]:
            spans = [found.span() for found in several[form].finditer(text)]
            if any(not any(start <= first and last <= end for start, end in named) for first, last in spans):
                missing.append((form, iri))
    assert sorted(missing) == []


def _subjects(union: ox.Store, predicate: ox.NamedNode, value: ox.NamedNode) -> tuple[ox.NamedNode, ...]:
    found = (quad.subject for quad in union.quads_for_pattern(None, predicate, value, ox.DefaultGraph()))
    return tuple(node for node in found if isinstance(node, ox.NamedNode))


def _objects(union: ox.Store, subject: ox.NamedNode, predicate: ox.NamedNode) -> tuple[ox.NamedNode | ox.Literal, ...]:
    found = (quad.object for quad in union.quads_for_pattern(subject, predicate, None, ox.DefaultGraph()))
    return tuple(term for term in found if isinstance(term, ox.NamedNode | ox.Literal))


def _nodes(union: ox.Store, subject: ox.NamedNode, predicate: ox.NamedNode) -> tuple[ox.NamedNode, ...]:
    return tuple(term for term in _objects(union, subject, predicate) if isinstance(term, ox.NamedNode))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _straight(text: str) -> str:
    return text.replace("\u2019", "'")


def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(_straight(form))}(?!\w)")
