"""Tables of codes over HTTP: rows in their order, each with what its code means, and nothing lost without a word."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pandas
import pytest

from conftest import ROOT, Client, Reply, with_query

CSV = {"Content-Type": "text/csv"}


def post(client: Client, body: str | bytes, content_type: str = "text/csv", **parameters: str) -> Reply:
    sent = body.encode() if isinstance(body, str) else body
    return client.send("POST", with_query("/resolve", parameters), {"Content-Type": content_type}, sent)


def read(reply: Reply) -> list[dict[str, str]]:
    assert reply.status == 200, reply.body
    return list(csv.DictReader(io.StringIO(reply.body.decode(), newline="")))


def test_rows_come_back_in_their_order_with_what_their_codes_mean(client: Client) -> None:
    reply = post(
        client,
        "scheme,code,date,n\r\ncow,710,2008,1\r\niso3166-1-numeric,710,,2\r\ngw,260,,3\r\ncow,260,2008,4\r\nhull,1,,5\r\ncow,,,6\r\ncow,2,soon,7\r\n",
    )
    found = read(reply)
    assert [row["n"] for row in found] == ["1", "2", "3", "4", "5", "6", "7"]
    assert [row["suasion_thing"] for row in found[:3]] == [
        "actor:china",
        "actor:south-africa",
        "actor:west-germany | actor:germany",
    ]
    assert [row["suasion_status"] for row in found] == ["matched", "matched", "ambiguous", *["unmatched"] * 4]
    assert [row["suasion_note"] for row in found] == [
        "",
        "",
        "actor:west-germany 1949-09-21/1990-10-02 | actor:germany 1990-10-03/..",
        "at other times actor:west-germany 1955-05-05/1990-10-02",
        "no scheme hull",
        "no code",
        "the date is no day, month or year",
    ]
    assert reply.headers["suasion-completeness"] == "complete"
    assert reply.headers["suasion-total"] == "7"
    assert reply.headers["suasion-dataset"].startswith("sha256:")
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"


def test_one_scheme_and_a_column_of_years_may_be_named_for_the_whole_table(client: Client) -> None:
    table = "\ufeffccode,year,gdp\n255,1930,-1.5\n255,2008,2\n345,1980,3\n\n345,2008,4\n"
    found = read(post(client, table, scheme="cow", column="ccode", date_column="year", to="iso3"))
    names = [row["suasion_name"] for row in found]
    assert names == ["Germany (to 1945)", "Germany", "Yugoslavia", "Serbia"]
    assert [row["suasion_becomes"] for row in found] == ["", "DEU", "YUG", "SRB"]
    assert [row["gdp"] for row in found] == ["-1.5", "2", "3", "4"]
    then = read(post(client, table, scheme="cow", column="ccode", date="2005"))
    assert [row["suasion_status"] for row in then] == ["matched"] * 4
    assert then[3]["suasion_thing"] == "actor:serbia-and-montenegro"


def test_a_table_says_what_single_questions_say(client: Client) -> None:
    asked = [
        ("cow", str(code), str(year))
        for code in (2, 255, 260, 265, 345, 365, 678, 710, 732, 816, 817, 999)
        for year in (1930, 1990, 2008)
    ]
    body = "scheme,code,date\n" + "\n".join(map(",".join, asked))
    for (scheme, code, date), row in zip(asked, read(post(client, body)), strict=True):
        things = dict.fromkeys(str(one["thing"]) for one in client.rows("/resolve", scheme=scheme, code=code, date=date))
        assert row["suasion_thing"] == " | ".join(things), (code, date)


def test_no_cell_is_run_by_a_spreadsheet(client: Client) -> None:
    found = read(post(client, 'scheme,code,=x\ncow,710,"=cmd|x"\n=a(),1,@y\ncow,2,-5\ncow,2,+1.5\ncow,2,-x\n'))
    assert [row["'=x"] for row in found] == ["'=cmd|x", "'@y", "-5", "+1.5", "'-x"]
    assert found[1]["scheme"] == "'=a()" and found[1]["suasion_note"] == "no scheme '=a()"


def test_a_file_of_a_form_is_read_as_well(client: Client) -> None:
    form = '--x\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\n\r\nscheme,code\niso3,JPN\r\n--x--\r\n'
    assert read(post(client, form, "multipart/form-data; boundary=x"))[0]["suasion_thing"] == "actor:japan"
    two = form.replace("--x--", "--x\r\n\r\na\r\n--x--")
    reply = post(client, two, "multipart/form-data; boundary=x")
    assert (reply.status, reply.json()["detail"]) == (422, "The form has 2 parts: send one file.")


@pytest.mark.parametrize(
    ("body", "parameters", "status", "said"),
    [
        ("", {}, 422, "The table is empty"),
        ("a,b\n1,2\n", {}, 422, "The table has no column 'code' (it has a, b): give column=…, or add the column."),
        ("code\n1\n", {}, 422, "The table has no column 'scheme' (it has code): give scheme=…"),
        ("code\n1\n", {"scheme": "cow", "date_column": "year"}, 422, "The table has no column 'year'"),
        ("code,code\n1,2\n", {"scheme": "cow"}, 422, "The table has two columns 'code'"),
        ("code,suasion_name\n1,2\n", {"scheme": "cow"}, 422, "The table has a column suasion_name already"),
        ("code,x\n1,2\n\n3\n", {"scheme": "cow"}, 422, "Line 4 of the table has 1 cells, and its head 2"),
        ('code\n"1\n', {"scheme": "cow"}, 422, "Line 2 of the table cannot be read as CSV"),
        (b"code\n\xff\n", {"scheme": "cow"}, 422, "Byte 5 of the table is not UTF-8"),
        ("code\n1\n", {"scheme": "kow"}, 422, "There is no scheme 'kow'; there are "),
        ("code\n1\n", {"scheme": "cow", "to": "kow"}, 422, "There is no scheme 'kow'; there are "),
        ("code\n1\n", {"scheme": "cow", "date": "soon"}, 422, "date='soon' is not accepted"),
        ("code\n1\n", {"scheme": "cow", "date": "2008", "date_column": "y"}, 422, "date and date_column are both given"),
        ("code\n1\n", {"scheme": ""}, 422, "scheme is given without a value"),
        ("code\n1\n", {"shceme": "cow"}, 400, "A table of codes has no parameter 'shceme'"),
    ],
)
def test_what_is_no_such_table_is_refused_with_the_place(
    client: Client, body: str | bytes, parameters: dict[str, str], status: int, said: str
) -> None:
    reply = post(client, body, **parameters)
    assert reply.status == status
    assert said in str(reply.json()["detail"])


def test_other_types_and_large_tables_are_refused(client: Client) -> None:
    assert post(client, "{}", "application/json").status == 415
    assert post(client, "code\n1\n", "text/csv; charset=latin-1", scheme="cow").status == 415
    large = "scheme,code\n" + "cow,710\n" * 140_000
    assert post(client, large).status == 413
    assert client.send("OPTIONS", "/resolve").headers["allow"] == "GET, HEAD, POST, OPTIONS"


def test_a_table_of_many_rows_is_answered_whole(client: Client) -> None:
    codes = [["710", "2", "255", "345", "x"][number * number % 5] for number in range(20_000)]
    found = read(post(client, "code\n" + "\n".join(codes) + "\n", scheme="cow", date="2008"))
    assert [row["code"] for row in found] == codes
    assert {row["suasion_status"] for row in found if row["code"] != "x"} == {"matched"}


# ── The examples of the document ────────────────────────────────────────────

MINE = {"iso3c": ["JPN", "THA", "USA"], "toys": [3, 2, 1]}


def examples(client: Client, language: str) -> list[str]:
    """Return the blocks of a language, asking the service of the tests."""
    text = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block.replace("http://127.0.0.1:8000", f"http://127.0.0.1:{client.port}") for block in blocks]


def ran(folder: Path, *command: str) -> str:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "no_proxy": "127.0.0.1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def resolved(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table of trade, and what the example with curl makes of it."""
    folder = tmp_path_factory.mktemp("codes")
    (folder / "trade.csv").write_text("ccode,year,flow\n740,2008,1\n800,2008,2\n999,2008,3\n", encoding="utf-8")
    (upload,) = [block for block in examples(client, "sh") if "trade.csv" in block]
    ran(folder, "sh", "-ec", upload.replace("curl ", "curl --silent --show-error --fail "))
    return folder


