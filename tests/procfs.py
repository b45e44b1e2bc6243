"""The processes of a running service, seen from outside (Linux)."""

import os
import time
from collections.abc import Callable
from pathlib import Path


def children(pid: int) -> list[int]:
    """Return the children of all threads of a process; of one that has ended, none."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            found += [int(child) for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def loader(service: int) -> int:
    """Return the one process that holds the data for all workers of a service."""
    (only,) = children(service)
    return only


def workers(service: int) -> list[int]:
    return children(loader(service))


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def processor_ticks(pid: int) -> int:
    """Return the processor time that a process has used; 0 for one that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(fields[11]) + int(fields[12])


def holds_within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Say whether a condition comes to hold in time, looking twenty times a second."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True
