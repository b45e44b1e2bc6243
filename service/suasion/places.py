"""Where the IRIs of ours are served: the path of an IRI, and the IRI of a path."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from suasion.prefixes import BASE

_SAFE = "/:@!$&'()*+,;=~%"
_PATH = re.compile(r"[^\x00-\x20<>\"{}|\\^`?#]+")
_ESCAPED = re.compile(rb"(?:%[89A-Fa-f][0-9A-Fa-f])+")


@dataclass(frozen=True, slots=True)
class Places:
    """The paths of a service whose things have IRIs that begin with `namespace`; they are described below /doc/.

    What else begins with our base has its path at the service as well, where a bundle is served.
    """

    namespace: str
    bundle: bool

    def of(self, iri: str) -> str:
        """Return the path at which an IRI of ours is served, or "" for other IRIs.

        >>> Places("https://w3id.org/suasion/id/", True).of("https://w3id.org/suasion/id/actor/japan")
        '/doc/actor/japan'
        """
        if iri.startswith(self.namespace) and _PATH.fullmatch(rest := iri.removeprefix(self.namespace)):
            return "/doc/" + quote(rest, safe=_SAFE)
        if self.bundle and iri.startswith(BASE):
            return "/" + quote(iri.removeprefix(BASE), safe=_SAFE + "#")
        return ""

    def link(self, iri: str) -> str:
        """Return where a reader is led by an IRI: a path here, an address on the web, or nowhere ("")."""
        return self.of(iri) or (iri if iri.startswith(("https://", "http://")) else "")

    def thing(self, path: bytes) -> str | None:
        """Return the IRI of the thing that a percent-encoded path names, None where no IRI can be made of it.

        Escapes of ASCII are kept: they are part of an IRI (RFC 3987, section 3.1).
        """
        try:
            rest = _ESCAPED.sub(lambda found: bytes.fromhex(found[0].replace(b"%", b"").decode()), path).decode("utf-8")
        except UnicodeDecodeError:
            return None
        return self.namespace + rest if _PATH.fullmatch(rest) else None
