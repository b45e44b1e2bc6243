"""RDF that a client sends, into a graph of a store: strictly, with the same limits as files; in a candidate only."""

import io
from pathlib import Path

import pyoxigraph as ox

from suasion import files
from suasion.errors import BadDocument, DataFileError
from suasion.exchange import Document

FORMATS = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "application/ld+json": ox.RdfFormat.JSON_LD,
}


def add(store: ox.Store, document: Document, graph: ox.NamedNode | ox.DefaultGraph, base: str) -> None:
    """Add the triples of a document to a graph; its blank nodes are those of no other document.

    `base` (IRI) is what relative IRIs are resolved against. Raises BadDocument with place and remedy; the store then holds
    a part of the document and has to be thrown away.
    """
    format_ = FORMATS[document.media_type]
    try:
        if scan := files.scan(Path(document.name), format_):
            scan(document.body)
            scan(b"")
        if format_ == ox.RdfFormat.JSON_LD:  # the one of them that has named graphs
            parsed = ox.parse(document.body, format=format_, base_iri=base, without_named_graphs=True, rename_blank_nodes=True)
            store.bulk_extend(ox.Quad(quad.subject, quad.predicate, quad.object, graph) for quad in parsed)
        else:
            store.bulk_load(input=document.body, format=format_, base_iri=base, to_graph=graph)
    except SyntaxError as error:
        line = error.lineno
        if line is None and format_ == ox.RdfFormat.RDF_XML:
            line = files.line_of_fault(io.BytesIO(document.body), format_, base)
        raise BadDocument(files.fault(document.name, error, line), {"line": line}) from error
    except DataFileError as error:
        raise BadDocument(str(error)) from error
