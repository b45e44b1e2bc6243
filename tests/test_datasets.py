"""Datasets beside the article: tables of every format by mappings, kept whole or not at all, served, and set against claims."""

import csv
import gzip
import io
import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pandas
import polars
import pyoxigraph as ox
import pytest

from conftest import ROOT, Client, serve, stop
from suasion import catalog, importing, keys, loading, mappings, observations, shapes, tabular, verdicts
from suasion.__main__ import main
from suasion.collection import Collection, Manifest
from suasion.errors import DataError, DataFileError, DatasetDamaged
from suasion.keys import Keys
from suasion.loading import Dataset
from suasion.prefixes import DEF, GRAPH, ID, Prefixes
from suasion.source import Source

MAPPINGS = ROOT / "graph_data" / "mappings"
SAMPLES = ROOT / "tests" / "samples"
SHARED = Path(os.environ.get("ARTICLE_DIR") or ROOT.parent / "shared" / "article").parent / "reference" / "datasets"
FILES = {
    "aiddata-gcdf-country": "aiddata_gcdf3_country_commitments.csv",
    "aiddata-gcdf-yearly": "aiddata_gcdf3_yearly_flows.csv",
    "cow-igo": "cow_igo_members_apt.csv",
    "cow-states": "cow_states2016.csv",
    "desta": "desta_treaties.csv",
    "exchange-rates": "exchange_rates_annual.csv",
    "trade-bilateral": "trade_bilateral_apt_1964_2016.csv",
    "trade-gravity": "trade_gravity_2006_apt.csv",
    "worldbank-gdp": "worldbank_gdp.csv",
    "worldbank-population": "worldbank_population.csv",
}
WIDE = {"worldbank-gdp-wide", "worldbank-wide"}
HEAD = ("state", "year", "toys", "maker")
ROWS = (
    ("JPN", 2006, 12.5, 'Toys "R" & <us>'),
    ("CHN", 2006, 7.0, "線\\路\n2"),
    ("XXX", 2007, 1.0, ""),
    ("THA", 2007, None, "nobody"),
)
MAPPING: dict[str, Any] = {
    "@context": "http://www.w3.org/ns/csvw",
    "dc:identifier": "toys",
    "dc:title": "Toys",
    "dc:source": {"@id": "https://example.org/toys"},
    "dc:license": "free to play with",
    "tableSchema": {
        "aboutUrl": "#{state}-{year}",
        "columns": [
            {
                "titles": "state",
                "propertyUrl": "http://purl.org/linked-data/sdmx/2009/dimension#refArea",
                DEF + "identifierScheme": "iso3166-1-alpha3",
                DEF + "codeYear": "year",
                "rdf:type": {"@id": "qb:DimensionProperty"},
                "required": True,
            },
            {"titles": "year", "datatype": "gYear", "rdf:type": {"@id": "qb:DimensionProperty"}},
            {"titles": "toys", "datatype": "decimal", "rdf:type": {"@id": "qb:MeasureProperty"}},
            {"titles": "maker"},
        ],
    },
}
Add = Callable[..., Manifest]


@pytest.fixture(scope="module")
def known(bundle: Path) -> Keys:
    return keys.collected(bundle)


@pytest.fixture
def add(tmp_path: Path, known: Keys) -> Add:
    """Add a table to a collection in a folder of the test."""

    def added(path: Path, mapping: dict[str, Any] | Path = MAPPING, name: str = "") -> Manifest:
        if isinstance(mapping, dict):
            (tmp_path / "mapping.json").write_text(json.dumps(mapping), encoding="utf-8")
            mapping = tmp_path / "mapping.json"
        read = mappings.read(mapping)
        return importing.add(Collection(tmp_path / "datasets"), path, read, known, name or read.name, "2026-11-23")

    return added


def as_csv(rows: Iterable[Iterable[object]] = ROWS, head: tuple[str, ...] = HEAD, **how: Any) -> str:
    out = io.StringIO()
    writer = csv.writer(out, **how)
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue()


def toys(tmp_path: Path, text: str | None = None) -> Path:
    path = tmp_path / "toys.csv"
    path.write_text(as_csv() if text is None else text, encoding="utf-8")
    return path


def download(tmp_path: Path, years: Iterable[str], rows: Iterable[Iterable[str]]) -> Path:
    """Write a table as the World Bank does: four lines before the head, all cells quoted, and an empty one at the end."""
    lines = [("Data Source", "World Development Indicators"), (), ("Last Updated Date", "2026-10-01"), ()]
    head = ("Country Name", "Country Code", "Indicator Name", "Indicator Code", *years)
    text = "".join("".join(f'"{cell}",' for cell in row) + "\r\n" for row in (*lines, head, *rows))
    path = tmp_path / "API_DS2_en_csv_v2.csv"
    path.write_bytes(("\ufeff" + text).encode())
    return path


def store_of(tmp_path: Path, name: str = "toys") -> ox.Store:
    """Return what a dataset holds, by the strict parser."""
    collection = Collection(tmp_path / "datasets")
    empty = Dataset(ox.Store(), ox.Store())
    observations.add(empty, collection.path)
    assert len(empty.facts) >= collection.manifest(name).quads
    return empty.facts


def observed(store: ox.Store, name: str = "toys") -> set[str]:
    graph = ox.NamedNode(f"{GRAPH}dataset-{name}")
    return {str(quad) for quad in store.quads_for_pattern(None, None, None, graph) if f"{name}#component" not in str(quad)}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    mapping: dict[str, Any] = json.loads(json.dumps(MAPPING))
    change(mapping)
    return mapping


def column(number: int, **values: object) -> Callable[[dict[str, Any]], object]:
    return lambda mapping: mapping["tableSchema"]["columns"][number].update(values)


# ── Tables ──────────────────────────────────────────────────────────────────


