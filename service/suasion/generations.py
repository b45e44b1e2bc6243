"""The folder of a dataset that can be written to: snapshots that never change, and a pointer that names the one in force.

A snapshot is sorted N-Quads after a comment line with what N-Quads cannot carry; its name has its number and its SHA-256. The
pointer is a small JSON file. Whatever is written has another name first, is synchronised, and is renamed into place, so that
a crash at any moment leaves the old state or the new one whole.
"""

import errno
import fcntl
import json
import os
import re
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from shutil import disk_usage

from suasion.errors import DataError, DatasetDamaged, StorageFull

KEPT = 3
"""Snapshots kept: the one in force, and those before it, for the case that it is damaged."""
POINTER = "dataset.json"
_LOCK = "lock"
_SNAPSHOT = re.compile(r"(\d{10})-([0-9a-f]{64})\.nq")
_HEAD = b"# suasion "
_LOCK_SECONDS = 5.0
_ROOM = 2  # so many times the size of what is written has to be free, for others write there too
_NO_ROOM = "The disk is full: nothing was changed. Try again when there is room."
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a dataset began with: beside a bundle, or from files; and the digest of these ("" with blank nodes)."""

    kind: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What may be written to: lines of N-Quads, each with its line end, how many named graphs there are, the names of those
    that are empty, and the origin of it all.
    """

    origin: Origin
    lines: tuple[bytes, ...] = ()
    graphs: int = 0
    empty_graphs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Generation:
    """The state after a change: its number, from 1, the SHA-256 of its snapshot, and the quads and named graphs in it."""

    number: int
    sha256: str
    quads: int
    graphs: int
    origin: Origin

    @property
    def file(self) -> str:
        """The name of the snapshot."""
        return f"{self.number:010d}-{self.sha256}.nq"


