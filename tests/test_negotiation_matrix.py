"""Content negotiation over HTTP, against a second reading of RFC 9110, section 12.5.1, that shares no code with the service.

The rules read here: of the ranges that fit a type the most specific one gives its quality; quality 0 is "not acceptable"; the
type of the highest quality is sent, and of several the first of ours; no acceptable type is 406. Short names, such as
application/json, stand for the types of SPARQL, unless the header names those in full.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

import pytest

from conftest import Client

SOLUTIONS = ("application/sparql-results+json", "application/sparql-results+xml", "text/csv", "text/tab-separated-values")
GRAPHS = (
    "text/turtle",
    "application/n-triples",
    "application/n-quads",
    "application/trig",
    "application/rdf+xml",
    "application/ld+json",
)
SHORT = {
    "application/sparql-results+json": "application/json",
    "application/sparql-results+xml": "application/xml",
    "application/ld+json": "application/json",
    "application/rdf+xml": "application/xml",
    "application/n-triples": "text/plain",
}
PATHS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "SELECT": (f"/sparql?query={quote('SELECT (1 AS ?one) {}')}", SOLUTIONS),
    "ASK": (f"/sparql?query={quote('ASK {}')}", SOLUTIONS),
    "CONSTRUCT": (f"/sparql?query={quote('CONSTRUCT { <urn:a> <urn:a:b> 1 } {}')}", GRAPHS),
    "DESCRIBE": (f"/sparql?query={quote('DESCRIBE <https://w3id.org/suasion/id/place/phnom-penh>')}", GRAPHS),
    "description": ("/sparql", GRAPHS),
    "graph": ("/graph-store?graph=https://w3id.org/suasion/graph/places", GRAPHS),
}
READABLE = (
    "*/*",
    "*/*;q=0.001",
    "text/*",
    "application/*",
    "image/*",
    "text/*, application/*;q=0.9",
    "application/*;q=0.2, text/*;q=0.8",
    "application/json",
    "application/xml",
    "text/plain",
    "text/html",
    "text/html, */*;q=0.1",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
    "application/sparql-results+json",
    "application/sparql-results+xml",
    "application/sparql-results+json, application/sparql-results+xml;q=0.9",
    "application/sparql-results+json;q=0.8, application/sparql-results+xml;q=0.9",
    "application/sparql-results+xml, application/rdf+xml",
    "application/sparql-results+json;q=0, */*",
    "application/sparql-results+json;q=0, application/json",
    "application/sparql-results+json;q=0.2, application/json, text/csv;q=0.5",
    "application/sparql-results+json;q=0, application/sparql-results+xml;q=0, text/csv;q=0, text/tab-separated-values;q=0, */*",
    "text/csv",
    "text/csv;q=1",
    "text/csv;q=1.000",
    "text/csv;q=0.000",
    "text/csv;q=0",
    "text/csv;q=0.001",
    "text/csv ; q=0.5 , text/tab-separated-values ; q=0.6",
    "text/csv;q=0.5;ext=1, text/tab-separated-values;q=0.4",
    "text/csv;header=present, text/tab-separated-values;q=0.9",
    "TEXT/CSV",
    "Text/Csv;Q=0.5, TEXT/TAB-SEPARATED-VALUES;Q=0.7",
    "text/csv,",
    ",text/csv",
    ",, text/csv ,,, ,",
    "text/csv,text/csv;q=0.5",
    "*/*, text/csv;q=0",
    "*/*;q=0, text/csv",
    "*/*;q=0",
    "text/*;q=0, */*",
    "text/*;q=0, text/csv",
    "text/*;q=0.3, text/csv;q=0.7, */*;q=0.5",
    "*/*;q=0.1, text/*;q=0.5, text/tab-separated-values;q=0.9",
    "text/tab-separated-values",
    "text/turtle",
    "text/turtle;charset=utf-8",
    'text/turtle;charset="utf-8"',
    "text/turtle;q=0.5, application/n-triples",
    "text/turtle;q=0.5, application/n-triples;q=0.5",
    "application/n-triples, text/turtle",
    "application/n-triples;q=0.9, text/turtle;q=0.8, application/ld+json;q=1.0",
    "application/n-quads",
    "application/trig",
    "application/rdf+xml",
    "application/rdf+xml;q=0.9, text/turtle;q=0.91",
    "application/ld+json",
    'application/ld+json;profile="http://www.w3.org/ns/json-ld#expanded"',
    'application/ld+json;profile="a,b", image/png',
    'text/csv;x="a\\"b,c", image/png',
    "application/json, text/turtle;q=0.9",
    "application/json;q=0.1, text/turtle;q=0.9",
    "application/json;q=0, */*",
    "application/xml;q=0.5, application/json;q=0.4",
    "application/x-turtle",
    "text/n3, text/turtle;q=0.1",
    "image/png",
    "image/png, image/*",
    "application/octet-stream",
    "application/sparql-results+thrift, application/sparql-results+json;q=0.9, application/json;q=0.9",
    "text/turtle, application/rdf+xml, application/n-triples, application/trig, application/n-quads, application/ld+json",
    "application/sparql-results+json, application/sparql-results+xml, text/csv, text/tab-separated-values",
    "application/sparql-results+xml;q=0.7, text/csv;q=0.7",
    "text/csv;q=0.7, application/sparql-results+xml;q=0.7",
    "text/csv; q=0.333, text/tab-separated-values; q=0.334",
    "application/trig;q=0.3, application/n-quads;q=0.4, */*;q=0.2",
    "*",
    "*;q=0.5, text/csv",
)
UNREADABLE = (
    "csv",
    "text",
    "text/",
    "/csv",
    "text/csv/x",
    "*/csv",
    ";q=1",
    "nonsense, text/csv",
    "text/csv nonsense, x",
    ",",
    " , ",
)


def parsed(accept: str) -> list[tuple[str, float, int]]:
    """Return range, quality and number of foreign parameters of each element."""
    found = []
    for element in re.findall(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+', accept):
        media_range, *parameters = [part.strip() for part in re.findall(r'(?:[^;"]|"(?:[^"\\]|\\.)*")+', element.lower())]
        if media_range:
            quality = [float(one.removeprefix("q=")) for one in parameters if one.startswith("q=")]
            foreign = [one for one in parameters if not one.startswith("q=") and one.replace('"', "") != "charset=utf-8"]
            found.append(("*/*" if media_range == "*" else media_range, quality[0] if quality else 1.0, len(foreign)))
    return found


def quality(media_type: str, accept: str) -> float:
    ranges = parsed(accept)
    for name in (media_type, SHORT.get(media_type, ""), media_type.partition("/")[0] + "/*", "*/*"):
        fitting = [(foreign, -q) for media_range, q, foreign in ranges if media_range == name]
        if fitting and name == SHORT.get(media_type):
            wild = [q for media_range, q, _ in ranges if media_range in (media_type.partition("/")[0] + "/*", "*/*")]
            return max(-min(fitting)[1], quality_of_wildcards(media_type, ranges) if wild else 0)
        if fitting:
            return -min(fitting)[1]
    return 0


def quality_of_wildcards(media_type: str, ranges: list[tuple[str, float, int]]) -> float:
    for name in (media_type.partition("/")[0] + "/*", "*/*"):
        if fitting := [q for media_range, q, _ in ranges if media_range == name]:
            return max(fitting)
    return 0


def expected(accept: str, offered: tuple[str, ...]) -> str:
    """Return the media type that has to be sent, "" for none."""
    ordered = sorted(offered, key=lambda media_type: -quality(media_type, accept))
    return ordered[0] if quality(ordered[0], accept) > 0 else ""


@pytest.mark.parametrize("form", PATHS)
def test_the_format_is_the_one_that_the_rfc_gives(client: Client, form: str) -> None:
    path, offered = PATHS[form]
    differing = []
    for accept in READABLE:
        reply = client.get(path, accept)
        found = reply.headers["content-type"].partition(";")[0] if reply.status == 200 else ""
        assert reply.status in (200, 406)
        assert "accept" in reply.headers.get("vary", "").lower() or reply.status == 406
        if found != expected(accept, offered):
            differing.append((accept, found, expected(accept, offered)))
    assert differing == []


def test_the_matrix_is_large_and_no_column_is_idle() -> None:
    assert len(READABLE) * len(PATHS) >= 400
    for _, offered in PATHS.values():
        chosen = {expected(accept, offered) for accept in READABLE}
        assert chosen == {*offered, ""}


@pytest.mark.parametrize("form", PATHS)
def test_what_cannot_be_read_is_406_with_the_remedy(client: Client, form: str) -> None:
    for accept in UNREADABLE:
        reply = client.get(PATHS[form][0], accept)
        assert (reply.status, "cannot be read" in str(reply.json()["detail"])) == (406, True), accept


def test_an_empty_header_and_none_accept_everything(client: Client) -> None:
    for path, offered in PATHS.values():
        for headers in ({}, {"Accept": ""}, {"Accept": " "}):
            assert client.send("GET", path, headers).headers["content-type"].partition(";")[0] == offered[0]


def test_several_headers_are_one_list(client: Client) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=20)
    connection.putrequest("GET", PATHS["SELECT"][0])
    for accept in ("image/png", "text/csv;q=0.5", "text/tab-separated-values"):
        connection.putheader("Accept", accept)
    connection.endheaders()
    assert connection.getresponse().headers["content-type"] == "text/tab-separated-values; charset=utf-8"
    connection.close()


def test_406_lists_what_is_offered(client: Client) -> None:
    for path, offered in PATHS.values():
        reply = client.get(path, "image/png")
        assert reply.status == 406
        assert reply.json()["offered"] == list(offered)
