"""Four plain queries, each under ten lines, as one writes them who knows the ontology alone; answers from reading the article."""

from pathlib import Path

import pyoxigraph as ox
import pytest

from suasion import loading, prefixes

BUNDLE = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def bundle() -> tuple[ox.Store, prefixes.Prefixes]:
    """Return the store whose default graph holds what is reported as fact, and the prefix table."""
    return loading.load(BUNDLE).facts, prefixes.declared(BUNDLE)


def ask(bundle: tuple[ox.Store, prefixes.Prefixes], body: str) -> list[tuple[str, ...]]:
    """Return the rows of a SELECT query of fewer than ten lines; IRIs are shortened, what is unbound is empty."""
    store, short = bundle
    assert len(body.strip().splitlines()) < 10
    head = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in short.table.items())
    solutions = store.query(head + body)
    assert isinstance(solutions, ox.QuerySolutions)
    return [tuple("" if term is None else text(term, short) for term in row) for row in solutions]


def text(term: object, short: prefixes.Prefixes) -> str:
    """Return a term as text."""
    if isinstance(term, ox.NamedNode):
        return short.shorten(term.value)
    assert isinstance(term, ox.Literal)
    return term.value


def test_all_aid_from_japan_to_cambodia_in_2008(bundle: tuple[ox.Store, prefixes.Prefixes]) -> None:
    rows = ask(
        bundle,
        """
        SELECT ?aid ?value ?currency ?kind ?passage WHERE {
          GRAPH ?claim { ?aid :donor actor:japan ; :recipient actor:cambodia ; :period period:2008 ; :amount ?amount .
                         ?aid a ?kind . ?amount :value ?value ; :currency ?currency }
          VALUES ?kind { :GrantCommitment :LoanCommitment }
          ?claim :passage ?passage .
        } ORDER BY ?value
        """,
    )
    assert [row[1:4] for row in rows] == [
        ("330000000", "currency:JPY", ":GrantCommitment"),
        ("1390000000", "currency:JPY", ":GrantCommitment"),
        ("3700000000", "currency:JPY", ":LoanCommitment"),
    ]
    assert all(row[4].startswith("passage:s145") for row in rows)


def test_all_agreements_by_status_at_time_of_writing(bundle: tuple[ox.Store, prefixes.Prefixes]) -> None:
    rows = ask(
        bundle,
        """
        SELECT DISTINCT ?status ?agreement ?modality WHERE {
          ?agreement a :Agreement .
          GRAPH ?claim { ?agreement :status ?status }
          ?claim :modality ?modality .
        } ORDER BY ?status ?agreement ?modality
        """,
    )
    assert rows == [
        (":Concluded", "agreement:cep-framework-2003", ":ReportedAsFact"),
        (":Concluded", "agreement:cep-joint-declaration-2002", ":ReportedAsFact"),
        (":Concluded", "agreement:china-asean-fta", ":ReportedAsFact"),
        (":InForce", "agreement:ajcep", ":ReportedAsFact"),
        (":Planned", "agreement:asean-japan-fta", ":Projected"),
        (":Signed", "agreement:expo-investment-agreements-2008", ":ReportedAsFact"),
        (":Signed", "agreement:tokyo-declaration", ":ReportedAsFact"),
        (":UnderNegotiation", "agreement:asean-china-center-mou", ":ReportedFromSource"),
    ]


def test_everything_china_sponsors_by_instrument(bundle: tuple[ox.Store, prefixes.Prefixes]) -> None:
    rows = ask(
        bundle,
        """
        SELECT DISTINCT ?instrument ?sponsored WHERE {
          ?sponsored :sponsor actor:china .
          OPTIONAL { ?sponsored :instrument ?instrument }
        } ORDER BY ?instrument ?sponsored
        """,
    )
    assert {
        ("instrument:business-promotion", "initiative:china-asean-expo-series"),
        ("instrument:cultural-institutes", "initiative:confucius-institutes"),
        ("instrument:environmental-cooperation", "initiative:tianjin-eco-city"),
        ("instrument:foreign-aid", "initiative:china-aid-to-indonesia-2002"),
        ("instrument:foreign-aid", "initiative:china-aid-to-laos-2006"),
        ("instrument:foreign-aid", "initiative:china-aid-to-philippines-2006"),
        ("instrument:foreign-aid", "initiative:china-annual-aid"),
        ("instrument:humanitarian-aid", "initiative:china-nargis-aid-to-burma-2008"),
        ("instrument:public-diplomacy", "policy:public-diplomacy"),
        ("instrument:volunteers-and-teachers", "initiative:china-volunteers-and-teachers-dispatch"),
    } <= set(rows)
    sponsored = {row[1] for row in rows}
    assert {"initiative:chinese-bridge-fund", "policy:good-neighbor-diplomacy", "policy:smile-diplomacy"} <= sponsored
    assert not {"initiative:jenesys", "initiative:jaif", "initiative:fulbright", "policy:fukuda-doctrine"} & sponsored


def test_which_claims_note_14_backs(bundle: tuple[ox.Store, prefixes.Prefixes]) -> None:
    rows = ask(
        bundle,
        """
        SELECT ?summary ?sentence WHERE {
          ?claim :citesNote note:14 ; :summary ?summary ; :passage/dcterms:isPartOf? ?sentence .
          ?sentence a doco:Sentence .
        } ORDER BY ?summary
        """,
    )
    assert {sentence for _, sentence in rows} == {"passage:s093"}
    told = " ".join(summary for summary, _ in rows)
    countries = ("Thailand", "Indonesia", "Malaysia", "Myanmar", "Philippines", "Singapore")
    assert all(word in told for word in ("21 Confucius Institutes", "language courses", "13", *countries))