class Folder:
    """A folder of snapshots; what it holds besides its own files is left alone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lock(self) -> None:
        """Make the folder where it is missing, and keep others from writing to it while this process lives.

        Raises DataError when another process has it, or when it cannot be made or written.
        """
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        ends = time.monotonic() + _LOCK_SECONDS  # those who had it may be ending
        while True:
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of this process alone: its forks do not inherit it
                return
            except (BlockingIOError, PermissionError):
                if time.monotonic() > ends:
                    os.close(descriptor)
                    raise DataError(f"{self.path}: another service writes to it: end that one, or name another folder.") from None
                time.sleep(0.05)

    def pointed(self) -> Generation | None:
        """Return the generation in force, None in a folder that holds no dataset yet, or is none yet.

        Raises DatasetDamaged for a pointer that is damaged, or missing though there are snapshots, and DataError for a folder
        of other things.
        """
        try:
            values = json.loads((self.path / POINTER).read_bytes())
            check = values.pop("check")
            file = values.pop("file")
            found = Generation(**{**values, "origin": Origin(**values["origin"])})
            if (check, file) != (_check(found), found.file):
                raise ValueError
            return found
        except FileNotFoundError:
            self._refuse_lost_pointer()
            return None
        except OSError as error:
            raise self._unusable(error) from error
        except (ValueError, TypeError, KeyError, AttributeError):
            raise self._damaged(f"{POINTER} is damaged") from None

    def read(self, generation: Generation) -> Snapshot:
        """Return the snapshot of a generation. Raises DatasetDamaged when it is missing, or not what the pointer says."""
        try:
            data = (self.path / generation.file).read_bytes()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise self._damaged(f"{generation.file}: {reason}", generation) from error
        if sha256(data).hexdigest() != generation.sha256:
            raise self._damaged(f"{generation.file} is damaged", generation)
        snapshot = _unpacked(data)
        if len(snapshot.lines) != generation.quads:
            raise self._damaged(f"{generation.file} does not have {generation.quads:,} quads", generation)
        return snapshot

    def write(self, number: int, snapshot: Snapshot) -> Generation:
        """Keep a snapshot on disk, not yet in force. Raises StorageFull when there is no room; nothing is left then."""
        data = _packed(snapshot)
        generation = Generation(number, sha256(data).hexdigest(), len(snapshot.lines), snapshot.graphs, snapshot.origin)
        self._put(generation.file, data)
        return generation

    def point_to(self, generation: Generation) -> None:
        """Put a generation in force. Raises StorageFull when there is no room; the one before is in force then."""
        values = {"file": generation.file, **asdict(generation), "check": _check(generation)}
        self._put(POINTER, json.dumps(values, indent=1).encode() + b"\n")

    def tidy(self, generation: Generation) -> None:
        """Remove what no one needs: files half-written, snapshots that never came into force, and old ones."""
        found = self._snapshots()
        older = sorted((number for number in found if number < generation.number), reverse=True)[: KEPT - 1]
        kept = {generation.file, *(name for number in older for name in found[number])}
        for name in {name for names in found.values() for name in names} - kept:
            self._remove(name)
        for path in self.path.glob("*.tmp"):
            self._remove(path.name)

    def newest_sound(self, below: Generation | None = None) -> tuple[str, Snapshot] | None:
        """Return name and content of the newest snapshot, up to a generation, that is what its name says; None without one."""
        found = self._snapshots()
        for number in sorted(found, reverse=True):
            for name in found[number] if below is None or number <= below.number else ():
                with suppress(OSError, ValueError):
                    data = (self.path / name).read_bytes()
                    if sha256(data).hexdigest() in name:
                        return name, _unpacked(data)
        return None

    def restore(self) -> tuple[str, Generation]:
        """Put the newest sound snapshot in force, as a new generation; return its former name, and the generation.

        Whatever is newer or damaged stays, with `.damaged` after its name. Raises DataError when nothing is damaged, and
        DatasetDamaged when nothing is sound.
        """
        self.lock()
        pointed = None
        try:
            pointed = self.pointed()
            if pointed is not None:
                self.read(pointed)
        except DatasetDamaged:
            sound = self.newest_sound(pointed)
            if sound is None:
                raise
        else:
            raise DataError(f"{self.path}: nothing is damaged here, so nothing was changed.")
        name, snapshot = sound
        found = self._snapshots()
        restored = self.write(max(found) + 1, snapshot)
        for other in [POINTER, *(other for names in found.values() for other in names if other > name)]:
            with suppress(FileNotFoundError):
                (self.path / other).rename(self.path / f"{other}.damaged")
        self.point_to(restored)
        return name, restored

    def _put(self, name: str, data: bytes) -> None:
        temporary = self.path / f"{name}.tmp"
        if disk_usage(self.path).free < _ROOM * len(data):
            raise StorageFull(_NO_ROOM)
        try:
            with temporary.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.rename(self.path / name)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            if error.errno in FULL:
                raise StorageFull(_NO_ROOM) from error
            raise
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _remove(self, name: str) -> None:
        with suppress(OSError):  # the next start tries again
            (self.path / name).unlink()

    def _snapshots(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for path in self.path.iterdir():
            if match := _SNAPSHOT.fullmatch(path.name):
                found.setdefault(int(match[1]), []).append(path.name)
        return found

    def _refuse_lost_pointer(self) -> None:
        """Take a folder as new when it is empty, or has the first snapshot alone, whose pointer a crash forestalled."""
        try:
            names = {path.name for path in self.path.iterdir()} - {_LOCK}
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._unusable(error) from error
        snapshots = self._snapshots()
        if any(number > 1 for number in snapshots):
            raise self._damaged(f"{POINTER} is missing")
        own = {name for listed in snapshots.values() for name in listed} | {name for name in names if name.endswith(".tmp")}
        if names - own:
            raise DataError(f"{self.path} holds other files, such as {min(names - own)}: name an empty folder, or a new one.")

    def _damaged(self, fault: str, below: Generation | None = None) -> DatasetDamaged:
        sound = self.newest_sound(below)
        remedy = (
            f"`suasion restore {self.path}` goes back to {sound[0]}, the newest snapshot that is sound"
            if sound
            else "no snapshot is sound, so fetch the folder from a backup"
        )
        return DatasetDamaged(f"{self.path}: {fault}; nothing is served or changed: {remedy}.")

    def _unusable(self, error: OSError) -> DataError:
        reason = (error.strerror or str(error)).lower()
        return DataError(f"{self.path}: {reason}: name a folder that this user may write to.")


def _check(generation: Generation) -> str:
    return sha256(json.dumps(asdict(generation), sort_keys=True).encode()).hexdigest()


def _packed(snapshot: Snapshot) -> bytes:
    head = {"origin": asdict(snapshot.origin), "graphs": snapshot.graphs, "empty_graphs": sorted(snapshot.empty_graphs)}
    return b"".join([_HEAD, json.dumps(head).encode(), b"\n", *sorted(snapshot.lines)])


def _unpacked(data: bytes) -> Snapshot:
    """Return the snapshot of a file whose digest was compared. Raises ValueError for one that was not written as such."""
    first, *lines = data.splitlines(keepends=True)
    head = json.loads(first.removeprefix(_HEAD))
    return Snapshot(Origin(**head["origin"]), tuple(lines), head["graphs"], tuple(head["empty_graphs"]))
