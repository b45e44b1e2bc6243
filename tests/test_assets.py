"""Code of others for browsers: locked by hash, made once, and told in one line where it cannot be made."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

PLACE = Path(__file__).parents[1] / "service" / "browser"


def made(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(folder / "assets.py"), *arguments], capture_output=True, text=True, timeout=60)


def test_each_package_is_locked_by_its_hash_and_no_host_is_named() -> None:
    lock = (PLACE / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(lock)["packages"]
    direct = packages.pop("")
    assert {**direct["dependencies"], **direct["devDependencies"]}.keys() <= {
        name.removeprefix("node_modules/") for name in packages
    }
    assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_what_cannot_be_made_is_told_in_one_line_and_nothing_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "service" / "browser"
    shutil.copytree(PLACE, folder, ignore=shutil.ignore_patterns("node_modules"))
    vendor = tmp_path / "service" / "suasion" / "static" / "vendor"
    vendor.mkdir(parents=True)
    (vendor / "sparql.js").write_text("before", encoding="utf-8")
    (folder / "package-lock.json").write_text("{}", encoding="utf-8")
    assert made(folder, "--check").returncode == 1
    tried = made(folder)
    assert tried.returncode == 1 and tried.stdout == ""
    assert len(tried.stderr.splitlines()) == 1 and "npm ended with 1" in tried.stderr and "plain form" in tried.stderr
    assert [(file.name, file.read_text(encoding="utf-8")) for file in vendor.iterdir()] == [("sparql.js", "before")]
