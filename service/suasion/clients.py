"""Who a request comes from, as far as the proxies in front can be trusted."""

import ipaddress
from collections.abc import MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
_KEY = "client_address"
_MOST_HOPS = 32


def client_address(scope: Scope) -> str:
    """Return the IP address of the client: the one that `note_client` found, else the peer of the connection."""
    noted = scope.get("state", {}).get(_KEY)
    return str(noted) if noted else _peer(scope)


def note_client(scope: Scope, trusted_proxies: int) -> None:
    """Find the client of a request and keep it in `scope["state"]`, where `client_address` reads it.

    Each proxy appends the address that it saw to X-Forwarded-For. With n trusted proxies the client is the n-th address
    from the end; what stands before it was written by the client and is worth nothing. With 0 the header is not read.
    """
    address = _peer(scope)
    if trusted_proxies:
        values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        seen = [_address(part) for part in ",".join(values).rsplit(",", _MOST_HOPS)[-trusted_proxies:]]
        for before in reversed(seen):
            if not before:
                break
            address = before
    scope.setdefault("state", {})[_KEY] = address


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return _address(client[0]) or str(client[0]) if client else ""


def _address(text: str) -> str:
    """Return an address without port and brackets, in its usual form; "" for what is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)
