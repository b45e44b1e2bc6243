"""Content negotiation: the client's preference first, then ours."""

import pytest

from suasion.errors import NotAcceptable
from suasion.negotiation import best, ranked

OFFERED = ("application/json", "text/csv", "text/turtle")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", OFFERED),
        ("*/*", OFFERED),
        ("text/csv", ("text/csv",)),
        ("TEXT/CSV", ("text/csv",)),
        ("text/*", ("text/csv", "text/turtle")),
        ("text/csv;q=0.5, text/turtle", ("text/turtle", "text/csv")),
        ("text/turtle;q=0.2, text/csv;q=0.9, */*;q=0.1", ("text/csv", "text/turtle", "application/json")),
        ("*/*, application/json;q=0", ("text/csv", "text/turtle")),
        ("text/*;q=0.3, text/csv;q=0", ("text/turtle",)),
        ("*/*;q=0.1, text/*;q=0.5, text/turtle;q=0.9", ("text/turtle", "text/csv", "application/json")),
        ("image/png, text/csv;q=0.001", ("text/csv",)),
        ("image/png", ()),
        ("text/csv;q=0", ()),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", OFFERED),
    ],
)
def test_what_is_accepted_is_ranked(accept: str, expected: tuple[str, ...]) -> None:
    assert ranked(accept, OFFERED) == expected


@pytest.mark.parametrize(
    ("accept", "expected"), [("", "application/json"), ("text/*", "text/csv"), ("text/turtle, */*;q=0.1", "text/turtle")]
)
def test_the_best_is_the_first(accept: str, expected: str) -> None:
    assert best(accept, OFFERED) == expected


def test_nothing_acceptable_is_refused_with_what_is_offered() -> None:
    with pytest.raises(NotAcceptable) as caught:
        best("image/png", OFFERED)
    assert str(caught.value) == "This resource is offered as application/json, text/csv, text/turtle."
    assert caught.value.extra == {"offered": list(OFFERED)}
    assert caught.value.status == 406


@pytest.mark.parametrize("accept", ["csv", "text/csv/x", "text/csv, ,nonsense", "\u00e9"])
def test_a_header_that_cannot_be_read_is_refused_with_the_remedy(accept: str) -> None:
    with pytest.raises(NotAcceptable) as caught:
        ranked(accept, OFFERED)
    assert f"Accept: {accept!r} cannot be read" in str(caught.value)
    assert "such as application/json" in str(caught.value)


def test_a_long_header_is_not_repeated_whole() -> None:
    with pytest.raises(NotAcceptable) as caught:
        ranked("x" * 10_000, OFFERED)
    assert len(str(caught.value)) < 250
