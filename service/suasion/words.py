"""From text to the words that a search compares: case, accents, width and the dots of initialisms make no difference.

Folding is NFKC, full case folding, and the marks of Latin, Greek, Cyrillic, Hebrew and Arabic taken off (Unicode Standard
Annex 15; The Unicode Standard 3.13). Scripts that are written without spaces are split into characters.
"""

import re
import unicodedata

# Thai, Lao, Tibetan, Burmese, Khmer; Han, kana, bopomofo and hangul.
_SPACELESS = (
    "\u0e00-\u0eff\u0f00-\u0f0a\u0f18-\u0fbc\u1000-\u109f\u1780-\u17d3\u17e0-\u17f9"
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303b\u3041-\u309a\u309d-\u309f\u30a1-\u30fa"
    "\u30fc-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7fb\uf900-\ufaff\U00020000-\U0003ffff"
)
# Vowel signs and the like, without which words of these scripts fall apart.
_MARKS = "\u06d6-\u06ed\u0711\u0730-\u074a\u07a6-\u07b0\u0900-\u0963\u0966-\u0dff"
_ACCENT = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
)
_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ı": "i", "ð": "d", "ħ": "h", "æ": "ae", "œ": "oe", "þ": "th", "“": '"', "”": '"', "’": "'"}
    | dict.fromkeys("\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0e\ufe0f")
)
_INITIALS = re.compile(r"(?<![\w.])[^\W\d_](?:\.[^\W\d_])+\.?(?!\w)")
_POSSESSIVE = re.compile(r"(?<=\w)'s(?!\w)")
_CHARACTER = re.compile(f"[{_SPACELESS}]")
_TOKEN = re.compile(f"{_CHARACTER.pattern}|(?:[^\\W_{_SPACELESS}]|[{_MARKS}])+")


def tokens(text: str) -> list[str]:
    """Return the words of a text, folded; characters instead of words in scripts without spaces.

    >>> tokens("Alliance Française (U.S.), 日本")
    ['alliance', 'francaise', 'us', '日', '本']
    """
    return _TOKEN.findall(_folded(text))


def units(text: str) -> list[tuple[str, ...]]:
    """Return what a search text asks for: single words, and runs of words that belong together.

    A run is what stands in double quotes, or side by side in a script without spaces.

    >>> units('"soft power" 日本 aid')
    [('soft', 'power'), ('日', '本'), ('aid',)]
    """
    parts = _folded(text).split('"')
    found: list[tuple[str, ...]] = []
    for number, part in enumerate(parts):
        quoted = number % 2 == 1 and number < len(parts) - 1
        run: list[str] = []
        end = -1  # of the character before, in a script without spaces
        for match in _TOKEN.finditer(part):
            alone = spaceless(match[0])
            joined = quoted or (alone and match.start() == end)
            if run and not joined:
                found.append(tuple(run))
                run = []
            run.append(match[0])
            end = match.end() if alone else -1
        if run:
            found.append(tuple(run))
    return found


def spaceless(token: str) -> bool:
    """Return whether a token is a character of a script without spaces."""
    return _CHARACTER.fullmatch(token) is not None


def _folded(text: str) -> str:
    if text.isascii():
        folded = text.lower()
    else:
        folded = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
        folded = unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFD", folded)))
    if "." in folded:
        folded = _INITIALS.sub(lambda match: match[0].replace(".", ""), folded)
    return _POSSESSIVE.sub("", folded) if "'" in folded else folded
