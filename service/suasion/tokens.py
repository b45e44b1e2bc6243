"""Who may write: bearer tokens (RFC 6750), of which a file holds the names and digests, never the tokens."""

import hmac
import os
import re
import secrets
from hashlib import sha256
from pathlib import Path

from starlette.types import Scope

from suasion.errors import DataError, NotReady, Unauthorized
from suasion.settings import Settings

_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})[ \t]+sha256:([0-9a-f]{64})")
_BEARER = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*) *")
_WRITABLE_BY_ALL = 0o002
_Stamp = tuple[int, int, int]


class Tokens:
    """The tokens of a file, which is read again when it changes."""

    def __init__(self, path: Path) -> None:
        """Read the file. Raises DataError, naming the line, for one that is missing or malformed, or that anyone may write."""
        self._path = path
        self._stamp = _stamp(path)
        self._digests = _read(path)

    def holder(self, scope: Scope) -> str:
        """Return the name of the token that a request brings.

        Raises Unauthorized (401) for none or a wrong one, and NotReady (503) while the file has a fault.
        """
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if not given:
            raise Unauthorized("Writing needs a token: send Authorization: Bearer and the token.")
        bearer = _BEARER.fullmatch(given[0]) if len(given) == 1 else None
        digest = sha256(bearer[1] if bearer else b"").hexdigest()
        found = ""
        for known, name in self._current().items():  # all of them, so that the time tells nothing
            found = name if hmac.compare_digest(known, digest) else found
        if not bearer or not found:
            raise Unauthorized("The token is not known here: ask the operator for one.", {"error": "invalid_token"})
        return found

    def _current(self) -> dict[str, str]:
        try:
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                self._digests = _read(self._path)
                self._stamp = stamp
        except DataError as error:
            raise NotReady("The file of tokens has a fault, so nobody may write until the operator mends it.") from error
        return self._digests


def opened(settings: Settings) -> Tokens | None:
    """Return the tokens that the settings name; None where nothing can be written.

    Raises DataError as `Tokens` does, and for one of the settings writable and tokens without the other.
    """
    if bool(settings.writable) != bool(settings.tokens):
        missing, way = (
            ("--tokens", "make one with `suasion token NAME`") if settings.writable else ("--writable", "name its folder")
        )
        raise DataError(f"--writable and --tokens go together: {missing} is missing: {way}.")
    return Tokens(Path(settings.tokens)) if settings.tokens else None


def generated(name: str) -> tuple[str, str]:
    """Return a new random token of 256 bits and the line that makes it known. Raises DataError for a name of bad form."""
    token = secrets.token_urlsafe(32)
    line = f"{name} sha256:{sha256(token.encode()).hexdigest()}"
    if not _LINE.fullmatch(line):
        raise DataError(f"{name!r} is no name of a token: give up to 64 letters, digits, dots, hyphens and underscores.")
    return token, line


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    if status.st_mode & _WRITABLE_BY_ALL:
        raise DataError(f"{path}: anyone may write to it, and so give themselves a token: chmod 600 it.")
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read(path: Path) -> dict[str, str]:
    """Return names by digests."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not UTF-8.") from error
    names: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if not match:
            form = "NAME sha256: and 64 lower-case hexadecimal digits, never the token itself"
            raise DataError(f"{path}, line {number}: a line is {form}: `suasion token NAME` prints one.")
        if match[1] in names.values() or match[2] in names:
            raise DataError(f"{path}, line {number}: the name or its digest stands there twice: remove one of the lines.")
        names[match[2]] = match[1]
    return names


def _unreadable(path: Path, error: OSError) -> DataError:
    reason = (error.strerror or os.strerror(error.errno or 0)).lower()
    return DataError(f"{path}: {reason}: name a file of tokens that this user may read.")
