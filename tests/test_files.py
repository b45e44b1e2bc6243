"""RDF files of anyone: each format and compression read whole, each fault one line, on the command line too."""

import bz2
import gzip
import io
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.compare import isomorphic

from conftest import ROOT
from suasion import files, loading, streams
from suasion.errors import DataFileError
from suasion.files import FORMATS
from suasion.progress import Meter
from suasion.source import Source
from suasion.streams import COMPRESSIONS

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    import backports.zstd as zstd

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": zstd.compress,
}
BASE = "https://example.org/data/"
XML_HEAD = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e.example/">\n'
XML_NODE = '<rdf:Description rdf:about="http://e.example/a"><e:p>x</e:p></rdf:Description>\n'
LINE = "<http://e.example/a> <http://e.example/p> <http://e.example/b> .\n"
RICH = """\
PREFIX : <http://e.example/>
:a :p :b, "text", "texte"@fr, 1, 1.5, true, "tab\\t, quote \\", line\\n, é, 漢, 😀" ;
    :knows [ :name "nobody" ; :knows [ :list ( 1 [] "two" ) ] ] .
_:x :same _:y .
_:y :same _:x .
"""
QUADS = RICH.replace("_:x :same", ":g { :c :p _:z, :d . _:z :q 1 }\n_:x :same")
HAS_GRAPHS = {".trig", ".nq", ".jsonld"}


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return path


def load(*paths: Path, base_iri: str = "", graph_per_file: bool = False, most_bytes: int = 10**9) -> loading.Dataset:
    source = Source(files=paths, base_iri=base_iri, graph_per_file=graph_per_file, most_bytes=most_bytes)
    return loading.load_source(Source.from_json(source.to_json()))


def refused(*paths: Path, base_iri: str = "", graph_per_file: bool = False, most_bytes: int = 10**9) -> str:
    """Return the sentence with which files are refused: one line that begins with the file."""
    with pytest.raises(DataFileError) as caught:
        load(*paths, base_iri=base_iri, graph_per_file=graph_per_file, most_bytes=most_bytes)
    said = str(caught.value)
    assert said.isprintable() and said.endswith(".")
    return said


def graph(store: ox.Store, name: ox.NamedNode | ox.DefaultGraph) -> rdflib.Graph:
    """Return a graph for a comparison by rdflib, which knows nothing of the engine."""
    triples = [q.triple for q in store.quads_for_pattern(None, None, None, name)]
    lines = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""
    return rdflib.Graph().parse(data=lines.decode("utf-8"), format="nt")


def same(one: ox.Store, other: ox.Store) -> bool:
    names = set(one.named_graphs())
    assert names == set(other.named_graphs())
    graphs: list[ox.NamedNode | ox.DefaultGraph] = [name for name in names if isinstance(name, ox.NamedNode)]
    graphs.append(ox.DefaultGraph())
    return all(isomorphic(graph(one, name), graph(other, name)) for name in graphs)


# ── What is read ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("ending", FORMATS)
def test_each_format_and_compression_comes_back_the_same(ending: str, compression: str, tmp_path: Path) -> None:
    expected = ox.Store()
    expected.load(QUADS if ending in HAS_GRAPHS else RICH, format=ox.RdfFormat.TRIG)
    written = ox.serialize(expected, format=FORMATS[ending]) if ending in HAS_GRAPHS else None
    written = written or ox.serialize((q.triple for q in expected), format=FORMATS[ending]) or b""
    found = load(write(tmp_path / f"a{ending}{compression}", COMPRESS[compression](written))).facts
    assert len(found) == len(expected) > 15
    assert same(found, expected)


def test_every_compression_is_tried_and_endings_may_be_upper_case(tmp_path: Path) -> None:
    assert set(COMPRESS) == {"", *COMPRESSIONS}
    assert len(load(write(tmp_path / "A.NT.GZ", gzip.compress(LINE.encode()))).facts) == 1


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_file_of_several_compressed_parts_is_read_to_its_end(compression: str, tmp_path: Path) -> None:
    parts = [f"<http://e.example/{number}> <http://e.example/p> 1 .\n".encode() for number in range(3)]
    path = write(tmp_path / f"a.ttl{compression}", b"".join(COMPRESS[compression](part) for part in parts))
    assert len(load(path).facts) == 3


