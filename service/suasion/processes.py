"""How many worker processes live, asked of the kernel: the children of our children (Linux)."""

from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def living_workers() -> int:
    """Return how many processes were begun by a process that this one began: the loader forks the workers."""
    return sum(len(_children(child)) for child in _children("self"))


def _children(process: str) -> list[str]:
    found: list[str] = []
    with suppress(OSError):  # it ended meanwhile
        for thread in (_PROC / process / "task").iterdir():
            with suppress(OSError):
                found += (thread / "children").read_text(encoding="ascii").split()
    return found
