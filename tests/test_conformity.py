"""What columns declare is compared with what the data give."""

from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest

import toys
from suasion import catalog, conformity, hits
from suasion.catalog import Column, Query
from suasion.loading import Dataset
from suasion.prefixes import Prefixes


@pytest.fixture
def shop(tmp_path: Path) -> tuple[ox.Store, Query]:
    """The toys, and their question with room for the dearest."""
    data, folder = toys.write(tmp_path)
    store = ox.Store()
    store.load(path=str(data), format=ox.RdfFormat.TURTLE)
    query = catalog.read(folder / "toys" / "all.rq", "toys/all")
    wide = [replace(p, default="1000") if p.default else p for p in query.parameters]
    return store, replace(query, parameters=tuple(wide))


def said(shop: tuple[ox.Store, Query], **columns: Column) -> list[str]:
    store, query = shop
    return conformity.faults(store, [replace(query, columns={**query.columns, **columns})], Prefixes({}))


def test_columns_that_hold_what_they_declare_pass(shop: tuple[ox.Store, Query]) -> None:
    assert said(shop) == []


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("toy", Column("The toy", "string"), "https://example.org/toy/ball"),
        ("name", Column("Its name", "iri"), "Ball"),
        ("price", Column("Its price", "integer"), "2.5"),
        ("made", Column("When", "string"), "2001-05-03"),
        ("colours", Column("Its colours", "integer", True), "toy:blue"),
        ("is_new", Column("Whether it is new", "date"), "true"),
        ("said", Column("The claim", "string"), "https://example.org/toy/claim-1"),
    ],
)
def test_a_column_that_holds_something_else_is_named_with_the_value(
    shop: tuple[ox.Store, Query], name: str, column: Column, value: str
) -> None:
    assert said(shop, **{name: column}) == [
        f"toys/all.rq: columns.{name} is declared as {column.type}, but holds {value!r}: mend either."
    ]


def test_the_real_queries_hold_what_they_declare(bundle: Path, dataset: Dataset, prefixes: Prefixes) -> None:
    queries = catalog.load(bundle / "queries" / "api")
    index = hits.indexed(dataset.union, bundle / "queries" / "index" / "article.rq")
    assert conformity.faults(dataset.facts, queries, prefixes, index) == []
    search = next(query for query in queries if query.name == "search")
    odd = replace(search, columns={**search.columns, "label": Column("Its name", "date")})
    assert conformity.faults(dataset.facts, [odd], prefixes, index) != []