def test_a_row_becomes_an_observation_keyed_to_our_actors(tmp_path: Path, add: Add) -> None:
    manifest = add(toys(tmp_path))
    assert (manifest.rows, manifest.observations, manifest.empty_rows, manifest.unmatched) == (4, 3, 1, 1)
    store = store_of(tmp_path)
    rows = store.query(
        "PREFIX qb: <http://purl.org/linked-data/cube#> PREFIX s: <http://purl.org/linked-data/sdmx/2009/dimension#>"
        f" SELECT ?area ?year ?toys ?maker WHERE {{ GRAPH <{GRAPH}dataset-toys> {{ ?o a qb:Observation ;"
        f" qb:dataSet <{ID}dataset/toys> ; s:refArea ?area ; <{ID}dataset/toys#year> ?year ; <{ID}dataset/toys#toys> ?toys ."
        f" OPTIONAL {{ ?o <{ID}dataset/toys#maker> ?maker }} }} }} ORDER BY ?toys"
    )
    assert isinstance(rows, ox.QuerySolutions)
    assert [tuple(term.value if term else None for term in row) for row in rows] == [
        (ID + "code/iso3166-1-alpha3/XXX", "2007", "1", None),
        (ID + "actor/china", "2006", "7", "線\\路\n2"),
        (ID + "actor/japan", "2006", "12.5", 'Toys "R" & <us>'),
    ]


def test_what_is_known_of_an_import_is_in_the_graph_of_datasets(tmp_path: Path, add: Add) -> None:
    manifest = add(toys(tmp_path))
    quads = {
        str(quad.object) for quad in store_of(tmp_path).quads_for_pattern(None, None, None, ox.NamedNode(GRAPH + "datasets"))
    }
    assert {
        "<https://example.org/toys>",
        '"free to play with"@en',
        f'"{manifest.file_sha256}"',
        f'"{manifest.mapping_sha256}"',
    } <= quads
    assert '"2026-11-23"^^<http://www.w3.org/2001/XMLSchema#date>' in quads


def test_the_same_import_at_another_time_has_the_same_digest(tmp_path: Path, add: Add) -> None:
    path = toys(tmp_path)
    one, digest = add(path), loading.digest(store_of(tmp_path))
    other = add(path)
    assert one.imported < other.imported
    assert (other.sha256, loading.digest(store_of(tmp_path))) == (one.sha256, digest)
    assert digest != loading.digest(ox.Store())


def test_codes_that_match_nothing_are_listed_in_a_file_and_as_triples(tmp_path: Path, add: Add) -> None:
    manifest = add(toys(tmp_path))
    report = (tmp_path / "datasets" / manifest.report).read_text(encoding="utf-8")
    assert report == "scheme,code,cells\niso3166-1-alpha3,XXX,1\n"
    code = f"<{ID}code/iso3166-1-alpha3/XXX>"
    told = {str(quad) for quad in store_of(tmp_path)}
    graph = f"<{GRAPH}dataset-toys>"
    assert f"<{ID}dataset/toys> <{DEF}unmatchedCode> {code} {graph}" in told
    assert f'{code} <{DEF}cellCount> "1"^^<http://www.w3.org/2001/XMLSchema#integer> {graph}' in told


def excel(path: Path) -> None:
    """Write the toys as the smallest workbook there is."""

    def cell(value: object) -> str:
        if value is None:
            return "<c/>"
        if isinstance(value, str):
            escaped = value.replace("&", "&amp;").replace("<", "&lt;")
            return f'<c t="inlineStr"><is><t xml:space="preserve">{escaped}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    rows = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in (HEAD, *ROWS))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>',  # noqa: E501
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',  # noqa: E501
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="toys" sheetId="1" r:id="r1"/></sheets></workbook>',  # noqa: E501
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',  # noqa: E501
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + text)


def stata(path: Path) -> None:
    frame = pandas.DataFrame([dict(zip(HEAD, row, strict=True)) for row in ROWS])
    frame.to_stata(path, write_index=False, version=118)


WRITERS: dict[str, Callable[[Path], object]] = {
    ".csv.gz": lambda path: path.write_bytes(gzip.compress(as_csv().encode())),
    ".tsv": lambda path: path.write_text(as_csv(delimiter="\t"), encoding="utf-8-sig"),
    ".xlsx": excel,
    ".parquet": lambda path: polars.DataFrame(ROWS, schema=HEAD, orient="row").write_parquet(path),
    ".dta": stata,
}


@pytest.mark.parametrize("ending", WRITERS)
def test_a_table_of_any_format_becomes_the_same_observations(ending: str, tmp_path: Path, add: Add) -> None:
    add(toys(tmp_path))
    wanted = observed(store_of(tmp_path))
    path = tmp_path / f"toys{ending}"
    WRITERS[ending](path)
    assert add(path).rows == len(ROWS)
    assert observed(store_of(tmp_path)) == wanted


def test_a_missing_library_is_named_with_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "mapping.json").write_text(json.dumps(MAPPING), encoding="utf-8")
    excel(tmp_path / "toys.xlsx")
    program = "import sys; sys.modules['python_calamine'] = None; from suasion.__main__ import main; sys.exit(main(sys.argv[1:]))"
    arguments = ("datasets", "add", str(tmp_path / "toys.xlsx"), "--mapping", str(tmp_path / "mapping.json"))
    done = run("-c", program, *arguments, "--datasets", str(tmp_path / "datasets"))
    assert done.returncode == 2
    assert done.stderr.endswith("xlsx files need python_calamine: pip install python-calamine.\n"), done.stderr
    assert left(tmp_path) == set()


