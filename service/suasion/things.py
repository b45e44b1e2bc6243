"""What the dataset says of a thing, and of its ontology: statements, each with the graph that it stands in."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from suasion.described import Ask
from suasion.errors import Gone, NotFound
from suasion.exchange import Question, Term

MOST_STATEMENTS = 3000
"""Most statements of one page of a description."""
MOST_THINGS = 50_000
"""Most URLs of one site map (sitemaps.org, protocol 0.9)."""
_ALL = (0, 10**9)


@dataclass(frozen=True, slots=True)
class Statement:
    """A triple and its graph, None being the default graph; `part` says what a description holds it for."""

    subject: Term
    predicate: Term
    object: Term
    graph: Term | None
    part: int


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the statements of a description, and how many there are."""

    statements: tuple[Statement, ...]
    total: int


class Things:
    """Descriptions by the queries of a folder: `things/<theme>.rq` where there is one for the theme of an IRI, else `any.rq`.

    `namespace` is what the IRIs of things begin with; `of_files` says that the dataset is RDF files of anyone.
    """

    def __init__(self, ask: Ask, folder: Path, namespace: str, *, of_files: bool) -> None:
        self.namespace = namespace
        self._ask = ask
        found = {path.stem: path.read_text(encoding="utf-8") for path in sorted((folder / "things").glob("*.rq"))}
        self._status, self._all = found.pop("status"), found.pop("all")
        self._any = found.pop("of-files" if of_files else "any")
        self._by_theme: Mapping[str, str] = {} if of_files else found
        self._labels = (folder / "labels.rq").read_text(encoding="utf-8")
        self._nanopublication = (folder / "nanopublication.rq").read_text(encoding="utf-8")
        self._ontology = (folder / "ontology.rq").read_text(encoding="utf-8")

    async def refuse_unknown(self, iri: str) -> None:
        """Raise NotFound (404) for an IRI of which the dataset says nothing, Gone (410) for one that was withdrawn."""
        rows = await self._rows_about(iri)
        if not rows:
            raise NotFound(f"The dataset says nothing of {iri[:200]}: /search?text= finds things by their names.", {"iri": iri})
        if rows[0].get("withdrawn", {}).get("value") in ("true", "1"):
            replacements = list(dict.fromkeys(row["replacement"]["value"] for row in rows if "replacement" in row))
            reasons = list(dict.fromkeys(row["reason"]["value"] for row in rows if "reason" in row))
            said = [f"{iri[:200]} is withdrawn.", *reasons]
            if replacements:
                said.append(f"Use {', '.join(replacements)} instead.")
            raise Gone(" ".join(said), {"iri": iri, "replaced_by": replacements})

    async def known(self, iri: str) -> bool:
        """Say whether the dataset says anything of an IRI."""
        return bool(await self._rows_about(iri))

    def description(self, iri: str, window: tuple[int, int]) -> Question:
        """Return the question for the statements about a thing from an offset on, at most so many."""
        theme = iri.removeprefix(self.namespace).partition("/")[0]
        return Question(self._by_theme.get(theme, self._any), {"thing": _uri(iri)}, rows=window)

    def ontology(self) -> Question:
        """Return the question for all statements of the ontology."""
        return Question(self._ontology, rows=_ALL)

    def nanopublication(self, claim: str) -> Question:
        """Return the question for the quads of the nanopublication of a claim."""
        return Question(self._nanopublication, {"thing": _uri(claim)}, rows=_ALL)

    async def statements(self, question: Question) -> Slice:
        """Return the statements that a question is for. Raises what the engine raises."""
        return await asyncio.to_thread(_slice, (await self._ask(question)).body)

    async def names(self, page: int) -> tuple[tuple[str, ...], int]:
        """Return the IRIs of things on a page of the site map, from 1, and how many there are on all."""
        window = ((page - 1) * MOST_THINGS, MOST_THINGS)
        bound: Term = {"type": "literal", "value": self.namespace}
        found = json.loads((await self._ask(Question(self._all, {"namespace": bound}, union=True, rows=window))).body)
        return tuple(row["thing"]["value"] for row in found["rows"]), found["total"]

    async def labels(self) -> Mapping[str, str]:
        """Return the labels of the terms of the ontology, by IRI."""
        found = await self.rows(Question(self._labels, rows=_ALL))
        return {row["term"]["value"]: row["label"]["value"] for row in found}

    async def rows(self, question: Question) -> tuple[Mapping[str, Term], ...]:
        """Return the rows of an answer. Raises what the engine raises."""
        return tuple(json.loads((await self._ask(question)).body)["rows"])

    async def _rows_about(self, iri: str) -> tuple[Mapping[str, Term], ...]:
        return await self.rows(Question(self._status, {"thing": _uri(iri)}, union=True, rows=_ALL))


def _slice(body: bytes) -> Slice:
    found = json.loads(body)
    return Slice(tuple(_statement(row) for row in found["rows"]), found["total"])


def _statement(row: Mapping[str, Term]) -> Statement:
    part = int(row["part"]["value"]) if "part" in row else 1
    return Statement(row["subject"], row["predicate"], row["object"], row.get("graph"), part)


def _uri(iri: str) -> Term:
    return {"type": "uri", "value": iri}
