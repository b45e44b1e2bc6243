"""SERVICE clauses: which endpoints an operator allows, and a query taken apart into its own part and those for endpoints.

The engine never sees SERVICE. Each clause gives way to an empty group, where a worker writes what the endpoint answered
(SPARQL 1.1 Federated Query, section 2.4: the clause is evaluated by itself, and its solutions are joined with the rest).
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

from suasion import gate
from suasion.errors import BadQuery, DataError

MOST_CLAUSES = 4
_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_MAPPED = re.compile(r"=(?=https?://)")
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?", re.IGNORECASE)
_VARIABLE = re.compile(r"[?$]([\w·\u0300-\u036f\u203f\u2040]+)")
_FORMS = frozenset(("SELECT", "ASK", "CONSTRUCT", "DESCRIBE"))
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ROWS = "    VALUES (?feature ?reference) {\n"
_FEATURE = "<http://www.w3.org/ns/sparql-service-description#BasicFederatedQuery>"


@dataclass(frozen=True, slots=True)
class Clause:
    """A SERVICE clause: where its solutions go in the rest of the query, and what its endpoint is asked.

    `at` counts code points; `variables` are the names that the block may have, without their mark.
    """

    at: int
    endpoint: str
    silent: bool
    query: str
    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def allowed(services: str) -> Mapping[str, str]:
    """Return the URL to ask for each endpoint IRI that a setting allows, `URL` or `IRI=URL` with spaces between.

    Raises DataError for what is no http or https URL of a host, or has a user or a fragment.
    """
    found: dict[str, str] = {}
    for item in services.split():
        iri, *mapped = _MAPPED.split(item, maxsplit=1)
        url = mapped[0] if mapped else iri
        for one in (iri, url):
            if not _is_endpoint(one):
                form = "give http:// or https://, a host and a path, without user or fragment"
                raise DataError(f"{item} cannot be an endpoint of SERVICE: {form}, or IRI=URL of two such.")
        found[iri] = url
    return found


def split(query: str, endpoints: Mapping[str, str], limits: gate.Limits) -> tuple[str, tuple[Clause, ...]]:
    r"""Return a query with an empty group in place of each SERVICE clause, and the clauses in their order.

    What is left, and each query for an endpoint, has to pass the gate still: it finds what hides a SERVICE behind \u escapes.
    Raises BadQuery for a variable or an endpoint that is not allowed after SERVICE, for SERVICE within SERVICE, for too many.
    """
    if not endpoints or len(query) > limits.characters or "SERVICE" not in query.upper():
        return query, ()  # what is wrong is for the gate to say
    tokens = tuple(_tokens(query))
    prologue, prefixes, form = _prologue(tokens)
    if form not in _FORMS:
        return query, ()
    rest: list[str] = []
    clauses: list[Clause] = []
    kept = length = index = 0
    while index < len(tokens):
        if not _is_word(tokens[index], "SERVICE"):
            index += 1
            continue
        start = tokens[index].start
        silent = index + 1 < len(tokens) and _is_word(tokens[index + 1], "SILENT")
        index += 1 + silent
        endpoint = _endpoint(tokens[index] if index < len(tokens) else None, prefixes, endpoints)
        opening, index = index + 1, _closing(tokens, index + 1)
        end = tokens[index - 1].end
        block = query[tokens[opening].start : end]
        variables = dict.fromkeys(_VARIABLE.findall(block))
        rest += (query[kept:start], "{", "\n" * query.count("\n", start, end), "}")
        length += len(rest[-4]) + 1
        clauses.append(Clause(length, endpoint, silent, f"{prologue}SELECT * WHERE {block}", tuple(variables)))
        length += len(rest[-2]) + 1
        kept = end
        if len(clauses) > MOST_CLAUSES:
            raise _refused(f"A query may have {MOST_CLAUSES} SERVICE clauses: split it.")
    for clause in clauses:
        gate.pass_through(clause.query, limits)
    return "".join((*rest, query[kept:])), tuple(clauses)


def described(description: str, endpoints: Mapping[str, str]) -> str:
    """Return the query that constructs the service description, with a row for each endpoint that SERVICE may reach."""
    assert _ROWS in description
    return description.replace(_ROWS, _ROWS + "".join(f"      ({_FEATURE} <{iri}>)\n" for iri in endpoints))


def _is_endpoint(url: str) -> bool:
    if not _URL.fullmatch(url) or url.count("://") > 1:
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return "@" not in parts.netloc and "#" not in url and (_is_address(host) or bool(_NAME.fullmatch(host)))


def _is_address(host: str) -> bool:
    """Return whether a host is an IP address in its usual form; forms such as 127.1 and 0x7f.1 are none."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def _tokens(query: str) -> Iterator[_Token]:
    for match in gate.TOKEN.finditer(query):
        kind = str(match.lastgroup)
        if kind == "unclosed":
            return  # no engine reads on here
        if kind != "space":
            yield _Token(kind, match.group(), match.start(), match.end())