@pytest.mark.parametrize("code", ['a> <b> "', "\x00\x1f\x7f", "é/..?#%41", "\\u0022"])
def test_no_cell_gets_out_of_its_term(code: str, tmp_path: Path, add: Add) -> None:
    manifest = add(toys(tmp_path, as_csv([(code, 2006, 1, code)])))
    store = store_of(tmp_path)
    assert len(observed(store)) <= manifest.quads
    for property_ in ("http://www.w3.org/2004/02/skos/core#notation", ID + "dataset/toys#maker"):
        (quad,) = store.quads_for_pattern(None, ox.NamedNode(property_), None)
        assert isinstance(quad.object, ox.Literal)
        assert quad.object.value == code.strip()


def test_a_column_may_be_read_more_than_once_and_says_the_same_value_once(tmp_path: Path, add: Add) -> None:
    twice = changed(lambda m: m["tableSchema"]["columns"].append({"name": "other", "titles": "year", "propertyUrl": "#maker"}))
    twice["tableSchema"]["columns"][3]["name"] = "maker"
    add(toys(tmp_path, as_csv([("JPN", 2006, 1, "2006"), ("CHN", 2006, 1, "us")])), twice)
    makers = list(store_of(tmp_path).quads_for_pattern(None, ox.NamedNode(ID + "dataset/toys#maker"), None))
    assert sorted(quad.object.value for quad in makers if isinstance(quad.object, ox.Literal)) == ["2006", "2006", "us"]


WIDE_MAPPING = json.loads(json.dumps(MAPPING)) | {"dialect": {"skipRows": 1}}
WIDE_MAPPING["tableSchema"]["columns"][1:] = [
    {
        "name": "toys",
        DEF + "headingPattern": "toys in ([0-9]+)",
        "datatype": "decimal",
        "rdf:type": {"@id": "qb:MeasureProperty"},
    },
    {"name": "year", "virtual": True, "datatype": "gYear", "rdf:type": {"@id": "qb:DimensionProperty"}},
]


def test_columns_of_a_wide_table_become_rows_that_say_which_they_were(tmp_path: Path, add: Add) -> None:
    long = changed(lambda mapping: mapping["tableSchema"]["columns"].pop())
    add(toys(tmp_path, "state,year,toys\nJPN,2006,1\nJPN,2008,3\nTHA,2007,2\n"), long)
    wanted = observed(store_of(tmp_path))
    head = "Toys of the world\nstate,toys in 2006,region,toys in 2007,toys in 2008\n"
    manifest = add(toys(tmp_path, f"{head}JPN,1,east,,3\nTHA,,east,2,\n"), WIDE_MAPPING)
    assert (manifest.rows, manifest.observations, manifest.empty_rows) == (6, 3, 3)
    assert manifest.ignored_columns == ("region",)
    assert observed(store_of(tmp_path)) == wanted


def test_a_wide_table_is_read_from_any_format(tmp_path: Path, add: Add) -> None:
    frame = polars.DataFrame({"state": ["JPN"], "region": ["east"], "toys in 2006": [1.5], "toys in 2007": [None]})
    frame.write_parquet(tmp_path / "toys.parquet")
    assert add(tmp_path / "toys.parquet", WIDE_MAPPING).observations == 1
    assert any('"1.5"' in quad for quad in observed(store_of(tmp_path)))


def test_headings_of_a_wide_table_may_be_codes(tmp_path: Path, add: Add) -> None:
    mapping = json.loads(json.dumps(WIDE_MAPPING))
    mapping["tableSchema"]["columns"] = [
        {"titles": "year", "datatype": "gYear", "rdf:type": {"@id": "qb:DimensionProperty"}},
        {"name": "toys", DEF + "headingPattern": "[A-Z]{3}", "datatype": "integer", "rdf:type": {"@id": "qb:MeasureProperty"}},
        {
            "name": "state",
            "virtual": True,
            DEF + "identifierScheme": "iso3166-1-alpha3",
            DEF + "codeYear": "year",
            "rdf:type": {"@id": "qb:DimensionProperty"},
        },
    ]
    manifest = add(toys(tmp_path, "\nyear,JPN,THA,XXX\n2006,1,2,3\n"), mapping)
    assert (manifest.observations, manifest.unmatched) == (3, 1)
    told = " ".join(observed(store_of(tmp_path)))
    assert f"<{ID}actor/japan>" in told and f"<{ID}actor/thailand>" in told and f"<{ID}code/iso3166-1-alpha3/XXX>" in told


# ── Codes ───────────────────────────────────────────────────────────────────


def test_a_code_is_looked_up_in_its_scheme_only(known: Keys) -> None:
    assert known.thing("cow-ccode", "710") == ID + "actor/china"
    assert known.thing("iso3166-1-numeric", "710") == ID + "actor/south-africa"
    assert known.thing("iso3166-1-numeric", "999") is None
    assert known.thing("iso3166-1-numeric", "096") == known.thing("iso3166-1-numeric", "96") == ID + "actor/brunei"
    assert known.thing("iso3166-1-alpha3", "jpn ") == known.thing("name", "Japan") == ID + "actor/japan"


def test_a_code_that_two_states_had_is_told_apart_by_the_year(tmp_path: Path) -> None:
    (tmp_path / "graph_data").mkdir()
    (tmp_path / "graph_data" / "states.ttl").write_text(
        f"PREFIX : <{DEF}> PREFIX scheme: <{ID}scheme/> PREFIX place: <{ID}place/>\n"
        "PREFIX skos: <http://www.w3.org/2004/02/skos/core#>\n"
        'scheme:toy-code skos:notation "toy-code" ; skos:altLabel "toy" ; :datedBy :toySpan .\n'
        'place:old skos:notation "7"^^scheme:toy-code ; :toySpan "1900-05-01/1949-12-31" .\n'
        'place:new skos:notation "7"^^scheme:toy-code ; :toySpan "1950-01-01/.." .\n'
        'place:odd skos:notation "8"^^scheme:toy-code .\n',
        encoding="utf-8",
    )
    found = keys.collected(tmp_path)
    years = (1899, 1900, 1949, 1950, 2008)
    assert [found.thing("toy", "07", year) for year in years] == [None, *[ID + "place/old"] * 2, *[ID + "place/new"] * 2]
    assert found.thing("toy-code", "7") is None  # it may be either
    assert found.thing("toy-code", "8", 1800) == ID + "place/odd"
    assert found.is_dated("toy", "7") and not found.is_dated("toy", "8")


