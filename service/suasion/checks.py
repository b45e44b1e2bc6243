"""The rules of queries/checks: each row of an answer is a fault, found again in its file and line."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from suasion.errors import DataFileError, FaultsFound
from suasion.loading import data_files
from suasion.prefixes import Prefixes
from suasion.syntax import described

# A subject stands at the start of a line; an indented one, in a graph, stands alone on its line.
_TERM = r"(?:<([^>\s]+)>|([A-Za-z][\w-]*:[\w.-]*\w|:\w[\w-]*))"
_SUBJECT = re.compile(rf"{_TERM}(?:\s|$)|\s+{_TERM}\s*$")
_PREFIX = re.compile(r"@?PREFIX\s+([\w-]*):\s*<([^>]+)>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """What breaks a rule: the rule, the IRI at fault, where it is written, and the remedy."""

    rule: str
    subject: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.subject}: {self.message} [{self.rule}]"


def run(union: ox.Store, bundle: Path, prefixes: Prefixes) -> tuple[Fault, ...]:
    """Run each check of a bundle on the union of its graphs.

    A check is a SELECT of ?subject and ?message; no rows means healthy.
    Raises DataFileError for a check that is no such query.
    """
    found: list[tuple[str, str, str]] = []
    for path in sorted((bundle / "queries" / "checks").glob("*.rq")):
        try:
            solutions = union.query(path.read_text(encoding="utf-8"))
        except SyntaxError as error:
            raise DataFileError(f"{path}, {described(error.msg)[0]}") from error
        except UnicodeDecodeError as error:
            raise DataFileError(f"{path}: byte {error.start} is not UTF-8.") from error
        if not isinstance(solutions, ox.QuerySolutions) or not {"subject", "message"} <= {v.value for v in solutions.variables}:
            raise DataFileError(f"{path}: a check is a SELECT of ?subject and ?message.")
        found += [(path.stem, _plain(row["subject"]), _plain(row["message"])) for row in solutions]
    if not found:
        return ()
    places = written_places(bundle)
    return tuple(
        Fault(rule, prefixes.shorten(subject), places.get(subject, "in no file"), message) for rule, subject, message in found
    )


def refuse_faults(faults: tuple[Fault, ...]) -> None:
    """Raise FaultsFound when there is a fault; its sentence shows the first and counts the rest."""
    if faults:
        more = f" (and {len(faults) - 1} more: run `suasion check`)" if len(faults) > 1 else ""
        raise FaultsFound(f"{faults[0]}{more}")


def written_places(bundle: Path) -> Mapping[str, str]:
    """Return, for each IRI that starts a block in a data file, `file:line` of the first one."""
    places: dict[str, str] = {}
    for file in data_files(bundle):
        for iri, line in _subjects(file.path.read_text(encoding="utf-8")):
            places.setdefault(iri, f"{file.path}:{line}")
    return places


def _subjects(text: str) -> Iterator[tuple[str, int]]:
    prefixes: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if declaration := _PREFIX.match(line):
            prefixes[declaration[1]] = declaration[2]
        elif subject := _SUBJECT.match(line):
            prefix, _, local = (subject[2] or subject[4] or "").partition(":")
            yield subject[1] or subject[3] or prefixes.get(prefix, prefix + ":") + local, number


def _plain(term: object) -> str:
    return term.value if isinstance(term, ox.NamedNode | ox.Literal | ox.BlankNode) else str(term)
