"""Query files: front matter that is read strictly, and errors that name file and remedy."""

from pathlib import Path

import pytest

from suasion import catalog
from suasion.catalog import PARAMETER_TYPES, Column, Parameter, Query
from suasion.errors import QueryFileError

FRONT = """\
summary = "Toys"
question = "Which toys are there?"
lists = ["colours"]
not_found = "No such toy."

[columns]
toy = "The toy"
colours = "Its colours"

[params.maker]
type = "iri"
themes = ["actor", "place"]
example = "actor:toyland"
description = "Who made it"

[params.size]
type = "code"
values = ["Small", "Large"]
required = true
example = "Small"
description = "How large"

[params.year]
type = "integer"
example = 1999
description = "When"
"""
BODY = 'SELECT ?toy ?colours ?maker ?size ?year WHERE { ?toy ?p ?o } # "é"\n'


def rq(front: str) -> str:
    return "".join(f"#+ {line}".rstrip() + "\n" for line in front.splitlines()) + "\n" + BODY


def refusal(folder: Path, front: str) -> str:
    """Return what is said, after the file, on a query with this front matter."""
    path = folder / "toys.rq"
    path.write_text(rq(front), encoding="utf-8")
    with pytest.raises(QueryFileError) as caught:
        catalog.read(path, "toys")
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value).removeprefix(f"{path}: ")


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "toys.rq"
    path.write_text(rq(FRONT), encoding="utf-8")
    assert catalog.read(path, "toys") == Query(
        "toys",
        rq(FRONT),
        "Toys",
        "Which toys are there?",
        {"toy": Column("The toy"), "colours": Column("Its colours", "", True)},
        (
            Parameter("maker", "iri", "Who made it", "actor:toyland", False, ("actor", "place")),
            Parameter("size", "code", "How large", "Small", True, (), ("Small", "Large")),
            Parameter("year", "integer", "When", "1999"),
        ),
        "No such toy.",
    )


def test_what_may_be_left_out_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "toys.rq"
    path.write_text(rq('summary = "Toys"\nquestion = "Which?"\n[columns]\ntoy = "The toy"\n'), encoding="utf-8")
    query = catalog.read(path, "toys")
    assert (query.parameters, query.not_found, query.claims, query.sort, query.related) == ((), "", (), (), ())
    assert query.columns == {"toy": Column("The toy")}


def test_names_are_paths_below_the_folder(tmp_path: Path) -> None:
    for name in ("toys", "toys/by-maker", "cars"):
        path = tmp_path / f"{name}.rq"
        path.parent.mkdir(exist_ok=True)
        path.write_text(rq(FRONT), encoding="utf-8")
    (tmp_path / "README.md").write_text("no query", encoding="utf-8")
    assert [query.name for query in catalog.load(tmp_path)] == ["cars", "toys/by-maker", "toys"]