# ── What is refused ─────────────────────────────────────────────────────────


def wide(*rows: str) -> str:
    return "\n".join(("Toys of the world", "state,toys in 2006,toys in 2007", *rows)) + "\n"


FAULTS: dict[str, tuple[dict[str, Any] | None, str | None, str]] = {
    "cell": (None, as_csv([("JPN", "MMVI", 1, "")]), "row 2, column year: 'MMVI' is no gYear: mend it"),
    "number": (None, as_csv([("JPN", 2006, "1,5", "")]), "row 2, column toys: '1,5' is no decimal"),
    "day": (changed(column(1, datatype="date")), as_csv([("JPN", "2006-02-30", 1, "")]), "'2006-02-30' is no date"),
    "empty": (None, as_csv([("JPN", 2006, 1, ""), ("", 2006, 1, "")]), "row 3, column state: '' is empty, and may not be"),
    "twice": (None, as_csv([("JPN", 2006, 1, ""), ("JPN", 2006, 2, "")]), "row 3: the same observation as row 2"),
    "column": (None, as_csv(head=("state", "year", "games", "maker")), "there is no column 'toys'"),
    "columns": (None, as_csv(head=("state", "year", "toys", "year")), "there are several columns 'year'"),
    "short": (None, "state,year,toys,maker\nJPN,2006\n", "row 2: 2 cells, where the head has 4"),
    "quote": (None, 'state,year,toys,maker\n"JPN"x,2006,1,\n', "line 2: "),
    "valueless": (None, as_csv([("JPN", 2006, "", "")]), "no row has a value"),
    "headless": (None, "", "there is no column 'state'"),
    "scheme": (changed(column(0, **{DEF + "identifierScheme": "toy"})), None, "the scheme 'toy', which is not known: it takes "),
    "key": (changed(lambda m: m.update(tableDirection="rtl")), None, "the key 'tableDirection', which is not supported"),
    "context": (changed(lambda m: m.pop("@context")), None, '"@context" is None'),
    "licence": (changed(lambda m: m.pop("dc:license")), None, 'no single "dc:license"'),
    "name": (changed(lambda m: m.update({"dc:identifier": "../toys"})), None, "write small letters, digits and hyphens"),
    "type": (changed(column(1, datatype="float")), None, "\"datatype\" of column 'year' is 'float': it takes "),
    "field": (
        changed(lambda m: m["tableSchema"].update(aboutUrl="#{toy}")),
        None,
        'the field {toy}, which is the "name" of no column',
    ),
    "url": (changed(column(3, propertyUrl="#a> <b")), None, "\"propertyUrl\" of column 'maker'"),
    "measure": (changed(column(2, **{"rdf:type": {"@id": "qb:DimensionProperty"}})), None, "no column is a measure"),
    "escape": (changed(column(3, propertyUrl="https://example.org/%zz")), None, "makes what is no RDF"),
    "prefix": (changed(lambda m: m.update({"toy:colour": "red"})), None, "names 'toy:colour': write a whole IRI"),
    "wide cell": (WIDE_MAPPING, wide("JPN,1,2", "THA,1,many"), "row 4, column toys in 2007: 'many' is no decimal: mend it"),
    "wide head": (WIDE_MAPPING, "\nstate,toys in 20061\nJPN,1\n", "row 3, column toys in 20061: '20061' is no gYear"),
    "wide row": (WIDE_MAPPING, wide("JPN,1,2", "THA,1"), "row 4: 2 cells, where the head has 3"),
    "wide twice": (WIDE_MAPPING, wide("JPN,1,2", "JPN,,2"), "row 4: the same observation as row 3"),
    "no column": (
        WIDE_MAPPING,
        "\nstate,games in 2006\nJPN,1\n",
        "there is no column with a heading of the form 'toys in ([0-9]+)'",
    ),
    "same head": (
        WIDE_MAPPING,
        "\nstate,toys in 2006,toys in 2006\n",
        "several columns that say the same with a heading of the form",
    ),
    "pattern": (
        changed(lambda m: m["tableSchema"]["columns"].append({"name": "a", DEF + "headingPattern": "("})),
        None,
        "no regular expression",
    ),
    "half wide": (
        changed(lambda m: m["tableSchema"]["columns"].append({"name": "a", "virtual": True})),
        None,
        "write both, or neither",
    ),
    "both": (changed(column(3, virtual=True)), None, 'has more than one of "titles", "virtual" and '),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_place_and_nothing_is_changed(fault: str, tmp_path: Path, add: Add) -> None:
    mapping, text, said = FAULTS[fault]
    add(toys(tmp_path))
    before = {path.name: path.read_bytes() for path in (tmp_path / "datasets").iterdir()}
    path = toys(tmp_path, text)
    (tmp_path / "wrong.json").write_text(json.dumps(MAPPING if mapping is None else mapping), encoding="utf-8")
    with pytest.raises(DataFileError) as raised:
        add(path, tmp_path / "wrong.json")
    assert said in str(raised.value)
    assert str(raised.value).endswith(".") and "\n" not in str(raised.value)
    assert {path.name: path.read_bytes() for path in (tmp_path / "datasets").iterdir()} == before


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("toys.csv", "state,year,toys,maker\nJPN,2006,1,Ü\n".encode("latin-1"), "is not utf-8"),
        ("toys.doc", b"", "the ending tells no table"),
        ("toys.xlsx", b"PK nothing", "cannot be read"),
        ("toys.parquet", b"PAR1 nothing", "cannot be read"),
        ("toys.dta", b"nothing", "cannot be read"),
        ("toys.csv.gz", b"nothing", "cannot be decompressed"),
    ],
)
def test_a_file_that_is_no_table_is_refused(name: str, content: bytes, said: str, tmp_path: Path, add: Add) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataFileError, match=said):
        add(tmp_path / name)
    assert left(tmp_path) == set()


