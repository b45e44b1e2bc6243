"""The command line, run as a user runs it."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service")}
    return subprocess.run(
        [sys.executable, "-m", "suasion", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=cwd,
        timeout=120,
        check=False,
    )


def test_check_finds_no_fault() -> None:
    done = run("check")
    assert done.returncode == 0, done.stdout
    assert done.stdout.rstrip().endswith(": 0 faults")


def test_check_names_file_line_and_rule_of_each_fault(tmp_path: Path) -> None:
    for folder in ("ontology", "queries", "graph_data"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    claims = tmp_path / "graph_data" / "claims" / "china-aid.trig"
    text = claims.read_text(encoding="utf-8")
    line = text[: text.index("    :modality ")].count("\n") + 1
    lines = text.splitlines(keepends=True)
    del lines[line - 1]
    claims.write_text("".join(lines), encoding="utf-8")
    done = run("check", str(tmp_path))
    assert done.returncode == 1
    assert "china-aid.trig:" in done.stdout
    assert "shape:claim-has-one-modality" in done.stdout


def test_check_of_a_broken_query_file_is_one_line(tmp_path: Path) -> None:
    for folder in ("ontology", "queries", "graph_data"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    path = tmp_path / "queries" / "api" / "notes.rq"
    path.write_text(path.read_text(encoding="utf-8").replace("SELECT", "SELECT ?wrong", 1), encoding="utf-8")
    done = run("check", str(tmp_path))
    assert done.returncode == 2
    assert "notes.rq" in done.stderr
    assert "project" in done.stderr


def test_query_answers_a_file() -> None:
    done = run("query", "queries/questions/" + next((ROOT / "queries" / "questions").glob("cq-01-*.rq")).name)
    assert done.returncode == 0
    assert "1154" in done.stdout
    assert "16" in done.stdout


def test_query_of_a_missing_or_bad_file_is_one_line(tmp_path: Path) -> None:
    missing = run("query", str(tmp_path / "none.rq"))
    assert (missing.returncode, len(missing.stderr.splitlines())) == (2, 1)
    bad = tmp_path / "bad.rq"
    bad.write_text("SELECT * WHERE {\n")
    done = run("query", str(bad))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "bad.rq" in done.stderr


def test_query_of_a_file_that_is_not_utf_8_is_one_line_with_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "latin.rq"
    path.write_bytes('ASK { ?s ?p "ü" }'.encode("latin-1"))
    done = run("query", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"suasion: {path}: byte 13 is not UTF-8: save the file as UTF-8.\n"


def test_query_reaches_nothing_outside(tmp_path: Path) -> None:
    path = tmp_path / "outside.rq"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        for query in (f"ASK {{ SERVICE <{url}> {{ ?s ?p ?o }} }}", f"ASK {{ \\u0053ERVICE SILENT <{url}> {{ ?s ?p ?o }} }}"):
            path.write_text(query)
            done = run("query", str(path))
            assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
            assert done.stderr.startswith(f"suasion: {path}: SERVICE is not allowed here")
        with pytest.raises(TimeoutError):
            listener.accept()


def test_query_may_be_longer_than_over_http_but_no_deeper(tmp_path: Path) -> None:
    path = tmp_path / "long.rq"
    path.write_text("SELECT (COUNT(*) AS ?n) { VALUES ?v { " + " ".join(str(n) for n in range(60_000)) + " } }")
    done = run("query", str(path))
    assert (done.returncode, "60000" in done.stdout) == (0, True), done.stderr
    path.write_text("ASK { FILTER(" + "(" * 20_000 + "1" + ")" * 20_000 + ") }")
    done = run("query", str(path))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "nested more than 64 levels" in done.stderr


def test_verify_of_another_text_finds_nothing_and_says_so(tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("Nothing of the kind stands here.\n")
    done = run("verify", str(other))
    assert done.returncode == 1
    assert "0 found, 0 moved" in done.stdout.splitlines()[-1]


def test_verify_of_the_article_finds_all(article: Path | None) -> None:
    name = str(article / "article.txt") if article else "/nonexistent/article.txt"
    done = run("verify", name)
    if article:
        assert done.returncode == 0
        assert done.stdout.splitlines()[-1].endswith("0 moved, 0 missing")
        assert "the source file itself" in done.stdout
    else:
        assert done.returncode == 2


def test_locate_prints_the_passage_that_the_data_hold(article: Path | None) -> None:
    name = str(article / "article.txt") if article else "/nonexistent/article.txt"
    done = run("locate", name, "s146", "loan", "30.77 billion yen loan")
    if article:
        assert done.returncode == 0
        assert "passage:s146-loan" in done.stdout
        assert "oa:start " in done.stdout
    else:
        assert done.returncode == 2
