"""What is served: a bundle, or RDF files of anyone; as JSON it goes to the process that loads it, in one argument."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """A bundle, or files instead of one.

    Relative IRIs in files are resolved against `base_iri`. With `graph_per_file` what a file says outside named graphs goes
    to a graph of its own: the name of the file, resolved against `base_iri`. All files together may have `most_bytes`
    bytes, decompressed.
    """

    bundle: Path | None = None
    files: tuple[Path, ...] = ()
    base_iri: str = ""
    graph_per_file: bool = False
    most_bytes: int = 1024 * 1024 * 1024

    def to_json(self) -> str:
        """Return the source as one line of JSON."""
        bundle = None if self.bundle is None else str(self.bundle)
        return json.dumps({**asdict(self), "bundle": bundle, "files": [str(file) for file in self.files]})

    @classmethod
    def from_json(cls, text: str) -> "Source":
        """Return the source that `to_json` wrote."""
        values = json.loads(text)
        bundle = None if values["bundle"] is None else Path(values["bundle"])
        return cls(**{**values, "bundle": bundle, "files": tuple(Path(file) for file in values["files"])})
