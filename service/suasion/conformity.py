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
from suasion.terms import bound, misfit, period, searched, values
from suasion.textindex import TextIndex

_ALL = (0, 10**9)
_MOST_BYTES = 1024**3


def faults(facts: ox.Store, queries: Iterable[Query], prefixes: Prefixes, index: TextIndex | None = None) -> list[str]:
    """Return, for each column with a type, the first value of another type; optional parameters are left out.

    Without an index of the texts a search has no hits.
    """
    return [fault for query in queries for fault in _faults(facts, query, Prefixes({**query.prefixes, **prefixes.table}), index)]


def _faults(facts: ox.Store, query: Query, prefixes: Prefixes, index: TextIndex | None) -> Iterator[str]:
    rows = _rows(facts, query, prefixes, index)
    for name, column in query.columns.items():
        wrong = (term for row in rows for term in values(row, name, column, prefixes) if misfit(term, column.type))
        if found := next(wrong, None):
            yield f"{query.name}.rq: columns.{name} is declared as {column.type}, but holds {found['value'][:60]!r}: mend either."


def _rows(facts: ox.Store, query: Query, prefixes: Prefixes, index: TextIndex | None) -> list[Mapping[str, Term]]:
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
        free, search = searched(query, terms)
        question = Question(query.text, free, rows=_ALL, search=search)
        found = evaluate(Dataset(facts, facts), question, {}, _MOST_BYTES, index=index)
        if not found.error and (rows := json.loads(found.body)["rows"]):
            return list(rows)
    return []