def test_a_mapping_that_is_no_json_and_a_file_that_is_not_there_are_named(tmp_path: Path, add: Add) -> None:
    (tmp_path / "mapping.txt").write_text("{", encoding="utf-8")
    with pytest.raises(DataFileError, match="no JSON"):
        mappings.read(tmp_path / "mapping.txt")
    with pytest.raises(DataFileError, match="no such file"):
        mappings.read(tmp_path / "none.json")
    with pytest.raises(DataFileError, match="no such file"):
        add(tmp_path / "none.csv")


# ── The folder ──────────────────────────────────────────────────────────────


def left(tmp_path: Path) -> set[str]:
    folder = tmp_path / "datasets"
    return {path.name for path in folder.iterdir()} - {"lock"} if folder.exists() else set()


def run(*arguments: str, datasets: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "service")} | ({"SUASION_DATASETS": str(datasets)} if datasets else {})
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, timeout=120, check=False)


def test_the_commands_add_list_show_and_remove(tmp_path: Path) -> None:
    folder = tmp_path / "datasets"
    path = toys(tmp_path)
    (tmp_path / "mapping.json").write_text(json.dumps(MAPPING), encoding="utf-8")
    command = ("-m", "suasion", "datasets")
    done = run(*command, "add", str(path), "--mapping", str(tmp_path / "mapping.json"), "--name", "toys-2", datasets=folder)
    assert done.returncode == 0, done.stderr
    first, empty, unmatched = done.stdout.splitlines()
    assert first.startswith("toys-2: 4 rows, 3 observations, ")
    assert (empty, done.stderr) == ("1 rows have no value, and so no observation.", "")
    assert unmatched.startswith(f"1 codes in 1 cells match nothing: {folder}{os.sep}toys-2.")
    assert run(*command, "list", datasets=folder).stdout.startswith("toys-2\t3 observations\t")
    shown = run(*command, "info", "toys-2", datasets=folder).stdout
    assert "source\thttps://example.org/toys\n" in shown and shown.endswith("iso3166-1-alpha3,XXX,1\n")
    assert run(*command, "remove", "toys-2", datasets=folder).stdout == "toys-2 is removed.\n"
    assert left(tmp_path) == set()
    done = run(*command, "remove", "toys-2", datasets=folder)
    assert (done.returncode, done.stderr) == (2, f"suasion: {folder} has no dataset 'toys-2': it has none.\n")


def test_adding_again_replaces_a_dataset_and_leaves_nothing_of_the_old_one(tmp_path: Path, add: Add) -> None:
    old = add(toys(tmp_path))
    new = add(toys(tmp_path, as_csv([("THA", 2006, 9, "")])))
    assert left(tmp_path) == {"toys.json", new.data, new.report, new.copied_mapping}
    assert old.sha256 != new.sha256
    assert Collection(tmp_path / "datasets").all() == (new,)


def test_a_process_that_ends_within_an_import_leaves_the_old_dataset(tmp_path: Path, add: Add) -> None:
    old = add(toys(tmp_path))
    collection = Collection(tmp_path / "datasets")

    def parts() -> Iterator[bytes]:
        yield b"half"
        os._exit(9)

    pid = os.fork()
    if pid == 0:
        collection.put("toys", parts(), lambda *_: old, lambda _: {})
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    assert "toys.nq.zst.tmp" in left(tmp_path)
    assert collection.all() == (old,)
    assert collection.verified(old)
    assert add(toys(tmp_path)).rows == 4  # the lock went with the process, and so does what it left
    assert len(left(tmp_path)) == 4


def test_a_name_or_a_day_that_is_none_is_refused(tmp_path: Path, add: Add, known: Keys) -> None:
    with pytest.raises(DataError, match="no name of a dataset"):
        add(toys(tmp_path), name="../toys")
    read = mappings.read(tmp_path / "mapping.json")
    with pytest.raises(DataError, match="no day"):
        importing.add(Collection(tmp_path / "datasets"), tmp_path / "toys.csv", read, known, "toys", "yesterday")
    assert left(tmp_path) == set()


def test_a_folder_that_is_none_is_not_served(tmp_path: Path) -> None:
    done = run("-m", "suasion", "serve", "--port", "0", "--datasets", str(tmp_path / "none"))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is no folder of datasets" in done.stderr


def test_two_commands_do_not_write_at_once(tmp_path: Path, add: Add) -> None:
    collection = Collection(tmp_path / "datasets")
    with collection._locked(), pytest.raises(DataError, match="another command writes to it"):
        add(toys(tmp_path))


def test_a_full_disk_leaves_the_old_dataset(tmp_path: Path, add: Add) -> None:
    old = add(toys(tmp_path))
    many = toys(tmp_path, as_csv([("JPN", year, year * 1.37, os.urandom(64).hex()) for year in range(1000, 9000)]))
    program = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "from suasion.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    arguments = ("datasets", "add", str(many), "--mapping", str(tmp_path / "mapping.json"))
    done = run("-c", program, *arguments, datasets=tmp_path / "datasets")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "the disk is full: nothing was changed" in done.stderr
    assert left(tmp_path) == {"toys.json", old.data, old.report, old.copied_mapping}


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone", "manifest"])
def test_a_damaged_dataset_is_named_and_nothing_is_served(damage: str, tmp_path: Path, add: Add) -> None:
    manifest = add(toys(tmp_path))
    path = tmp_path / "datasets" / ("toys.json" if damage == "manifest" else manifest.data)
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-10] if damage == "cut" else data[:50] + bytes([data[50] ^ 1]) + data[51:])
    with pytest.raises(DatasetDamaged, match="'toys'"):
        observations.add(Dataset(ox.Store(), ox.Store()), tmp_path / "datasets")
    if damage == "flipped":
        done = run("-m", "suasion", "serve", "--port", "0", datasets=tmp_path / "datasets")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert "'toys'" in done.stderr and "add it again, or remove it" in done.stderr


