"""What a query file declares against what its SPARQL says; needs the engine's parser, so not for the HTTP process."""

from pathlib import Path

import pyoxigraph as ox

from suasion.catalog import Parameter, Query
from suasion.errors import QueryFileError
from suasion.syntax import described


def refuse_mismatches(folder: Path, queries: tuple[Query, ...]) -> None:
    """Raise QueryFileError unless each query parses, is a SELECT, projects its columns in order, and projects its parameters.

    A parameter has to be projected, because terms are bound to projected variables only; the text of a search is not bound.
    """
    for query in queries:
        path = folder / f"{query.name}.rq"
        try:
            results = ox.Store().query(query.text)
        except SyntaxError as error:
            raise QueryFileError(f"{path}, {described(error.msg)[0]}") from error
        if not isinstance(results, ox.QuerySolutions):
            raise QueryFileError(f"{path}: a curated question is a SELECT.")
        projected = tuple(variable.value for variable in results.variables)
        if projected != query.variables:
            expected = " ".join("?" + name for name in query.variables)
            raise QueryFileError(f"{path}: SELECT has to project the columns, then the parameters: {expected}.")
        for parameter in query.parameters:
            if parameter.values_from:
                _refuse_odd_choices(path, query, parameter)


def _refuse_odd_choices(path: Path, query: Query, parameter: Parameter) -> None:
    where = f"{path}: params.{parameter.name}.values_from"
    try:
        results = ox.Store().query(parameter.values_from, prefixes=dict(query.prefixes))
    except SyntaxError as error:
        raise QueryFileError(f"{where}, {described(error.msg)[0]}") from error
    if not isinstance(results, ox.QuerySolutions) or [variable.value for variable in results.variables] != ["value"]:
        raise QueryFileError(f"{where} has to be a SELECT of ?value.")
