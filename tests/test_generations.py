"""What is acknowledged stays: over restarts, kills at any moment, full disks; and what is damaged is said to be, never served."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from conftest import ROOT, Client
from kills import killed, leftovers
from procfs import children, holds_within, loader, workers
from suasion.errors import DataError, DatasetDamaged
from suasion.generations import KEPT, Folder, Origin, Snapshot
from writers import NOTES, QUIET, TURTLE, UPDATE, Writer, at, dataset_file, token_file, writer

TRIPLE = "<https://example.org/a> <https://example.org/b> <https://example.org/c> ."
KILLS = 20


def start(*options: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command that is to end by itself."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service"), **(environment or {})}
    command = [sys.executable, "-m", "suasion", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


def refused(where: Path, folder: Path) -> str:
    """Start a service on a folder that cannot be served; return the line that says why."""
    (where / "refused").mkdir(exist_ok=True)
    path, _ = token_file(where / "refused", "tester")
    done = start("serve", "--port", "0", "--writable", str(folder), "--tokens", str(path))
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


# ── Restarts ─────────────────────────────────────────────────────────────────


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    with writer(tmp_path) as service:
        assert service.put(NOTES, TRIPLE + " _:x <urn:p> 'é\\n\"', <<( <urn:a> <urn:b> 'x'@en )>> .").status == 201
        assert service.put("urn:empty", "").status == 201
        name = "<urn:xylophone> <http://www.w3.org/2004/02/skos/core#prefLabel> 'xylophone'@en ."
        assert service.put("urn:names", name).status == 201
        assert service.client.rows("/search", text="xylophone") == []
        written, generation = service.triples(NOTES), service.client.get("/healthz").json()
    assert written is not None and len(written) == 3
    with writer(tmp_path) as service:
        assert service.triples(NOTES) == written
        assert service.triples("urn:empty") == set()
        assert service.client.get("/healthz").json() == generation
        assert service.client.get("/memberships", limit=1).status == 200
        assert service.client.rows("/search", text="xylophone") == []
        assert service.put(NOTES, TRIPLE).status == 204
        assert leftovers(service.folder) == set()


def test_a_dataset_of_ones_own_starts_again_without_its_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first = dataset_file(tmp_path)
    with writer(tmp_path, first) as service:
        assert service.update("DELETE DATA { <https://example.org/0> <https://example.org/p> '0' }").status == 204
        left = service.triples("")
    assert left is not None and len(left) == 2
    first.unlink()
    with writer(tmp_path) as service:
        assert service.triples("") == left
        assert service.client.get("/claims").status == 404
        assert service.client.get("/").status == 200
    capfd.readouterr()
    with writer(tmp_path, dataset_file(tmp_path)) as service:
        assert service.triples("") == left
    assert "not read again" in capfd.readouterr().err


def test_another_bundle_is_served_beside_what_was_written(tmp_path: Path) -> None:
    with writer(tmp_path) as service:
        service.put(NOTES, TRIPLE)
        before = service.client.get("/claims", limit=1).headers["suasion-dataset"]
    bundle = tmp_path / "bundle"
    for name in ("ontology", "queries", "graph_data"):
        shutil.copytree(ROOT / name, bundle / name)
    places = bundle / "graph_data" / "places.ttl"
    text = places.read_text(encoding="utf-8")
    places.write_text(text.replace("skos:prefLabel", 'skos:altLabel "Elsewhere"@en ;\n    skos:prefLabel', 1), encoding="utf-8")
    with writer(tmp_path, environment={"SUASION_BUNDLE": str(bundle)}) as service:
        assert service.triples(NOTES) == {TRIPLE}
        assert service.client.get("/claims", limit=1).headers["suasion-dataset"] != before


def test_a_folder_has_one_service(tmp_path: Path) -> None:
    with writer(tmp_path) as service:
        assert "another service" in refused(tmp_path, service.folder)
        assert service.put(NOTES, TRIPLE).status == 201


def test_folders_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("dear")
    assert "letter.txt" in refused(tmp_path, other)
    assert "not a directory" in refused(tmp_path, other / "letter.txt")
    assert "no such file" in refused(tmp_path, tmp_path / "missing" / "data")
    with writer(tmp_path):
        pass
    path, _ = token_file(tmp_path, "tester")
    done = start("serve", "--writable", str(tmp_path / "data"), "--tokens", str(path), str(dataset_file(tmp_path)))
    assert done.returncode == 2
    assert "beside the article" in done.stderr


@pytest.mark.parametrize("options", [("--writable", "data"), ("--tokens", "tokens")])
def test_a_folder_and_tokens_go_together(tmp_path: Path, options: tuple[str, str]) -> None:
    token_file(tmp_path, "tester")
    done = start("serve", options[0], str(tmp_path / options[1]))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "go together" in done.stderr
    assert not (tmp_path / "data").exists()


# ── Kills ────────────────────────────────────────────────────────────────────


def test_nothing_acknowledged_is_lost_by_kills_at_any_moment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = killed(tmp_path, KILLS, seed=7)
    with capsys.disabled():
        sys.stdout.write(f"\n{outcome}\n")
    assert (outcome.lost, outcome.torn, outcome.leftovers) == (0, 0, 0)
    assert outcome.acknowledged > KILLS


def test_a_candidate_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    endless = (
        "INSERT { <urn:a> <urn:b> ?n } WHERE { SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l } }"
    )
    with writer(tmp_path, dataset_file(tmp_path, 2000)) as service:
        before = {*workers(service.process.pid)}
        statuses: list[int] = []
        thread = threading.Thread(target=lambda: statuses.append(service.update(endless).status))
        thread.start()
        assert holds_within(5, lambda: len({*workers(service.process.pid)} - before) == 1)
        (candidate,) = {*workers(service.process.pid)} - before
        os.kill(candidate, signal.SIGKILL)
        thread.join()
        assert statuses == [500]
        assert service.put(NOTES, TRIPLE).status == 201
        assert leftovers(service.folder) == set()


@pytest.mark.skipif(shutil.which("strace") is None and "CI" not in os.environ, reason="needs strace")
def test_everything_is_synchronised_before_it_is_acknowledged(tmp_path: Path) -> None:
    """Snapshot, pointer and folder, each by fsync, before the status line is sent."""
    path, (token,) = token_file(tmp_path, "tester")
    trace = tmp_path / "trace"
    calls = "trace=fsync,rename,renameat,renameat2,sendto,write,writev"
    command = ["strace", "-f", "-ttt", "-s", "60", "-e", calls, "-o", str(trace), sys.executable, "-m", "suasion", "serve"]
    command += ["--port", "0", "--writable", str(tmp_path / "data"), "--tokens", str(path), str(dataset_file(tmp_path))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service"), **QUIET}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        line = process.stdout.readline()
        service = Writer(process, Client(int(line.rstrip("/\n").rpartition(":")[2])), token, tmp_path / "data")
        for number in range(5):
            assert service.put(f"urn:{number}", TRIPLE).status == 201
        os.kill(children(process.pid)[0], signal.SIGTERM)
        process.wait(timeout=20)
    text = trace.read_text(errors="replace").partition("Suasion answers at")[2]
    rounds = text.split("HTTP/1.1 201")
    assert len(rounds) == 6
    for before in rounds[:5]:
        assert len(re.findall(r"fsync\(\d+\) *= 0|fsync resumed.*= 0", before)) >= 4
        assert len(re.findall(r"rename\w*\(.*\.nq", before)) == 1
        assert len(re.findall(r"rename\w*\(.*dataset\.json", before)) == 1


# ── Full disks ───────────────────────────────────────────────────────────────


@contextmanager
def small_disk(where: Path) -> Iterator[Path]:
    """Mount a file system of 2 MiB; only root may."""
    disk = where / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no file system may be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def large(graph: str, kilobytes: int) -> str:
    return "".join(f"<{graph}:{n}> <urn:p> '{'x' * 950}' .\n" for n in range(kilobytes))


def fill(path: Path) -> None:
    """Write to a file until the disk is full to the last page."""
    with suppress(OSError), path.open("wb", buffering=0) as stream:
        while stream.write(b"x" * 4096):
            pass


def test_a_full_disk_refuses_writes_and_nothing_else(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk, writer(tmp_path, dataset_file(tmp_path), folder=disk / "data") as service:
        assert service.put("urn:kept", TRIPLE).status == 201
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * (1024 * 1024))
        names = {path.name for path in service.folder.iterdir()}
        for method, path, headers, body in (
            ("PUT", at("urn:big"), TURTLE, large("urn:big", 1100)),
            ("POST", at("urn:kept"), TURTLE, large("urn:big", 1100)),
            ("POST", "/sparql", UPDATE, f"INSERT DATA {{ {large('urn:big', 1100)} }}"),
        ):
            reply = service.send(method, path, headers, body)
            assert (reply.status, str(reply.json()["type"]).rpartition("/")[2]) == (507, "StorageFull")
            assert service.triples("urn:kept") == {TRIPLE}
            assert service.triples("urn:big") is None
            assert {path.name for path in service.folder.iterdir()} == names
        fill(ballast)
        assert service.put("urn:small", TRIPLE).status == 507
        assert service.triples("urn:kept") == {TRIPLE}
        assert service.client.get("/readyz").status == 200
        ballast.unlink()
        assert service.put("urn:big", large("urn:big", 300)).status == 201
        assert service.put("urn:small", TRIPLE).status == 201
        assert leftovers(service.folder) == set()


def test_a_write_that_would_nearly_fill_the_disk_is_refused(tmp_path: Path) -> None:
    """Twice its size has to be free."""
    with small_disk(tmp_path) as disk, writer(tmp_path, dataset_file(tmp_path), folder=disk / "data") as service:
        assert service.put("urn:big", large("urn:big", 1200)).status == 507
        assert service.put("urn:big", large("urn:big", 700)).status == 201
        assert b"suasion_free_bytes 1" in service.client.get("/metrics").body


def test_a_limit_on_files_is_a_full_disk_too(tmp_path: Path) -> None:
    """Where nothing may be mounted: the kernel refuses files above a size, with an error of the same kind."""
    with writer(tmp_path, dataset_file(tmp_path)) as service:
        resource.prlimit(loader(service.process.pid), resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        names = {path.name for path in service.folder.iterdir()}
        assert service.put("urn:big", large("urn:big", 200)).status == 507
        assert {path.name for path in service.folder.iterdir()} == names
        assert service.put("urn:small", TRIPLE).status == 201
        resource.prlimit(loader(service.process.pid), resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert service.put("urn:big", large("urn:big", 200)).status == 201


# ── Damage ───────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three generations, of which the last two were written over HTTP."""
    where = tmp_path_factory.mktemp("three")
    with writer(where, dataset_file(where, 20)) as service:
        for number in range(3):
            assert service.put(f"urn:{number}", TRIPLE).status == 201
    return service.folder


