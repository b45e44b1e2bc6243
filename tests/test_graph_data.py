"""What the graph says of the article: all of it, nothing else, each number and name where the text has it."""

import csv
import datetime
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pyoxigraph as ox
import pytest
from edtf import parse_edtf

from suasion.fingerprints import NOTE_MARKER, fingerprint, words
from suasion.loading import Dataset
from suasion.prefixes import CLAIM, DEF, GRAPH, ID, Prefixes

SENTENCES, HEADINGS, CAPTIONS, NOTES = 218, 9, 4, 39
PUBLISHED = datetime.date(2009, 2, 17)
LONGEST_QUOTE = 8
# Official names that are longer: a name has no shorter form that is still it.
LONG_NAMES = (
    "ASEAN-China Center for Trade, Investment and Tourism Promotion",
    "Japan-East Asia Network of Exchange for Students and Youths",
    "Joint Declaration of the Leaders of ASEAN and Japan on the Comprehensive Economic Partnership",
)
FACTUAL = {"ReportedAsFact", "ReportedFromSource"}

PREFIXES = {
    "": DEF,
    "graph": GRAPH,
    "source": ID + "source/",
    "adms": "http://www.w3.org/ns/adms#",
    "c4o": "http://purl.org/spar/c4o/",
    "dcterms": "http://purl.org/dc/terms/",
    "doco": "http://purl.org/spar/doco/",
    "oa": "http://www.w3.org/ns/oa#",
    "prov": "http://www.w3.org/ns/prov#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "skosxl": "http://www.w3.org/2008/05/skos-xl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

# ── Numbers of the text that are no quantities ──────────────────────────────

# From the article's notes, 'Not numbers to encode as amounts': enumerators, and 'first' in a phrase.
ENUMERATORS = {
    "first": {"s032", "s106", "s173", "s084"},
    "second": {"s032", "s109", "s177"},
    "third": {"s032", "s111"},
    "fourth": {"s032"},
}
# (sentence, word): why it counts nothing that a figure could state.
IDIOMS = {
    ("s023", "three"): "'all three' stands for China, Japan and South Korea, which the claims name one by one",
    ("s193", "decades"): "'recent decades' is a period without a number: period:recent-decades",
}
NUMBER = re.compile(
    r"(?P<year>(?<![\d$.,])(?:19|20)\d\d(?:s\b)?(?![\d,]\d|\s+volunteers))"
    r"|(?P<digits>(?<![\d.,])\d+(?:,\d{3})*(?:\.\d+)?)"
    r"|\b(?P<word>two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundreds?|thousands?|millions?|billions?|trillions?|"
    r"decades?|double|twice|(?:two|three|four)fold|first|second|third|fourth|fifth|half|quarter)\b",
    re.IGNORECASE,
)
SMALL = dict(
    zip(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
        range(1, 13),
        strict=True,
    )
)
SMALL |= {"double": 2, "twice": 2, "twofold": 2, "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "decade": 10}
SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}


def stated(printed: str) -> float | None:
    """Return the number that a printed form states, or None when it states none.

    A plural of a power of ten ('thousands', 'tens of thousands') states that power.
    """
    text = printed.lower()
    plural = re.search(r"\b(tens of )?(hundred|thousand|million)s\b", text)
    if plural:
        return (10 if plural[1] else 1) * SCALES[plural[2]]
    digits = re.search(r"\d[\d,]*(?:\.\d+)?", text)
    word = re.search(rf"\b({'|'.join(SMALL)})\b", text)
    if not digits and not word:
        return None
    number = float(digits[0].replace(",", "")) if digits else float(SMALL[word[1]]) if word else 0.0
    scale = re.search(rf"(?:{re.escape(digits[0]) if digits else word[1] if word else ''})[\s-]+({'|'.join(SCALES)})\b", text)
    return number * (SCALES[scale[1]] if scale else 1)


# ── What the graph holds, as plain values ───────────────────────────────────


def rows(store: ox.Store, query: str) -> list[tuple[str | None, ...]]:
    """Answer a query of the named graphs and the default graph: IRIs and literals as their text, None where unbound."""
    head = " ".join(f"PREFIX {prefix}: <{namespace}>" for prefix, namespace in PREFIXES.items())
    solutions = store.query(f"{head} {query}")
    assert isinstance(solutions, ox.QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    return [tuple(None if row[n] is None else str(getattr(row[n], "value", "")) for n in names) for row in solutions]


def pairs(store: ox.Store, query: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for one, other in rows(store, query):
        assert one is not None and other is not None
        found[one].add(other)
    return found


def short(iri: str) -> str:
    return iri.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage as the graph describes it: its pieces in reading order, each with start and end."""

    name: str
    sentence: str
    pieces: tuple[tuple[int, int], ...]
    section: str
    paragraph: str | None
    words: int
    fingerprint: str


@pytest.fixture(scope="module")
def passages(dataset: Dataset) -> dict[str, Passage]:
    selectors = defaultdict(list)
    for passage, ordinal, start, end in rows(
        dataset.facts,
        "SELECT ?p ?n ?start ?end WHERE { GRAPH graph:passages { ?p a :Passage ; oa:hasSource source:article-text . "
        "?p oa:hasSelector ?s . ?s a oa:TextPositionSelector ; oa:start ?start ; oa:end ?end . OPTIONAL { ?s :ordinal ?n } } }",
    ):
        assert passage and start and end
        selectors[passage].append((int(ordinal or 1), int(start), int(end)))
    found = {}
    for iri, whole, section, paragraph, count, digest in rows(
        dataset.facts,
        "SELECT ?p ?whole ?section ?paragraph ?words ?digest WHERE { GRAPH graph:passages { ?p a :Passage ; :section ?section ; "
        ":wordCount ?words ; :fingerprint ?digest . OPTIONAL { ?p :paragraph ?paragraph } "
        "OPTIONAL { ?p dcterms:isPartOf ?whole . ?whole a :Passage } } }",
    ):
        assert iri and section and count and digest
        pieces = sorted(selectors[iri])
        assert [n for n, _, _ in pieces] == list(range(1, len(pieces) + 1)), f"{short(iri)}: ranges are numbered from 1"
        assert short(iri) not in found, f"{short(iri)} is described twice"
        found[short(iri)] = Passage(
            name=short(iri),
            sentence=short(whole or iri),
            pieces=tuple((start, end) for _, start, end in pieces),
            section=short(section),
            paragraph=short(paragraph) if paragraph else None,
            words=int(count),
            fingerprint=digest,
        )
    return found


@pytest.fixture(scope="module")
def claims(dataset: Dataset) -> tuple[str, ...]:
    return tuple(
        str(row[0]) for row in rows(dataset.facts, "SELECT ?c WHERE { GRAPH graph:claims { ?c a schema:Claim } } ORDER BY ?c")
    )


@pytest.fixture(scope="module")
def sentences_of(dataset: Dataset, passages: Mapping[str, Passage]) -> dict[str, set[str]]:
    """Each claim with the sentences that make it."""
    made = pairs(dataset.facts, "SELECT ?c ?p WHERE { GRAPH graph:claims { ?c a schema:Claim ; :passage ?p } }")
    return {claim: {passages[short(p)].sentence for p in found} for claim, found in made.items()}


@dataclass(frozen=True, slots=True)
class Source:
    """The article: its text, and its rows of sentences by id."""

    text: str
    rows: dict[str, dict[str, str]]

    def ranges(self, sentence: str) -> list[tuple[int, int]]:
        return [(int(a), int(b)) for a, _, b in (r.partition("-") for r in self.rows[sentence]["ranges"].split(";"))]

    def printed(self, pieces: list[tuple[int, int]] | tuple[tuple[int, int], ...]) -> str:
        """Return the text of ranges on one line, without note markers."""
        return " ".join(NOTE_MARKER.sub("", " ".join(self.text[start:end] for start, end in pieces)).split())

    def sentence(self, sentence: str) -> str:
        return self.printed(self.ranges(sentence))


@pytest.fixture(scope="module")
def source(article: Path | None) -> Source | None:
    if article is None:
        return None
    with (article / "sentences.csv").open(encoding="utf-8", newline="") as lines:
        table = {row["sentence"]: row for row in csv.DictReader(lines)}
    return Source((article / "article.txt").read_bytes().decode("utf-8"), table)


# ── All of the article ──────────────────────────────────────────────────────


def test_sentences_headings_and_captions_are_all_there(dataset: Dataset, passages: Mapping[str, Passage]) -> None:
    kinds = pairs(dataset.facts, "SELECT ?k ?p WHERE { GRAPH graph:passages { ?p a ?k } }")
    counted = {short(kind): len(found) for kind, found in kinds.items()}
    assert (counted["Sentence"], counted["SectionTitle"], counted["def#Caption"]) == (SENTENCES, HEADINGS, CAPTIONS)
    whole = [p.name for p in passages.values() if p.name == p.sentence]
    assert sorted(whole) == [f"s{n:03}" for n in range(1, SENTENCES + HEADINGS + CAPTIONS + 1)]
    order = rows(dataset.facts, "SELECT ?p ?n WHERE { GRAPH graph:passages { ?p :readingOrder ?n } }")
    assert sorted((short(str(p)), int(str(n))) for p, n in order) == [(name, int(name[1:])) for name in sorted(whole)]


def test_each_sentence_is_accounted_for(dataset: Dataset, sentences_of: Mapping[str, set[str]]) -> None:
    sentences = {
        short(str(row[0])) for row in rows(dataset.facts, "SELECT ?p WHERE { GRAPH graph:passages { ?p a doco:Sentence } }")
    }
    silent = {
        short(str(row[0])) for row in rows(dataset.facts, "SELECT ?p WHERE { GRAPH graph:passages { ?p :carriesNoClaim ?why } }")
    }
    speaking = set().union(*sentences_of.values())
    assert len(sentences) == SENTENCES
    assert sorted(sentences - speaking - silent) == []
    assert sorted(speaking & silent) == [], "carries no claim, and yet carries one"
    headings = {short(str(row[0])) for row in rows(dataset.facts, "SELECT ?p WHERE { ?p a doco:SectionTitle }")}
    assert len(headings) == HEADINGS
    assert not speaking & headings, "a heading makes no claim; a caption may"


def test_each_note_marker_is_cited(dataset: Dataset, sentences_of: Mapping[str, set[str]], source: Source | None) -> None:
    printed = {
        int(str(marker)): short(str(passage))
        for marker, passage in rows(
            dataset.facts,
            "SELECT ?n ?p WHERE { GRAPH graph:article { ?note a c4o:InTextReferencePointer ; :marker ?n ; :inPassage ?p } }",
        )
    }
    cited: dict[int, set[str]] = defaultdict(set)
    for claim, marker in rows(
        dataset.facts,
        "SELECT ?c ?n WHERE { GRAPH graph:claims { ?c :citesNote ?note } GRAPH graph:article { ?note :marker ?n } }",
    ):
        cited[int(str(marker))] |= sentences_of[str(claim)]
    assert sorted(printed) == sorted(cited) == list(range(1, NOTES + 1))
    assert {n: found for n, found in cited.items() if printed[n] not in found} == {}, (
        "no claim of the sentence with the marker cites it"
    )
    if source:
        expected = {int(n): name for name, row in source.rows.items() for n in row["notes"].split(";") if n}
        assert printed == expected


def test_each_claim_has_one_of_each(dataset: Dataset, claims: tuple[str, ...]) -> None:
    wanted = (":kind", ":modality", ":passage", ":summary", "prov:wasAttributedTo")
    faults = []
    for property_ in wanted:
        found = Counter(
            str(row[0]) for row in rows(dataset.facts, f"SELECT ?c WHERE {{ GRAPH graph:claims {{ ?c {property_} ?x }} }}")
        )
        faults += [(short(claim), property_, found[claim]) for claim in claims if found[claim] != 1]
        faults += [(claim, property_, -1) for claim in set(found) - set(claims)]
    assert len(claims) > SENTENCES
    assert faults == []


def test_kinds_and_modalities_are_all_in_use(dataset: Dataset) -> None:
    for property_, class_ in ((":kind", ":ClaimKind"), (":modality", ":Modality")):
        codes = {row[0] for row in rows(dataset.facts, f"SELECT ?x WHERE {{ GRAPH graph:ontology {{ ?x a {class_} }} }}")}
        used = {
            row[0] for row in rows(dataset.facts, f"SELECT DISTINCT ?x WHERE {{ GRAPH graph:claims {{ ?c {property_} ?x }} }}")
        }
        assert codes == used


# ── Fact and what is said ───────────────────────────────────────────────────


def test_the_default_graph_is_identity_and_what_is_reported(dataset: Dataset, claims: tuple[str, ...]) -> None:
    """Built here once more, without the rule that built it: nothing evaluated, hedged, quoted or projected is a fact."""
    modality = pairs(dataset.facts, "SELECT ?c ?m WHERE { GRAPH graph:claims { ?c :modality ?m } }")
    factual = {claim for claim in claims if {m.removeprefix(DEF) for m in modality[claim]} <= FACTUAL}
    assert 0 < len(factual) < len(claims)
    expected, withheld = set(), set()
    for graph in dataset.facts.named_graphs():
        triples = {quad.triple for quad in dataset.facts.quads_for_pattern(None, None, None, graph)}
        if graph.value in (GRAPH + "derived", GRAPH + "states") or (graph.value in claims and graph.value not in factual):
            withheld |= triples
        else:
            expected |= triples
            assert graph.value in claims or graph.value.startswith(GRAPH), graph
    default = {quad.triple for quad in dataset.facts.quads_for_pattern(None, None, None, ox.DefaultGraph())}
    assert [str(t) for t in list(default - expected)[:5]] == []
    assert [str(t) for t in list(expected - default)[:5]] == []
    assert withheld - expected, "there is something to withhold"
    assert not default & (withheld - expected)


def test_countsasfact_says_the_same(dataset: Dataset) -> None:
    stated_so = {
        str(row[0]).removeprefix(DEF)
        for row in rows(dataset.facts, "SELECT ?m WHERE { GRAPH graph:ontology { ?m a :Modality ; :countsAsFact true } }")
    }
    assert stated_so == FACTUAL


def test_each_claim_graph_is_a_claim(dataset: Dataset, claims: tuple[str, ...]) -> None:
    graphs = {graph.value for graph in dataset.facts.named_graphs() if isinstance(graph, ox.NamedNode)}
    assert {graph for graph in graphs if graph.startswith(CLAIM)} == set(claims)


def test_what_is_planned_is_not_done(dataset: Dataset) -> None:
    """No milestone of the facts lies after the article, or is expected: what was to come is projected or hedged."""
    later = f'"{PUBLISHED}"^^<http://www.w3.org/2001/XMLSchema#date>'
    future = (
        "SELECT DISTINCT ?m WHERE { ?m a :Milestone . { ?m :period ?p . ?p :begins ?day } UNION "
        "{ ?m :period ?p . ?p :ends ?day . FILTER NOT EXISTS { ?p :begins ?first } } UNION "
        "{ ?m :status :Planned . BIND(xsd:date('9999-12-31') AS ?day) } "
        f"FILTER(?day > {later}) }}"
    )
    assert rows(dataset.facts, future) == []
    assert len(rows(dataset.union, future)) > 3, "the article does look ahead"


# ── No text of the article ──────────────────────────────────────────────────


def literals(dataset: Dataset) -> Iterator[tuple[str, str]]:
    for quad in dataset.facts.quads_for_pattern(None, None, None, None):
        if isinstance(quad.object, ox.Literal) and " " in quad.object.value:
            yield str(quad.subject), quad.object.value


def windows(run: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return (tuple(run[i : i + size]) for i in range(len(run) - size + 1))


def test_quotations_are_short(dataset: Dataset) -> None:
    quoting = ":asPrinted|:quotedWords|:quotedPhrase|:hedge|skosxl:literalForm"
    found = rows(dataset.facts, f"SELECT DISTINCT ?s ?text WHERE {{ GRAPH ?g {{ ?s {quoting} ?text }} }}")
    assert len(found) > 100
    assert [(short(str(s)), text) for s, text in found if len(words(str(text))) > LONGEST_QUOTE and text not in LONG_NAMES] == []


def test_no_literal_holds_a_run_of_the_article(dataset: Dataset, source: Source | None) -> None:
    """Names and phrases of up to eight words may stand in the graph, not nine in a row."""
    size = LONGEST_QUOTE + 1
    summaries = [str(row[0]) for row in rows(dataset.facts, "SELECT ?text WHERE { GRAPH graph:claims { ?c :summary ?text } }")]
    assert summaries
    assert [s for s in summaries for quoted in re.findall('["“]([^"”]+)["”]', s) if len(words(quoted)) > LONGEST_QUOTE] == []
    if source:
        read = [word.text for name in sorted(source.rows) for a, b in source.ranges(name) for word in words(source.text[a:b])]
        named = [["the", *(word.text for word in words(name))] for name in LONG_NAMES]
        runs = set(windows(read, size)) - {run for name in named for run in windows(name, size)}
        copied = []
        for subject, text in set(literals(dataset)):
            said = [word.text for word in words(text)]
            copied += [f"{subject}: {' '.join(run)}" for run in windows(said, size) if run in runs]
        assert copied == []


# ── Passages ────────────────────────────────────────────────────────────────


def test_passages_are_where_the_article_has_them(passages: Mapping[str, Passage], source: Source | None) -> None:
    whole = {name: p for name, p in passages.items() if name == p.sentence}
    assert all(1 <= len(p.pieces) <= 2 and all(start < end for start, end in p.pieces) for p in passages.values())
    overlapping = [
        (a.name, b.name)
        for a in whole.values()
        for b in whole.values()
        if a.name < b.name and any(s < e2 and s2 < e for s, e in a.pieces for s2, e2 in b.pieces)
    ]
    assert overlapping == []
    if source:
        recorded = {name: (list(p.pieces), p.section, p.paragraph) for name, p in whole.items()}
        expected = {
            name: (source.ranges(name), row["section"], f"{row['section']}p{row['paragraph']}" if row["paragraph"] else None)
            for name, row in source.rows.items()
        }
        assert recorded == expected


def test_parts_lie_inside_their_sentences(passages: Mapping[str, Passage]) -> None:
    parts = [p for p in passages.values() if p.name != p.sentence]
    assert parts
    faults = []
    for part in parts:
        whole = passages[part.sentence]
        inside = all(any(a <= start < end <= b for a, b in whole.pieces) for start, end in part.pieces)
        if (
            not inside
            or (part.section, part.paragraph) != (whole.section, whole.paragraph)
            or not part.name.startswith(f"{whole.name}-")
        ):
            faults.append(part.name)
    assert faults == []


def test_fingerprints_are_those_of_the_text(dataset: Dataset, passages: Mapping[str, Passage], source: Source | None) -> None:
    assert [p.name for p in passages.values() if not re.fullmatch("[0-9a-f]{64}", p.fingerprint) or p.words < 1] == []
    pieces = rows(
        dataset.facts,
        "SELECT ?s ?start ?end ?words ?digest WHERE { GRAPH graph:passages { ?s a oa:TextPositionSelector ; "
        "oa:start ?start ; oa:end ?end ; :wordCount ?words ; :fingerprint ?digest } }",
    )
    broken = [p for p in passages.values() if len(p.pieces) == 2]
    assert len(pieces) == 2 * len(broken) > 0, "each range of a passage in two has its own fingerprint"
    if source:
        wrong = []
        for p in passages.values():
            run = [word.text for start, end in p.pieces for word in words(source.text[start:end])]
            if (p.words, p.fingerprint) != (len(run), fingerprint(run)):
                wrong.append(p.name)
        for selector, start, end, count, digest in pieces:
            run = [word.text for word in words(source.text[int(str(start)) : int(str(end))])]
            if (int(str(count)), digest) != (len(run), fingerprint(run)):
                wrong.append(short(str(selector)))
        assert wrong == []


def test_the_source_is_the_article(dataset: Dataset, article: Path | None, source: Source | None) -> None:
    ((digest, length),) = rows(
        dataset.facts, "SELECT ?d ?n WHERE { GRAPH graph:article { source:article-text :sha256 ?d ; :codePoints ?n } }"
    )
    assert re.fullmatch("[0-9a-f]{64}", str(digest))
    if article and source:
        assert (sha256((article / "article.txt").read_bytes()).hexdigest(), len(source.text)) == (digest, int(str(length)))


def test_quoted_words_stand_in_their_passages(dataset: Dataset, passages: Mapping[str, Passage], source: Source | None) -> None:
    noted = rows(
        dataset.facts,
        "SELECT DISTINCT ?p ?text WHERE { { GRAPH graph:claims { ?q :onPassage ?p ; :quotedWords ?text } } UNION "
        "{ GRAPH graph:names { ?n :occursIn ?p ; skosxl:literalForm ?text } } }",
    )
    assert noted
    assert [short(str(p)) for p, _ in noted if short(str(p)) not in passages] == []
    if source:
        lost = [
            (short(str(p)), str(text))
            for p, text in noted
            if folded(str(text)) not in folded(source.sentence(passages[short(str(p))].sentence))
        ]
        assert sorted(lost) == []


def folded(text: str) -> str:
    """Return a text as it reads: one space between words, straight quotation marks, no case; lost hyphens do not count."""
    plain = " ".join(text.lower().translate(str.maketrans("‘’“”–—", "''\"\"--")).split())
    return plain.replace("-", "").replace(" ,", ",")


# ── Numbers ─────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure in the content of a claim."""

    name: str
    claim: str
    printed: str
    value: str | None


@pytest.fixture(scope="module")
def figures(dataset: Dataset) -> list[Figure]:
    found = rows(
        dataset.facts,
        "SELECT ?f ?c ?printed ?value WHERE { GRAPH graph:claims { ?c a schema:Claim } "
        "GRAPH ?c { ?f :asPrinted ?printed OPTIONAL { ?f :value ?value } } }",
    )
    assert len(found) > 50
    return [Figure(str(f), str(c), str(printed), value) for f, c, printed, value in found]


def test_values_are_typed_numbers(dataset: Dataset) -> None:
    values = [quad.object for quad in dataset.facts.quads_for_pattern(None, ox.NamedNode(DEF + "value"), None, None)]
    types = {value.datatype.value.rpartition("#")[2] for value in values if isinstance(value, ox.Literal)}
    assert types <= {"integer", "decimal"} and types
    assert all(isinstance(value, ox.Literal) for value in values)


def test_values_are_the_numbers_printed(figures: list[Figure]) -> None:
    """'$1.6 billion' is 1600000000: no figure says another number than its words."""
    stating = [f for f in figures if f.value is not None]
    assert stating
    wrong = [(short(f.name), f.printed, f.value) for f in stating if stated(f.printed) != float(str(f.value))]
    assert wrong == []
    silent = [(short(f.name), f.printed) for f in figures if f.value is None and stated(f.printed) is not None]
    assert silent == [], "states a number, but has no value"


def test_printed_forms_stand_in_the_text(
    figures: list[Figure], sentences_of: Mapping[str, set[str]], source: Source | None
) -> None:
    assert [f.name for f in figures if f.printed != " ".join(f.printed.split())] == []
    if source:
        lost = [
            (short(f.name), sorted(sentences_of[f.claim]), f.printed)
            for f in figures
            if not all(f.printed in source.sentence(name) for name in sentences_of[f.claim])
        ]
        assert lost == []


@dataclass(frozen=True, slots=True)
class Period:
    """A period: its first and last day as far as they are given."""

    name: str
    label: str
    edtf: str | None
    begins: datetime.date | None
    ends: datetime.date | None

    def gives(self, year: str) -> bool:
        """Say whether a year (1997), or a decade (1980s), is where this period begins or ends."""
        days = [day for day in (self.begins, self.ends) if day]
        if year.endswith("s"):
            decade = range(int(year[:-1]), int(year[:-1]) + 10)
            return any(day.year in decade for day in days)
        # Before 2012 ends in 2011.
        last = self.ends.year + 1 if self.ends and self.label == f"before {year}" else None
        return int(year) in {*(day.year for day in days), last}


@pytest.fixture(scope="module")
def periods(dataset: Dataset) -> dict[str, Period]:
    found = rows(
        dataset.facts,
        "SELECT ?p ?label ?edtf ?begins ?ends WHERE { ?p a :Period ; skos:prefLabel ?label . OPTIONAL { ?p :edtf ?edtf } "
        "OPTIONAL { ?p :begins ?begins } OPTIONAL { ?p :ends ?ends } }",
    )
    day = datetime.date.fromisoformat
    return {
        str(p): Period(str(p), str(label), edtf, day(begins) if begins else None, day(ends) if ends else None)
        for p, label, edtf, begins, ends in found
    }


def test_each_number_of_the_text_is_in_the_graph(
    dataset: Dataset,
    figures: list[Figure],
    periods: Mapping[str, Period],
    sentences_of: Mapping[str, set[str]],
    source: Source | None,
) -> None:
    """As a figure with a value, as a period, or as part of a name, on a claim of its own sentence."""
    printed: dict[str, set[str]] = defaultdict(set)
    for figure in figures:
        if figure.value is not None:
            for name in sentences_of[figure.claim]:
                printed[name].add(figure.printed)
    when: dict[str, set[str]] = defaultdict(set)
    for claim, period in rows(dataset.facts, "SELECT ?c ?p WHERE { GRAPH ?c { ?s ?any ?p } ?p a :Period }"):
        for name in sentences_of.get(str(claim), ()):
            when[name].add(str(period))
    names: dict[str, set[str]] = defaultdict(set)
    for passage, form in rows(
        dataset.facts, "SELECT ?p ?form WHERE { GRAPH graph:names { ?n :occursIn ?p ; skosxl:literalForm ?form } }"
    ):
        names[short(str(passage))[:4]].add(str(form))
    assert printed and when and names
    if source:
        lost, idioms = [], set()
        for name, row in source.rows.items():
            if row["kind"] != "sentence":
                continue
            text = source.sentence(name)
            spans = [
                (match.start(), match.end())
                for form in (*printed[name], *names[name])
                for match in re.finditer(re.escape(form), text, re.IGNORECASE)
            ]
            for match in NUMBER.finditer(text):
                word = match[0].lower()
                if any(start <= match.start() and match.end() <= end for start, end in spans):
                    continue
                if match["year"] and any(periods[p].gives(word) for p in when[name]):
                    continue
                if name in ENUMERATORS.get(word, ()):
                    continue
                if (name, word) in IDIOMS:
                    idioms.add((name, word))
                    continue
                lost.append((name, match[0], text[max(0, match.start() - 30) : match.end() + 20]))
        assert lost == []
        assert sorted(set(IDIOMS) - idioms) == [], "listed as an idiom without need"


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("over US$ 44.7 billion", 44.7e9),
        ("1,154 ASEAN-based companies", 1154),
        ("more than one hundred cooperative projects", 100),
        ("only tens of thousands of Chinese (per year)", 10000),
        ("hundreds of volunteers", 100),
        ("fourth largest export partner", 4),
        ("5-year youth exchange initiative", 5),
        ("surpassing the number of Japanese tourists", None),
    ],
)
def test_printed_numbers_are_read(printed: str, value: float | None) -> None:
    assert stated(printed) == value


# ── Periods ─────────────────────────────────────────────────────────────────


def test_edtf_forms_parse_and_agree_with_the_days(periods: Mapping[str, Period]) -> None:
    assert sum(1 for p in periods.values() if p.edtf) > 30
    faults = []
    for p in periods.values():
        if p.edtf is None:
            if p.begins or p.ends:
                faults.append((short(p.name), "has days, but no EDTF form"))
            continue
        parsed = parse_edtf(p.edtf)
        if (p.begins, p.ends) != (edge(parsed.lower_strict()), edge(parsed.upper_strict())):
            faults.append((short(p.name), f"{p.edtf}: {edge(parsed.lower_strict())} to {edge(parsed.upper_strict())}"))
    assert faults == []


def edge(found: object) -> datetime.date | None:
    """Return the day of an edge of an EDTF form, None when it is open."""
    if isinstance(found, float):
        return None
    assert isinstance(found, tuple)
    year, month, day = found[:3]
    return datetime.date(year, month, day)


def test_years_are_periods_of_one_year(dataset: Dataset, periods: Mapping[str, Period]) -> None:
    years = {str(p): int(str(year)) for p, year in rows(dataset.facts, "SELECT DISTINCT ?p ?y WHERE { ?p :year ?y }")}
    whole = {
        iri: p.begins.year
        for iri, p in periods.items()
        if p.begins
        and p.ends
        and (p.begins, p.ends) == (datetime.date(p.begins.year, 1, 1), datetime.date(p.begins.year, 12, 31))
    }
    assert years == whole


# ── Identifiers and the outside ─────────────────────────────────────────────


@pytest.fixture(scope="module")
def codes(dataset: Dataset) -> dict[tuple[str, str], set[str]]:
    """Things by scheme and code."""
    found = defaultdict(set)
    for scheme, code, thing in rows(
        dataset.facts,
        "SELECT ?scheme ?code ?thing WHERE { GRAPH graph:identifiers { ?thing adms:identifier ?i . "
        "?i :identifierScheme ?scheme ; skos:notation ?code } }",
    ):
        found[str(scheme), str(code)].add(short(str(thing)))
    return found


@pytest.mark.parametrize(
    ("scheme", "code", "thing"),
    [
        ("cow-ccode", "710", "china"),
        ("cow-ccode", "740", "japan"),
        ("cow-ccode", "732", "south-korea"),
        ("cow-ccode", "816", "vietnam"),
        ("cow-ccode", "840", "philippines"),
        ("cow-ccode", "800", "thailand"),
        ("cow-ccode", "2", "united-states"),
        ("cow-stateabb", "CHN", "china"),
        ("cow-stateabb", "JPN", "japan"),
        ("cow-stateabb", "ROK", "south-korea"),
        ("cow-stateabb", "USA", "united-states"),
        ("gw-number", "816", "vietnam"),
        ("iso3166-1-numeric", "840", "united-states"),
        ("iso3166-1-numeric", "156", "china"),
        ("iso3166-1-numeric", "392", "japan"),
        ("iso3166-1-numeric", "410", "south-korea"),
        ("iso3166-1-alpha3", "KOR", "south-korea"),
        ("iso3166-1-alpha3", "CHN", "china"),
        ("fips10-4", "CH", "china"),
        ("fips10-4", "SN", "singapore"),
    ],
)
def test_a_code_means_its_thing_in_its_scheme(
    codes: Mapping[tuple[str, str], set[str]], scheme: str, code: str, thing: str
) -> None:
    assert codes.get((scheme, code)) == {thing}


@pytest.mark.parametrize(
    ("scheme", "code"),
    [
        ("iso3166-1-numeric", "710"),  # South Africa
        ("iso3166-1-numeric", "740"),  # Suriname
        ("iso3166-1-numeric", "800"),  # Uganda
        ("iso3166-1-alpha3", "ROK"),
        ("iso3166-1-alpha3", "PRK"),
        ("iso3166-1-alpha2", "SN"),  # Senegal
        ("gw-number", "815"),  # Annam
        ("gw-number", "817"),  # the Republic of Vietnam
        ("cow-ccode", "731"),  # North Korea
    ],
)
def test_a_code_of_another_state_is_not_there(codes: Mapping[tuple[str, str], set[str]], scheme: str, code: str) -> None:
    assert any(known == scheme for known, _ in codes), "the scheme is in the graph"
    assert (scheme, code) not in codes


def test_each_identifier_has_a_scheme_a_code_and_a_source(dataset: Dataset) -> None:
    identifiers = [row[0] for row in rows(dataset.facts, "SELECT ?i WHERE { GRAPH graph:identifiers { ?i a adms:Identifier } }")]
    assert identifiers
    for property_ in (":identifierScheme", "skos:notation", "dcterms:source", "^adms:identifier"):
        found = Counter(
            row[0] for row in rows(dataset.facts, f"SELECT ?i WHERE {{ GRAPH graph:identifiers {{ ?i {property_} ?x }} }}")
        )
        assert [i for i in identifiers if found[i] != 1] == [], property_
        assert set(found) <= {*identifiers}, property_


def test_identifiers_are_the_verified_ones(dataset: Dataset, article: Path | None) -> None:
    held = Counter(
        rows(
            dataset.facts,
            "SELECT ?scheme ?code ?source WHERE { GRAPH graph:identifiers "
            "{ ?i a adms:Identifier ; :identifierScheme ?scheme ; skos:notation ?code ; dcterms:source ?source } }",
        )
    )
    matches = {
        row[0]
        for row in rows(
            dataset.facts, "SELECT ?iri WHERE { GRAPH graph:identifiers { ?x skos:exactMatch|skos:closeMatch ?iri } }"
        )
    }
    assert held and matches
    if article:
        with (article.parent / "reference" / "identifiers.csv").open(encoding="utf-8", newline="") as lines:
            table = list(csv.DictReader(lines))
        verified = [row for row in table if row["status"] == "verified"]
        expected: Counter[tuple[str | None, ...]] = Counter(
            (row["scheme"], row["identifier"], row["verified_source"]) for row in verified
        )
        assert sorted(map(str, (held - expected).elements())) == [], "in the graph, but not verified"
        assert sorted(map(str, (expected - held).elements())) == [], "verified, but not in the graph"
        assert matches <= {row["iri"] for row in verified}
        candidates = {row["unverified_candidate"] for row in table if row["unverified_candidate"]}
        assert not candidates & {str(code) for _, code, _ in held}


OUTSIDE = """
SELECT DISTINCT ?thing ?source WHERE {
  ?thing dcterms:source ?source .
  FILTER(?source != source:encoders-reading)
}
"""


def test_what_comes_from_outside_can_be_told_apart_by_one_query(dataset: Dataset, claims: tuple[str, ...]) -> None:
    """It is what has a dcterms:source other than our own reading; what the text neither names nor speaks of is among it."""
    outside = pairs(dataset.union, OUTSIDE)
    described = rows(
        dataset.facts,
        "SELECT DISTINCT ?x WHERE { { VALUES ?g { graph:outside graph:identifiers } GRAPH ?g { ?x a ?class } } UNION "
        "{ GRAPH ?any { ?x :namedInText false } "
        "FILTER NOT EXISTS { GRAPH graph:claims { ?claim :mentions|prov:wasAttributedTo ?x } } } "
        "FILTER NOT EXISTS { GRAPH ?sources { ?x a prov:Entity } } }",
    )
    assert len(described) > 500
    assert sorted(short(str(x)) for (x,) in described if x not in outside) == [], "comes from outside, but has no dcterms:source"
    inside = rows(dataset.facts, "SELECT DISTINCT ?x WHERE { GRAPH ?g { ?x :namedInText true } }")
    assert sorted(short(str(x)) for (x,) in inside if x in outside) == [], "named in the text, and yet from outside"
    assert not set(outside) & set(claims)
    said = {
        str(row[0])
        for row in rows(
            dataset.facts, "SELECT DISTINCT ?s WHERE { GRAPH ?c { ?s ?p ?o } GRAPH graph:claims { ?c a schema:Claim } }"
        )
    }
    # Claims use the currencies of the EU's list, and speak of the article, whose record is the publisher's.
    shared = {thing for thing in outside if "/authority/currency/" in thing} | {ID + "source/article"}
    assert sorted(short(x) for x in said & set(outside) - shared) == [], "said by a claim, and yet from outside"


def test_sources_are_described(dataset: Dataset) -> None:
    named = {
        str(row[0])
        for row in rows(dataset.union, "SELECT DISTINCT ?source WHERE { ?x dcterms:source ?source FILTER(ISIRI(?source)) }")
    }
    known = {str(row[0]) for row in rows(dataset.union, "SELECT ?source WHERE { ?source a prov:Entity ; skos:prefLabel ?label }")}
    assert named
    assert sorted(named - known) == []


def test_no_fact_of_an_identity_file_needs_the_text(dataset: Dataset, prefixes: Prefixes) -> None:
    """What the article says is said by claims alone: an identity is labels, kinds and names, no relation, figure or period."""
    files = "graph:actors graph:agreements graph:events graph:initiatives graph:instruments graph:places graph:names"
    found = rows(
        dataset.facts,
        f"SELECT DISTINCT ?p WHERE {{ VALUES ?g {{ {files} }} GRAPH ?g {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?p), '{DEF}')) }}",
    )
    allowed = {":agreementType", ":namedInText", ":nameOf", ":occursIn"}
    assert {prefixes.shorten(str(p)) for (p,) in found} <= allowed


# ── Persons ─────────────────────────────────────────────────────────────────


def test_the_two_fukudas_are_two(dataset: Dataset, sentences_of: Mapping[str, set[str]], prefixes: Prefixes) -> None:
    people = {
        row[0]
        for row in rows(
            dataset.union, "SELECT DISTINCT ?x WHERE { ?x skos:prefLabel ?l ; a :Actor FILTER(CONTAINS(?l, 'Fukuda')) }"
        )
    }
    assert people == {ID + "actor/fukuda-takeo", ID + "actor/fukuda-yasuo"}
    mentioned = {
        short(str(person)): {name for claim in found for name in sentences_of[claim]}
        for person, found in pairs(dataset.facts, "SELECT ?x ?c WHERE { GRAPH graph:claims { ?c :mentions ?x } }").items()
        if person in people
    }
    assert {"s122", "s139", "s194"} <= mentioned["fukuda-takeo"]
    assert "s196" in mentioned["fukuda-yasuo"]
    assert not mentioned["fukuda-takeo"] & mentioned["fukuda-yasuo"]
    one, other = sorted(str(person) for person in people)
    telling = "(skos:altLabel, skos:prefLabel, skos:exactMatch, adms:identifier)"
    shared = rows(dataset.union, f"SELECT ?p ?o WHERE {{ <{one}> ?p ?o . <{other}> ?p ?o FILTER(?p IN {telling}) }}")
    assert [(prefixes.shorten(str(p)), o) for p, o in shared] == []
    doctrines = pairs(dataset.facts, "SELECT ?of ?p WHERE { GRAPH graph:names { ?n :nameOf ?of ; :occursIn ?p } }")
    old, new = (ID + f"policy/{slug}" for slug in ("fukuda-doctrine", "new-fukuda-doctrine"))
    assert doctrines[old] and doctrines[new]
    assert not doctrines[old] & doctrines[new]
