"""Where a query does not parse, from the words of the engine's parser."""

import re

_PLACE = re.compile(r"(?:error )?at (\d+):(\d+): ")
_SHOWN = 200


def described(message: str) -> tuple[str, int | None, int | None]:
    """Return one sentence with the place, and the line and column, counted from 1, where the parser names them.

    >>> described("error at 1:23: expected one of (, [, _")
    ('line 1, column 23: expected one of (, [, _', 1, 23)
    """
    text = " ".join(message.split())
    place = _PLACE.match(text)
    rest = text[place.end() :] if place else text
    shown = rest if len(rest) <= _SHOWN else rest[:_SHOWN] + " …"
    if place is None:
        return shown, None, None
    return f"line {place[1]}, column {place[2]}: {shown}", int(place[1]), int(place[2])
