"""What was rendered before, kept for the next reader: one room for the pages, pictures and answers of a service."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cachetools import LRUCache

_OVERHEAD_BYTES = 1000
_LARGEST_SHARE = 8


@dataclass(frozen=True, slots=True)
class Rendered:
    """A body as it is sent, with the headers that tell of it; one that is not `whole` is made anew for the next reader."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True


class PageCache:
    """Room for so many bytes of what was rendered; what is larger than an eighth of it is not kept."""

    def __init__(self, most_bytes: int) -> None:
        self._kept: LRUCache[str, Rendered] = LRUCache(most_bytes, getsizeof=_size)

    async def get(self, key: str, render: Callable[[], Awaitable[Rendered]]) -> Rendered:
        """Return what is kept under a key since midnight (UTC), as citations name the day, or render it and keep it."""
        dated = f"{key} {datetime.now(UTC).date()}"
        found = self._kept.get(dated)
        if found is None:
            found = await render()
            if found.whole and _size(found) * _LARGEST_SHARE <= self._kept.maxsize:
                self._kept[dated] = found
        return found


def _size(rendered: Rendered) -> int:
    return len(rendered.body) + _OVERHEAD_BYTES
