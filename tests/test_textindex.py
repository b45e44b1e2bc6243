"""The index of texts: what is found, in which order, how, and that no text is an error; alone, without service or graph."""

import os
import threading
import time
from random import Random

import pytest

from suasion.textindex import Entry, Found, Role, TextIndex, distance

ENTRIES = [
    Entry(f"<https://example.org/{name}>", kind, role, text, language)
    for name, kind, role, text, language in (
        ("japan", "state", Role.LABEL, "Japan", "en"),
        ("japan", "state", Role.NAME, "日本国", "ja"),
        ("japan", "state", Role.NAME, "Tokyo", "en"),
        ("japan", "state", Role.CODE, "JPN", ""),
        ("tokyo", "city", Role.LABEL, "Tokyo", "en"),
        ("tokyo", "city", Role.NAME, "東京", "ja"),
        ("kyoto", "city", Role.LABEL, "Kyoto", "en"),
        ("kyoto", "city", Role.NAME, "京都", "ja"),
        ("foundation", "body", Role.LABEL, "Japan Foundation", "en"),
        ("foundation", "body", Role.NAME, "国際交流基金", "ja"),
        ("bank", "body", Role.LABEL, "Bank of Japan", "en"),
        ("sao-tome", "state", Role.LABEL, "São Tomé and Príncipe", "pt"),
        ("china", "state", Role.LABEL, "China", "en"),
        ("china", "state", Role.NAME, "中国", "zh"),
        ("china", "state", Role.CODE, "710", ""),
        ("claim", "claim", Role.TEXT, "The Japan Foundation teaches in China since 1972.", "en"),
    )
]


@pytest.fixture(scope="module")
def index() -> TextIndex:
    return TextIndex(ENTRIES)


def names(found: Found) -> list[str]:
    return [hit.thing[len("<https://example.org/") : -1] for hit in found.hits]


def test_whole_names_come_first_then_beginnings_then_words_then_sentences(index: TextIndex) -> None:
    found = index.find("japan", 100)
    assert [(name, hit.rank) for name, hit in zip(names(found), found.hits, strict=True)] == [
        ("japan", 0),
        ("foundation", 1),
        ("bank", 2),
        ("claim", 3),
    ]
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)
    assert (found.matched, found.cut) == ("all", False)


def test_of_two_with_the_name_the_preferred_one_comes_first(index: TextIndex) -> None:
    assert names(index.find("tokyo", 100)) == ["tokyo", "japan"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("sao tome", "sao-tome"),
        ("PRINCIPE", "sao-tome"),
        ("ＪＡＰＡＮ", "japan"),
        ("jpn", "japan"),
        ("710", "china"),
        ("日本", "japan"),
        ("東京", "tokyo"),
        ("交流基金", "foundation"),
        ("中国", "china"),
        ("Foundation, Japan", "foundation"),
        ("japan found", "foundation"),
        ("since 1972", "claim"),
    ],
)
def test_what_a_text_finds_first(index: TextIndex, text: str, first: str) -> None:
    found = index.find(text, 100)
    assert (names(found)[0], found.matched) == (first, "all")


def test_characters_have_to_stand_side_by_side(index: TextIndex) -> None:
    assert names(index.find("京都", 100)) == ["kyoto"]
    assert names(index.find("都京", 100)) == []
    assert names(index.find('"of japan"', 100)) == ["bank"]
    assert names(index.find('"japan of"', 100)) == []


def test_a_run_does_not_reach_from_one_name_into_the_next() -> None:
    index = TextIndex([Entry("<a:a>", "", Role.LABEL, "日本", "ja"), Entry("<a:a>", "", Role.NAME, "国会", "ja")])
    assert names(index.find("本国", 10)) == []
    assert len(index.find("日本 国会", 10).hits) == 1


def test_the_form_that_fits_is_told_with_its_language(index: TextIndex) -> None:
    (hit,) = index.find("国際", 100).hits
    assert (hit.form, hit.form_language, hit.label, hit.label_language) == ("国際交流基金", "ja", "Japan Foundation", "en")


@pytest.mark.parametrize(("text", "first"), [("Chnia", "china"), ("Japn", "japan"), ("foundatoin japan", "foundation")])
def test_a_slip_finds_what_is_spelled_similarly(index: TextIndex, text: str, first: str) -> None:
    found = index.find(text, 100)
    assert (names(found)[0], found.matched) == (first, "similar")


def test_short_words_and_codes_are_not_guessed(index: TextIndex) -> None:
    assert [names(index.find(text, 100)) for text in ("jpm", "711", "xyzzy")] == [[], [], []]


def test_where_nothing_has_all_words_some_do(index: TextIndex) -> None:
    found = index.find("china zanzibar", 100)
    assert (found.matched, set(names(found))) == ("some", {"china", "claim"})
    assert names(index.find("of zanzibar", 100)) == []


def test_the_larger_share_of_the_words_comes_before_the_better_single_word() -> None:
    """BM25 alone puts a short name with one of the words before a sentence with three, of which one is only begun."""
    sentence = "Leaders appealed to China for more investment in the wider region of Asia and the Pacific."
    texts = [("claim", Role.TEXT, sentence), ("bound", Role.LABEL, "more than"), ("china", Role.LABEL, "China")]
    small = TextIndex([Entry(f"<https://example.org/{thing}>", "", role, text, "en") for thing, role, text in texts])
    found = small.find("zanzibar asked china to invest more", 100)
    assert (found.matched, names(found)[0]) == ("some", "claim")
    assert names(small.find("zanzibar more china", 2)) == ["claim", "china"]


