"""Turtle that is written without an engine is what engines read."""

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as some

from suasion import turtle
from suasion.exchange import Term

S, P = "<urn:s>", "<urn:p>"


def read(text: str) -> list[ox.Quad]:
    return list(ox.parse(text, format=ox.RdfFormat.TURTLE))


@given(some.text())
def test_any_text_is_read_back(text: str) -> None:
    (quad,) = read(turtle.document([(S, P, turtle.literal(text))], [text]))
    assert quad.object == ox.Literal(text)


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ({"type": "uri", "value": "https://example.org/é"}, ox.NamedNode("https://example.org/é")),
        ({"type": "uri", "value": "not an iri"}, ox.Literal("not an iri")),
        ({"type": "literal", "value": "-1", "datatype": "urn:t"}, ox.Literal("-1", datatype=ox.NamedNode("urn:t"))),
        ({"type": "literal", "value": "a", "xml:lang": "en"}, ox.Literal("a", language="en")),
        ({"type": "bnode", "value": "_:b1"}, ox.BlankNode("b1")),
        ({"type": "bnode", "value": "<<(…)>>"}, ox.Literal("<<(…)>>")),
    ],
)
def test_each_kind_of_term_is_read_back(term: Term, expected: object) -> None:
    (quad,) = read(turtle.document([(S, P, turtle.term(term))]))
    assert isinstance(quad.object, type(expected))
    assert isinstance(expected, ox.BlankNode) or quad.object == expected


@pytest.mark.parametrize("text", ["", "a b", "urn:a>b", "urn:{", "<urn:a>", "urn:\n"])
def test_what_no_iri_can_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no IRI"):
        turtle.iri(text)


def test_a_triple_that_comes_twice_is_written_once() -> None:
    assert len(read(turtle.document([(S, P, '"a"'), (S, P, '"b"'), (S, P, '"a"')]))) == 2
