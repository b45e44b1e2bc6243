"""In which formats a SPARQL request wants its answer: by the parameter `format`, else by the Accept header.

`output` and `results` are other names of `format`: clients such as SPARQLWrapper send all three, beside Accept, and each with a
short name and with media types. So their values are read as one list, as Accept is: what is not known is passed over as long as
something is.
"""

from collections.abc import Sequence

from suasion.errors import BadParameter
from suasion.exchange import GRAPH_TYPES, SOLUTION_TYPES
from suasion.negotiation import ranked

PARAMETERS = ("format", "output", "results")
ALIASES = (
    ("application/json", ("application/sparql-results+json", "application/ld+json")),
    ("application/xml", ("application/sparql-results+xml", "application/rdf+xml")),
    ("text/plain", ("application/n-triples",)),
)
"""Media types that stand for others, in Accept and in `format`."""
NAMES = {
    "json": ("application/sparql-results+json", "application/ld+json"),
    "xml": ("application/sparql-results+xml", "application/rdf+xml"),
    "csv": ("text/csv",),
    "tsv": ("text/tab-separated-values",),
    "turtle": ("text/turtle",),
    "ttl": ("text/turtle",),
    "n3": ("text/turtle",),
    "ntriples": ("application/n-triples",),
    "nt": ("application/n-triples",),
    "nquads": ("application/n-quads",),
    "nq": ("application/n-quads",),
    "trig": ("application/trig",),
    "rdf": ("application/rdf+xml",),
    "rdf+xml": ("application/rdf+xml",),
    "json-ld": ("application/ld+json",),
    "jsonld": ("application/ld+json",),
}
"""Short names in `format`: those that clients send, and the endings of files."""
_OFFERED = (*SOLUTION_TYPES, *GRAPH_TYPES)


def accepted(accept: str, named: Sequence[str]) -> tuple[str, ...]:
    """Return the media types that a client accepts, best first, from its Accept header and the values of PARAMETERS.

    >>> accepted("text/csv", ["json"])
    ('application/sparql-results+json', 'application/ld+json')

    Raises BadParameter (422) when no value is known, NotAcceptable (406) for a header that cannot be read.
    """
    if not named:
        return ranked(accept, _OFFERED, ALIASES)
    names = [one.strip().replace(" ", "+") for value in named for one in value.lower().split(",")]  # "+" is read as a blank
    known = {**dict(ALIASES), **NAMES}
    types = [t for name in names for t in known.get(name, (name,)) if t in _OFFERED]
    if not types:
        raise BadParameter(f"{', '.join(PARAMETERS)} take media types that are offered, or of {', '.join(NAMES)}.")
    return tuple(dict.fromkeys(types))