# ── The mappings that come along ────────────────────────────────────────────


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.csv")), ids=lambda path: path.stem)
def test_a_mapping_reads_a_table_in_the_columns_of_its_publisher(path: Path, tmp_path: Path, add: Add) -> None:
    manifest = add(path, MAPPINGS / f"{path.stem}.json")
    assert (manifest.name, manifest.rows) == (path.stem, manifest.observations + manifest.empty_rows)
    assert any(f"<{ID}actor/" in line for line in observed(store_of(tmp_path, path.stem), path.stem))


def test_each_mapping_that_comes_along_is_tried(shared: Path) -> None:
    tried = {manifest.name for manifest in Collection(shared).all()} | {path.stem for path in SAMPLES.glob("*.csv")} | WIDE
    assert tried == {path.stem for path in MAPPINGS.glob("*.json")}
    assert {mappings.read(path).name for path in MAPPINGS.glob("*.json")} == tried
    for manifest in Collection(shared).all():
        assert manifest.rows == manifest.observations + manifest.empty_rows
        assert Collection(shared).verified(manifest)


def test_the_wide_table_of_the_world_bank_makes_the_observations_of_the_long_one(tmp_path: Path, add: Add) -> None:
    if not SHARED.is_dir():
        pytest.skip("no datasets are given")
    with (SHARED / FILES["worldbank-gdp"]).open(encoding="utf-8", newline="") as stream:
        long = [(row["Country Name"], row["Country Code"], row["Year"], row["Value"]) for row in csv.DictReader(stream)]
    years = sorted({year for _, _, year, _ in long})
    cells = {(code, year): value for _, code, year, value in long}
    countries = {code: name for name, code, _, _ in long}
    add(SHARED / FILES["worldbank-gdp"], MAPPINGS / "worldbank-gdp.json")
    wanted = observed(store_of(tmp_path, "worldbank-gdp"), "worldbank-gdp")
    rows = [
        (name, code, "GDP (current US$)", "NY.GDP.MKTP.CD", *(cells.get((code, year), "") for year in years))
        for code, name in countries.items()
    ]
    manifest = add(download(tmp_path, years, rows), MAPPINGS / "worldbank-gdp-wide.json", "worldbank-gdp")
    assert (manifest.rows, manifest.observations) == (len(countries) * len(years), len(cells))
    assert manifest.ignored_columns == ("Country Name", "Indicator Name", "Indicator Code")
    made = observed(store_of(tmp_path, "worldbank-gdp"), "worldbank-gdp")
    assert {quad for quad in wanted ^ made if not re.search("#(label|cellCount)>", quad)} == set()


def test_indicators_of_the_world_bank_are_told_apart_by_their_code(tmp_path: Path, add: Add) -> None:
    rows = [
        ("Japan", "JPN", "Exports (% of GDP)", "NE.EXP.GNFS.ZS", "15.9", "17.4", ""),
        ("Japan", "JPN", "Imports (% of GDP)", "NE.IMP.GNFS.ZS", "14.7", "", "17.1"),
        ("Not classified", "INX", "Exports (% of GDP)", "NE.EXP.GNFS.ZS", "", "", ""),
        ("World", "WLD", "Exports (% of GDP)", "NE.EXP.GNFS.ZS", "", "", "30.1"),
    ]
    manifest = add(download(tmp_path, ("2006", "2007", "2008"), rows), MAPPINGS / "worldbank-wide.json")
    assert (manifest.rows, manifest.observations, manifest.empty_rows, manifest.quads > 0) == (12, 5, 7, True)
    found = {
        (str(quad.subject).partition("#")[2], str(quad.object).partition("^")[0])
        for quad in store_of(tmp_path, "worldbank-wide").quads_for_pattern(
            None, ox.NamedNode(ID + "dataset/worldbank-wide#value"), None, ox.NamedNode(GRAPH + "dataset-worldbank-wide")
        )
    }
    assert found >= {("NE.EXP.GNFS.ZS-JPN-2006>", '"15.9"'), ("NE.IMP.GNFS.ZS-JPN-2008>", '"17.1"')}
    told = " ".join(observed(store_of(tmp_path, "worldbank-wide"), "worldbank-wide"))
    assert f"<{ID}actor/japan>" in told and "<https://data.worldbank.org/indicator/NE.IMP.GNFS.ZS>" in told


def test_missing_codes_of_a_publisher_are_no_values(tmp_path: Path, add: Add) -> None:
    manifest = add(SAMPLES / "cow-trade.csv", MAPPINGS / "cow-trade.json")
    assert (manifest.rows, manifest.observations) == (4, 3)
    assert manifest.unmatched == 2  # 9999, and Cambodia in 1950, before the list of states has it
    assert '"-9"' not in "".join(map(str, store_of(tmp_path, "cow-trade")))


