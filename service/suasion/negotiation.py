"""Content negotiation and conditions (RFC 9110, sections 12 and 13): media types, best first, and entity tags."""

import re
from functools import lru_cache
from hashlib import sha256

import mimeparse
from starlette.requests import Request

from suasion.errors import NotAcceptable

_RANGE = re.compile(r"\*/\*|[\w!#$%&'+.^`|~-]+/(?:\*|[\w!#$%&'+.^`|~-]+)", re.ASCII)
Range = tuple[str, str, dict[str, str]]
"""A media range as mimeparse gives it: type, subtype, and parameters with q among them."""


def accept(request: Request) -> str:
    """Return what a request accepts: several headers are one list (RFC 9110, section 5.3)."""
    return ", ".join(request.headers.getlist("accept"))


@lru_cache(maxsize=512)  # clients send few different headers, and reading one takes longer than a light query
def ranked(accept: str, offered: tuple[str, ...], aliases: tuple[tuple[str, tuple[str, ...]], ...] = ()) -> tuple[str, ...]:
    """Return the offered media types that a client accepts, its preference first, then ours.

    Who accepts an alias by its name accepts the types that it stands for, unless it names those too.

    >>> ranked("text/csv;q=0.5, application/json", ("application/json", "text/csv"))
    ('application/json', 'text/csv')

    Raises NotAcceptable for a header that cannot be read.
    """
    try:
        ranges = [mimeparse.parse_media_range(one) for one in _elements(accept.lower() or "*/*")]
    except ValueError:
        ranges = []
    if not ranges or not all(_RANGE.fullmatch(f"{kind}/{subtype}") for kind, subtype, _ in ranges):
        raise NotAcceptable(f"The header Accept: {accept[:80]!r} cannot be read: list media types, such as {offered[0]}.")
    found = {media_type: _match(media_type, ranges) for media_type in offered}
    for alias, types in aliases:
        exact, quality = _match(alias, ranges)
        for media_type in types:
            if exact and media_type in found and not found[media_type][0]:
                found[media_type] = False, max(quality, found[media_type][1])
    quality_of = {media_type: quality for media_type, (_, quality) in found.items()}
    return tuple(sorted((t for t in offered if quality_of[t] > 0), key=lambda t: -quality_of[t]))


def _elements(header: str) -> list[str]:
    """Return the elements of a list, without empty ones; a comma in quotes parts nothing (RFC 9110, section 5.6.1)."""
    parts = [""]
    quoted = escaped = False
    for character in header:
        if character == "," and not quoted:
            parts.append("")
            continue
        parts[-1] += character
        quoted ^= character == '"' and not escaped
        escaped = quoted and character == "\\" and not escaped
    return [part for part in parts if part.strip()]


def _match(media_type: str, ranges: list[Range]) -> tuple[bool, float]:
    """Return whether a range names a media type in full, and the quality of the one that fits best; 0 when none does.

    A parameter that we do not send makes a range fit less, and does not rule it out: few clients mean it so.
    """
    kind, _, subtype = media_type.partition("/")
    best = (-1, -1, 0), 0.0
    for range_kind, range_subtype, parameters in ranges:
        if range_kind in (kind, "*") and range_subtype in (subtype, "*"):
            ours = kind == "text" and parameters.get("charset") == "utf-8"
            foreign = len(parameters) - 1 - ours
            fit = range_kind == kind, range_subtype == subtype, ours - 2 * foreign
            best = max(best, (fit, float(parameters["q"])))
    return best[0][1] == 1, best[1]


def best(accept: str, offered: tuple[str, ...]) -> str:
    """Return the one media type to answer with.

    Raises NotAcceptable, listing what is offered.
    """
    fitting = ranked(accept, offered)
    if not fitting:
        raise NotAcceptable(f"This resource is offered as {', '.join(offered)}.", {"offered": list(offered)})
    return fitting[0]


def entity_tag(known: bytes) -> str:
    """Return the entity tag of what these bytes tell apart, weak because it is the same for each content coding."""
    return f'W/"{sha256(known).hexdigest()[:32]}"'


def matches(if_none_match: str, tag: str) -> bool:
    """Say whether a client that sends this If-None-Match has what the tag stands for (RFC 9110, section 13.1.2: weakly)."""
    tags = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return "*" in tags or tag.removeprefix("W/") in tags
