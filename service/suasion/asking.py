"""All rows of curated questions for a page, and rows of the queries that are made for pages only."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cachetools import LRUCache

from suasion import questions
from suasion.exchange import Question
from suasion.questions import Backing
from suasion.statements import Claim, Row, claims
from suasion.terms import plain

_ALL = (0, 10**9)
_KEPT = 64


def own_queries(bundle: Path) -> dict[str, str]:
    """Return the texts of the queries that are made for pages, by their names."""
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted((bundle / "queries" / "pages").glob("*.rq"))}


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks for pages; `own` are the texts of queries/pages/*.rq by their names, `state` names the dataset as it is now.

    Rows are kept, read, for the next page that needs them.
    """

    backing: Backing
    own: Mapping[str, str]
    state: Callable[[], str]
    _kept: LRUCache[tuple[str, ...], list[Row]] = field(default_factory=lambda: LRUCache(_KEPT), repr=False, compare=False)

    async def rows(self, name: str, **given: str) -> list[Row]:
        """Return all rows of a curated question, page by page, as its JSON has them. Raises as questions.ask does."""
        key = (self.state(), name, *(text for pair in sorted(given.items()) for text in pair))
        if (kept := self._kept.get(key)) is not None:
            return kept
        query, offset, found = self.backing.queries[name], 0, list[Row]()
        while True:
            asked = {**given, "limit": str(self.backing.most_rows), "offset": str(offset), "provenance": "none"}
            page = await questions.ask(query, asked, self.backing)
            found += page.plain_rows()
            if page.next_offset is None:
                self._kept[key] = found
                return found
            offset = page.next_offset

    async def several(self, *names: str) -> list[list[Row]]:
        """Return all rows of several curated questions, asked side by side."""
        return list(await asyncio.gather(*(self.rows(name) for name in names)))

    async def claims(self) -> dict[str, Claim]:
        """Return all claims by their short names, in the order of the text."""
        return claims(await self.rows("claims"))

    async def special(self, name: str) -> list[Row]:
        """Return all rows of a query that is made for a page: short names for IRIs, plain values for literals."""
        found = json.loads((await self.backing.ask(Question(self.own[name], rows=_ALL))).body)
        shorten = self.backing.prefixes.shorten
        return [
            {column: shorten(term["value"]) if term["type"] == "uri" else plain(term) for column, term in row.items()}
            for row in found["rows"]
        ]
