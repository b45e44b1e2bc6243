"""Passages found in copies of a text: the article, where it is given, and a text made for the purpose."""

import csv
import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random

import pyoxigraph as ox
import pytest

from suasion import verify
from suasion.errors import DataFileError
from suasion.fingerprints import NOTE_MARKER, fingerprint, words
from suasion.loading import Dataset
from suasion.prefixes import ID
from suasion.verify import Finding, Located, Passage

SEEDS = range(4)
SYLLABLES = ("ba", "çe", "dó", "fi", "gu", "hal", "ïn", "kor", "lem", "mü", "nos", "pré", "ri", "sta", "to", "vez")


@dataclass(frozen=True, slots=True)
class Sample:
    """A source with its passages, and its sentences (IRI and text, on one line) in reading order."""

    raw: bytes
    digest: str
    passages: tuple[Passage, ...]
    sentences: tuple[tuple[str, str], ...]

    def family(self, iri: str) -> set[str]:
        """Return the IRIs of a sentence and its parts."""
        return {passage.iri for passage in self.passages if iri in (passage.iri, passage.whole)}

    def long_sentences(self) -> list[int]:
        """Return the places, in reading order, of sentences that cannot stand by chance in other words."""
        return [at for at, (_, text) in enumerate(self.sentences) if len(words(text)) >= 8]

    def locate(self, copy: str) -> tuple[Located, ...]:
        return verify.locate(self.passages, verify.read_copy(copy.encode(), "copy"), is_source=False)


def randomly(seed: int) -> Random:
    return Random(seed)  # noqa: S311 (repeatable, no secret)


