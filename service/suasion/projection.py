"""What a query file declares against what its SPARQL says; needs the engine's parser, so not for the HTTP process."""

from pathlib import Path

import pyoxigraph as ox

from suasion.catalog import Query
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
        projected = [variable.value for variable in results.variables]
        names = [p.name for p in query.parameters if p.type != "search"]
        if projected != [*query.columns, *(n for n in names if n not in query.columns)]:
            expected = " ".join("?" + n for n in [*query.columns, *(n for n in names if n not in query.columns)])
            raise QueryFileError(f"{path}: SELECT has to project the columns, then the parameters: {expected}.")
