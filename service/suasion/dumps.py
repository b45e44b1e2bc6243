"""The whole dataset as files: made once for each state of it, with their digests, and sent from disk."""

import asyncio
import gzip
import shutil
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from suasion.errors import Overloaded, StorageFull
from suasion.exchange import Answer, Question

TYPES = {"nq": "application/n-quads", "trig": "application/trig"}
"""The formats of dumps, by the endings of their files; each is there with .gz as well."""
GZIP = "application/gzip"
_ATTEMPTS = 3
_AGAIN_SECONDS = 60
"""How long it is not tried again to make what could not be made."""


@dataclass(frozen=True, slots=True)
class Dump:
    """A file: its ending, media type, bytes and digest; `of` is the media type of what is compressed in it, or ""."""

    ending: str
    path: Path
    media_type: str
    of: str
    size: int
    sha256: str


class Dumps:
    """The dumps of a dataset. `ask` asks the engine, and `state` names what it asks, as no other state of it is named."""

    def __init__(self, ask: Callable[[Question], Coroutine[None, None, Answer]], state: Callable[[], str]) -> None:
        self._ask = ask
        self._state = state
        self._folder: TemporaryDirectory[str] | None = None
        self._made: dict[tuple[str, str], asyncio.Task[tuple[Dump, Dump]]] = {}

    async def get(self, ending: str) -> Dump:
        """Return the dump with an ending, such as nq.gz; it is made first where it is not there yet.

        The same dataset gives the same bytes. Raises StorageFull (507), Overloaded (503) when the dataset changes all the
        time, and what the engine raises.
        """
        name, _, packed = ending.partition(".")
        for _ in range(_ATTEMPTS):
            state = self._state()
            plain, compressed = await self._of(state, name)
            if state == self._state():
                return compressed if packed else plain
        raise Overloaded("The dataset changes while it is written to a file: try again in a moment.")

    async def all(self) -> list[Dump]:
        """Return all dumps. Raises as `get` does."""
        return [await self.get(name + packed) for name in TYPES for packed in (".gz", "")]

    async def _of(self, state: str, name: str) -> tuple[Dump, Dump]:
        key = (state, name)
        if key not in self._made:
            for old in [known for known in self._made if known[0] != state]:
                self._made.pop(old).add_done_callback(_removed)
            self._made[key] = asyncio.create_task(self._make(name, len(self._made)))
            self._made[key].add_done_callback(lambda made: self._ended(key, made))
        return await asyncio.shield(self._made[key])

    def _ended(self, key: tuple[str, str], made: "asyncio.Task[tuple[Dump, Dump]]") -> None:
        """Forget, after a while, what could not be made, so that it is tried again."""
        if made.cancelled() or made.exception():
            asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._made.pop, key, None)

    async def _make(self, name: str, number: int) -> tuple[Dump, Dump]:
        try:
            self._folder = self._folder or TemporaryDirectory(prefix="suasion-dumps-")
            folder = Path(self._folder.name) / f"{sha256(f'{self._state()} {number}'.encode()).hexdigest()[:16]}-{name}"
            folder.mkdir(exist_ok=True)
            plain = folder / f"dataset.{name}"
            answer = await self._ask(Question("", dump=TYPES[name], published=True))
            with plain.open("wb") as out:
                try:
                    part = answer.body
                    while part:
                        await asyncio.to_thread(out.write, part)
                        part = await answer.rest.part() if answer.rest else b""
                finally:
                    if answer.rest:
                        answer.rest.close()
            return await asyncio.to_thread(_described, plain, name)
        except OSError as error:
            raise StorageFull(f"A dump of the dataset cannot be written: {error.strerror or error}.") from error


def _described(plain: Path, name: str) -> tuple[Dump, Dump]:
    """Compress a file beside it, the same bytes each time, and describe both."""
    packed = plain.with_name(plain.name + ".gz")
    with (
        plain.open("rb") as source,
        packed.open("wb") as out,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=out, mtime=0) as target,
    ):
        shutil.copyfileobj(source, target, 1024 * 1024)
    return (
        Dump(name, plain, TYPES[name], "", *_measured(plain)),
        Dump(f"{name}.gz", packed, GZIP, TYPES[name], *_measured(packed)),
    )


def _measured(path: Path) -> tuple[int, str]:
    digest = sha256()
    with path.open("rb") as file:
        while part := file.read(1024 * 1024):
            digest.update(part)
    return path.stat().st_size, digest.hexdigest()


def _removed(made: "asyncio.Task[tuple[Dump, Dump]]") -> None:
    """Remove files of a state that is over; who is reading one reads on."""
    if not made.cancelled() and not made.exception():
        for dump in made.result():
            with suppress(OSError):
                dump.path.unlink()
