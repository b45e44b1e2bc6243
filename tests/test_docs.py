"""What is documented exists, what exists is documented, and what the documents show is what happens."""

import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from textwrap import dedent

import pyoxigraph as ox
import pytest

import tables
from suasion import __main__ as command_line
from suasion import (
    __version__,
    app,
    catalog,
    checks,
    dumps,
    evaluation,
    exchange,
    federation,
    gate,
    loading,
    papers,
    projection,
    renderings,
    settings,
    shapes,
)
from suasion.checks import Fault
from suasion.loading import Dataset
from suasion.prefixes import DEF, Prefixes, declared

ROOT = Path(__file__).parents[1]
DOCUMENTS = tables.documents(ROOT)
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
RECIPE = re.compile(r"^ *<!-- (append|create|trip): (\S+) -->\n( *)```\w+\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
TEST_VARIABLES = {"ARTICLE_DIR"}
FILE = r"(?:ontology|graph_data|queries|service|tests|docs)/[\w./-]*[\w/]"

each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


@dataclass(frozen=True, slots=True)
class Step:
    """A block of a recipe: what to do with it, and the file."""

    action: str
    file: str
    text: str


@pytest.fixture(scope="module")
def source(bundle: Path, dataset: Dataset, prefixes: Prefixes) -> tables.Source:
    return tables.Source(bundle, dataset, prefixes)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def every_text() -> str:
    return "\n".join(read(path) for path in DOCUMENTS)


def by_hand(text: str) -> str:
    """Return a document without its generated tables."""
    return re.sub(r"<!-- generated: .*?<!-- end -->", "", text, flags=re.DOTALL)


def blocks(path: Path, language: str) -> Iterator[str]:
    return (dedent(block) for _, name, block in FENCE.findall(read(path)) if name == language)


def code(text: str) -> list[str]:
    """Return what stands between single backticks, outside fenced blocks."""
    return re.findall(r"`([^`\n]+)`", FENCE.sub("", text))


# ── Tables and shown answers ─────────────────────────────────────────────────


@each_document
def test_generated_tables_are_up_to_date(path: Path, source: tables.Source) -> None:
    assert read(path) == tables.rewritten(read(path), source), "run: PYTHONPATH=service python tests/tables.py"


def test_every_table_is_used_and_every_mark_is_a_table() -> None:
    used = re.findall(r"^<!-- generated: ([\w-]+) -->$", every_text(), re.MULTILINE)
    assert set(used) == {*tables.TABLES, "answer"}
    assert every_text().count("<!-- end -->") >= len(used)


def test_each_query_of_the_tutorial_is_followed_by_its_rows() -> None:
    text = read(ROOT / "docs" / "sparql.md")
    queries = [*blocks(ROOT / "docs" / "sparql.md", "sparql")]
    assert len(queries) == 10
    assert len(re.findall(r"^```\n\n<!-- generated: answer -->$", text, re.MULTILINE)) == len(queries)
    assert not re.search(r"^0 rows\.$", text, re.MULTILINE)


@each_document
def test_no_count_of_the_data_stands_outside_a_table(path: Path, dataset: Dataset) -> None:
    quads = f"{len(dataset.facts)}"
    assert quads not in by_hand(read(path)).replace(",", "")


# ── Code blocks ──────────────────────────────────────────────────────────────


def test_what_the_next_tests_look_for_is_there() -> None:
    found = {
        language: sum(len([*blocks(path, language)]) for path in DOCUMENTS) for language in ("sparql", "turtle", "sh", "python")
    }
    assert all(number > 5 for number in found.values()), found
    spans = [span for path in DOCUMENTS for span in code(by_hand(read(path)))]
    assert len(spans) > 500 and sum(span.startswith("/") for span in spans) > 50 and sum(":" in span for span in spans) > 50


@each_document
def test_sparql_blocks_parse_as_they_stand(path: Path) -> None:
    for block in blocks(path, "sparql"):
        ox.Store().query(federation.split(block, {"https://query.wikidata.org/sparql": ""}, gate.Limits())[0])
        assert "ORDER BY" in block and "SELECT *" not in block


def test_the_federated_queries_shown_are_those_that_are_shipped() -> None:
    shipped = {read(path).partition("\n")[2] for path in (ROOT / "queries" / "federated").glob("*.rq")}
    assert {*blocks(ROOT / "docs" / "federation.md", "sparql")} == shipped


@each_document
def test_turtle_blocks_parse_with_the_prefix_table(path: Path, prefixes: Prefixes) -> None:
    head = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in prefixes.table.items())
    for block in (*blocks(path, "turtle"), *blocks(path, "trig")):
        assert list(ox.parse(head + block, format=ox.RdfFormat.TRIG))


