"""The words of passages from a copy of the article, which is found again by their fingerprints; read in a process of its own."""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from suasion.errors import DataError
from suasion.prefixes import ID


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the article: the words of the passages that it has, by their short names, and how many it lacks."""

    words: Mapping[str, str]
    missing: int


def read(file: Path, bundle: Path) -> Copy:
    """Read a copy, text or HTML in UTF-8, and find each passage of the bundle in it.

    The engine that this needs lives in another process, which is gone afterwards. Raises DataError for a file that cannot be
    read, or in which no passage is found.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        copy = pool.submit(_found, file, bundle).result()
    if not copy.words:
        raise DataError(f"{file} is no copy of the article: none of its {copy.missing} passages is found in it.")
    return copy


def _found(file: Path, bundle: Path) -> Copy:
    from suasion import loading, verify  # with the engine, and only here

    try:
        data = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}.") from error
    union = loading.load(bundle).union
    text = verify.read_copy(data, str(file))
    located = verify.locate(verify.passages(union), text, verify.is_recorded_source(data, verify.recorded_digest(union)))
    words = {
        f"passage:{one.passage.iri.removeprefix(ID + 'passage/')}": " … ".join(
            " ".join(text[start:end].split()) for start, end in one.ranges
        )
        for one in located
        if one.ranges
    }
    return Copy(words, len(located) - len(words))