def _is_word(token: _Token, word: str) -> bool:
    return token.kind == "word" and token.text.upper() == word


def _prologue(tokens: tuple[_Token, ...]) -> tuple[str, Mapping[str, str], str]:
    """Return BASE and PREFIX of a query as text, its prefixes with their IRIs, and the word after; VERSION is passed over."""
    form = ""
    words: list[str] = []
    prefixes: dict[str, str] = {}
    coming = iter(tokens)
    for token in coming:
        taken = {"PREFIX": 2, "BASE": 1, "VERSION": 1}.get(token.text.upper() if token.kind == "word" else "")
        if taken is None:
            form = token.text.upper()
            break
        operands = tuple(islice(coming, taken))
        word = token.text.upper()
        if word != "VERSION":
            if len(operands) < taken or operands[-1].text[0] != "<" or operands[0].kind != ("name" if taken == 2 else "term"):
                break  # no engine reads on here
            words += (word, *(one.text for one in operands))
        if word == "PREFIX":
            prefixes[operands[0].text] = operands[1].text[1:-1]
    return " ".join((*words, "")), prefixes, form


def _endpoint(token: _Token | None, prefixes: Mapping[str, str], endpoints: Mapping[str, str]) -> str:
    """Return the IRI after SERVICE, as allowed. Raises BadQuery."""
    text = token.text if token else ""
    if text[:1] in ("?", "$"):
        raise _refused("SERVICE takes an endpoint here, not a variable: name one.", endpoints)
    if token and token.kind == "name":
        prefix, _, local = text.partition(":")
        text = f"<{prefixes.get(prefix + ':', '')}{local}>"
    iri = text[1:-1] if text.startswith("<") and text.endswith(">") else ""
    if not _ABSOLUTE.match(iri):
        raise _refused("SERVICE is followed by the whole IRI of an endpoint, or a prefixed name of one.", endpoints)
    if iri not in endpoints:
        raise _refused(f"SERVICE is not allowed to reach {iri[:200]}.", endpoints)
    return iri


def _closing(tokens: tuple[_Token, ...], index: int) -> int:
    """Return the index after the block that begins at an index. Raises BadQuery."""
    if index >= len(tokens) or tokens[index].text != "{":
        raise _refused("SERVICE and its endpoint are followed by a block in braces.")
    depth = 0
    for place in range(index, len(tokens)):
        token = tokens[place]
        if _is_word(token, "SERVICE"):
            raise _refused("SERVICE does not stand within SERVICE here: ask one endpoint in each clause.")
        if token.kind == "other":
            depth += (token.text == "{") - (token.text == "}")
        if not depth:
            return place + 1
    raise _refused("The block of SERVICE is not closed.")


def _refused(sentence: str, endpoints: Mapping[str, str] | None = None) -> BadQuery:
    if endpoints is None:
        return BadQuery(sentence, {"limit": "service"})
    return BadQuery(f"{sentence} Allowed: {', '.join(endpoints)}.", {"limit": "service", "allowed_services": list(endpoints)})