def test_kinds_and_columns_narrow_before_the_cut(index: TextIndex) -> None:
    assert names(index.find("japan", 100, "claim")) == ["claim"]
    assert names(index.find("japan", 1, "body")) == ["foundation"]
    assert index.find("japan", 1, "body").cut
    assert not index.find("japan", 2, "body").cut
    assert names(index.find("japan", 100, "", ("names", "codes"))) == ["japan", "foundation", "bank"]
    assert names(index.find("japan", 100, "", ("texts",))) == ["claim"]
    assert names(index.find("jpn", 100, "", ("names",))) == []


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5])
def test_a_cut_answer_is_the_beginning_of_the_whole_and_says_so(index: TextIndex, most: int) -> None:
    whole = index.find("japan", 100)
    found = index.find("japan", most)
    assert found.hits == whole.hits[:most]
    assert found.cut == (most < len(whole.hits))


def test_ties_are_broken_by_the_shorter_name_and_the_order_of_entries_makes_no_difference() -> None:
    entries = [Entry(f"<https://example.org/{n}>", "", Role.LABEL, f"{'long ' * (n % 3)}river {n}", "en") for n in range(200)]
    answers = set()
    for seed in range(3):
        Random(seed).shuffle(entries)  # noqa: S311 (repeatable, no secret)
        index = TextIndex([*entries, *entries[:50]])
        answers.add((index.find("river", 500).hits, index.find("rivre", 500).hits, index.find("river long zz", 500).hits))
    assert len(answers) == 1
    ((plain, guessed, some),) = answers
    assert len(plain) == len(guessed) == len(some) == 200
    assert [len(hit.label) for hit in plain if hit.rank == 1] == sorted(len(hit.label) for hit in plain if hit.rank == 1)


HOSTILE = [
    "",
    " ",
    '"',
    '""""',
    "'; DROP TABLE form; --",
    '") OR ("',
    "names : japan",
    "{names} : japan",
    "^japan",
    "NEAR(japan china, 2)",
    "japan*",
    "japan AND",
    "OR",
    "NOT japan",
    "-japan",
    "a" * 100_000,
    "a " * 50_000,
    "日" * 100_000,
    '"' * 100_000,
    "(" * 100_000,
    "\x00japan\x00",
    "\ud800",
    "japan \udfff",
    "\uf8ff",
    "🇯🇵",
    "\U0010ffff",
    "%",
    "_",
    "\\",
    "ﷺ" * 1000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_is_an_error_or_syntax(index: TextIndex, text: str) -> None:
    for kind, columns in (("", ("names", "codes", "texts")), ("body", ("names",)), ('"', ("texts",))):
        started = time.monotonic()
        found = index.find(text, 10, kind, columns)
        assert time.monotonic() - started < 20
        assert all(hit.kind == (kind or hit.kind) for hit in found.hits)
    assert names(index.find("japan", 1)) == ["japan"]


def test_operators_are_words(index: TextIndex) -> None:
    assert names(index.find("japan NOT china", 100)) != names(index.find("japan", 100))
    assert index.find("japan NOT china", 100).matched == "some"
    assert index.find("NEAR(japan china, 2)", 100).matched == "some"


@pytest.mark.parametrize("seed", range(30))
def test_any_text_of_any_names_is_found_by_itself(seed: int) -> None:
    random = Random(seed)  # noqa: S311 (repeatable, no secret)
    letters = "abcdeéøßʼ'\"*().-国日ガไทक्षи\u0301İ1٣"
    texts = ["".join(random.choices(letters + "    ", k=random.randrange(1, 20))) for _ in range(100)]
    index = TextIndex(Entry(f"<a:{n}>", "", Role.LABEL, text, "") for n, text in enumerate(texts))
    for n, text in enumerate(texts):
        found = index.find(text, 1000)
        if found.hits:
            assert (f"<a:{n}>", 0) in {(hit.thing, hit.rank) for hit in found.hits}, text
            assert found.matched == "all"


def test_an_empty_index_finds_nothing() -> None:
    assert TextIndex([]).find("japan", 10) == Found((), "all", False)


@pytest.mark.parametrize(
    ("word", "known", "begun", "apart"),
    [
        ("koizumi", "koizumi", False, 0),
        ("koizmi", "koizumi", False, 1),
        ("koziumi", "koizumi", False, 1),
        ("phillipi", "philippines", True, 2),
        ("china", "chinese", True, 1),
        ("", "abc", False, 3),
        ("", "abc", True, 0),
        ("abc", "", False, 3),
    ],
)
def test_distance_of_spellings(word: str, known: str, begun: bool, apart: int) -> None:
    assert distance(word, known, begun) == apart


def test_processes_forked_later_read_the_same_index_each_in_a_thread_of_its_own() -> None:
    """As workers do: many at once, while the parent reads on and forks again."""
    index = TextIndex([*ENTRIES, *(Entry(f"<a:{n}>", "", Role.LABEL, f"island {n}", "en") for n in range(5000))])
    texts = ["japan", "日本", "Chnia", "isl", "island 4999", "china zanzibar"]
    expected = [index.find(text, 50) for text in texts]

    def all_as_expected() -> bool:
        return all([index.find(text, 50) for text in texts] == expected for _ in range(20))

    def child() -> None:
        right: list[bool] = []
        thread = threading.Thread(target=lambda: right.append(all_as_expected()))
        thread.start()
        thread.join()
        os._exit(0 if right == [True] else 1)

    children = []
    for _ in range(8):
        pid = os.fork()
        if pid == 0:
            child()
        children.append(pid)
        assert [index.find(text, 50) for text in texts] == expected
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0] * len(children)