def test_the_examples_with_curl_run(client: Client, resolved: Path) -> None:
    one, _, names = (block.replace("curl ", "curl --silent --show-error --fail ") for block in examples(client, "sh"))
    questions = [ran(resolved, "sh", "-ec", line) for line in one.splitlines()]
    assert [row["thing"] for row in json.loads(questions[0])["rows"]] == ["actor:china"]
    assert ",cow-ccode,740," in questions[1] and ",CHN" in questions[2]
    found = json.loads(ran(resolved, "sh", "-ec", names))
    assert [candidates["result"][0]["name"] for candidates in found.values()] == ["South Korea", "North Korea"]
    rows = list(csv.DictReader(io.StringIO((resolved / "trade-resolved.csv").read_text(encoding="utf-8"))))
    assert [(row["flow"], row["suasion_becomes"], row["suasion_status"]) for row in rows] == [
        ("1", "JPN", "matched"),
        ("2", "THA", "matched"),
        ("3", "", "unmatched"),
    ]


def test_the_example_in_pandas_joins_a_table(client: Client, resolved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = examples(client, "python")
    monkeypatch.chdir(resolved)
    names = {"mine": pandas.DataFrame(MINE)}
    exec(block, names)  # noqa: S102
    assert names["joined"][["iso3c", "toys", "flow", "suasion_thing"]].to_numpy().tolist() == [
        ["JPN", 3, "1", "actor:japan"],
        ["THA", 2, "2", "actor:thailand"],
    ]


@pytest.mark.skipif(shutil.which("Rscript") is None and "CI" not in os.environ, reason="R is not installed (Debian: r-base-core)")
def test_the_example_in_r_joins_a_table(client: Client, resolved: Path) -> None:
    (block,) = examples(client, "r")
    mine = 'mine <- data.frame(iso3c = c("JPN", "THA", "USA"), toys = 3:1)\n'
    shown = '\ncat(codes$becomes, merged$iso3c, merged$toys, merged$flow, merged$suasion_thing, sep = "|")'
    assert ran(resolved, "Rscript", "-e", mine + block + shown) == "740|JPN|THA|3|2|1|2|actor:japan|actor:thailand"
