"""Mappings as SSSOM writes them: a TSV file with its metadata in comment lines (SSSOM 1.0, "SSSOM/TSV serialisation")."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from suasion.prefixes import Prefixes

MEDIA_TYPE = "text/tab-separated-values"
_COLUMNS = ("subject_id", "subject_label", "predicate_id", "object_id", "mapping_justification")
_CURATED = "semapv:ManualMappingCuration"
_OURS = "suasion"
"""The prefix that our own terms have here, where a prefix cannot be empty."""
_OUTSIDE = {
    "doi": "https://doi.org/",
    "eurovoc": "http://eurovoc.europa.eu/",
    "euauthority": "http://publications.europa.eu/resource/authority/",
    "geonames": "https://sws.geonames.org/",
    "isni": "https://isni.org/isni/",
    "lcc": "https://www.omg.org/spec/LCC/Countries/ISO3166-1-CountryCodes-Adjunct/",
    "ror": "https://ror.org/",
    "semapv": "https://w3id.org/semapv/vocab/",
}
"""Namespaces of registries that our prefix table does not have: nothing of ours is written with them."""


@dataclass(frozen=True, slots=True)
class MappingSet:
    """What the file says of itself; `identifier` and `licence` are IRIs."""

    identifier: str
    title: str
    version: str
    licence: str


@dataclass(frozen=True, slots=True)
class Match:
    """One mapping: three IRIs, and the label of the first."""

    subject: str
    predicate: str
    object: str
    label: str


def document(about: MappingSet, mappings: Iterable[Match], prefixes: Prefixes) -> str:
    """Return the file: IRIs as CURIEs, with the prefixes that are used; lines in the order of the mappings."""
    names = _Names(prefixes.table)
    rows = [
        (names.curie(one.subject), one.label, names.curie(one.predicate), names.curie(one.object), _CURATED) for one in mappings
    ]
    names.curie(_OUTSIDE["semapv"] + "ManualMappingCuration")
    # JSON strings are YAML strings too (YAML 1.2.2, section 1.3)
    head = [
        "curie_map:",
        *(f"  {name}: {json.dumps(space)}" for name, space in sorted(names.used.items())),
        f"license: {json.dumps(about.licence)}",
        f"mapping_set_id: {json.dumps(about.identifier)}",
        f"mapping_set_title: {json.dumps(about.title)}",
        f"mapping_set_version: {json.dumps(about.version)}",
    ]
    lines = [f"#{line}" for line in head]
    lines += ["\t".join(map(_cell, row)) for row in (_COLUMNS, *rows)]
    return "\n".join(lines) + "\n"


class _Names:
    """CURIEs, and the prefixes that they took."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self.used: dict[str, str] = {}
        known = {space: name for name, space in _OUTSIDE.items()} | {space: name or _OURS for name, space in table.items()}
        self._known = dict(sorted(known.items(), key=lambda item: -len(item[0])))

    def curie(self, iri: str) -> str:
        """Return the CURIE of an IRI, by the longest namespace that fits; one that none fits gets a prefix of its own."""
        space = next((space for space in self._known if iri.startswith(space) and len(iri) > len(space)), "")
        if not space:
            cut = max(iri.rstrip("/#").rfind("/"), iri.rstrip("/#").rfind("#")) + 1
            space = iri[:cut] if cut < len(iri) else iri
            self._known[space] = f"site{sum(name.startswith('site') for name in self._known.values()) + 1}"
        self.used[self._known[space]] = space
        return f"{self._known[space]}:{iri[len(space) :]}"


def _cell(text: str) -> str:
    return " ".join(text.split())
