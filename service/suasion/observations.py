"""The datasets of a collection in the stores of a bundle: in graphs of their own, in all graphs together, never as default graph.

The default graph is what the article reports as fact; no dataset changes it. What the datasets say of the article is added last.
"""

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

import pyoxigraph as ox

from suasion import loading, verdicts
from suasion.collection import Collection, Manifest
from suasion.cubes import CATALOGUE
from suasion.errors import DatasetDamaged
from suasion.loading import Dataset
from suasion.prefixes import GRAPH
from suasion.progress import Meter
from suasion.source import Source

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    import backports.zstd as zstd


def load_source(source: Source, terminal: TextIO | None = None) -> Dataset:
    """Load a source as `loading.load_source` does, with the datasets beside its bundle. Raises what that and `add` raise."""
    dataset = loading.load_source(source, terminal)
    if source.datasets is not None:
        add(dataset, source.datasets, terminal)
    return dataset


def add(dataset: Dataset, folder: Path, terminal: TextIO | None = None) -> None:
    """Add the datasets of a folder, and the verdicts that follow from them; without any, nothing is added.

    Progress is shown where the terminal is one. Raises DatasetDamaged for a dataset that is not what was written there.
    """
    collection = Collection(folder)
    manifests = collection.all()
    done = 0
    with Meter(sum(manifest.bytes for manifest in manifests), terminal) as meter:
        for manifest in manifests:
            meter.at(done, manifest.name)
            _load(dataset, manifest, _lines(folder, manifest, collection.verified(manifest)))
            done += manifest.bytes
    quads = verdicts.reached(dataset.facts)
    dataset.facts.extend(quads)
    dataset.union.extend(quads)
    dataset.union.extend(ox.Quad(quad.subject, quad.predicate, quad.object) for quad in quads)


def _lines(folder: Path, manifest: Manifest, data: bytes) -> bytes:
    lines: bytes = zstd.decompress(data)
    if lines.count(b"\n") != manifest.quads:
        raise DatasetDamaged(f"{folder}: the dataset {manifest.name!r} does not have {manifest.quads:,} quads: add it again.")
    return lines


def _load(dataset: Dataset, manifest: Manifest, lines: bytes) -> None:
    """Load lines into both stores at once; in all graphs together a line stands without its graph too."""
    alone = lines
    for graph in (f"{GRAPH}dataset-{manifest.name}", CATALOGUE):
        alone = alone.replace(f" <{graph}> .\n".encode(), b" .\n")

    def union() -> None:
        dataset.union.bulk_load(input=io.BytesIO(lines), format=ox.RdfFormat.N_QUADS)
        dataset.union.bulk_load(input=io.BytesIO(alone), format=ox.RdfFormat.N_TRIPLES)

    try:
        with ThreadPoolExecutor(1) as beside:
            other = beside.submit(union)
            dataset.facts.bulk_load(input=io.BytesIO(lines), format=ox.RdfFormat.N_QUADS)
            other.result()
    except SyntaxError as error:
        raise DatasetDamaged(f"The dataset {manifest.name!r} does not parse: {error.msg}: add it again.") from error