def newest(folder: Path) -> Path:
    return folder / str(json.loads((folder / "dataset.json").read_text())["file"])


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def edit(folder: Path, **changes: object) -> None:
    path = folder / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a bit of the snapshot": lambda folder: flip(newest(folder), 500),
    "the head of the snapshot": lambda folder: flip(newest(folder), 3),
    "the snapshot cut short": lambda folder: os.truncate(newest(folder), 300),
    "the snapshot cut at a line": lambda folder: newest(folder).write_bytes(newest(folder).read_bytes().rpartition(b"<")[0]),
    "the snapshot emptied": lambda folder: newest(folder).write_bytes(b""),
    "the snapshot gone": lambda folder: newest(folder).unlink(),
    "the snapshot of before": lambda folder: newest(folder).write_bytes(sorted(folder.glob("*.nq"))[0].read_bytes()),
    "a bit of the pointer": lambda folder: flip(folder / "dataset.json", 20),
    "the pointer cut short": lambda folder: os.truncate(folder / "dataset.json", 100),
    "the pointer emptied": lambda folder: (folder / "dataset.json").write_bytes(b""),
    "the pointer gone": lambda folder: (folder / "dataset.json").unlink(),
    "the pointer no object": lambda folder: (folder / "dataset.json").write_text("[1]"),
    "the pointer with another count": lambda folder: edit(folder, quads=1),
    "the pointer with another number": lambda folder: edit(folder, number=1),
    "the pointer of another kind": lambda folder: edit(folder, origin={"kind": "bundle", "digest": ""}),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_refused_with_the_way_back(three: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "data"
    shutil.copytree(three, folder)
    in_force = newest(folder)
    DAMAGES[damage](folder)
    names = {path.name for path in folder.iterdir()}
    said = refused(tmp_path, folder)
    assert "suasion restore" in said
    assert {path.name for path in folder.iterdir()} == names
    done = start("restore", str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    sound = re.search(r"goes back to (\S+),", said)
    assert sound and done.stdout.startswith(sound[1])
    # A damaged pointer leaves the newest snapshot sound.
    assert (sound[1] == in_force.name) == ("pointer" in damage)
    with writer(tmp_path) as service:
        assert service.triples("urn:1") == {TRIPLE}
        assert service.triples("urn:2") == ({TRIPLE} if "pointer" in damage else None)
        assert service.put("urn:3", TRIPLE).status == 201
    assert start("restore", str(folder)).returncode == 2


def test_without_a_sound_snapshot_a_backup_is_asked_for(three: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(three, folder)
    for path in folder.glob("*.nq"):
        flip(path, 100)
    assert "backup" in refused(tmp_path, folder)
    assert start("restore", str(folder)).returncode == 2


def test_a_copy_of_the_folder_is_a_backup(three: Path, tmp_path: Path) -> None:
    shutil.copytree(three, tmp_path / "data")
    with writer(tmp_path) as service:
        assert [service.triples(f"urn:{number}") for number in range(3)] == [{TRIPLE}] * 3


# ── The folder alone ─────────────────────────────────────────────────────────


def test_a_crash_before_the_first_pointer_leaves_a_new_folder(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")
    folder.lock()
    folder.write(1, Snapshot(Origin("files")))
    (folder.path / "x.nq.tmp").write_bytes(b"half")
    assert folder.pointed() is None
    folder.write(2, Snapshot(Origin("files")))
    with pytest.raises(DatasetDamaged, match="missing"):
        folder.pointed()


def test_what_is_written_is_read_and_old_snapshots_go(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")
    folder.lock()
    snapshot = Snapshot(Origin("files", "d"), (b"<urn:a> <urn:b> <urn:c> .\n", b"_:x <urn:b> <urn:c> .\n"), 1, ("<urn:e>",))
    for number in range(1, 7):
        generation = folder.write(number, snapshot)
        folder.point_to(generation)
        folder.tidy(generation)
    assert folder.pointed() == generation
    assert folder.read(generation) == snapshot
    assert len(list(folder.path.glob("*.nq"))) == KEPT
    other = folder.path / "letter.txt"
    other.write_text("dear")
    folder.tidy(generation)
    assert other.exists()


def test_a_folder_that_is_sound_is_not_restored(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")
    folder.lock()
    folder.point_to(folder.write(1, Snapshot(Origin("files"))))
    with pytest.raises(DataError, match="nothing is damaged"):
        folder.restore()
