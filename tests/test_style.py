"""House style of data, ontology and query files, and what no tracked file may hold."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

ROOT = Path(__file__).parents[1]
SUFFIXES = {".ttl", ".trig", ".rq", ".ru"}
MEBIBYTE = 1024 * 1024

PREFIX_LINE = re.compile(r"PREFIX (?P<prefix>[a-z0-9-]*): <(?P<namespace>[^<>\s]+)>")
# Strings, IRIs and comments: what is none of them is syntax.
NOT_SYNTAX = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|<[^<>"{}|\\^`\s]*>|#[^\n]*')
KEBAB = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
KEYWORDS = frozenset(
    [
        "abs",
        "add",
        "all",
        "as",
        "asc",
        "ask",
        "avg",
        "base",
        "bind",
        "bnode",
        "bound",
        "by",
        "ceil",
        "clear",
        "coalesce",
        "concat",
        "construct",
        "contains",
        "copy",
        "count",
        "create",
        "data",
        "datatype",
        "day",
        "default",
        "delete",
        "desc",
        "describe",
        "distinct",
        "drop",
        "encode_for_uri",
        "exists",
        "filter",
        "floor",
        "from",
        "graph",
        "group",
        "group_concat",
        "having",
        "hours",
        "if",
        "in",
        "insert",
        "into",
        "iri",
        "isblank",
        "isiri",
        "isliteral",
        "isnumeric",
        "isuri",
        "lang",
        "langmatches",
        "lcase",
        "limit",
        "load",
        "max",
        "md5",
        "min",
        "minus",
        "minutes",
        "month",
        "move",
        "named",
        "not",
        "now",
        "offset",
        "optional",
        "order",
        "prefix",
        "rand",
        "reduced",
        "regex",
        "replace",
        "round",
        "sample",
        "sameterm",
        "seconds",
        "select",
        "separator",
        "service",
        "sha1",
        "sha256",
        "sha384",
        "sha512",
        "silent",
        "str",
        "strafter",
        "strbefore",
        "strdt",
        "strends",
        "strlang",
        "strlen",
        "strstarts",
        "struuid",
        "substr",
        "sum",
        "timezone",
        "to",
        "tz",
        "ucase",
        "undef",
        "union",
        "uri",
        "using",
        "uuid",
        "values",
        "where",
        "with",
        "year",
    ]
)

MACHINE_PATH = re.compile(r"(?<![\w.~/)}>-])/(?:work|tmp|root|home|Users|private|mnt)/\w|\b[A-Z]:\\\\?Users\b")
URL_HOST = re.compile(r"\bhttps?://(?:[^\s/@\"'<>]+@)?([\w.-]+)(?::\d+)?(/simple\b)?")
REGISTRY_HOST = re.compile(r"artifactory|nexus|registry|mirror|pypi|pythonhosted|goproxy|\bproxy\b|\.internal\b|\.local\b")


def git_files(*options: str) -> list[Path]:
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", *options], capture_output=True, text=True, check=True)
    return [file for name in sorted(set(filter(None, listed.stdout.split("\0")))) if (file := ROOT / name).is_file()]


TRACKED = git_files()
# What is not yet tracked, and not ignored, is held to the same style before it is.
FILES = [
    file
    for file in git_files("--cached", "--others", "--exclude-standard")
    if file.suffix in SUFFIXES and file.relative_to(ROOT).parts[0] in {"ontology", "graph_data", "queries"}
]
DATA = [file for file in FILES if file.suffix in {".ttl", ".trig"}]
QUERIES = [file for file in FILES if file.suffix in {".rq", ".ru"}]
QUESTIONS = [file for file in QUERIES if file.relative_to(ROOT).parts[1] in {"api", "files", "questions"}]


def label(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def read(file: Path) -> str:
    """Return a file as it is, line ends included."""
    return file.read_bytes().decode("utf-8")


def syntax(text: str) -> str:
    """Return a text with strings, IRIs and comments blanked, lines kept."""
    return NOT_SYNTAX.sub(lambda match: "\n" * match.group().count("\n") or " ", text)


def prefix_lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if re.match(r"\s*@?(?:prefix|base)\b", line, re.IGNORECASE))


def test_there_are_files_to_lint() -> None:
    assert {file.suffix for file in FILES} == SUFFIXES
    assert {label(file).split("/")[0] for file in FILES} == {"ontology", "graph_data", "queries"}
    assert QUESTIONS


@pytest.mark.parametrize("file", FILES, ids=label)
def test_characters_and_lines(file: Path) -> None:
    text = read(file)
    assert not text.startswith("\ufeff"), "a byte order mark"
    assert "\r" not in text and "\t" not in text, "a carriage return or a tab"
    assert text.endswith("\n") and not text.endswith("\n\n"), "ends in one line feed"
    assert [n for n, line in enumerate(text.split("\n"), start=1) if line != line.rstrip()] == [], "lines with trailing blanks"


@pytest.mark.parametrize("file", FILES, ids=label)
def test_prefixes_are_sorted_and_used(file: Path) -> None:
    text = read(file)
    lines = list(prefix_lines(text))
    found = [match["prefix"] for line in lines if (match := PREFIX_LINE.fullmatch(line))]
    assert len(found) == len(lines), "a prefix line reads PREFIX name: <IRI>, in upper case, single-spaced"
    assert found == sorted(found) and len(found) == len(set(found)), "sorted, each once"
    body = syntax("\n".join(line for line in text.splitlines() if not PREFIX_LINE.fullmatch(line)))
    assert [p for p in found if not re.search(rf"(?<![\w:.?$-]){re.escape(p)}:", body)] == [], "declared, but not used"


@pytest.mark.parametrize("file", DATA, ids=label)
def test_data_files_say_what_they_hold(file: Path) -> None:
    first, second, third = read(file).split("\n")[:3]
    assert re.fullmatch(r"# \S.*", first) and re.fullmatch(r"# \S.*", second), (
        "two comment lines first: what it holds, and where it goes"
    )
    assert third == ""


@pytest.mark.parametrize("file", DATA, ids=label)
def test_nothing_is_aligned_in_columns(file: Path) -> None:
    """Four spaces an indent, one between words: a changed line stays one changed line."""
    kept = re.sub(NOT_SYNTAX, lambda match: "x" * len(match.group()) if "\n" not in match.group() else match.group(), read(file))
    lines = kept.split("\n")
    assert [n for n, line in enumerate(lines, start=1) if "  " in line.lstrip(" ")] == []
    assert [n for n, line in enumerate(lines, start=1) if (len(line) - len(line.lstrip(" "))) % 4] == []


@pytest.mark.parametrize("file", [file for file in DATA if label(file).startswith("graph_data/")], ids=label)
def test_graph_data_holds_no_blank_node_and_no_same_as(file: Path) -> None:
    same_as = "http://www.w3.org/2002/07/owl#sameAs"
    quads = list(ox.parse(path=str(file)))
    assert quads
    blank = [str(q) for q in quads if any(isinstance(part, ox.BlankNode) for part in (q.subject, q.object, q.graph_name))]
    assert blank == []
    assert [str(q) for q in quads if q.predicate.value == same_as] == []


@pytest.mark.parametrize("file", QUERIES, ids=label)
def test_keywords_are_upper_case(file: Path) -> None:
    words = re.findall(r"(?<![\w:?$@.-])[A-Za-z_][\w]*(?![\w:-])", syntax(read(file)))
    assert "WHERE" in words or "ASK" in words
    assert sorted({word for word in words if word.lower() in KEYWORDS and not word.isupper()}) == []


@pytest.mark.parametrize("file", QUERIES, ids=label)
def test_queries_indent_by_two(file: Path) -> None:
    lines = syntax(read(file)).split("\n")
    assert [n for n, line in enumerate(lines, start=1) if line.strip() and (len(line) - len(line.lstrip(" "))) % 2] == []


@pytest.mark.parametrize("file", QUESTIONS, ids=label)
def test_answers_have_an_order_and_named_columns(file: Path) -> None:
    body = syntax(read(file))
    assert not re.search(r"\bSELECT\s+(?:DISTINCT\s+|REDUCED\s+)?\*", body), "SELECT * hides the columns"
    # After the last closing brace: an order inside a sub-SELECT does not order the answer.
    assert re.search(r"\bORDER BY\b", body.rpartition("}")[2]), "no ORDER BY: rows come in any order"


@pytest.mark.parametrize("file", QUERIES, ids=label)
def test_queries_begin_with_what_they_ask(file: Path) -> None:
    """A curated query with its front matter, any other with a comment."""
    marker = "#+ " if label(file).startswith(("queries/api/", "queries/files/")) else "# "
    assert read(file).startswith(marker)


@pytest.mark.parametrize("file", FILES, ids=label)
def test_file_names_are_kebab_case(file: Path) -> None:
    stem = file.name.removesuffix(file.suffix)
    if file.parent.name == "examples":
        stem, dot, kind = stem.rpartition(".")
        assert dot and kind in {"valid", "invalid"}
    parts = [*file.relative_to(ROOT).parts[1:-1], stem]
    assert [part for part in parts if not KEBAB.fullmatch(part)] == []


# ── Every tracked file ──────────────────────────────────────────────────────


def test_no_file_is_large() -> None:
    assert TRACKED
    assert [f"{label(file)}: {file.stat().st_size:,} bytes" for file in TRACKED if file.stat().st_size > MEBIBYTE] == []


def test_every_tracked_file_is_text() -> None:
    binary = []
    for file in TRACKED:
        try:
            file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            binary.append(label(file))
    assert binary == []


def test_no_tracked_file_names_a_path_of_a_machine() -> None:
    faults = [
        f"{label(file)}:{number}: {line.strip()[:100]}"
        for file in TRACKED
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]
    assert faults == []


def test_no_tracked_file_names_a_registry() -> None:
    """A lock file made behind a mirror carries the mirror's name."""
    faults = [
        f"{label(file)}: {host}"
        for file in TRACKED
        for host, index in URL_HOST.findall(file.read_text(encoding="utf-8", errors="replace"))
        if index or REGISTRY_HOST.search(host)
    ]
    assert sorted(set(faults)) == []


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (MACHINE_PATH, "see " + "/".join(("", "work", "main")), True),
        (MACHINE_PATH, "run in '" + "/".join(("", "tmp", "x'")), True),
        (MACHINE_PATH, "https://example.org/work/1 and service/home/x", False),
        (REGISTRY_HOST, "artifactory.example.org", True),
        (REGISTRY_HOST, "w3id.org", False),
    ],
)
def test_the_patterns_catch_what_they_should(pattern: re.Pattern[str], text: str, found: bool) -> None:
    assert bool(pattern.search(text)) is found
