"""Answers kept for the next client that asks the same: bounded in bytes, computed once however many ask at the same time."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from cachetools import LRUCache

from suasion.exchange import Answer, Question
from suasion.negotiation import entity_tag

_OVERHEAD_BYTES = 1000
_LARGEST_SHARE = 8


@dataclass(slots=True)
class _Flight:
    """An answer that is being computed, and how many wait for it."""

    task: asyncio.Task[Answer]
    waiting: int = 0
    taken: bool = False
    """Whether one of them has the rest of a long answer."""

    def left(self) -> None:
        """End what nobody waits for any more."""
        self.task.cancel()
        if self.taken or not self.task.done() or self.task.cancelled() or self.task.exception():
            return
        if rest := self.task.result().rest:
            rest.close()


class Answers:
    """A cache of answers, by question and by the name of the dataset that they were found in.

    A dataset that changes gets a name that none had before, so an answer is good until it gives way to others; one that is
    larger than an eighth of the room, or comes in parts, or is truncated, is not kept.
    """

    def __init__(self, dataset: Callable[[], str], most_bytes: int) -> None:
        self._dataset = dataset
        self._kept: LRUCache[str, Answer] = LRUCache(most_bytes, getsizeof=_size)
        self._coming: dict[tuple[str, float], _Flight] = {}

    def tag(self, question: Question) -> str:
        """Return the entity tag of the answer to a question, weak because it is the same for each content coding."""
        dataset = (self._dataset(), question.default_graphs, question.named_graphs, question.union)
        asked = (question.query, question.base_iri, sorted((name, sorted(term.items())) for name, term in question.terms.items()))
        form = (
            *(question.solution_types, question.graph_types, question.rows, question.sort, question.descending),
            *(question.graph, question.published, question.partial, question.search),
            *(question.statements, question.dump),
        )
        return entity_tag(repr((dataset, asked, form)).encode())

    async def get(
        self, question: Question, compute: Callable[[], Coroutine[None, None, Answer]], deadline_seconds: float = 0
    ) -> Answer:
        """Return the kept answer, or compute it; of several that ask at once one computes, and all get its answer or error.

        Only who allows the same time shares a computing. It ends when the last that waits for it is cancelled. A long answer
        has one reader: each of the others computes its own.
        """
        tag = self.tag(question)
        if kept := self._kept.get(tag):
            return kept
        key = (tag, deadline_seconds)
        flight = self._coming.get(key)
        if flight is None:
            flight = self._coming[key] = _Flight(asyncio.create_task(compute()))
            flight.task.add_done_callback(lambda task: self._arrived(key, task))
        flight.waiting += 1
        try:
            answer = await asyncio.shield(flight.task)
            if answer.rest is None or not flight.taken:
                flight.taken = True
                return answer
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.left()
        return await compute()

    def _arrived(self, key: tuple[str, float], task: asyncio.Task[Answer]) -> None:
        flight = self._coming.pop(key)
        if not flight.waiting:
            flight.left()
        if task.cancelled() or task.exception():
            return
        answer = task.result()
        if answer.rest is None and not answer.truncated and _size(answer) * _LARGEST_SHARE <= self._kept.maxsize:
            self._kept[key[0]] = answer


def _size(answer: Answer) -> int:
    return len(answer.body) + _OVERHEAD_BYTES