def test_real_files_are_the_same_compressed(bundle: Path, tmp_path: Path) -> None:
    actors = bundle / "graph_data" / "actors.ttl"
    claims = bundle / "graph_data" / "claims" / "china-aid.trig"
    plain = load(actors, claims)
    packed = load(
        write(tmp_path / "actors.ttl.zst", zstd.compress(actors.read_bytes())),
        write(tmp_path / "claims.trig.bz2", bz2.compress(claims.read_bytes())),
    )
    assert len(plain.facts) > 1000
    assert set(plain.facts) == set(packed.facts)
    assert loading.digest(plain.facts) == loading.digest(packed.facts) != ""


def test_triples_go_to_the_default_graph_and_quads_to_theirs(tmp_path: Path) -> None:
    triples = write(tmp_path / "a.nt", LINE)
    quads = write(tmp_path / "b.trig", "PREFIX : <http://e.example/>\n:c :p :d .\n:g { :e :p :f }\n")
    dataset = load(triples, quads)
    assert len(list(dataset.facts.quads_for_pattern(None, None, None, ox.DefaultGraph()))) == 2
    assert [str(name) for name in dataset.facts.named_graphs()] == ["<http://e.example/g>"]
    assert len(list(dataset.union.quads_for_pattern(None, None, None, ox.DefaultGraph()))) == 3
    assert load(triples).union is not dataset.facts
    alone = load(triples)
    assert alone.union is alone.facts


def test_a_graph_per_file_is_the_name_resolved_against_the_base(tmp_path: Path) -> None:
    triples = write(tmp_path / "the first.nt", LINE)
    quads = write(tmp_path / "b.trig.gz", gzip.compress(b"PREFIX : <http://e.example/>\n:c :p <d> .\n:g { :e :p :f }\n"))
    facts = load(triples, quads, base_iri=BASE, graph_per_file=True).facts
    names = {str(name).strip("<>") for name in facts.named_graphs()}
    assert names == {BASE + "the%20first.nt", BASE + "b.trig.gz", "http://e.example/g"}
    assert not any(facts.quads_for_pattern(None, None, None, ox.DefaultGraph()))
    assert any(facts.quads_for_pattern(None, None, ox.NamedNode(BASE + "d"), ox.NamedNode(BASE + "b.trig.gz")))


@pytest.mark.parametrize(("ending", "text"), [(".ttl", "<a> <#p> <../b> ."), (".jsonld", '{"@id": "a", "http://e/p": 1}')])
def test_relative_iris_are_resolved_against_the_base(ending: str, text: str, tmp_path: Path) -> None:
    (quad,) = load(write(tmp_path / f"x{ending}", text), base_iri=BASE).facts
    assert quad.subject == ox.NamedNode(BASE + "a")


