"""The Turtle of a passage from the words: the same as the graph records, for each part of a sentence in the article."""

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pyoxigraph as ox
import pytest

from suasion import locate, verify
from suasion.errors import DataError
from suasion.fingerprints import fingerprint, words
from suasion.loading import Dataset
from suasion.prefixes import DEF, ID, Prefixes

OA = "http://www.w3.org/ns/oa#"
FIRST = "Grey seals sleep on [4] sand, and grey\nseals sing."
BROKEN = ("Old maps name “many” har-\nbours", "that no ship can reach.")
HEADING = "Of seals"
TEXT = f"\n{BROKEN[1]}\n\n12\n{HEADING}\n{FIRST} {BROKEN[0]}\n"


def spans(pieces: Sequence[str]) -> list[tuple[int, int]]:
    return [(TEXT.index(piece), TEXT.index(piece) + len(piece)) for piece in pieces]


def sentence(name: str, pieces: Sequence[str], paragraph: bool) -> str:
    """Return the Turtle of a sentence on pages 3 and 4, in one or two ranges."""
    runs = [[word.text for word in words(piece)] for piece in pieces]
    every = [word for run in runs for word in run]
    lines = [
        f"passage:{name} a :Passage ; :section section:1.2 ; :page 3, 4 .",
        f'passage:{name} :wordCount {len(every)} ; :fingerprint "{fingerprint(every)}" .',
    ]
    if paragraph:
        lines.append(f"passage:{name} :paragraph paragraph:1.2p3 .")
    for number, (run, (start, end)) in enumerate(zip(runs, spans(pieces), strict=True), start=1):
        lines.append(
            f"passage:{name} oa:hasSelector selector:{name}-{number} . selector:{name}-{number} oa:start {start} ; oa:end {end} ."
        )
        if len(pieces) > 1:
            lines.append(
                f'selector:{name}-{number} :ordinal {number} ; :wordCount {len(run)} ; :fingerprint "{fingerprint(run)}" .'
            )
    return "\n".join(lines)


def head(prefixes: Prefixes) -> str:
    return "".join(f"PREFIX {prefix}: <{namespace}>\n" for prefix, namespace in prefixes.table.items())


@pytest.fixture
def union(prefixes: Prefixes) -> ox.Store:
    digest = f'source:text :sha256 "{sha256(TEXT.encode()).hexdigest()}" .'
    blocks = [digest, sentence("s001", [HEADING], False), sentence("s002", [FIRST], True), sentence("s003", BROKEN, True)]
    store = ox.Store()
    store.load(head(prefixes) + "\n".join(blocks), format=ox.RdfFormat.TURTLE)
    return store


def made(union: ox.Store, prefixes: Prefixes, name: str, *runs: str) -> ox.Store:
    """Return the triples that are printed for a passage `<name>-part`."""
    turtle = locate.turtle(union, TEXT.encode(), name, "part", runs)
    store = ox.Store()
    store.load(head(prefixes) + turtle, format=ox.RdfFormat.TURTLE)
    return store


def objects(store: ox.Store, subject: str, predicate: str) -> list[str]:
    quads = store.quads_for_pattern(ox.NamedNode(ID + subject), ox.NamedNode(predicate), None, None)
    return sorted({quad.object.value for quad in quads if isinstance(quad.object, ox.NamedNode | ox.Literal)})


def ranges(store: ox.Store, passage: str) -> list[str]:
    """Return the texts that the printed ranges hold, in the order of their names."""
    selectors = [iri.removeprefix(ID) for iri in objects(store, passage, OA + "hasSelector")]
    bounds = [(int(objects(store, one, OA + "start")[0]), int(objects(store, one, OA + "end")[0])) for one in selectors]
    return [TEXT[start:end] for start, end in bounds]


@pytest.mark.parametrize(
    ("name", "runs", "expected"),
    [
        ("s002", ["seals sleep"], ["seals sleep"]),
        ("s002", ["SEALS, sleep!"], ["seals sleep"]),
        ("s002", ["on sand"], ["on [4] sand"]),
        ("s002", ["grey seals sing."], ["grey\nseals sing"]),
        ("s002", ["grey seals", "grey seals"], ["Grey seals", "grey\nseals"]),
        ("s002", ["sleep", "sing"], ["sleep", "sing"]),
        ("s003", ["many harbours"], ["many” har-\nbours"]),
        ("s003", ["ship can"], ["ship can"]),
        ("s003", ["harbours that no ship"], ["har-\nbours", "that no ship"]),
        ("s003", ["maps", "ship"], ["maps", "ship"]),
    ],
)
def test_ranges_hold_the_words(name: str, runs: list[str], expected: list[str], union: ox.Store, prefixes: Prefixes) -> None:
    store = made(union, prefixes, name, *runs)
    passage = f"passage/{name}-part"
    assert ranges(store, passage) == expected
    every = [word.text for piece in expected for word in words(piece)]
    assert objects(store, passage, DEF + "wordCount") == [str(len(every))]
    assert objects(store, passage, DEF + "fingerprint") == [fingerprint(every)]


