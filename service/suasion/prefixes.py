"""The one prefix table, as the ontology declares it, and short names of IRIs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from suasion.errors import DataFileError

BASE = "https://w3id.org/suasion/"
DEF = BASE + "def#"
ID = BASE + "id/"
GRAPH = BASE + "graph/"
CLAIM = ID + "claim/"

_DECLARATION = re.compile(r'sh:prefix "([^"]*)" ;\s+sh:namespace "([^"]+)"\^\^xsd:anyURI')
_LOCAL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?")


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Prefix to namespace IRI, both ways."""

    table: Mapping[str, str]

    def shorten(self, iri: str) -> str:
        """Return the CURIE of an IRI, or the IRI itself where no prefix fits.

        >>> Prefixes({"actor": "https://w3id.org/suasion/id/actor/"}).shorten("https://w3id.org/suasion/id/actor/japan")
        'actor:japan'
        """
        best = max((p for p, n in self.table.items() if iri.startswith(n)), key=lambda p: len(self.table[p]), default=None)
        if best is None or not _LOCAL.fullmatch(iri[len(self.table[best]) :]):
            return iri
        return f"{best}:{iri[len(self.table[best]) :]}"

    def expand(self, curie: str) -> str | None:
        """Return the IRI of a CURIE, or None when its prefix is not declared or there is none."""
        prefix, colon, local = curie.partition(":")
        if not colon or prefix not in self.table or not _LOCAL.fullmatch(local):
            return None
        return self.table[prefix] + local


def declared(bundle: Path) -> Prefixes:
    """Read the prefix table of a bundle from ontology/ontology.ttl.

    Raises DataFileError when there is no such file or it declares no prefix.
    """
    path = bundle / "ontology" / "ontology.ttl"
    try:
        table = dict(_DECLARATION.findall(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise DataFileError(f"{path}: {error.strerror}: the prefix table is read from this file.") from error
    except UnicodeDecodeError as error:
        raise DataFileError(f"{path}: byte {error.start} is not UTF-8.") from error
    if not table:
        raise DataFileError(f"{path}: no sh:declare with sh:prefix and sh:namespace: the prefix table is read from this file.")
    return Prefixes(table)
