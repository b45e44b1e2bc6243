"""The folder of the datasets that stand beside the article: each is a compressed file of N-Quads, and a manifest that names it.

Files of a dataset carry the digest of their content in their name and never change; the manifest, a small JSON file, is put in
place last, by a rename. So a crash at any moment leaves a dataset as it was, or new and whole.
"""

import fcntl
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from suasion.errors import DataError, DatasetDamaged, StorageFull
from suasion.generations import FULL
from suasion.mappings import SLUG

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    import backports.zstd as zstd

_LOCK = "lock"
_LEVEL = 1
_PART = re.compile(r"(?P<name>[a-z0-9-]+)\.(?P<digest>[0-9a-f]{64})\.(nq\.zst|unmatched\.csv|mapping\.json)")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a dataset: what it was made of, with which mapping, and what became of it.

    Times are UTC (ISO 8601); `retrieved` is a day. `sha256` is that of the compressed file, which has `bytes` bytes and `quads`
    lines. `unmatched` are the codes that are nobody's, `unmatched_cells` how many cells have one.
    """

    name: str
    title: str
    source: str
    licence: str
    retrieved: str
    imported: str
    seconds: float
    file: str
    file_sha256: str
    mapping: str
    mapping_sha256: str
    rows: int
    observations: int
    empty_rows: int
    unmatched: int
    unmatched_cells: int
    ignored_columns: tuple[str, ...]
    quads: int
    bytes: int
    sha256: str

    @property
    def data(self) -> str:
        """The name of the file of N-Quads."""
        return self._beside("nq.zst")

    @property
    def report(self) -> str:
        """The name of the file that lists the codes that did not match."""
        return self._beside("unmatched.csv")

    @property
    def copied_mapping(self) -> str:
        """The name of the copy of the mapping."""
        return self._beside("mapping.json")

    def _beside(self, ending: str) -> str:
        return f"{self.name}.{self.sha256}.{ending}"


class Collection:
    """A folder of datasets; what it holds besides is left alone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> tuple[Manifest, ...]:
        """Return the manifests by name; a folder that is not there has none. Raises DatasetDamaged for one that is damaged."""
        return tuple(self.manifest(name) for name in self._names())

    def manifest(self, name: str) -> Manifest:
        """Return the manifest of a dataset. Raises DataError where there is none, and DatasetDamaged for a damaged one."""
        try:
            values = json.loads(self._manifest_path(name).read_bytes())
            check = values.pop("check")
            manifest = Manifest(**{**values, "ignored_columns": tuple(values["ignored_columns"])})
            if check != _check(manifest) or manifest.name != name:
                raise ValueError
        except FileNotFoundError:
            known = ", ".join(self._names()) or "none"
            raise DataError(f"{self.path} has no dataset {name!r}: it has {known}.") from None
        except OSError as error:
            raise self._unusable(error) from error
        except (ValueError, TypeError, KeyError, AttributeError):
            raise self._damaged(name, "its manifest is damaged") from None
        return manifest

    def verified(self, manifest: Manifest) -> bytes:
        """Return the compressed N-Quads of a dataset. Raises DatasetDamaged where they are not what the manifest says."""
        try:
            data = (self.path / manifest.data).read_bytes()
        except OSError as error:
            raise self._damaged(manifest.name, f"{manifest.data}: {(error.strerror or str(error)).lower()}") from error
        if sha256(data).hexdigest() != manifest.sha256:
            raise self._damaged(manifest.name, f"{manifest.data} is not what was written there")
        return data

    def put(
        self,
        name: str,
        parts: Iterable[bytes],
        manifest: Callable[[str, int], Manifest],
        beside: Callable[[Manifest], dict[str, bytes]],
    ) -> Manifest:
        """Keep a dataset, in place of one of the same name, and return its manifest.

        The manifest is made of digest and size of the compressed parts; `beside` are the files that go with it. Whatever goes
        wrong, also in making the parts, nothing is changed. Raises StorageFull without room, DataError for a folder that
        cannot be written, or that another command writes to.
        """
        place = self._manifest_path(name)
        with self._locked():
            temporary = self.path / f"{name}.nq.zst.tmp"
            try:
                digest, size = _compressed(temporary, parts)
                made = manifest(digest, size)
                for file, data in beside(made).items():
                    self._write(file, data)
                temporary.rename(self.path / made.data)
                text = json.dumps({**asdict(made), "check": _check(made)}, indent=1, ensure_ascii=False)
                self._write(place.name, text.encode() + b"\n")
                self._synchronise()
            except OSError as error:
                if error.errno in FULL:
                    raise StorageFull(f"{self.path}: the disk is full: nothing was changed. Make room, and try again.") from error
                raise self._unusable(error) from error
            finally:
                temporary.unlink(missing_ok=True)
                self._tidy()
            return made

    def remove(self, name: str) -> None:
        """Remove a dataset. Raises DataError where there is none."""
        if not self._manifest_path(name).exists():
            self.manifest(name)
        with self._locked():
            try:
                self._manifest_path(name).unlink()
                self._synchronise()
            except OSError as error:
                raise self._unusable(error) from error
            self._tidy()

    def _names(self) -> list[str]:
        return sorted(path.stem for path in self.path.glob("*.json") if SLUG.fullmatch(path.stem))

    def _manifest_path(self, name: str) -> Path:
        if not SLUG.fullmatch(name):
            raise DataError(f"{name!r} is no name of a dataset: write small letters, digits and hyphens.")
        return self.path / f"{name}.json"

    def _write(self, name: str, data: bytes) -> None:
        temporary = self.path / f"{name}.tmp"
        try:
            with temporary.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.rename(self.path / name)
        finally:
            temporary.unlink(missing_ok=True)

    def _synchronise(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _tidy(self) -> None:
        """Remove files that no manifest names: of datasets replaced, removed, or never finished."""
        for path in self.path.iterdir():
            part = _PART.fullmatch(path.name.removesuffix(".tmp"))
            if part is None:
                continue
            with suppress(OSError, DataError):
                if path.suffix == ".tmp" or not self._named(part["name"], part["digest"]):
                    path.unlink()

    def _named(self, name: str, digest: str) -> bool:
        return self._manifest_path(name).exists() and self.manifest(name).sha256 == digest

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise DataError(f"{self.path}: another command writes to it: wait until that has ended.") from None
        finally:
            os.close(descriptor)

    def _unusable(self, error: OSError) -> DataError:
        return DataError(
            f"{self.path}: {(error.strerror or str(error)).lower()}: check SUASION_DATASETS and who may write there."
        )

    def _damaged(self, name: str, reason: str) -> DatasetDamaged:
        return DatasetDamaged(f"{self.path}: the dataset {name!r}: {reason}: add it again, or remove it.")


def _compressed(path: Path, parts: Iterable[bytes]) -> tuple[str, int]:
    """Write parts, compressed and synchronised; return digest and size of the file."""
    digest = sha256()
    size = 0
    compressor = zstd.ZstdCompressor(_LEVEL)
    with path.open("wb") as stream:
        for part in parts:
            packed = compressor.compress(part)
            digest.update(packed)
            size += stream.write(packed)
        packed = compressor.flush()
        digest.update(packed)
        size += stream.write(packed)
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest(), size


def _check(manifest: Manifest) -> str:
    return sha256(json.dumps(asdict(manifest), sort_keys=True).encode()).hexdigest()
