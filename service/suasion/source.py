"""What is served: a bundle, or RDF files of anyone; as JSON it goes to the process that loads it, in one argument."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """A bundle, or files instead of one.

    Relative IRIs in files are resolved against `base_iri`. With `graph_per_file` what a file says outside named graphs goes
    to a graph of its own: the name of the file, resolved against `base_iri`. All files together may have `most_bytes`
    bytes, decompressed. With `writable` the dataset can be written to, and is kept in that folder: beside the bundle, or,
    without one, begun with the files, if there are any. `queries` is a folder of questions beside those that are there anyway,
    `datasets` one of datasets beside a bundle.
    """

    bundle: Path | None = None
    files: tuple[Path, ...] = ()
    base_iri: str = ""
    graph_per_file: bool = False
    most_bytes: int = 1024 * 1024 * 1024
    writable: Path | None = None
    queries: Path | None = None
    datasets: Path | None = None

    def to_json(self) -> str:
        """Return the source as one line of JSON."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> "Source":
        """Return the source that `to_json` wrote."""
        values = json.loads(text)
        folders = {
            name: None if values[name] is None else Path(values[name]) for name in ("bundle", "writable", "queries", "datasets")
        }
        return cls(**{**values, **folders, "files": tuple(Path(file) for file in values["files"])})