# ── Names ────────────────────────────────────────────────────────────────────


def recipe_files() -> set[str]:
    return {step.file for name in ("term", "fact", "question", "check") for step in recipe(name)}


@each_document
def test_every_file_named_exists(path: Path) -> None:
    named = {found for span in code(read(path)) for found in re.findall(rf"(?<![\w/.<-])({FILE})(?=$|[\s,;:])", span)}
    assert {file for file in named if not (ROOT / file).exists()} - recipe_files() == set()


@each_document
def test_every_module_named_exists(path: Path) -> None:
    named = {span for span in code(by_hand(read(path))) if re.fullmatch(r"\w+\.py", span)}
    known = {file.name for folder in ("service/suasion", "tests") for file in (ROOT / folder).glob("*.py")}
    assert named - known == set()


@each_document
def test_every_command_and_setting_named_exists(path: Path) -> None:
    text = read(path)
    named = set(re.findall(r"(?:^|`|\./run )suasion ([a-z]+)(?=[ `\n])", text, re.MULTILINE))
    named |= set(re.findall(r"\./run ([a-z]+)", text)) - {"test"}
    assert named - command_names() == set()
    variables = set(re.findall(r"SUASION_[A-Z_]*[A-Z]", text))
    assert variables - {settings.PREFIX + field.name.upper() for field in fields(settings.Settings)} - TEST_VARIABLES == set()


@each_document
def test_every_term_and_thing_named_exists(path: Path, dataset: Dataset, prefixes: Prefixes) -> None:
    namespace = re.escape(DEF)
    toys = {found for step in recipe("term") for found in re.findall(r"^:\w+", step.text, re.MULTILINE)}
    for span in set(code(by_hand(read(path)))) - toys:
        for curie in re.findall(r"(?<![\w:/?])((?:[a-z][a-z-]*)?:[A-Za-z][\w.-]*\w)(?![\w:/…])", span):
            iri = prefixes.expand(curie)
            if iri and (re.match(namespace, iri) or iri.startswith("https://w3id.org/suasion/id/")):
                node = ox.NamedNode(iri)
                pattern = dataset.union.quads_for_pattern
                assert any(pattern(node, None, None)) or any(pattern(None, None, node)), f"{curie} is in no graph"


@each_document
def test_every_check_named_exists(path: Path) -> None:
    known = {file.stem for file in (ROOT / "queries" / "checks").glob("*.rq")}
    named = set(re.findall(r"[Cc]heck `([a-z-]+)`", by_hand(read(path))))
    assert named - known == set()


@each_document
def test_every_path_named_is_served(path: Path) -> None:
    paths = served()
    endings = "|".join({*renderings.TYPES, *papers.FORMATS, *(f"{name}.gz" for name in dumps.TYPES)})
    for span in code(by_hand(read(path))):
        found = re.fullmatch(r"(?:GET |POST )?(/[a-z][\w/.-]*)(?:\?\S*)?", span)
        if found and found[1] != "/toys/offices":
            assert {
                found[1],
                re.sub(rf"\.({endings})$|/NAME(/context\.jsonld)?$|/ID$", "", found[1]),
            } & paths, span


def test_everything_that_exists_is_documented(bundle: Path) -> None:
    text = every_text()
    spans = set(code(text))
    assert {f"suasion {name}" for name in command_names()} - {" ".join(span.split()[:2]) for span in spans} == set()
    assert {f"{settings.PREFIX}{field.name.upper()}" for field in fields(settings.Settings)} - spans == set()
    public = {error.__name__ for error in tables.error_classes()} - {"SuasionError", "RequestError", "Unanswered"}
    assert public - spans == set()
    assert served() - {re.sub(r"\?.*|/NAME$|/TERM$|/ID$", "", span) for span in spans if span.startswith("/")} == set()
    assert {file.stem for file in (bundle / "queries" / "checks").glob("*.rq")} - spans == set()
    assert {p.name for query in catalog.load(bundle / "queries" / "api") for p in query.parameters} - spans == set()


