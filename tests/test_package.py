"""The wheel holds the package and the bundle, nothing more or less, and answers a query away from the repository."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from suasion import __version__


def tracked(bundle: Path, *folders: str) -> set[str]:
    listed = subprocess.run(["git", "-C", str(bundle), "ls-files", "-z", *folders], capture_output=True, text=True, check=True)
    return set(filter(None, listed.stdout.split("\0")))


@pytest.fixture(scope="module")
def wheel(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(bundle)]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.iterdir()
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel alone was installed; the dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder), str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUASION_")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_wheel_is_the_package_and_the_tracked_bundle(bundle: Path, wheel: Path) -> None:
    expected = {name.removeprefix("service/") for name in tracked(bundle, "service/suasion")}
    expected |= {f"suasion/_bundle/{name}" for name in tracked(bundle, "ontology", "graph_data", "queries", "docs/sparql.md")}
    expected |= {f"suasion/static/vendor/{name}" for name in ("licences.txt", "made-from", "sparql.js")}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    contents = {name for name in names if not name.startswith(f"suasion-{__version__}.dist-info/")}
    assert sorted(contents - expected) == [], "in the wheel, but not tracked"
    assert sorted(expected - contents) == [], "tracked, but not in the wheel"
    assert any(name.startswith("suasion/_bundle/graph_data/claims/") for name in contents)


def test_the_wheel_names_its_version_licences_and_command(wheel: Path) -> None:
    info = f"suasion-{__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"{info}/METADATA").decode("utf-8").splitlines()
        commands = archive.read(f"{info}/entry_points.txt").decode("utf-8")
        names = archive.namelist()
    assert {"Name: suasion", f"Version: {__version__}", "License-Expression: Apache-2.0 AND CC-BY-4.0"} <= set(metadata)
    assert {f"{info}/licenses/LICENSE", f"{info}/licenses/LICENSE-DATA"} <= set(names)
    assert "suasion = suasion.__main__:main" in commands


def test_the_installed_wheel_answers_a_query_from_another_folder(bundle: Path, installed: Path, tmp_path: Path) -> None:
    place = run(installed, tmp_path, "-c", "import suasion; print(suasion.__file__)")
    assert Path(place.stdout.strip()).is_relative_to(installed), place.stdout + place.stderr
    query = tmp_path / "claims.rq"
    query.write_text(
        "PREFIX schema: <https://schema.org/>\nSELECT (COUNT(?claim) AS ?claims) WHERE { ?claim a schema:Claim }\n",
        encoding="utf-8",
    )
    answer = run(installed, tmp_path, "-m", "suasion", "query", str(query))
    assert answer.returncode == 0, answer.stderr
    here = sum(
        file.read_text(encoding="utf-8").count("\n    a schema:Claim ;")
        for file in (bundle / "graph_data" / "claims").glob("*.trig")
    )
    assert here > 0
    assert str(here) in answer.stdout


def test_the_installed_wheel_says_its_version(installed: Path, tmp_path: Path) -> None:
    answer = run(installed, tmp_path, "-c", "import suasion, json; print(json.dumps(suasion.__version__))")
    assert json.loads(answer.stdout) == __version__
