"""Settings, from the environment, and the place of the bundle."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from suasion.errors import DataError

PREFIX = "SUASION_"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may set, each by the variable SUASION_<NAME>; options of the command line override it."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8000
    """Port to listen on; 0 takes a free one."""
    workers: int = 2
    """Processes that answer queries, each with one query at a time."""
    deadline_seconds: float = 20.0
    """Time that a query may take before its worker is ended."""
    queue_seconds: float = 10.0
    """Time that a request waits for a free worker before it is refused."""
    answer_bytes: int = 64 * 1024 * 1024
    """Largest answer, in bytes of its body."""
    request_bytes: int = 1024 * 1024
    """Largest request body, in bytes."""
    worker_memory_bytes: int = 4 * 1024 * 1024 * 1024
    """Address space of a worker, in bytes."""
    page_rows: int = 1000
    """Most rows of one page of a curated answer."""
    bundle: str = ""
    """Folder with ontology, graph_data and queries; empty: the bundle that came with the package."""


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read SUASION_… variables over the defaults.

    Raises DataError for a variable that is unknown or whose value has the wrong type.
    """
    known = {f.name: f.type for f in fields(Settings)}
    values: dict[str, str | int | float] = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in known:
            choices = ", ".join(PREFIX + n.upper() for n in known)
            raise DataError(f"{variable} is no setting; the settings are {choices}.")
        convert = {str: str, int: int, float: float}[type(getattr(Settings(), name))]
        try:
            values[name] = convert(text)
        except ValueError:
            raise DataError(f"{variable}={text!r} is not of type {convert.__name__}.") from None
    return replace(Settings(), **values)  # type: ignore[arg-type]


def bundle_folder(settings: Settings) -> Path:
    """Return the folder that holds ontology/, graph_data/ and queries/: the set one, the packaged one, or the repository."""
    if settings.bundle:
        folder = Path(settings.bundle)
        if not (folder / "ontology").is_dir():
            raise DataError(f"{folder} has no folder ontology: name a folder with ontology, graph_data and queries.")
        return folder
    packaged = Path(__file__).parent / "_bundle"
    return packaged if packaged.is_dir() else Path(__file__).parents[2]