def test_a_passage_of_two_ranges_has_them_numbered(union: ox.Store, prefixes: Prefixes) -> None:
    store = made(union, prefixes, "s003", "harbours that no")
    for number, run in enumerate((["harbours"], ["that", "no"]), start=1):
        selector = f"selector/s003-part-{number}"
        assert objects(store, selector, DEF + "ordinal") == [str(number)]
        assert objects(store, selector, DEF + "wordCount") == [str(len(run))]
        assert objects(store, selector, DEF + "fingerprint") == [fingerprint(run)]


def test_the_place_is_taken_over_from_the_sentence(union: ox.Store, prefixes: Prefixes) -> None:
    store = made(union, prefixes, "s002", "sleep")
    assert objects(store, "passage/s002-part", "http://purl.org/dc/terms/isPartOf") == [f"{ID}passage/s002"]
    assert objects(store, "passage/s002-part", DEF + "section") == [f"{ID}section/1.2"]
    assert objects(store, "passage/s002-part", DEF + "paragraph") == [f"{ID}paragraph/1.2p3"]
    assert objects(store, "passage/s002-part", DEF + "page") == ["3", "4"]


def test_a_heading_has_a_section_and_no_paragraph(union: ox.Store, prefixes: Prefixes) -> None:
    store = made(union, prefixes, "s001", "seals")
    assert ranges(store, "passage/s001-part") == ["seals"]
    assert objects(store, "passage/s001-part", DEF + "section") == [f"{ID}section/1.2"]
    assert objects(store, "passage/s001-part", DEF + "paragraph") == []


def test_what_is_printed_is_found_again(union: ox.Store, prefixes: Prefixes) -> None:
    turtle = locate.turtle(union, TEXT.encode(), "s003", "part", ["harbours that"])
    union.load(head(prefixes) + turtle, format=ox.RdfFormat.TURTLE)
    located = verify.locate(verify.passages(union), TEXT, is_source=True)
    assert {one.passage.iri.rpartition("/")[2]: str(one.finding) for one in located} == dict.fromkeys(
        ("s001", "s002", "s003", "s003-part"), "found"
    )


@pytest.mark.parametrize(
    ("name", "runs", "said"),
    [
        ("s999", ["seals"], "There is no sentence s999: "),
        ("passage", ["seals"], "There is no sentence passage: "),
        ("s002", ["walrus"], "s002 has no words 'walrus' (after what came before): copy them from the sentence."),
        ("s002", ["sleep", "seals sleep"], "s002 has no words 'seals sleep' (after what came before)"),
        ("s002", ["sing Old maps"], "s002 has no words 'sing Old maps'"),
        ("s002", ["seal"], "s002 has no words 'seal'"),
        ("s002", [" … "], "s002 has no words ' … '"),
        ("s002", ["grey", "sleep", "sing"], "A passage has one or two ranges: give fewer runs"),
        ("s003", ["maps", "harbours that"], "A passage has one or two ranges: give fewer runs"),
    ],
)
def test_what_cannot_be_located_is_refused_with_the_remedy(name: str, runs: list[str], said: str, union: ox.Store) -> None:
    with pytest.raises(DataError) as caught:
        locate.turtle(union, TEXT.encode(), name, "part", runs)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("slug", ["two words", "a/b", "a;b", "ends."])
def test_a_slug_that_makes_no_short_name_is_refused(slug: str, union: ox.Store) -> None:
    with pytest.raises(DataError, match=re.escape(slug)):
        locate.turtle(union, TEXT.encode(), "s002", slug, ["sleep"])


@pytest.mark.parametrize("source", [b"", TEXT.encode() + b"\n", TEXT.encode("utf-16"), b"\xff"])
def test_another_file_is_refused(source: bytes, union: ox.Store) -> None:
    with pytest.raises(DataError, match=r"^This is not the source file: .* SHA-256"):
        locate.turtle(union, source, "s002", "part", ["sleep"])


def test_each_part_in_the_article_is_printed_as_it_is_recorded(
    article: Path | None, dataset: Dataset, prefixes: Prefixes
) -> None:
    if article is None:
        pytest.skip("the article is not at hand")
    data = (article / "article.txt").read_bytes()
    text = data.decode("utf-8")
    parts = [passage for passage in verify.passages(dataset.union) if passage.whole]
    assert len(parts) > 100
    for passage in parts[::11] + [part for part in parts if len(part.pieces) == 2][::5]:
        name = passage.whole.removeprefix(f"{ID}passage/")
        slug = passage.iri.removeprefix(f"{passage.whole}-")
        (recorded,) = objects(dataset.union, passage.iri.removeprefix(ID), DEF + "characterRanges")
        bounds = [span.split("-") for span in recorded.split(" ")]
        runs = [text[int(start) : int(end)] for start, end in bounds]
        printed = head(prefixes) + locate.turtle(dataset.union, data, name, slug, runs)
        for quad in ox.parse(printed, format=ox.RdfFormat.TURTLE):
            assert ox.Quad(quad.subject, quad.predicate, quad.object, ox.DefaultGraph()) in dataset.union, passage.iri
