"""How long a client allows its query to take: the parameter timeout, the same over HTTP, for agents and in Python."""

from suasion.errors import BadParameter

LEAST_SECONDS = 0.1
"""A shorter time would end queries that are not even looked at yet: it is refused, instead of tried in vain."""


def seconds(text: str) -> float:
    """Return the seconds that a text names. Raises BadParameter (422) for what is no number, or less than the least."""
    try:
        found = float(text)
    except ValueError:
        found = 0
    if not found >= LEAST_SECONDS:  # nan is neither more nor less
        said = f"timeout is the seconds that the query may take: give one number, {LEAST_SECONDS:g} or more, such as 5."
        raise BadParameter(said, {"parameter": "timeout", "example": "timeout=5"})
    return found