def test_the_front_matter_keys_are_the_documented_ones() -> None:
    text = read(ROOT / "queries" / "README.md")
    section = text[text.index("## Front matter") : text.index("## Rules")]
    tables_of_keys = "".join(re.findall(r"^\| Key .*?\n\n", section, re.MULTILINE | re.DOTALL))
    keys = set(re.findall(r"^\| `\[?(\w+)(?:\.NAME)?\]?` \|", tables_of_keys, re.MULTILINE))
    assert keys == catalog._QUERY_KEYS | catalog._PARAM_KEYS | catalog._SEARCH_KEYS | catalog._COLUMN_KEYS
    assert all(f"`{kind}`" in section for kind in catalog.PARAMETER_TYPES)


def test_the_options_of_serve_are_those_of_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.main(["serve", "--help"])
    options = set(re.findall(r"^  (--[\w-]+)", capsys.readouterr().out, re.MULTILINE)) - {"--help"}
    assert options == set(re.findall(r"`(--[\w-]+)`", read(ROOT / "docs" / "operation.md")))


def command_names() -> set[str]:
    return set(re.findall(r"^suasion (\w+) ", command_line.__doc__ or "", re.MULTILINE))


def served() -> set[str]:
    """Return the paths that the service answers, without variable parts."""
    application = app.create_app(settings.Settings())
    paths = {str(getattr(route, "path", "")) for route in application.routes}
    return {re.sub(r"[./]?\{.*", "", found) or "/" for found in paths}


def test_no_question_can_take_a_path_of_the_service() -> None:
    """A path is taken by its first segment without an ending."""
    ours = {path for path in served() if path != "/"}
    questions = {query.name.partition("/")[0] for query in catalog.load(ROOT / "queries" / "api")}
    assert {path.split("/")[1].partition(".")[0] or ".well-known" for path in ours} - questions <= catalog.RESERVED_PATHS


# ── Links ────────────────────────────────────────────────────────────────────