def test_blank_nodes_of_two_files_are_not_mixed_up(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{name}.nt", "_:a <http://e.example/p> _:b .\n") for name in "xy"]
    facts = load(*paths).facts
    assert len({str(quad.subject) for quad in facts}) == 2


def test_there_is_a_digest_unless_there_are_blank_nodes(tmp_path: Path) -> None:
    other = '<http://e.example/c> <http://e.example/p> "_:b" .\n'
    one = load(write(tmp_path / "a.nt", LINE + other)).facts
    two = load(write(tmp_path / "b.nt", other + LINE)).facts
    assert re.fullmatch(r"[0-9a-f]{64}", loading.digest(one))
    assert loading.digest(one) == loading.digest(two)
    for blank in ("<http://e/a> <http://e/p> [] .", "<http://e/a> <http://e/p> <<( <http://e/a> <http://e/p> _:b )>> ."):
        assert loading.digest(load(write(tmp_path / "c.ttl", blank)).facts) == ""


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    assert len(load(write(tmp_path / "a.ttl", "")).facts) == 0


def test_a_bundle_is_a_source_too(bundle: Path) -> None:
    source = Source(bundle=bundle)
    assert Source.from_json(source.to_json()) == source
    assert len(loading.load_source(source).facts) == len(loading.load(bundle).facts)


# ── What is refused ──────────────────────────────────────────────────────────

DEEP = '{"@id": "http://e.example/a",\n"http://e.example/p": ' + "[" * 64 + "]" * 64 + "}"
FAULTS = {
    "turtle": ("a.ttl", "<http://e.example/a> <http://e.example/p>\n\n1 ; ) .\n", r", line 3, column \d+: .*: correct the file"),
    "cut-turtle": ("a.ttl", LINE[:-3], r", line 1, column \d+: Unexpected end: correct the file"),
    "cut-triples": ("a.nt", LINE + LINE[:-3], r", line 2, column \d+: .*: correct the file"),
    "quads": ("a.nq", LINE + "<http://e.example/a> .\n", r", line 2, column \d+: .*"),
    "graph-in-turtle": ("a.ttl", "<http://e.example/g> { }", r", line 1, column \d+: .*"),
    "relative": ("a.ttl", LINE + "<a> <http://e.example/p> 1 .", r", line 2, .*: write whole IRIs, or give --base-iri"),
    "relative-xml": (
        "a.rdf",
        XML_HEAD + XML_NODE + XML_NODE.replace("http://e.example/a", "a") + "</rdf:RDF>",
        r", line 3: .*--base-iri",
    ),
    "bad-iri": ("a.nt", "<http://e.example/ a> <http://e.example/p> 1 .\n", r", line 1, .*"),
    "mark": ("a.ttl", "\ufeff" + LINE, r", line 1, .*: save it without a byte order mark"),
    "encoding": (
        "a.nt",
        LINE.encode() + '<http://e.example/a> <http://e.example/p> "é" .'.encode("latin-1"),
        r", line 2, .*UTF-8",
    ),
    "json": ("a.jsonld", '{"@id":\n\n}', r", line 3, column \d+: .*: correct the file"),
    "cut-json": ("a.jsonld", '[{"@id": "http://e.example/a", "http://e.example/p": 1},', r", line 1, column \d+: .*"),
    "remote-context": ("a.jsonld", '{"@context": "http://127.0.0.1:9/c", "@id": "x"}', r": .*: contexts are not fetched: .*"),
    "imported-context": ("a.jsonld", '{"@context": {"@import": "http://127.0.0.1:9/c"}}', r": .*: contexts are not fetched: .*"),
    "deep-json": ("a.jsonld", DEEP, r", line 2: JSON nested more than 64 deep is not read: .*"),
    "xml": ("a.rdf", XML_HEAD + XML_NODE + "<e:p></rdf:RDF>", r", line 3, column \d+: mismatched tag: .*"),
    "cut-xml": ("a.owl", XML_HEAD + XML_NODE * 2, r", line 4, column 1: no element found: .*fetch it again"),
    "empty-xml": ("a.xml", "", r", line 1, column 1: no element found: .*"),
    "rdf-in-xml": (
        "a.rdf",
        XML_HEAD + XML_NODE * 900 + '<e:C rdf:ID="1 2"/>\n' + XML_NODE * 900 + "</rdf:RDF>",
        r", line 902: .*",
    ),
    "no-rdf-in-xml": ("a.xml", "<html><p/></html>", r", line 1: .*"),
    "doctype": (
        "a.rdf",
        '<?xml version="1.0"?>\n<!DOCTYPE r [<!ENTITY a "b">]>\n' + XML_HEAD,
        r", line 2: .*DOCTYPE is not read: .*",
    ),
    "late-doctype": ("a.rdf", XML_HEAD + XML_NODE * 9000 + '<!doctype r [<!ENTITY a "b">]></rdf:RDF>', r", line 9002: .*"),
    "unknown-ending": ("a.csv", "", r": the ending \.csv is not known: name it \.ttl .*"),
    "unknown-inner-ending": ("a.csv.gz", "", r": the ending \.csv is not known: .*"),
    "no-ending": ("a", "", r": no ending that tells the format: .*"),
    "no-inner-ending": ("a.gz", "", r": no ending that tells the format: .*"),
    "no-gzip": ("a.nt.gz", LINE, r": cannot be decompressed: .*: fetch it again, or compress it anew"),
    "no-bzip2": ("a.nt.bz2", LINE, r": cannot be decompressed: .*"),
    "no-zstd": ("a.nt.zst", LINE, r": cannot be decompressed: .*"),
    "cut-gzip": ("a.nt.gz", gzip.compress(LINE.encode())[:-9], r": cannot be decompressed: .*"),
    "cut-bzip2": ("a.nt.bz2", bz2.compress(LINE.encode())[:-9], r": cannot be decompressed: .*"),
    "cut-zstd": ("a.nt.zst", zstd.compress(LINE.encode())[:-9], r": cannot be decompressed: .*"),
    "damaged-gzip": ("a.nt.gz", gzip.compress(LINE.encode())[:-8] + b"\0" * 8, r": cannot be decompressed: CRC .*"),
    "empty-gzip": ("a.nt.gz", b"", r": empty, which no \.gz file is: .*"),
}


@pytest.mark.parametrize(("name", "text", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_one_line_with_file_place_and_remedy(name: str, text: str | bytes, expected: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, text)
    said = refused(path)
    assert said.startswith(str(path))
    assert re.fullmatch(expected + r"\.?", said.removeprefix(str(path)).removesuffix(".")), said


def test_what_is_not_there_or_no_file_or_there_twice_is_refused(tmp_path: Path) -> None:
    assert "no such file or directory: check the name" in refused(tmp_path / "none.ttl")
    (tmp_path / "folder.ttl").mkdir()
    assert "is a directory: name the files in it" in refused(tmp_path / "folder.ttl")
    path = write(tmp_path / "a.nt", LINE)
    assert "the same file" in refused(path, tmp_path / "folder.ttl" / ".." / "a.nt")


def test_a_base_that_gives_no_graph_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nt", LINE)
    assert "give --base-iri" in refused(path, graph_per_file=True)
    assert "give --base-iri" in refused(path, graph_per_file=True, base_iri="urn:x:y")
    with pytest.raises(DataFileError, match=r"^--base-iri no iri: .*give a whole IRI"):
        load(path, base_iri="no iri")
    (tmp_path / "b").mkdir()
    assert "rename one of them" in refused(path, write(tmp_path / "b" / "a.nt", LINE), graph_per_file=True, base_iri=BASE)


@pytest.mark.parametrize("compression", COMPRESS)
def test_decompressed_bytes_of_all_files_are_counted(compression: str, tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{name}.nt{compression}", COMPRESS[compression]((LINE * 1000).encode())) for name in "ab"]
    assert len(load(*paths, most_bytes=len(LINE) * 2000).facts) == 1
    assert refused(*paths, most_bytes=len(LINE) * 2000 - 1).startswith(f"{paths[1]}: more than ")


def test_a_decompression_bomb_is_stopped_at_the_limit(tmp_path: Path) -> None:
    path = write(tmp_path / "bomb.nt.zst", zstd.compress(b"#" * 10 + b"\n" * 300_000_000))
    assert path.stat().st_size < 100_000
    assert "raise SUASION_DATA_BYTES" in refused(path, most_bytes=1_000_000)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_scans_find_what_is_cut_into_parts(size: int, tmp_path: Path) -> None:
    def fed(scan: streams.Scan, text: str) -> None:
        data = text.encode()
        for start in range(0, len(data), size):
            scan(data[start : start + size])

    with pytest.raises(DataFileError, match=r"line 2: .*DOCTYPE"):
        fed(streams.WholeXml(tmp_path), '<?xml version="1.0"?>\n<!DocType r><r/>')
    with pytest.raises(DataFileError, match=r"line 3: JSON"):
        fed(streams.ShallowJson(tmp_path), '{"a":\n"[\\"[\\\\",\n"b":' + "[" * 64)
    fed(streams.ShallowJson(tmp_path), '["' + '[\\"\\\\' * 100 + '", {}' * 1 + ", [[]]" * 100 + "]")


def test_the_deepest_json_that_is_allowed_is_read(tmp_path: Path) -> None:
    depth = streams.MOST_DEPTH - 1
    text = '{"http://e.example/p":' * depth + '{"http://e.example/p":1}' + "}" * depth
    assert len(load(write(tmp_path / "a.jsonld", text)).facts) == streams.MOST_DEPTH


# ── Progress ─────────────────────────────────────────────────────────────────


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_share_rate_and_time_left_and_is_cleared() -> None:
    times = iter([0.0, 0.1, 4.0, 4.1, 8.0])
    terminal = Terminal()
    with Meter(200_000_000, terminal, lambda: next(times)) as meter:
        for done in (1, 50_000_000, 51_000_000, 100_000_000):
            meter.at(done, "a.nt.gz")
    shown = terminal.getvalue().split("\r\x1b[K")
    assert shown == [
        "",
        *("25 %, 50 of 200 MB, 12.5 MB/s, 0:12 left: a.nt.gz", "50 %, 100 of 200 MB, 12.5 MB/s, 0:08 left: a.nt.gz"),
        "",
    ]


def test_nothing_is_shown_elsewhere_and_nothing_of_what_is_done_at_once(tmp_path: Path) -> None:
    pipe = io.StringIO()
    with Meter(10, pipe, iter([0.0, 5.0, 6.0]).__next__) as meter:
        meter.at(5, "a")
    assert pipe.getvalue() == ""
    terminal = Terminal()
    files.read(Source(files=(write(tmp_path / "a.nt", LINE),)), terminal)
    assert terminal.getvalue() == ""


# ── The command line ─────────────────────────────────────────────────────────


def run(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service"), **variables}
    command = [sys.executable, "-m", "suasion", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def test_query_answers_from_files(tmp_path: Path) -> None:
    question = write(tmp_path / "a.rq", "SELECT ?g ?o WHERE { GRAPH ?g { ?s ?p ?o } } ORDER BY ?o")
    data = [write(tmp_path / "a.nt", LINE), write(tmp_path / "b.ttl.gz", gzip.compress(b"<x> <p> <y> ."))]
    done = run("query", question, "--data", *data, "--base-iri", BASE, "--graph-per-file")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "?g\t?o",
        f"<{BASE}a.nt>\t<http://e.example/b>",
        f"<{BASE}b.ttl.gz>\t<{BASE}y>",
    ]


@pytest.mark.parametrize("command", [("query", "{question}", "--data"), ("serve", "--port", "0")], ids=["query", "serve"])
@pytest.mark.parametrize("name", ["broken.ttl", "none.ttl", "table.csv"])
def test_a_fault_ends_the_command_with_one_line_and_status_2(command: tuple[str, ...], name: str, tmp_path: Path) -> None:
    question = write(tmp_path / "a.rq", "ASK { }")
    write(tmp_path / "broken.ttl", "<http://e.example/a> .")
    write(tmp_path / "table.csv", "")
    done = run(*(part.format(question=question) for part in command), tmp_path / name)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("suasion: ")


def test_the_limit_is_a_setting(tmp_path: Path) -> None:
    question = write(tmp_path / "a.rq", "ASK { }")
    done = run("query", question, "--data", write(tmp_path / "a.nt", LINE), SUASION_DATA_BYTES="10")
    assert done.returncode == 2
    assert "more than 10 bytes" in done.stderr


@pytest.mark.parametrize("options", [("--base-iri", BASE), ("--graph-per-file",)])
def test_options_for_files_without_files_are_refused(options: tuple[str, ...]) -> None:
    done = run("serve", "--port", "0", *options)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "name some" in done.stderr


def test_files_and_a_bundle_exclude_each_other(tmp_path: Path) -> None:
    done = run("serve", "--bundle", ROOT, write(tmp_path / "a.nt", LINE))
    assert done.returncode == 2
    assert "leave out --bundle" in done.stderr


def test_progress_goes_to_a_real_terminal_only(tmp_path: Path) -> None:
    """The answer goes to a pipe, the progress to a terminal, for a file that takes a moment."""
    lines = (f"<http://e.example/{number}> <http://e.example/p> {number} .\n" for number in range(400_000))
    data = write(tmp_path / "a.ttl.bz2", bz2.compress("".join(lines).encode()))
    question = write(tmp_path / "a.rq", "ASK { }")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "suasion", "query", str(question), "--data", str(data)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service")}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, env=environment, timeout=120, check=False)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # what Linux says when the other end is closed
        pass
    os.close(ours)
    assert done.returncode == 0
    assert re.search(rb"\d+ %, \d+ of \d+ MB, [\d.]+ MB/s, \d+:\d\d left: a\.ttl\.bz2", shown)
    assert shown.endswith(b"\r\x1b[K")
