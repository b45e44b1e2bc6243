"""The parts that answer, put together from settings: an engine, what it answered before, and the questions that it knows.

The HTTP service, the MCP server and the Python client all stand on one of these.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from suasion import catalog, federation, gate
from suasion.answers import Answers
from suasion.catalog import Query
from suasion.crosswalk import Crosswalks
from suasion.described import Described
from suasion.engine import Engine, Lane, Loader
from suasion.exchange import Answer, Question, Ready, Service
from suasion.fairness import Allowance, Budgets, at_cost_of
from suasion.prefixes import Prefixes, declared
from suasion.questions import Backing
from suasion.remote import Remotes
from suasion.settings import Settings, bundle_folder, queries_folder, served_datasets
from suasion.source import Source

_SOON = 0.001


@dataclass(frozen=True, slots=True)
class Assembly:
    """What answers; `engine` has to be started and closed by who uses it. `bundle` holds what all datasets share."""

    bundle: Path
    settings: Settings
    source: Source
    engine: Engine
    answers: Answers
    queries: tuple[Query, ...]
    backing: Backing
    crosswalks: Crosswalks
    budgets: Budgets | None
    remotes: Remotes
    state: Callable[[], str]
    """A name of what the questions are asked of as it is now, which no other state of it has."""

    async def sparql(self, question: Question, client: str = "", deadline_seconds: float = 0) -> Answer:
        """Answer a query of the public, at the cost of a client; "" is nobody, who has no share to use up.

        The caller has to close the rest of a long answer. Raises BadQuery (400) for what the gate refuses, TooManyRequests
        (429), and what Engine.ask and Remotes.ask raise.
        """
        limits = gate.Limits()
        query, clauses = federation.split(question.query, self.remotes.endpoints, limits)
        repeatable = gate.pass_through(query, limits) and not clauses
        asked = replace(question, query=query)
        deadline = min(deadline_seconds or self.settings.deadline_seconds, self.settings.deadline_seconds)

        async def compute() -> Answer:
            return await self.ask(asked, client, deadline, clauses)

        return await (self.answers.get(asked, compute, deadline) if repeatable else compute())

    async def ask(self, question: Question, client: str, deadline: float, clauses: tuple[federation.Clause, ...] = ()) -> Answer:
        """Ask the engine a query that passed the gate, and the endpoints of SERVICE clauses before it, at the cost of a client.

        Waiting for an endpoint costs what computing costs: who has others work for it has no more of that. Raises
        TooManyRequests (429), and what Engine.ask and Remotes.ask raise.
        """
        with at_cost_of(client, self.budgets if client else None) as spent:

            async def evaluate(services: tuple[Service, ...], left: float) -> Answer:
                partial = max(question.partial - (deadline - left), _SOON) if question.partial else 0
                asked = replace(question, services=services, partial=partial)
                return await self.engine.ask(asked, Lane.PUBLIC, client, left, spent)

            if clauses:
                return await self.remotes.ask(clauses, deadline, evaluate, spent)
            return await evaluate((), deadline)


def assembled(settings: Settings, given: Source | None = None, loader: Loader | None = None) -> Assembly:
    """Put the parts together; without a source it is the bundle of the settings. Nothing is started.

    Questions are those of the bundle, or for RDF files those that fit any data, and those of the folder of the source. A loader
    that was launched before is taken over. Raises DataError for query files, a prefix table or endpoints of SERVICE at fault.
    """
    bundle = bundle_folder(settings)
    source = given or Source(bundle, queries=queries_folder(settings), datasets=served_datasets(settings))
    prefixes = declared(bundle) if source.bundle else Prefixes({})
    queries = catalog.collect(bundle, source.queries, files=source.bundle is None)
    told = ("claims", "source", "codes", "things", *(("names",) if source.bundle else ()))  # files may have very many names
    describe = {name: (bundle / "queries" / "describe" / f"{name}.rq").read_text(encoding="utf-8") for name in told}
    engine = Engine(settings, source, loader)
    unnamed = secrets.token_hex(16)  # stands for a dataset that has no digest, in this run only
    answers = Answers(lambda: state(engine.ready), settings.cache_bytes)

    def state(ready: Ready) -> str:
        return f"{ready.digest or unnamed} {ready.number}"

    async def ask(question: Question) -> Answer:
        published = replace(question, published=True)
        return await answers.get(published, lambda: engine.ask(published, Lane.OWN))

    described = Described(ask, lambda: engine.ready.published, describe)
    by_name = {query.name: query for query in queries}
    backing = Backing(by_name, ask, lambda: engine.ready.published, prefixes, settings.page_rows, described)
    return Assembly(
        bundle=bundle,
        settings=settings,
        source=source,
        engine=engine,
        answers=answers,
        queries=queries,
        backing=backing,
        crosswalks=Crosswalks(ask, lambda: engine.ready.published, describe["codes"], describe["things"]),
        budgets=_budgets(settings),
        remotes=Remotes(federation.allowed(settings.services), settings),
        state=lambda: state(engine.ready.published),
    )


def _budgets(settings: Settings) -> Budgets | None:
    if not settings.client_seconds_per_minute:
        return None
    return Budgets(Allowance(settings.client_seconds_per_minute, settings.client_failures_per_minute))