# ── Served ──────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, known: Keys) -> Path:
    """A folder with all the datasets that are given beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("no datasets are given")
    folder = tmp_path_factory.mktemp("datasets")
    for name, file in FILES.items():
        mapping = mappings.read(MAPPINGS / f"{name}.json")
        importing.add(Collection(folder), SHARED / file, mapping, known, name, "2026-11-23")
    return folder


@pytest.fixture(scope="module")
def richer(shared: Path) -> Iterator[Client]:
    process, port = serve("--datasets", str(shared))
    yield Client(port)
    stop(process)


def test_no_dataset_is_an_empty_answer_that_says_what_to_do(client: Client) -> None:
    for name in ("claim-checks", "datasets"):
        document = client.get(f"/{name}").json()
        assert (document["rows"], document["completeness"]) == ([], "complete")
        assert "suasion datasets add" in str(document["note"])


def test_at_least_eight_claims_are_compared_and_the_rest_say_why_not(richer: Client) -> None:
    rows = richer.rows("/claim-checks")
    compared = {row["claim"]: row for row in rows if row["outcome"] != ":NotComparable"}
    assert len(compared) == 9
    assert all(row["observed_value"] is not None and row["tolerance"] is not None for row in compared.values())
    assert [bool(row["obstacle"]) for row in rows] == [row["outcome"] == ":NotComparable" for row in rows]
    found = {str(row["verdict"]).partition(":")[2]: row for row in rows}
    yen = found["japan-asean-trade-2006-gravity"]
    assert (yen["outcome"], yen["unit"], yen["exchange_rate"]) == (":Differs", "currency:JPY", 116.3121)
    assert (yen["rate_dataset"], yen["missing_names"]) == ("dataset:exchange-rates", ["Brunei", "Myanmar"])
    assert 11.3 < float(str(yen["ratio"])) < 11.4
    gdp = found["cafta-gdp-2007-worldbank"]
    assert (gdp["outcome"], gdp["bound"], gdp["observations"]) == (":Agrees", ":MoreThan", 11)
    assert 4.8e12 < float(str(gdp["observed_value"])) < 5e12
    assert found["china-aid-aiddata"]["outcome"] == ":Differs"
    assert 6 < float(str(found["china-aid-aiddata"]["ratio"])) < 6.1
    for name in ("ajcep-signed-desta", "ajcep-in-force-desta"):
        assert (found[name]["outcome"], found[name]["observed_value"]) == (":Agrees", 2008)
    assert (found["apt-asean-states-cow"]["outcome"], found["apt-asean-states-cow"]["observed_value"]) == (":Differs", 9)
    assert "nine" not in str(found["apt-asean-states-cow"]["summary"])  # the claim stays as the article has it


def test_the_page_of_the_checks_shows_them(richer: Client) -> None:
    page = richer.get("/claim-checks", accept="text/html").body.decode()
    assert "20,459,476,207,938.5" in page


def test_the_page_of_a_claim_tells_both_numbers_and_what_the_data_lack(richer: Client) -> None:
    def section(claim: str) -> str:
        page = richer.get(f"/doc/claim/{claim}", accept="text/html").body.decode().partition('<h2 id="checks">')[2]
        return " ".join(re.sub(r"<[^>]*>", " ", page.partition("<h2")[0]).split())

    yen = section("japan-asean-trade-1-8-trillion-yen-2006")
    for told in (
        "– Not comparable: trade of Japan with the ASEAN states in 2006, by Comtrade The article JPY 1,800,000,000,000",
        "≠ Differs: trade of Japan with the ASEAN states in 2006, by Head, Mayer and Ries The article JPY 1,800,000,000,000",
        "The data JPY 20,459,476,207,938 made of 16 observations; converted at 116.3121 JPY for one of the base currency",
        "Missing in the data Brunei, Myanmar",
        "Data to article 11.37 up to 10 per cent off still agrees",
    ):
        assert told in yen
    trade = section("cafta-trade-above-200-billion-usd-2007")
    assert "= Agrees" in trade and "The article more than USD 200,000,000,000" in trade
    assert "made of 18 observations, of 2008 Missing in the data Laos, Myanmar" in trade
    assert "up to 10 per cent off still agrees, and whatever is more" in trade
    concluded = section("china-asean-fta-concluded-in-2004")
    assert "The article 2004 The data 2004" in concluded and "only the same agrees" in concluded
    page = richer.get("/doc/claim/china-asean-fta-concluded-in-2004", accept="text/html").body.decode()
    for path in ("/doc/dataset/desta", *re.findall(r'href="(/doc/verdict/[^"]*)"', page)[:1], "/claim-checks.html"):
        assert f'href="{path}"' in page and richer.get(path).status == 200


def test_a_dataset_is_described_with_source_licence_and_what_did_not_match(richer: Client) -> None:
    rows = {row["dataset"]: row for row in richer.rows("/datasets")}
    assert set(rows) == {f"dataset:{name}" for name in FILES}
    gdp = rows["dataset:worldbank-gdp"]
    assert (gdp["graph"], gdp["rows"], gdp["observations"]) == ("graph:dataset-worldbank-gdp", 13979, 13979)
    assert (gdp["retrieved"], gdp["mapping"]) == ("2026-11-23", "worldbank-gdp.json")
    assert int(str(gdp["unmatched_codes"])) > 0
    assert "opendatacommons" in str(gdp["licence"])


def test_curated_questions_on_the_article_and_the_default_graph_are_untouched(
    client: Client, richer: Client, bundle: Path
) -> None:
    for query in catalog.load(bundle / "queries" / "api"):
        if query.no_rows:
            continue
        required = urlencode({p.name: p.example for p in query.parameters if p.required})
        one, other = (c.send("GET", f"/{query.name}.csv?{required}").body for c in (client, richer))
        assert one == other, query.name
    count = "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"
    assert client.get("/sparql", query=count).json() == richer.get("/sparql", query=count).json()


def test_observations_are_asked_by_graph_and_in_all_graphs_together(richer: Client) -> None:
    pattern = "?o a <http://purl.org/linked-data/cube#Observation>"
    number = "SELECT (COUNT(DISTINCT ?o) AS ?n) WHERE { %s FILTER(CONTAINS(STR(?o), '/dataset/')) }"
    for query, more in ((f"GRAPH ?g {{ {pattern} }}", {}), (pattern, {"default-graph-uri": GRAPH + "union"})):
        found = richer.get("/sparql", accept="text/csv", query=number % query, **more).body.decode().split()
        assert int(found[1]) > 38_000
    found = richer.get("/sparql", accept="text/csv", query=number % pattern).body.decode().split()
    assert found[1] == "0"


def test_the_digest_covers_the_datasets(client: Client, richer: Client) -> None:
    one, other = (c.get("/healthz").json()["dataset"] for c in (client, richer))
    assert one != other


@pytest.fixture(scope="module")
def some(bundle: Path, known: Keys, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The article with a dataset of trade and one of exchange rates."""
    if not SHARED.is_dir():
        pytest.skip("no datasets are given")
    folder = tmp_path_factory.mktemp("some")
    for name in ("exchange-rates", "trade-gravity"):
        importing.add(Collection(folder), SHARED / FILES[name], mappings.read(MAPPINGS / f"{name}.json"), known, name, "")
    return observations.load_source(Source(bundle, datasets=folder))