def anchors(path: Path) -> set[str]:
    """Return the anchors of the headings of a document, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.*)$", FENCE.sub("", read(path)), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        base = re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")
        slug, number = base, 0
        while slug in found:
            number += 1
            slug = f"{base}-{number}"
        found.add(slug)
    return found


@each_document
def test_relative_links_resolve(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", read(path))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        linked = (path.parent / file).resolve() if file else path
        assert linked.exists(), f"{path.name} links to {target}"
        assert linked.is_relative_to(ROOT.resolve())
        assert not anchor or anchor in anchors(linked), f"{path.name} links to {target}"


# ── What may not stand in a document ─────────────────────────────────────────


@each_document
def test_no_machine_is_named(path: Path) -> None:
    text = read(path)
    assert str(ROOT) not in text
    assert not re.search(r"(?<![\w./:-])/(home|root|tmp|usr|var|work|mnt|opt)(/|\b)", text)
    assert socket.gethostname() not in re.findall(r"[\w.-]+", text) or len(socket.gethostname()) < 5


def test_the_licences_say_what_they_are() -> None:
    assert "Apache License" in read(ROOT / "LICENSE") and "END OF TERMS AND CONDITIONS" in read(ROOT / "LICENSE")
    data = read(ROOT / "LICENSE-DATA")
    assert "https://creativecommons.org/licenses/by/4.0/legalcode" in data
    assert all(folder in data for folder in ("ontology/", "graph_data/", "queries/", "CC BY-NC-ND"))


def test_the_change_log_begins_with_this_version_and_says_whom_it_concerns(dataset: Dataset) -> None:
    text = read(ROOT / "CHANGELOG.md")
    versions = re.findall(r"^## (\S+) - \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    assert versions[0] == __version__
    number = ox.NamedNode("http://www.w3.org/2002/07/owl#versionInfo")
    stated = [quad.object for quad in dataset.facts.quads_for_pattern(None, number, None, ox.DefaultGraph())]
    assert stated == [ox.Literal(__version__)]
    lines = re.findall(r"^- (.*)$", text, re.MULTILINE)
    assert lines and all(re.match(r"(ontology|graph_data|queries|service): ", line) for line in lines)


# ── Recipes of CONTRIBUTING ──────────────────────────────────────────────────


def recipe(name: str) -> tuple[Step, ...]:
    """Return the steps of the recipe `Add a NAME`."""
    text = read(ROOT / "CONTRIBUTING.md")
    section = text.partition(f"\n## Add a {name}\n")[2].partition("\n## ")[0]
    assert section
    return tuple(Step(action, file, dedent(block)) for action, file, _, block in RECIPE.findall(section))


def apply(steps: tuple[Step, ...], bundle: Path) -> None:
    for step in steps:
        file = bundle / step.file
        assert file.exists() == (step.action != "create"), step.file
        file.parent.mkdir(parents=True, exist_ok=True)
        before = read(file) + "\n" if file.exists() else ""
        file.write_text(before + step.text, encoding="utf-8")


def all_faults(bundle: Path) -> tuple[Fault, ...]:
    """Return what `suasion check` finds."""
    union = loading.load(bundle).union
    prefixes = declared(bundle)
    places = checks.written_places(bundle)
    found = checks.run(union, bundle, prefixes)
    return found + shapes.faults(shapes.as_graph(union), shapes.read_shapes(bundle), places, prefixes)


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    for folder in ("ontology", "graph_data", "queries"):
        shutil.copytree(bundle / folder, tmp_path / folder)
    return tmp_path


def test_recipe_for_a_term(copy: Path) -> None:
    steps = recipe("term")
    assert [step.action for step in steps] == ["append", "append", "append", "create"]
    apply(steps, copy)
    prefixes = declared(copy)
    examples = copy / "ontology" / "examples"
    data = ox.Store()
    for path in (*(copy / "ontology").glob("*.ttl"), examples / "toys.valid.ttl"):
        data.load(path=str(path), format=ox.RdfFormat.TURTLE)
    rules = shapes.read_shapes(copy)
    valid, invalid = steps[2].file, steps[3].file
    data.load(path=str(copy / valid), format=ox.RdfFormat.TURTLE)
    assert [str(fault) for fault in shapes.faults(shapes.as_graph(data), rules, {}, prefixes)] == []
    data.load(path=str(copy / invalid), format=ox.RdfFormat.TURTLE)
    expected = read(copy / invalid).splitlines()[0].removeprefix("# expects: ")
    found = shapes.faults(shapes.as_graph(data), rules, {}, prefixes)
    assert [(fault.rule, fault.message) for fault in found] == [("shape:only-initiatives-have-a-mascot", expected)]
    assert checks.run(loading.load(copy).union, copy, prefixes) == ()


def test_recipe_for_a_fact(copy: Path, dataset: Dataset) -> None:
    steps = recipe("fact")
    assert [step.action for step in steps] == ["append"] * len(steps)
    apply(steps, copy)
    assert [str(fault) for fault in all_faults(copy)] == []
    asked = f"ASK {{ ?use <{DEF}user> <https://w3id.org/suasion/id/actor/toyland> }}"
    assert bool(loading.load(copy).facts.query(asked))
    assert not bool(dataset.facts.query(asked))


def test_recipe_for_a_question(copy: Path, dataset: Dataset) -> None:
    steps = recipe("question")
    assert [step.action for step in steps] == ["create"]
    apply(steps, copy)
    folder = copy / "queries" / "api"
    queries = catalog.load(folder)
    projection.refuse_mismatches(folder, queries)
    toy = next(query for query in queries if f"/{query.name}" == "/toys/offices")
    term = {"type": "uri", "value": "https://w3id.org/suasion/id/" + toy.parameters[0].example.replace(":", "/")}
    for terms in ({}, {toy.parameters[0].name: term}):
        answer = evaluation.evaluate(dataset, exchange.Question(toy.text, terms, rows=(0, 5)), {}, 10**6)
        assert answer.error == "" and b'"rows": [{' in answer.body


def test_recipe_for_a_check(copy: Path) -> None:
    steps = recipe("check")
    assert [step.action for step in steps] == ["create", "trip"]
    apply(steps[:1], copy)
    prefixes = declared(copy)
    assert checks.run(loading.load(copy).union, copy, prefixes) == ()
    apply(steps[1:], copy)
    (fault,) = checks.run(loading.load(copy).union, copy, prefixes)
    assert fault.rule == Path(steps[0].file).stem
    assert fault.place.startswith(str(copy / steps[1].file))