def test_the_real_queries_are_read(bundle: Path) -> None:
    queries = catalog.load(bundle / "queries" / "api")
    assert {query.name for query in queries} >= {"actors", "claims", "agreements", "coverage/sentences"}
    for query in queries:
        assert query.summary.strip() and query.question.strip().endswith("?"), query.name
        assert {*query.claims, *query.sort} <= set(query.columns), query.name
        assert {parameter.type for parameter in query.parameters} <= set(PARAMETER_TYPES), query.name
        assert all(parameter.description.strip() and parameter.example for parameter in query.parameters), query.name


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('summary = "Toys"\n', "", 'summary is missing: add `#+ summary = "…"`.'),
        ('question = "Which toys are there?"\n', "", 'question is missing: add `#+ question = "…"`.'),
        ('summary = "Toys"', "summary = 3", "summary has to be a text"),
        (
            'summary = "Toys"',
            'heading = "Toys"',
            "heading is no key; there are claims, columns, keywords, lists, no_rows, not_found, params, question, related, sort, "
            "summary.",
        ),
        ("[columns]", "[column]", "column is no key"),
        ('toy = "The toy"\ncolours = "Its colours"\n', "", "[columns] has to give each projected variable its meaning."),
        ('toy = "The toy"', "toy = 1", "[columns] has to give each projected variable its meaning."),
        ('lists = ["colours"]', 'lists = ["colors", "colours"]', "lists names colors, which is no column."),
        (
            "[params.maker]",
            "[params.maker]\ntitle = 'x'",
            "title is no key of params.maker; there are default, description, example, examples,",
        ),
        ('example = "actor:toyland"\ndescription = "Who made it"\n', "", "params.maker lacks description, example."),
        ('type = "iri"', 'type = "uri"', "params.maker has the type 'uri'; the types are iri, code, string, integer, decimal,"),
        ('values = ["Small", "Large"]\n', "", "params.size is a code: list its values."),
        ("example = 1999", "example = 1999\nexamples = [1999]", "params.year has example and examples: give one of them."),
        ("example = 1999", "examples = []", "params.year.examples has to be a list of texts or numbers."),
        ("example = 1999", "example = 1999\ndefault = [1]", "params.year.default has to be a text or a number."),
        ('example = "Small"', 'example = "Small"\ndefault = "Large"', "params.size is required and has a default: leave one"),
        ('example = "Small"', 'example = "Small"\nvalues_from = "x"', "params.size has values and values_from: give one"),
        ('type = "integer"', 'type = "date"\nvalues = ["a"]', "params.year is a date, which takes no values."),
        ("[params.year]", "[params.2year]", "params.2year is no name of a variable"),
        ("[params.year]", "[params.offset]", "params.offset: every question has a parameter offset of its own"),
        ('toy = "The toy"', 'toy = { type = "iri" }', "columns.toy.meaning is missing"),
        ('toy = "The toy"', 'toy = { meaning = "The toy", list = 1 }', "columns.toy.list has to be true or false."),
        ('toy = "The toy"', 'toy = { meaning = "The toy", kind = 1 }', "kind is no key of columns.toy; there are list, meaning,"),
        ('toy = "The toy"', 'toy = { meaning = "The toy", type = "uri" }', "columns.toy has the type 'uri'; the types are iri,"),
        ('lists = ["colours"]', 'lists = ["colours"]\nsort = ["size"]', "sort names size, which is no column."),
        ('lists = ["colours"]', 'lists = ["colours"]\nclaims = ["size"]', "claims names size, which is no column."),
        ('summary = "Toys"', 'summary = "Toys', "the front matter is no TOML: "),
        ('summary = "Toys"', 'summary = "Toys"\nsummary = "Cars"', "the front matter is no TOML: "),
    ],
)
def test_a_fault_is_named_with_file_and_remedy(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert FRONT.count(old) == 1
    assert refusal(tmp_path, FRONT.replace(old, new)).startswith(said)


SEARCH = """\
summary = "Toys"
question = "Which toys are called so?"

[columns]
toy = "The toy"

[params.text]
type = "search"
most = 10
among = "maker"
within = ["names"]
example = "bear"
description = "Words of its name"

[params.maker]
type = "string"
example = "Toyland"
description = "Who made it"
"""


def test_a_search_is_read_whole_and_looks_everywhere_if_not_told(tmp_path: Path) -> None:
    path = tmp_path / "toys.rq"
    path.write_text(rq(SEARCH), encoding="utf-8")
    assert catalog.read(path, "toys").parameters[0] == Parameter(
        "text", "search", "Words of its name", "bear", most=10, among="maker", within=("names",)
    )
    path.write_text(rq(SEARCH.replace('most = 10\namong = "maker"\nwithin = ["names"]\n', "")), encoding="utf-8")
    (text, _) = catalog.read(path, "toys").parameters
    assert (text.most, text.among, text.within) == (2000, "", ("names", "codes", "texts"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("most = 10", "most = 0", "params.text.most has to be a whole number from 1 to 2000."),
        ("most = 10", "most = 2001", "params.text.most has to be a whole number from 1 to 2000."),
        ("most = 10", "most = true", "params.text.most has to be a whole number from 1 to 2000."),
        ("most = 10", 'most = "10"', "params.text.most has to be a whole number from 1 to 2000."),
        ('within = ["names"]', 'within = ["labels"]', "params.text.within names labels; there are names, codes, texts."),
        ('among = "maker"', 'among = "kind"', "params.text.among names kind, which is no string parameter."),
        ('among = "maker"', 'among = "text"', "params.text.among names text, which is no string parameter."),
        ('type = "search"', 'type = "string"', "among, most, within is no key of params.text"),
        ('type = "string"', 'type = "search"', "a question has one parameter of the type search"),
    ],
)
def test_a_fault_of_a_search_is_named_with_its_remedy(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert SEARCH.count(old) == 1
    assert refusal(tmp_path, SEARCH.replace(old, new)).startswith(said)


def test_a_parameter_that_is_no_table_is_refused(tmp_path: Path) -> None:
    front = 'summary = "Toys"\nquestion = "Which?"\nparams.maker = "x"\n[columns]\ntoy = "The toy"\n'
    assert refusal(tmp_path, front) == "params.maker has to be a table."


def test_a_file_without_front_matter_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "").startswith("summary is missing")


def test_broken_front_matter_is_named_with_its_line(tmp_path: Path) -> None:
    assert "line 2" in refusal(tmp_path, 'summary = "Toys"\nquestion = Which?\n[columns]\ntoy = "The toy"\n')


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('lists = ["colours"]', "lists = 3", "lists"),
        ('lists = ["colours"]', "lists = [3]", "lists"),
        ('not_found = "No such toy."', "not_found = 3", "not_found"),
        ('not_found = "No such toy."', "no_rows = 3", "no_rows"),
        ("required = true", 'required = "no"', "params.size"),
        ('description = "Who made it"', "description = 3", "params.maker"),
        ('themes = ["actor", "place"]', 'themes = "actor"', "params.maker"),
        ('values = ["Small", "Large"]', "values = [1, 2]", "params.size"),
    ],
)
def test_a_value_of_a_wrong_type_is_refused(old: str, new: str, key: str, tmp_path: Path) -> None:
    assert FRONT.count(old) == 1
    assert key in refusal(tmp_path, FRONT.replace(old, new))


