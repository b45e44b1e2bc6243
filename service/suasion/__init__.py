"""Suasion: the claims of an article in international relations, as a knowledge graph."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from suasion.client import Graph

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def open(  # noqa: A001 — suasion.open is what one writes
    *sources: "str | Path", queries: "str | Path | None" = None, bundle: "str | Path | None" = None
) -> "Graph":
    """Return a graph to ask: of nothing the article, of files these, of a URL the service there. See docs/python.md.

    The article and files are loaded into processes of this program's own, which end with it or with `close`; `queries` is a
    folder with .rq files whose questions are methods too, `bundle` one with ontology, graph_data and queries. Raises
    DataError for data at fault, Unreached where no service answers.
    """
    from suasion.client import opened

    return opened(*sources, queries=queries, bundle=bundle)
