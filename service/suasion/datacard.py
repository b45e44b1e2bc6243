"""What the dataset says of itself: VoID and DCAT 3, with counts from the data."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from suasion import __version__
from suasion.described import Ask, Work
from suasion.dumps import Dump
from suasion.exchange import GRAPH_TYPES, Question, Ready
from suasion.prefixes import BASE, DEF, ID
from suasion.turtle import Triple, iri, literal

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
DESCRIPTION = (
    "What one article in international relations says, who says it, how surely, and where it stands: each claim is a named "
    "graph, with provenance down to the characters of the source."
)
_ALL = (0, 10**9)
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DCAT = "http://www.w3.org/ns/dcat#"
_DCTERMS = "http://purl.org/dc/terms/"
_FOAF = "http://xmlns.com/foaf/0.1/"
_SPDX = "http://spdx.org/rdf/terms#"
_VOID = "http://rdfs.org/ns/void#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_IANA = "https://www.iana.org/assignments/media-types/"
_FORMATS = "http://www.w3.org/ns/formats/"
_FEATURES = ("Turtle", "N-Triples", "N-Quads", "TriG", "RDF_XML", "JSON-LD")


@dataclass(frozen=True, slots=True)
class Card:
    """A dataset and its counts; `classes` and `properties` are IRIs with numbers, `linksets` properties and sites with numbers.

    `dumps` are empty where none could be made. `licence` is "" where nobody has stated one.
    """

    iri: str
    title: str
    description: str
    licence: str
    ready: Ready
    triples: int
    subjects: int
    objects: int
    classes: tuple[tuple[str, int], ...]
    properties: tuple[tuple[str, int], ...]
    linksets: tuple[tuple[str, str, int], ...]
    examples: tuple[str, ...]
    works: tuple[Work, ...]
    dumps: tuple[Dump, ...]
    bundle: bool


class Counts:
    """The counts of a dataset, by the queries of a folder; answers are kept by who is asked."""

    def __init__(self, ask: Ask, folder: Path) -> None:
        self._ask = ask
        self._queries = {
            name: (folder / f"{name}.rq").read_text(encoding="utf-8") for name in ("classes", "properties", "linksets", "totals")
        }

    async def totals(self) -> tuple[int, int, int]:
        """Return how many triples, subjects and objects all graphs together have."""
        (row,) = await self._rows("totals")
        return int(row["triples"]["value"]), int(row["subjects"]["value"]), int(row["objects"]["value"])

    async def terms(self, name: str, column: str) -> tuple[tuple[str, int], ...]:
        """Return classes or properties with their numbers in all graphs together; those without an IRI are left out."""
        found: dict[str, int] = {}
        for row in await self._rows(name):
            if row[column]["type"] == "uri":
                found.setdefault(row[column]["value"], int(row["number"]["value"]))
        return tuple(found.items())

    async def linksets(self) -> tuple[tuple[str, str, int], ...]:
        """Return properties that link to other sites, each with a site and the number of links."""
        rows = await self._rows("linksets")
        return tuple((row["property"]["value"], row["site"]["value"], int(row["number"]["value"])) for row in rows)

    async def _rows(self, name: str) -> Sequence[Mapping[str, Mapping[str, str]]]:
        found: list[Mapping[str, Mapping[str, str]]] = json.loads(
            (await self._ask(Question(self._queries[name], union=True, rows=_ALL))).body
        )["rows"]
        return found


def triples(card: Card, public_url: str) -> Iterator[Triple]:
    """Yield the description of a dataset at the address of a service (VoID, sections 2 to 5; DCAT 3, section 6)."""
    dataset, catalog, service = iri(card.iri), iri(f"{public_url}/"), iri(f"{public_url}/sparql")
    own: list[tuple[str, str]] = [
        (_RDF + "type", iri(_VOID + "Dataset")),
        (_RDF + "type", iri(_DCAT + "Dataset")),
        (_DCTERMS + "title", literal(card.title, language="en")),
        (_DCTERMS + "description", literal(card.description, language="en")),
        (_FOAF + "homepage", iri(f"{public_url}/")),
        (_VOID + "sparqlEndpoint", service),
        (_VOID + "triples", _number(card.triples)),
        (_VOID + "distinctSubjects", _number(card.subjects)),
        (_VOID + "distinctObjects", _number(card.objects)),
        (_VOID + "classes", _number(len(card.classes))),
        (_VOID + "properties", _number(len(card.properties))),
    ]
    if card.ready.digest:
        own.append((_DCTERMS + "identifier", literal(f"sha256:{card.ready.digest}")))
    if card.licence:
        own.append((_DCTERMS + "license", iri(card.licence)))
    if card.bundle:
        own += [
            (_DCAT + "version", literal(__version__)),
            (_DCTERMS + "conformsTo", iri(BASE + "def")),
            (_DCTERMS + "creator", iri(ID + "agent/suasion-editors")),
            (_VOID + "uriSpace", literal(ID)),
            (_VOID + "vocabulary", iri(DEF)),
        ]
    own += [(_VOID + "vocabulary", iri(space)) for space in _namespaces(card)]
    own += [(_VOID + "exampleResource", iri(example)) for example in card.examples]
    own += [(_VOID + "feature", iri(_FORMATS + name)) for name in _FEATURES]
    own += [(_DCTERMS + "bibliographicCitation", literal(_cited(work), language="en")) for work in card.works]
    yield from ((dataset, iri(name), value) for name, value in own)
    yield from _partitions(card)
    yield from _linksets(card)
    yield from _distributions(card, public_url)
    document = iri(f"{public_url}/.well-known/void")
    for subject, name, value in (
        (document, _RDF + "type", iri(_VOID + "DatasetDescription")),
        (document, _FOAF + "primaryTopic", dataset),
        (catalog, _RDF + "type", iri(_DCAT + "Catalog")),
        (catalog, _DCTERMS + "title", literal("Suasion", language="en")),
        (catalog, _DCAT + "dataset", dataset),
        (catalog, _DCAT + "service", service),
        (service, _RDF + "type", iri(_DCAT + "DataService")),
        (service, _DCTERMS + "title", literal("SPARQL", language="en")),
        (service, _DCTERMS + "conformsTo", iri("https://www.w3.org/TR/sparql11-protocol/")),
        (service, _DCAT + "endpointURL", service),
        (service, _DCAT + "endpointDescription", iri(f"{public_url}/openapi.json")),
        (service, _DCAT + "servesDataset", dataset),
    ):
        yield subject, iri(name), value


def schema_org(card: Card, public_url: str) -> dict[str, object]:
    """Return what search engines for datasets read."""
    found: dict[str, object] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": card.iri,
        "name": card.title,
        "description": card.description,
        "url": f"{public_url}/dataset",
        "distribution": [
            {"@type": "DataDownload", "encodingFormat": dump.media_type, "contentUrl": f"{public_url}/dataset.{dump.ending}"}
            for dump in card.dumps
        ],
    }
    if card.ready.digest:
        found["identifier"] = f"sha256:{card.ready.digest}"
    if card.licence:
        found["license"] = card.licence
    if card.bundle:
        found["creator"] = {"@type": "Organization", "name": "Suasion editors"}
        found["version"] = __version__
    return found


def construction(document: str) -> str:
    """Return the query whose answer is a document in Turtle without prefixes, so that a worker can write it in any format."""
    return f"CONSTRUCT {{\n{document}}} WHERE {{}}"


def _partitions(card: Card) -> Iterator[Triple]:
    taken: set[str] = set()
    kinds = (
        (card.classes, "class", "classPartition", "class", "entities"),
        (card.properties, "property", "propertyPartition", "property", "triples"),
    )
    for counted, kind, relation, names, number in kinds:
        for term, count in counted:
            part = iri(_part(card, kind, term, taken))
            yield iri(card.iri), iri(_VOID + relation), part
            yield part, iri(_VOID + names), iri(term)
            yield part, iri(_VOID + number), _number(count)


def _linksets(card: Card) -> Iterator[Triple]:
    taken: set[str] = set()
    for term, site, count in card.linksets:
        part, target = iri(_part(card, "links", f"{term} {site}", taken)), iri(site)
        yield iri(card.iri), iri(_VOID + "subset"), part
        for name, value in (
            (_RDF + "type", iri(_VOID + "Linkset")),
            (_VOID + "subjectsTarget", iri(card.iri)),
            (_VOID + "objectsTarget", target),
            (_VOID + "linkPredicate", iri(term)),
            (_VOID + "triples", _number(count)),
        ):
            yield part, iri(name), value
        yield target, iri(_RDF + "type"), iri(_VOID + "Dataset")
        yield target, iri(_VOID + "uriSpace"), literal(site)


def _distributions(card: Card, public_url: str) -> Iterator[Triple]:
    dataset = iri(card.iri)
    for dump in card.dumps:
        address = iri(f"{public_url}/dataset.{dump.ending}")
        name = dump.ending.replace(".", "-")
        part, check = iri(f"{card.iri}#file-{name}"), iri(f"{card.iri}#checksum-{name}")
        yield dataset, iri(_VOID + "dataDump"), address
        yield dataset, iri(_DCAT + "distribution"), part
        told = [
            (_RDF + "type", iri(_DCAT + "Distribution")),
            (_DCTERMS + "title", literal(f"dataset.{dump.ending}")),
            (_DCAT + "accessURL", address),
            (_DCAT + "downloadURL", address),
            (_DCAT + "mediaType", iri(_IANA + (dump.of or dump.media_type))),
            (_DCAT + "byteSize", literal(str(dump.size), _XSD + "nonNegativeInteger")),
            (_SPDX + "checksum", check),
        ]
        if dump.of:
            told.append((_DCAT + "compressFormat", iri(_IANA + dump.media_type)))
        if card.licence:
            told.append((_DCTERMS + "license", iri(card.licence)))
        yield from ((part, iri(name), value) for name, value in told)
        yield check, iri(_RDF + "type"), iri(_SPDX + "Checksum")
        yield check, iri(_SPDX + "algorithm"), iri(_SPDX + "checksumAlgorithm_sha256")
        yield check, iri(_SPDX + "checksumValue"), literal(dump.sha256, _XSD + "hexBinary")
    part = iri(f"{card.iri}#sparql")
    yield dataset, iri(_DCAT + "distribution"), part
    yield part, iri(_RDF + "type"), iri(_DCAT + "Distribution")
    yield part, iri(_DCAT + "accessURL"), iri(f"{public_url}/sparql")
    yield part, iri(_DCAT + "accessService"), iri(f"{public_url}/sparql")
    for media_type in GRAPH_TYPES:
        yield part, iri(_DCAT + "mediaType"), iri(_IANA + media_type)


def _part(card: Card, kind: str, name: str, taken: set[str]) -> str:
    """Return an IRI for a part of the description, which no other part has."""
    stem = found = f"{card.iri}#{kind}-{re.sub(r'[^A-Za-z0-9]+', '-', name).strip('-')}"
    number = 1
    while found in taken:
        number += 1
        found = f"{stem}-{number}"
    taken.add(found)
    return found


def _namespaces(card: Card) -> list[str]:
    """Return the namespaces of the terms that are used, ours apart."""
    terms = [term for term, _ in (*card.classes, *card.properties)]
    spaces = {found[0] for term in terms if (found := re.match(r".*[/#]", term))}
    return sorted(spaces - {DEF, ID})


def _cited(work: Work) -> str:
    number = f" {work.volume}({work.issue})" if work.volume and work.issue else ""
    parts = (", ".join(work.authors), work.title, f"{work.container}{number}", work.date)
    return ", ".join(part for part in parts if part) + "."


def _number(value: int) -> str:
    return literal(str(value), _XSD + "integer")
