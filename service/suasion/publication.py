"""The questions as data: SHACL SPARQL executables, in the form of the SIB collections of example queries."""

import re
from collections.abc import Iterable, Iterator

from suasion import turtle
from suasion.catalog import Query
from suasion.prefixes import BASE
from suasion.turtle import Triple, iri, literal

_DCTERMS = "http://purl.org/dc/terms/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS = "http://www.w3.org/2000/01/rdf-schema#"
_SCHEMA = "https://schema.org/"
_SH = "http://www.w3.org/ns/shacl#"
_SPEX = "https://purl.expasy.org/sparql-examples/ontology#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_SERVICE = re.compile(r"\bSERVICE\s+<([^>]+)>")


def document(queries: Iterable[Query], public_url: str) -> str:
    """Return questions as Turtle; the endpoint they are for is the one at the address of the service."""
    return turtle.document((triple for query in queries for triple in _triples(query, public_url)), ())


def _triples(query: Query, public_url: str) -> Iterator[Triple]:
    subject = iri(f"{BASE}query/{query.name}")
    for kind in ("SPARQLExecutable", "SPARQLSelectExecutable"):
        yield subject, iri(_RDF + "type"), iri(_SH + kind)
    yield subject, iri(_RDFS + "label"), literal(query.summary, language="en")
    yield subject, iri(_RDFS + "comment"), literal(query.question, language="en")
    yield subject, iri(_SH + "select"), literal(query.text)
    for keyword in query.keywords:
        yield subject, iri(_SCHEMA + "keywords"), literal(keyword)
    for other in query.related:
        yield subject, iri(_DCTERMS + "relation"), iri(f"{BASE}query/{other}")
    for endpoint in dict.fromkeys(_SERVICE.findall(query.text)):
        yield subject, iri(_SPEX + "federatesWith"), iri(endpoint)
    yield subject, iri(_SCHEMA + "target"), iri(f"{public_url}/sparql")
    yield subject, iri(_RDFS + "seeAlso"), iri(f"{public_url}/queries/{query.name}")
    for prefix, namespace in query.prefixes.items():
        declaration = iri(f"{BASE}query/{query.name}#prefix-{re.sub(r'[^A-Za-z0-9-]', '-', prefix) or 'default'}")
        yield subject, iri(_SH + "prefixes"), subject
        yield subject, iri(_SH + "declare"), declaration
        yield declaration, iri(_SH + "prefix"), literal(prefix)
        yield declaration, iri(_SH + "namespace"), literal(namespace, _XSD + "anyURI")
