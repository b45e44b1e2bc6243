"""What a dataset says of its own claims and sources, asked once for each dataset and kept."""

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass

from suasion.exchange import Answer, Question, Ready, Term

Ask = Callable[[Question], Coroutine[None, None, Answer]]
_ALL = (0, 10**9)


@dataclass(frozen=True, slots=True)
class Work:
    """A work that the dataset encodes; what is not known of it is ""; `date` is written YYYY-MM-DD."""

    title: str
    authors: tuple[str, ...]
    container: str = ""
    volume: str = ""
    issue: str = ""
    date: str = ""


class Described:
    """Claims, works and names of the dataset that is served now; `queries` are those of queries/describe, by name.

    Names are asked for only where there is a query for them.
    """

    def __init__(self, ask: Ask, dataset: Callable[[], Ready], queries: Mapping[str, str]) -> None:
        self._ask = ask
        self._dataset = dataset
        self._queries = queries
        self._kept: dict[str, tuple[str, tuple[Mapping[str, Term], ...]]] = {}

    async def claims(self) -> Mapping[str, Mapping[str, Term]]:
        """Return what stands behind each claim, by its IRI: the columns of queries/describe/claims.rq."""
        return {row["claim"]["value"]: row for row in await self._rows("claims")}

    async def names(self) -> Mapping[str, str]:
        """Return what things and terms are called, by IRI; none where the dataset is not that of a bundle."""
        if "names" not in self._queries:
            return {}
        return {row["thing"]["value"]: row["name"]["value"] for row in await self._rows("names")}

    async def works(self) -> tuple[Work, ...]:
        """Return the works that the dataset encodes, each with its authors by their last names."""
        works: dict[str, Work] = {}
        for row in await self._rows("source"):
            text = {name: term["value"] for name, term in row.items()}
            known = works.get(text["work"])
            authors = sorted({*(known.authors if known else ()), text["author"]}, key=lambda name: name.rpartition(" ")[2])
            optional = {name: text.get(name, "") for name in ("container", "volume", "issue", "date")}
            works[text["work"]] = Work(text["title"], tuple(authors), **optional)
        return tuple(works.values())

    async def _rows(self, name: str) -> tuple[Mapping[str, Term], ...]:
        digest = self._dataset().digest
        kept = self._kept.get(name)
        if kept and digest and kept[0] == digest:
            return kept[1]
        found = await self._ask(Question(self._queries[name], rows=_ALL))
        rows = tuple(json.loads(found.body)["rows"])
        self._kept[name] = (digest, rows)
        return rows
