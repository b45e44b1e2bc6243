"""Folding and splitting: what is the same to a search, and what is not."""

from random import Random

import pytest

from suasion.words import spaceless, tokens, units


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alliance Française", "alliance francaise"),
        ("São Tomé", "SAO TOME"),
        ("Đà Nẵng", "da nang"),
        ("Straße", "STRASSE"),
        ("Łódź", "lodz"),
        ("İstanbul", "istanbul"),
        ("ＡＳＥＡＮ＋３", "asean 3"),
        ("ﾄｳｷｮｳ", "トウキョウ"),
        ("U.S.", "US"),
        ("the U.S. aid", "the us aid"),
        ("China’s", "china"),
        ("co\u00adoperation", "cooperation"),
        ("ASEAN-Japan", "asean japan"),
        ("مُحَمَّد", "محمد"),
        ("Ё", "е"),
        ("ﬁnance", "finance"),
    ],
)
def test_spellings_that_are_the_same_to_a_search(one: str, other: str) -> None:
    assert tokens(one) == tokens(other) != []


@pytest.mark.parametrize(("one", "other"), [("ガ", "カ"), ("U.S.", "U S"), ("1.2", "12"), ("हिंदी", "हद")])
def test_spellings_that_are_not(one: str, other: str) -> None:
    assert tokens(one) != tokens(other)


def test_scripts_without_spaces_are_split_into_characters() -> None:
    assert tokens("中国东盟") == ["中", "国", "东", "盟"]
    assert tokens("ASEAN諸国 2008年") == ["asean", "諸", "国", "2008", "年"]
    assert tokens("ไทย") == ["ไ", "ท", "ย"]
    assert tokens("한국") == ["한", "국"]
    assert tokens("हिन्दी") == ["हिन्दी"]
    assert [spaceless(t) for t in ("国", "a", "1", "ไ", "𠀀")] == [True, False, False, True, True]


def test_runs_belong_together() -> None:
    assert units("日本 外交 policy") == [("日", "本"), ("外", "交"), ("policy",)]
    assert units("日本policy外交") == [("日", "本"), ("policy",), ("外", "交")]
    assert units('aid "soft power" “win-win” laos') == [("aid",), ("soft", "power"), ("win", "win"), ("laos",)]
    assert units('an "unclosed quote') == [("an",), ("unclosed",), ("quote",)]


@pytest.mark.parametrize("text", ["", " ", '"', '""', "“”", "+-*/^:(){}[]", "\x00", "\ud800", "\u3000", "。、", "\u0301"])
def test_what_has_no_words_is_empty(text: str) -> None:
    assert tokens(text) == []
    assert units(text) == []


@pytest.mark.parametrize("seed", range(50))
def test_words_have_nothing_that_a_search_could_take_for_syntax(seed: int) -> None:
    random = Random(seed)  # noqa: S311 (repeatable, no secret)
    pool = "aé'\"*^:(){}+-.,\x00\n\ud800\udfff国ガไ\u0301\u200d\U0001f30f0９"
    text = "".join(random.choice((*pool, chr(random.randrange(0x110000)))) for _ in range(60))
    words = tokens(text)
    assert sorted(words) == sorted(word for unit in units(text) for word in unit)
    assert not {character for word in words for character in word} & set("\"'*^:(){}+-., \x00\n\ud800\udfff")
    assert tokens(" ".join(words)) == words
