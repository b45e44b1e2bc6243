"""What the columns of a question declare against what the data give; needs the engine, so not for the HTTP process."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import product

import pyoxigraph as ox

from suasion.catalog import Query
from suasion.evaluation import evaluate
from suasion.exchange import Question, Term
from suasion.loading import Dataset
from suasion.prefixes import Prefixes
from suasion.terms import bound, misfit, period, values

_ALL = (0, 10**9)
_MOST_BYTES = 1024**3


def faults(facts: ox.Store, queries: Iterable[Query], prefixes: Prefixes) -> list[str]:
    """Return, for each column with a type, the first value of another type; optional parameters are left out."""
    return [fault for query in queries for fault in _faults(facts, query, Prefixes({**query.prefixes, **prefixes.table}))]


def _faults(facts: ox.Store, query: Query, prefixes: Prefixes) -> Iterator[str]:
    rows = _rows(facts, query, prefixes)
    for name, column in query.columns.items():
        wrong = (term for row in rows for term in values(row, name, column, prefixes) if misfit(term, column.type))
        if found := next(wrong, None):
            yield f"{query.name}.rq: columns.{name} is declared as {column.type}, but holds {found['value'][:60]!r}: mend either."


def _rows(facts: ox.Store, query: Query, prefixes: Prefixes) -> list[Mapping[str, Term]]:
    """Return the rows for the required parameters by their examples; of things that a slug may name, the first that has some."""
    alternatives: list[list[Mapping[str, Term]]] = []
    for parameter in query.parameters:
        if not (parameter.required or parameter.default):
            continue
        text = parameter.default or parameter.example
        if parameter.type == "period":
            alternatives.append([period(parameter, text)])
        else:
            alternatives.append([{parameter.name: term} for term in bound(parameter, text, prefixes)])
    for chosen in product(*alternatives):
        terms = {variable: term for one in chosen for variable, term in one.items()}
        found = evaluate(Dataset(facts, facts), Question(query.text, terms, rows=_ALL), {}, _MOST_BYTES)
        if not found.error and (rows := json.loads(found.body)["rows"]):
            return list(rows)
    return []
