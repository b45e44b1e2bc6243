"""Normalised words and fingerprints: what copies of one text differ in does not change them."""

import hashlib
import unicodedata
from random import Random

import pytest

from suasion.fingerprints import Word, fingerprint, places, words

SEEDS = range(12)
LETTERS = "abcdeghimnoprstuzàçéîñöüß"
GAPS = (" ", " ", " ", "\n", ", ", ". ", "; ", " (", ") ", " “", "” ", " — ", "\r\n", " [12] ", " [3]\n", "\u00a0", "\t", "… ")


def plain(text: str) -> list[str]:
    return [word.text for word in words(text)]


def made_text(random: Random, count: int) -> str:
    """Return random words, some hyphenated, with an apostrophe or numbers, between random punctuation."""
    made = []
    for _ in range(count):
        word = "".join(random.choices(LETTERS, k=random.randint(1, 11)))
        match random.randrange(8):
            case 0:
                word += "-" + random.choice(("led", "development"))
            case 1:
                word += random.choice(("’s", "'s"))
            case 2:
                word = f"{random.randint(1, 999)},{random.randint(100, 999)}.{random.randint(0, 9)}"
        made += [word, random.choice(GAPS)]
    return "".join(made)


def rewrapped(random: Random, text: str) -> str:
    """Return a text with words broken at random, a hyphen at the end of the line."""
    broken = []
    for position, character in enumerate(text):
        inside = position > 0 and text[position - 1].isalpha() and character.isalpha()
        broken.append(
            random.choice(("-\n", "-\r\n", "- \n    ", "\u00ad\n", "\u2010\n")) if inside and random.random() < 0.1 else ""
        )
        broken.append(character)
    return "".join(broken)


@pytest.fixture(params=SEEDS)
def random(request: pytest.FixtureRequest) -> Random:
    return Random(request.param)  # noqa: S311 (repeatable, no secret)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" … — “” [7] - ' ,", []),
        ("Soft Power", ["soft", "power"]),
        ("co-development co\u2011development co\u2013development co\u00addevelopment", ["codevelopment"] * 4),
        ("sub-\nregional sub-\r\nregional sub-  \n\n   regional", ["subregional"] * 3),
        ("China’s China's Chinas", ["chinas"] * 3),
        ("U.S. e.g. 1,154 62.5", ["us", "eg", "1154", "625"]),
        ("end. Next, word", ["end", "next", "word"]),
        ("end.\nNext,\nword", ["end", "next", "word"]),
        ("one—two one – two one - two", ["one", "two"] * 3),
        ("Façade FACADE fac\u0327ade", ["facade"] * 3),
        ("Straße STRASSE", ["strasse"] * 2),
        ("\ufb01nance \uff21\uff33\uff25\uff21\uff2e", ["finance", "asean"]),
        ("word[12] word [3]. word", ["word", "word", "word"]),
        ("snake_case", ["snake", "case"]),
        ("[a] [1a] [ 1 ]", ["a", "1a", "1"]),
        ("a/b a&b", ["a", "b", "a", "b"]),
        ("日本 2008年", ["日本", "2008年"]),
    ],
)
def test_words_are_folded(text: str, expected: list[str]) -> None:
    assert plain(text) == expected


def test_offsets_are_code_points_of_the_text() -> None:
    text = "\U0001f30f “Naïve”,\nre-\nbuilt [7] x"
    assert words(text) == (Word("naive", 3, 8), Word("rebuilt", 11, 20), Word("x", 25, 26))


def test_each_word_is_what_stands_at_its_offsets(random: Random) -> None:
    text = made_text(random, 80)
    found = words(text)
    assert len(found) >= 80
    for word, following in zip(found, [*found[1:], Word("", len(text) + 1, 0)], strict=True):
        assert word.start < word.end < following.start
        assert plain(text[word.start : word.end]) == [word.text]


def test_no_letter_and_no_digit_is_left_out(random: Random) -> None:
    text = made_text(random, 80)
    covered = {index for word in words(text) for index in range(word.start, word.end)}
    markers = {
        index
        for number in ("[12]", "[3]")
        for at in range(len(text))
        if text.startswith(number, at)
        for index in range(at, at + 4)
    }
    assert [c for index, c in enumerate(text) if c.isalnum() and index not in covered | markers] == []


def test_normalised_words_are_their_own_normal_form(random: Random) -> None:
    found = plain(made_text(random, 80))
    assert plain(" ".join(found)) == found


def test_case_accents_and_composition_do_not_count(random: Random) -> None:
    text = made_text(random, 80)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert plain(unicodedata.normalize(form, text)) == plain(text)
        assert plain(unicodedata.normalize(form, text.upper())) == plain(text)


def test_hyphens_at_line_ends_do_not_count(random: Random) -> None:
    text = made_text(random, 80)
    broken = rewrapped(random, text)
    assert broken != text
    assert plain(broken) == plain(text)


def test_fingerprint_is_the_sha_256_of_the_words_with_single_spaces() -> None:
    assert fingerprint(["café", "x"]) == hashlib.sha256(b"caf\xc3\xa9 x").hexdigest()
    assert fingerprint([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_fingerprints_tell_word_borders_and_order_apart() -> None:
    runs = (["a", "b"], ["b", "a"], ["ab"], ["a", "b", "b"], ["a"])
    assert len({fingerprint(run) for run in runs}) == len(runs)


def test_places_are_those_of_a_plain_search(random: Random) -> None:
    text = words(" ".join(random.choices("abc", k=60)))
    plain_words = [word.text for word in text]
    wanted: dict[int, set[str]] = {}
    expected = set()
    for _ in range(10):
        length = random.randint(1, 5)
        run = random.choices("abc", k=length)
        wanted.setdefault(length, set()).add(fingerprint(run))
        expected |= {(fingerprint(run), at) for at in range(60) if plain_words[at : at + length] == run}
    found = list(places(text, {length: frozenset(digests) for length, digests in wanted.items()}))
    assert expected
    assert sorted(found) == sorted(expected)


def test_a_run_at_either_end_is_found_and_one_longer_than_the_text_is_not() -> None:
    text = words("one two three")
    digest = fingerprint(["one", "two", "three"])
    assert list(places(text, {3: frozenset({digest})})) == [(digest, 0)]
    assert list(places(text, {4: frozenset({digest})})) == []
    last = fingerprint(["three"])
    assert list(places(text, {1: frozenset({last})})) == [(last, 2)]