def test_parameters_that_are_no_table_are_refused(tmp_path: Path) -> None:
    assert "params" in refusal(tmp_path, 'summary = "Toys"\nquestion = "Which?"\nparams = 3\n[columns]\ntoy = "The toy"\n')


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "toys.rq"
    path.write_bytes(rq(FRONT).encode("latin-1"))
    with pytest.raises(QueryFileError) as caught:
        catalog.read(path, "toys")
    assert str(path) in str(caught.value)


def test_the_claims_are_in_the_columns_of_these_names_unless_others_are_named(tmp_path: Path) -> None:
    path = tmp_path / "toys.rq"
    head = 'summary = "Toys"\nquestion = "Which?"\n'
    for front, claims in (
        ('[columns]\nclaim = "C"\nclaims = "How many"\n', ("claim",)),
        ('lists = ["claims"]\n[columns]\nclaims = "C"\n', ("claims",)),
        ('claims = ["b"]\n[columns]\nclaim = "A"\nb = "B"\n', ("b",)),
        ('claims = []\n[columns]\nclaim = "A"\n', ()),
    ):
        path.write_text(rq(head + front), encoding="utf-8")
        assert catalog.read(path, "toys").claims == claims


def test_prefixes_are_those_of_the_prefix_lines(tmp_path: Path) -> None:
    path = tmp_path / "toys.rq"
    text = rq('summary = "Toys"\nquestion = "Which?"\n[columns]\ntoy = "The toy"\n')
    path.write_text(f"{text}PREFIX : <urn:a#>\n  prefix toy-2:<urn:b#>\n# PREFIX no: <urn:c#>\n", encoding="utf-8")
    assert catalog.read(path, "toys").prefixes == {"": "urn:a#", "toy-2": "urn:b#"}
