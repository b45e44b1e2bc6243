"""Content negotiation and conditions (RFC 9110, sections 12 and 13): media types, best first, and entity tags."""

from functools import lru_cache

import mimeparse

from suasion.errors import NotAcceptable


@lru_cache(maxsize=512)  # clients send few different headers, and reading one takes longer than a light query
def ranked(accept: str, offered: tuple[str, ...]) -> tuple[str, ...]:
    """Return the offered media types that a client accepts, its preference first, then ours.

    >>> ranked("text/csv;q=0.5, application/json", ("application/json", "text/csv"))
    ('application/json', 'text/csv')

    Raises NotAcceptable for a header that cannot be read.
    """
    try:
        quality = {media_type: mimeparse.quality(media_type, accept.lower() or "*/*") for media_type in offered}
    except (mimeparse.MimeTypeParseException, ValueError):
        raise NotAcceptable(
            f"The header Accept: {accept[:80]!r} cannot be read: list media types, such as {offered[0]}."
        ) from None
    return tuple(sorted((t for t in offered if quality[t] > 0), key=lambda t: -quality[t]))


def best(accept: str, offered: tuple[str, ...]) -> str:
    """Return the one media type to answer with.

    Raises NotAcceptable, listing what is offered.
    """
    fitting = ranked(accept, offered)
    if not fitting:
        raise NotAcceptable(f"This resource is offered as {', '.join(offered)}.", {"offered": list(offered)})
    return fitting[0]


def matches(if_none_match: str, tag: str) -> bool:
    """Say whether a client that sends this If-None-Match has what the tag stands for (RFC 9110, section 13.1.2: weakly)."""
    tags = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return "*" in tags or tag.removeprefix("W/") in tags
