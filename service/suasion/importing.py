"""From a file with a table and a mapping to a dataset in the collection, with what is known of how it came about."""

import csv
import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import TextIO

import pyoxigraph as ox

from suasion import cubes, layouts, mappings, tabular
from suasion.collection import Collection, Manifest
from suasion.cubes import CATALOGUE, DATASET, Tally, Triple, iri, literal
from suasion.errors import DataError, DataFileError
from suasion.keys import Keys
from suasion.mappings import Mapping
from suasion.prefixes import DEF, GRAPH, ID
from suasion.progress import Meter

_DC = "http://purl.org/dc/terms/"
_PROV = "http://www.w3.org/ns/prov#"
_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_TRIED = 100_000  # characters of the first lines that the parser tries
_SUASION = ID + "agent/suasion"
_NAMED_ALREADY = {_DC + "identifier", _DC + "title"}


@dataclass(frozen=True, slots=True)
class _Provenance:
    """What is known of an import before it begins."""

    name: str
    file: str
    file_sha256: str
    retrieved: str


def add(
    collection: Collection, path: Path, mapping: Mapping, keys: Keys, name: str, retrieved: str, terminal: TextIO | None = None
) -> Manifest:
    """Make a dataset of a table and keep it, in place of one of the same name; return its manifest.

    `retrieved` is the day on which the table was fetched (YYYY-MM-DD), "" for the day on which the file was last changed.
    Progress is shown where the terminal is one. Raises DataFileError, NotInstalled, StorageFull or DataError; nothing is
    changed then.
    """
    began = time.monotonic()
    tally = Tally()
    try:
        with path.open("rb") as stream:
            digest = file_digest(stream, "sha256").hexdigest()
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    except OSError as error:
        raise DataFileError(f"{path}: {(error.strerror or str(error)).lower()}: check the name and who may read it.") from error
    # The time stands in the manifest, not among the quads: the same table by the same mapping has the same digest again.
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if retrieved:
        _refuse_no_day(retrieved)
    known = _Provenance(name, path.name, digest, retrieved or changed)

    def parts() -> Iterator[bytes]:
        size = path.stat().st_size
        with (
            Meter(size, terminal) as meter,
            tabular.read(
                path, mapping.dialect, partial(layouts.wanted, mapping), lambda share: meter.at(int(share * size), path.name)
            ) as table,
        ):
            for number, part in enumerate(cubes.lines(mapping, name, table, path, keys, tally)):
                if not number:
                    _refuse_misfit(mapping, part[: part.find("\n", _TRIED) + 1] or part)
                yield part.encode()
        if not tally.observations:
            raise DataFileError(
                f"{path}: no row has a value, so there is nothing to add: look at the file, and at {mapping.path}."
            )
        rest = cubes.quads(_own(mapping, name, tally), GRAPH + "dataset-" + name)
        rest += cubes.quads(_described(mapping, tally, known), CATALOGUE)
        _refuse_misfit(mapping, "".join(rest))
        tally.quads += len(rest)
        yield "".join(rest).encode()

    def manifest(sha256: str, size: int) -> Manifest:
        return Manifest(
            name=name,
            title=mapping.title,
            source=mapping.properties[_DC + "source"][0][0],
            licence=mapping.properties[_DC + "license"][0][0],
            retrieved=known.retrieved,
            imported=now,
            seconds=round(time.monotonic() - began, 3),
            file=known.file,
            file_sha256=known.file_sha256,
            mapping=mapping.path.name,
            mapping_sha256=mapping.sha256,
            rows=tally.rows,
            observations=tally.observations,
            empty_rows=tally.empty_rows,
            unmatched=len(tally.unmatched),
            unmatched_cells=tally.unmatched.total(),
            ignored_columns=tally.ignored_columns,
            quads=tally.quads,
            bytes=size,
            sha256=sha256,
        )

    return collection.put(name, parts(), manifest, lambda made: {made.report: _report(tally), made.copied_mapping: mapping.text})


def _refuse_no_day(text: str) -> None:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise DataError(f"{text!r} is no day on which a file was fetched: write it as 2026-11-23.") from None


def _refuse_misfit(mapping: Mapping, lines: str) -> None:
    """Raise DataFileError for lines that the parser refuses, for an IRI in the mapping; cells cannot be the reason."""
    try:
        for _ in ox.parse(lines, format=ox.RdfFormat.N_QUADS):
            pass
    except SyntaxError as error:
        raise DataFileError(f"{mapping.path}: makes what is no RDF: {error.msg}: mend its IRIs.") from error


def _report(tally: Tally) -> bytes:
    """Return the codes that are nobody's, as CSV: scheme, code, and how many cells have it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("scheme", "code", "cells"))
    writer.writerows((scheme, code, cells) for (scheme, code), cells in sorted(tally.unmatched.items()))
    return out.getvalue().encode()


def _own(mapping: Mapping, name: str, tally: Tally) -> Iterator[Triple]:
    yield DATASET + name, _RDF_TYPE, iri(mappings.QB + "DataSet")
    yield from cubes.structure(mapping, name)
    yield from cubes.codes(tally, name)


def _described(mapping: Mapping, tally: Tally, known: _Provenance) -> Iterator[Triple]:
    dataset = DATASET + known.name
    source, made, used = f"{dataset}#file", f"{dataset}#import", f"{dataset}#mapping"
    for kind in (mappings.QB + "DataSet", "http://www.w3.org/ns/dcat#Dataset", _PROV + "Entity"):
        yield dataset, _RDF_TYPE, iri(kind)
    yield dataset, _DC + "identifier", literal(known.name)
    yield dataset, _DC + "title", literal(mapping.title, language="en")
    for key, values in mapping.properties.items():
        if key not in _NAMED_ALREADY:
            for value in values:
                yield dataset, key, cubes.term(value)
    for key, number in (("rowCount", tally.rows), ("observationCount", tally.observations), ("emptyRowCount", tally.empty_rows)):
        yield dataset, DEF + key, literal(str(number), _XSD + "integer")
    yield dataset, _PROV + "wasGeneratedBy", iri(made)
    yield dataset, _PROV + "wasDerivedFrom", iri(source)
    yield made, _RDF_TYPE, iri(_PROV + "Activity")
    yield made, _PROV + "wasAssociatedWith", iri(_SUASION)
    yield made, _PROV + "used", iri(source)
    yield made, _PROV + "used", iri(used)
    for file, title, digest in ((source, known.file, known.file_sha256), (used, mapping.path.name, mapping.sha256)):
        yield file, _RDF_TYPE, iri(_PROV + "Entity")
        yield file, _DC + "title", literal(title)
        yield file, DEF + "sha256", literal(digest)
    yield source, DEF + "retrieved", literal(known.retrieved, _XSD + "date")