def article_sample(folder: Path, union: ox.Store) -> Sample:
    raw = (folder / "article.txt").read_bytes()
    text = raw.decode("utf-8")
    with (folder / "sentences.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    sentences = []
    for row in rows:
        spans = [tuple(map(int, span.split("-"))) for span in row["ranges"].split(";")]
        sentences.append((f"{ID}passage/{row['sentence']}", " ".join(" ".join(text[a:b] for a, b in spans).split())))
    return Sample(raw, verify.recorded_digest(union), verify.passages(union), tuple(sentences))


def made_sample() -> Sample:
    """Return a text of 30 sentences in two columns that alternate, one sentence broken over them, with its passages."""
    random = randomly(7)
    sentences = [made_sentence(random, number) for number in range(1, 31)]
    left, right = 0, 1
    break_at = sentences[14].index(" ", 20)
    blocks = [
        (left, [(n, sentences[n]) for n in range(8)]),
        (right, [(14, sentences[14][break_at + 1 :]), *((n, sentences[n]) for n in range(15, 22))]),
        (left, [*((n, sentences[n]) for n in range(8, 14)), (14, sentences[14][:break_at])]),
        (right, [(n, sentences[n]) for n in range(22, 30)]),
    ]
    text, ranges = "", dict[int, list[tuple[int, int]]]()
    for _, pieces in blocks:
        for number, piece in pieces:
            ranges.setdefault(number, []).append((len(text), len(text) + len(piece)))
            text += piece + random.choice(("\n", " "))
        text += "\n17\n\n"
    ranges[14].reverse()
    turtle = [
        "PREFIX : <https://w3id.org/suasion/def#>",
        "PREFIX dcterms: <http://purl.org/dc/terms/>",
        "PREFIX oa: <http://www.w3.org/ns/oa#>",
        f"PREFIX passage: <{ID}passage/>",
        f'passage:source :sha256 "{sha256(text.encode()).hexdigest()}" .',
    ]
    for number, spans in sorted(ranges.items()):
        name = f"s{number + 1:03}"
        turtle += passage_turtle(text, name, spans, "")
        if len(spans) == 1:
            start, end = spans[0]
            inner = words(text[start:end])
            turtle += passage_turtle(text, f"{name}-part", [(start + inner[2].start, start + inner[-2].end)], name)
    store = ox.Store()
    store.load("\n".join(turtle), format=ox.RdfFormat.TURTLE)
    iris = [f"{ID}passage/s{number:03}" for number in range(1, 31)]
    return Sample(text.encode(), verify.recorded_digest(store), verify.passages(store), tuple(zip(iris, sentences, strict=True)))


def made_sentence(random: Random, number: int) -> str:
    made = ["".join(random.choices(SYLLABLES, k=random.randint(1, 4))) for _ in range(random.randint(9, 16))]
    made[0] = made[0].capitalize()
    made[3] += "-" + made[4]
    made[5] += "’s"
    marker = f" [{number}]" if number % 3 == 0 else ""
    return " ".join(made) + marker + "."


def passage_turtle(text: str, name: str, spans: Sequence[tuple[int, int]], whole: str) -> list[str]:
    pieces = [[word.text for word in words(text[start:end])] for start, end in spans]
    every = [word for piece in pieces for word in piece]
    lines = [f'passage:{name} a :Passage ; :wordCount {len(every)} ; :fingerprint "{fingerprint(every)}" .']
    if whole:
        lines.append(f"passage:{name} dcterms:isPartOf passage:{whole} .")
    for number, ((start, end), piece) in enumerate(zip(spans, pieces, strict=True), start=1):
        lines.append(f"passage:{name} oa:hasSelector passage:{name}-range-{number} .")
        lines.append(f"passage:{name}-range-{number} oa:start {start} ; oa:end {end} .")
        if len(spans) > 1:
            part = f"passage:{name}-range-{number}"
            lines.append(f'{part} :ordinal {number} ; :wordCount {len(piece)} ; :fingerprint "{fingerprint(piece)}" .')
    return lines


@pytest.fixture(scope="module", params=["article", "made"])
def sample(request: pytest.FixtureRequest, article: Path | None, dataset: Dataset) -> Sample:
    if request.param == "made":
        return made_sample()
    if article is None:
        pytest.skip("the article is not at hand")
    return article_sample(article, dataset.union)


def in_order(sample: Sample) -> str:
    return " ".join(text for _, text in sample.sentences)


def rewrapped(random: Random, text: str) -> str:
    """Return a text in lines of random length, some words broken with a hyphen."""
    lines, line = [], ""
    for word in text.split(" "):
        line = f"{line} {word}" if line else word
        if random.random() < 0.2:
            cut = len(line) - random.randint(2, 4)
            if line[cut - 2 :].isalpha() and random.random() < 0.7:
                lines.append(line[:cut] + random.choice(("-", "\u00ad", "\u2010")))
                line = line[cut:]
            else:
                lines.append(line)
                line = ""
    return random.choice(("\n", "\r\n", " \n", "\n   ")).join([*lines, line])


def as_page(text: str) -> str:
    """Return a text as an HTML page: entities, markup inside words, note markers as superscripts, and a script between."""
    escaped = html.escape(text).replace("’", "&rsquo;").replace("é", "&eacute;")
    escaped = re.sub(r"\[(\d+)\]", r'<sup><a href="#n\1">\1</a></sup>', escaped)
    sentences = escaped.split(". ")
    sentences = [re.sub(r"^(\w)(\w+)", r"<b>\1</b>\2", one) for one in sentences]
    body = ". ".join(f"<em>{one}</em>" if at % 5 == 0 else one for at, one in enumerate(sentences))
    body = re.sub(r" (\w+) ", r" <a href='x'>\1</a><br>", body, count=20)
    head = "<head><title>Some page</title><style>p { color: red }</style></head>"
    return f"<!DOCTYPE html>\n<html>{head}<body><script>if (1 < 2) alert('x')</script><div><p>{body}</p></div></body></html>"


def not_found(located: Sequence[Located]) -> dict[str, str]:
    return {one.passage.iri: str(one.finding) for one in located if one.finding != Finding.FOUND}


def test_there_are_passages_to_find(sample: Sample) -> None:
    assert {passage.iri for passage in sample.passages} >= {iri for iri, _ in sample.sentences}
    assert any(passage.whole for passage in sample.passages)
    assert any(len(passage.pieces) == 2 for passage in sample.passages)


def test_all_are_found_in_the_source_itself(sample: Sample) -> None:
    assert verify.is_recorded_source(sample.raw, sample.digest)
    assert not verify.is_recorded_source(sample.raw + b"\n", sample.digest)
    located = verify.locate(sample.passages, verify.read_copy(sample.raw, "source"), is_source=True)
    assert not_found(located) == {}
    for one in located:
        recorded = [(piece.start, piece.end) for piece in one.passage.pieces]
        for start, end in one.ranges:
            assert any(a <= start < b for a, b in recorded) and any(a < end <= b for a, b in recorded), one.passage.iri


def test_found_ranges_hold_the_words_of_the_passage(sample: Sample) -> None:
    copy = rewrapped(randomly(1), in_order(sample))
    found = sample.locate(copy)
    assert len(found) == len(sample.passages)
    for one in found:
        prints = [fingerprint(word.text for word in words(copy[start:end])) for start, end in one.ranges]
        assert prints in ([one.passage.fingerprint], [piece.fingerprint for piece in one.passage.pieces]), one.passage.iri


def test_all_are_moved_where_the_source_is_shifted(sample: Sample) -> None:
    shifted = "\n" * 2 * len(sample.raw) + sample.raw.decode()
    located = verify.locate(sample.passages, shifted, is_source=True)
    assert {one.finding for one in located} == {Finding.MOVED}


def test_all_are_found_in_the_raw_order_of_another_file(sample: Sample) -> None:
    assert not_found(sample.locate("A preface.\n" + sample.raw.decode())) == {}


def test_all_are_found_in_reading_order(sample: Sample) -> None:
    assert not_found(sample.locate(in_order(sample))) == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_all_are_found_whatever_the_line_breaks(sample: Sample, seed: int) -> None:
    copy = rewrapped(randomly(seed), in_order(sample))
    assert len(copy.splitlines()) > 30
    assert not_found(sample.locate(copy)) == {}


def test_all_are_found_with_decomposed_accents(sample: Sample) -> None:
    copy = unicodedata.normalize("NFD", in_order(sample))
    assert copy != in_order(sample)
    assert not_found(sample.locate(copy)) == {}


def test_all_are_found_in_upper_case(sample: Sample) -> None:
    assert not_found(sample.locate(in_order(sample).upper())) == {}


def test_all_are_found_without_note_markers(sample: Sample) -> None:
    copy = NOTE_MARKER.sub("", in_order(sample))
    assert copy != in_order(sample)
    assert not_found(sample.locate(copy)) == {}


def test_all_are_found_with_other_quotation_marks(sample: Sample) -> None:
    copy = in_order(sample).translate(str.maketrans("’“”", "'«»"))
    assert copy != in_order(sample)
    assert not_found(sample.locate(copy)) == {}


def test_all_are_found_in_a_page(sample: Sample) -> None:
    assert not_found(sample.locate(as_page(in_order(sample)))) == {}


def test_all_are_found_when_everything_differs_at_once(sample: Sample) -> None:
    copy = unicodedata.normalize("NFD", rewrapped(randomly(9), NOTE_MARKER.sub("", in_order(sample)).upper()))
    assert not_found(sample.locate(copy)) == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_two_distant_sentences_swapped_are_moved(sample: Sample, seed: int) -> None:
    one, other = sorted(randomly(seed).sample(sample.long_sentences()[::4], 2))
    sentences = list(sample.sentences)
    sentences[one], sentences[other] = sentences[other], sentences[one]
    expected = sample.family(sentences[one][0]) | sample.family(sentences[other][0])
    assert not_found(sample.locate(" ".join(text for _, text in sentences))) == dict.fromkeys(expected, "moved")


def test_of_two_neighbours_swapped_one_is_moved(sample: Sample) -> None:
    at = next(at for at in sample.long_sentences() if at + 1 in sample.long_sentences())
    sentences = list(sample.sentences)
    sentences[at : at + 2] = reversed(sentences[at : at + 2])
    found = not_found(sample.locate(" ".join(text for _, text in sentences)))
    assert set(found) in (sample.family(sentences[at][0]), sample.family(sentences[at + 1][0]))
    assert set(found.values()) == {"moved"}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sentence_cut_out_is_missing(sample: Sample, seed: int) -> None:
    at = randomly(seed).choice(sample.long_sentences())
    iri = sample.sentences[at][0]
    located = sample.locate(" ".join(text for n, (_, text) in enumerate(sample.sentences) if n != at))
    found = not_found(located)
    assert found[iri] == "missing"
    assert set(found.values()) == {"missing"}
    assert set(found) <= sample.family(iri)
    assert all(one.ranges == () for one in located if one.finding == Finding.MISSING)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sentence_with_a_word_changed_is_missing(sample: Sample, seed: int) -> None:
    random = randomly(seed)
    at = random.choice(sample.long_sentences())
    iri, text = sample.sentences[at]
    word = random.choice(words(text))
    changed = text[: word.start] + "otherwise" + text[word.end :]
    found = not_found(sample.locate(" ".join(changed if n == at else text for n, (_, text) in enumerate(sample.sentences))))
    assert found[iri] == "missing"
    assert set(found) <= sample.family(iri)


def test_all_are_missing_in_another_text(sample: Sample) -> None:
    for copy in ("", "Quite another text.", "word " * 3000):
        assert set(not_found(sample.locate(copy)).values()) == {"missing"}


def test_the_graph_records_the_sentences_of_the_source(dataset: Dataset) -> None:
    passages = verify.passages(dataset.union)
    iris = [passage.iri for passage in passages]
    assert iris == sorted(iris)
    assert [iri for iri in iris if re.search(r"/s\d+$", iri)] == [f"{ID}passage/s{n:03}" for n in range(1, 232)]
    assert {passage.whole for passage in passages if passage.whole} <= set(iris)
    for passage in passages:
        assert len(passage.pieces) in (1, 2), passage.iri
        assert sum(piece.words for piece in passage.pieces) == passage.words, passage.iri
        assert all(piece.start < piece.end for piece in passage.pieces), passage.iri
    assert re.fullmatch(r"[0-9a-f]{64}", verify.recorded_digest(dataset.union))


def test_an_empty_graph_records_nothing() -> None:
    assert verify.passages(ox.Store()) == ()
    assert verify.recorded_digest(ox.Store()) == ""
    assert verify.locate((), "Some text.", is_source=False) == ()


def test_a_copy_in_another_encoding_is_refused_with_its_place() -> None:
    with pytest.raises(DataFileError, match=r"^copies/one\.txt: byte 3 is not UTF-8: save the text as UTF-8\.$"):
        verify.read_copy("abc\xe9".encode("latin-1"), "copies/one.txt")


def test_plain_text_is_read_as_it_is() -> None:
    text = "Not <b>a</b> page &amp; not <!DOCTYPE html>."
    assert verify.read_copy(text.encode(), "copy") == text


@pytest.mark.parametrize(
    "page",
    [
        "<!DOCTYPE html><html><head><title>No</title></head><body><p>Soft power</p><p>matters.</p></body></html>",
        "\n  <HTML><BODY>Soft po<i>wer</i><br>matters<sup>1</sup>.</BODY></HTML>",
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body>S&#111;ft power<br/>matters</body></html>',
        "<html><body>Soft <style>b { }</style><script>no()</script>power<template>no</template> matters</body></html>",
        "<html><body><ul><li>Soft<li>power</ul><div>matters</div></body></html>",
        "<html><body>Soft</sup> power matters</body></html>",
        "<!DOCTYPE html><p>Soft power<p>matters",
        "<!DOCTYPE html><html><head><title>No</title><body><p>Soft power<p>matters",
        "\ufeff<!DOCTYPE html><html><head><title>No</title></head><body>Soft power matters</body></html>",
    ],
    ids=["plain", "upper", "xhtml", "silent", "lists", "stray-end-tag", "no-head-tag", "no-head-end-tag", "byte-order-mark"],
)
def test_the_text_of_a_page_is_its_words(page: str) -> None:
    text = verify.read_copy(page.encode(), "copy.html")
    assert [word.text for word in words(text)] == ["soft", "power", "matters"]
