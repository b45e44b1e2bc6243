"""The README: its opening answer is what its query gives, and its commands are the real ones."""

import re

import pyoxigraph as ox

from conftest import ROOT, Client
from suasion.loading import Dataset

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_opening_answer_is_the_answer_of_its_query(dataset: Dataset) -> None:
    query = re.findall(r"```sparql\n(.*?)```", README, re.DOTALL)[0]
    solutions = dataset.facts.query(query)
    assert isinstance(solutions, ox.QuerySolutions)
    answer = [
        [
            row["aid"].value.rpartition("/")[2],
            f"{int(row['value'].value):,} {row['currency'].value.rpartition('/')[2]}",
            f"reported from source, note {row['marker'].value}",
            row["ranges"].value,
        ]
        for row in solutions
        if row["modality"].value.endswith("#ReportedFromSource")
    ]
    opening = README[: README.index("Suasion holds")]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in opening.splitlines() if line.startswith("| japan")]
    assert table == answer
    assert len(table) == 3


def test_the_example_calls_answer(client: Client) -> None:
    calls = re.findall(r"curl 'http://127\.0\.0\.1:8000(/[^']+)'", README)
    assert len(calls) >= 5
    for path in calls:
        reply = client.send("GET", path)
        assert reply.status == 200, path
        assert reply.json()["total"], path


def test_the_two_commands_are_those_of_the_script_and_of_the_gate() -> None:
    assert "./run serve" in README
    assert "./run test" in README
    assert "exec ./run test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
