"""What endpoints answered to SERVICE clauses, written into the query as VALUES; runs in a worker process only."""

import re
from hashlib import sha256

import pyoxigraph as ox

from suasion.errors import AnswerTooLarge, RemoteFailed
from suasion.exchange import Question, Service
from suasion.prefixes import BASE

MOST_DEPTH = 32
_JSON = re.compile(rb'"(?:[^"\\]|\\.)*+\\?(?:"|\Z)|[\[{\]}]', re.DOTALL)
_OPENING = frozenset((b"[", b"{"))


def inlined(question: Question) -> tuple[str, dict[str, list[str]]]:
    """Return the query of a question with the solutions of its SERVICE clauses, and what failed silently.

    That is a table with the endpoints that have no solutions here (silently), and those of them that sent no whole result
    (broken); empty when nothing failed.

    A clause that may fail, and did, has one empty solution, as SPARQL 1.1 Federated Query says in section 3.1. A blank node
    becomes an IRI of its own (RDF 1.1, section 3.5): it joins with nothing here.

    Raises RemoteFailed for a body that is no whole SPARQL result, AnswerTooLarge for more rows than are allowed.
    """
    parts: list[str] = []
    silently: list[str] = []
    broken: list[str] = []
    before = 0
    for service in question.services:
        try:
            values = "" if service.failed else _values(service)
        except (RemoteFailed, AnswerTooLarge) as error:
            if not service.silent:
                raise
            values = ""
            broken += [service.endpoint] if isinstance(error, RemoteFailed) else []
        if not values:
            silently.append(service.endpoint)
        parts += (question.query[before : service.at], values)
        before = service.at
    told = {"silently": silently, "broken": broken} if silently else {}
    return "".join((*parts, question.query[before:])), told


def _values(service: Service) -> str:
    """Return the solutions of an endpoint as inline data: `VALUES (?a ?b) { (<urn:x> UNDEF) }`."""
    if _is_deep(service.body):
        raise _no_result(service)
    blank = f"{BASE}.well-known/genid/{sha256(service.endpoint.encode() + service.body).hexdigest()[:16]}-"
    try:
        results = ox.parse_query_results(service.body, format=ox.QueryResultsFormat.JSON)
        if isinstance(results, ox.QueryBoolean):
            raise _no_result(service)
        names = [variable.value for variable in results.variables]
        if not set(names) <= set(service.variables):
            raise _no_result(service)
        rows: list[str] = []
        for solution in results:
            if len(rows) == service.rows:
                remedy = "write a sub-SELECT with LIMIT inside SERVICE, or a narrower pattern"
                raise AnswerTooLarge(
                    f"{service.endpoint} has more than {service.rows:,} rows for its SERVICE clause: {remedy}.",
                    {"endpoint": service.endpoint, "limit_rows": service.rows},
                )
            rows.append(f"({' '.join('UNDEF' if term is None else _written(term, blank) for term in solution)})")
    except (SyntaxError, ValueError):
        raise _no_result(service) from None
    return f"VALUES ({' '.join('?' + name for name in names)}) {{ {' '.join(rows)} }}"


def _written(term: object, blank: str) -> str:
    """Return a term as SPARQL writes it; `blank` is what the IRIs of blank nodes begin with."""
    if isinstance(term, ox.BlankNode):
        return f"<{blank}{sha256(term.value.encode()).hexdigest()[:16]}>"
    if isinstance(term, ox.Triple):
        return f"<<( {' '.join(_written(part, blank) for part in (term.subject, term.predicate, term.object))} )>>"
    return str(term)


def _is_deep(body: bytes) -> bool:
    """Return whether a JSON text is nested deeper than any result needs; the parser would overflow its stack."""
    depth = 0
    for match in _JSON.finditer(body):
        mark = match.group()
        if mark in _OPENING:
            depth += 1
            if depth > MOST_DEPTH:
                return True
        elif mark[0] != 34:  # a quotation mark
            depth -= 1
    return False


def _no_result(service: Service) -> RemoteFailed:
    sentence = f"{service.endpoint} sent no result of a SELECT that can be read to its end: ask it directly to see what it says."
    return RemoteFailed(sentence, {"endpoint": service.endpoint})