def test_a_verdict_is_a_claim_of_suasion_with_what_it_was_derived_from(some: Dataset, dataset: Dataset) -> None:
    verdict = ox.NamedNode(ID + "verdict/japan-asean-trade-2006-gravity")
    told = [
        (quad.predicate.value, str(quad.object)) for quad in some.facts.quads_for_pattern(verdict, None, None, verdicts.VERDICTS)
    ]
    prov = "http://www.w3.org/ns/prov#"
    claim = ID + "claim/japan-asean-trade-1-8-trillion-yen-2006"
    assert (prov + "wasAttributedTo", f"<{ID}agent/suasion>") in told
    sources = {f"<{iri}>" for iri in (claim, ID + "dataset/trade-gravity", ID + "dataset/exchange-rates")}
    assert {value for name, value in told if name == prov + "wasDerivedFrom"} == sources
    before, after = (set(map(str, d.facts.quads_for_pattern(None, None, None, ox.NamedNode(claim)))) for d in (dataset, some))
    assert before == after


def test_a_check_whose_dataset_is_missing_says_so(some: Dataset) -> None:
    verdict = ox.NamedNode(ID + "verdict/ajcep-signed-desta")
    (obstacle,) = some.facts.quads_for_pattern(verdict, ox.NamedNode(DEF + "obstacle"), None, verdict)
    assert str(obstacle.object) == '"The dataset desta is not loaded: add it with suasion datasets add."@en'


def test_verdicts_conform_to_their_shapes_and_say_defined_things(some: Dataset, bundle: Path, prefixes: Prefixes) -> None:
    quads = verdicts.reached(some.facts)
    ontology = list(some.facts.quads_for_pattern(None, None, None, ox.NamedNode(GRAPH + "ontology")))
    store = ox.Store()
    store.extend(
        ox.Quad(q.subject, q.predicate, q.object) for q in (*quads, *ontology) if "schema.org/Claim>" not in str(q.object)
    )
    assert [str(f) for f in shapes.faults(shapes.as_graph(store), shapes.read_shapes(bundle), {}, prefixes)] == []
    said = {quad.predicate.value for quad in some.facts if quad.predicate.value.startswith(DEF)}
    assert said <= {str(quad.subject).strip("<>") for quad in ontology}


def test_a_folder_of_datasets_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "datasets").write_text("", encoding="utf-8")
    done = run(
        "-m", "suasion", "datasets", "add", str(toys(tmp_path)), "--mapping", "worldbank-gdp", datasets=tmp_path / "datasets"
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr


# ── The session that is documented ──────────────────────────────────────────


def test_the_documented_session_says_what_is_shown(
    richer: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")
    session = text[text.index("## A session") : text.index("## What becomes")]
    commands, request = re.findall(r"```sh\n(.*?)```", session, re.DOTALL)
    (listed,), (shown,) = (re.findall(rf"```{kind}\n(.*?)```", session, re.DOTALL) for kind in ("text", "csv"))
    monkeypatch.chdir(SHARED)
    monkeypatch.setenv("SUASION_DATASETS", str(tmp_path / "datasets"))
    for line in commands.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "suasion"
        capsys.readouterr()
        assert main(arguments) == 0
    assert capsys.readouterr().out == listed
    asked = request.replace("curl ", "curl --silent --fail ").replace("127.0.0.1:8000", f"127.0.0.1:{richer.port}")
    answered = subprocess.run(["sh", "-ec", asked], cwd=ROOT, capture_output=True, check=True, timeout=60)
    table = [row[:-1] for row in csv.reader(io.StringIO(answered.stdout.decode()))]
    assert table == list(csv.reader(io.StringIO(shown)))


def test_the_documented_mapping_reads_its_table(tmp_path: Path, add: Add) -> None:
    text = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")
    mapping, columns = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    manifest = add(toys(tmp_path, "state,year,toys\nJPN,2006,3\nCHN,2006,-9\n"), json.loads(mapping))
    assert (manifest.observations, manifest.empty_rows) == (1, 1)
    wide = json.loads(mapping)
    wide["tableSchema"]["columns"][1:] = json.loads(f"[{columns}]")
    assert add(toys(tmp_path, "state,2006,2007\nJPN,3,\nCHN,4,5\n"), wide).observations == 3


def test_all_that_a_mapping_may_have_and_all_that_come_along_are_documented() -> None:
    spans = set(re.findall(r"`([^`\n]+)`", (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")))
    assert mappings._TABLE_KEYS | mappings._SCHEMA_KEYS | mappings._COLUMN_KEYS | mappings._DIALECT_KEYS | set(
        mappings.DATATYPES
    ) <= {
        *spans,
        "@context",
        "columns",
    }
    assert {path.stem for path in MAPPINGS.glob("*.json")} <= spans
    assert {".xlsx", ".parquet", ".dta", ".csv", ".tsv", ".txt"} == set(tabular.ENDINGS) <= spans
