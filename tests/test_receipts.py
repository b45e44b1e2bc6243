"""Receipts: whole in one text, told from damaged ones, and compared part by part."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from suasion import receipts
from suasion.errors import BadParameter
from suasion.receipts import Receipt

GIVEN = {"actor": "actor:japan", "text": 'é " \\ 日本 \u2028', "limit": "10", "offset": "0"}
RESULT = {"columns": ["a"], "total": 1, "rows": [{"a": {"type": "literal", "value": "x"}}]}


def test_an_id_gives_the_receipt_back() -> None:
    receipt = receipts.issued("claims", GIVEN, "SELECT …", "ab" * 32, RESULT)
    assert receipts.read(receipt.id) == receipt
    assert receipt.time.endswith("Z") and len(receipt.result_sha256) == 64


@given(
    some.builds(
        Receipt,
        some.text(),
        some.dictionaries(some.text(), some.text(), max_size=3),
        *[some.text(max_size=64)] * 4,
    )
)
def test_any_receipt_survives_its_id(receipt: Receipt) -> None:
    assert receipts.read(receipt.id) == receipt
    assert set(receipt.id) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(some.data())
def test_a_changed_or_cut_id_is_refused(data: some.DataObject) -> None:
    whole = receipts.issued("claims", GIVEN, "SELECT …", "", RESULT).id
    place = data.draw(some.integers(0, len(whole) - 1))
    other = data.draw(some.sampled_from("AZaz09-_=+/ é").filter(lambda character: character != whole[place]))
    for damaged in (whole[:place], whole[:place] + other + whole[place + 1 :], whole + "A"):
        with pytest.raises(BadParameter, match="cut or changed"):
            receipts.read(damaged)


@pytest.mark.parametrize("text", ["", "e30", "bnVsbA", "W10", "é", "A" * 20_000, "W1tb" * 5000])
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(BadParameter):
        receipts.read(text)


def test_the_same_result_has_the_same_digest_and_another_one_another() -> None:
    one = receipts.issued("claims", GIVEN, "SELECT …", "ab", RESULT)
    assert one.differences(replace(one, time="2000-01-01T00:00:00Z")) == ()
    assert one.differences(receipts.issued("claims", GIVEN, "SELECT …", "ab", {**RESULT, "total": 2})) == ("result",)
    assert one.differences(receipts.issued("claims", GIVEN, "SELECT ?x", "ac", RESULT)) == ("query", "dataset")
