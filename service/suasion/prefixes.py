"""The one prefix table, as the ontology declares it, and short names of IRIs."""

import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from suasion.errors import DataFileError

BASE = "https://w3id.org/suasion/"
DEF = BASE + "def#"
ID = BASE + "id/"
GRAPH = BASE + "graph/"
CLAIM = ID + "claim/"

_DECLARATION = re.compile(r'sh:prefix "([^"]*)" ;\s+sh:namespace "([^"]+)"\^\^xsd:anyURI')
_LOCAL_CHARACTERS = string.ascii_letters + string.digits + "._-"
_LOCAL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?")

_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Prefix to namespace IRI, both ways."""

    table: Mapping[str, str]
    _by_namespace: Mapping[str, str] = field(init=False, repr=False, compare=False)
    _odd: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _shortened: Callable[[str], str] = field(init=False, repr=False, compare=False)
    _expanded: Callable[[str], str | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Turn the table round; odd are the namespaces that end as a local name may, so that no IRI shows where they end."""
        turned: dict[str, str] = {}
        for prefix, namespace in self.table.items():
            turned.setdefault(namespace, prefix)
        object.__setattr__(self, "_by_namespace", turned)
        object.__setattr__(self, "_odd", tuple(name for name in turned if name.endswith(tuple(_LOCAL_CHARACTERS))))
        # An answer names the same claims in many rows.
        object.__setattr__(self, "_shortened", lru_cache(_REMEMBERED)(self._shorten))
        object.__setattr__(self, "_expanded", lru_cache(_REMEMBERED)(self._expand))

    def shorten(self, iri: str) -> str:
        """Return the CURIE of an IRI, or the IRI itself where no prefix fits.

        >>> Prefixes({"actor": "https://w3id.org/suasion/id/actor/"}).shorten("https://w3id.org/suasion/id/actor/japan")
        'actor:japan'
        """
        return self._shortened(iri)

    def expand(self, curie: str) -> str | None:
        """Return the IRI of a CURIE, or None when its prefix is not declared or there is none."""
        return self._expanded(curie)

    def _shorten(self, iri: str) -> str:
        namespace = iri.rstrip(_LOCAL_CHARACTERS)
        if self._odd:
            namespace = max((namespace, *(odd for odd in self._odd if iri.startswith(odd))), key=len)
        local = iri[len(namespace) :]
        if namespace not in self._by_namespace or not _LOCAL.fullmatch(local):
            return iri
        return f"{self._by_namespace[namespace]}:{local}"

    def _expand(self, curie: str) -> str | None:
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
