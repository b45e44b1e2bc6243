"""The listening socket: how it is bound, and how it takes no newcomers without losing one that it took already (Linux).

The kernel completes connections by itself and keeps them until they are accepted. Whoever closes the socket has them reset,
and between the last look and the close there is always room for one more. A filter in the kernel leaves no such room.
"""

import ctypes
import select
import socket
import struct
from contextlib import suppress

from suasion.errors import DataError

_SO_ATTACH_FILTER = 26
# Classic BPF on a TCP segment, each step (code, jump if true, jump if false, constant): load the byte of flags; keep SYN and
# ACK of it; where SYN stands alone, which asks for a new connection, drop the segment; else keep the whole.
_ONLY_KNOWN = ((0x30, 0, 0, 13), (0x54, 0, 0, 0x12), (0x15, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address. Raises DataError when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
        # Connections inherit it; asyncio sets it itself only where the socket was made with the protocol number of TCP.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except (OSError, UnicodeError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise DataError(f"{host}, port {port}: {reason}: choose another with --host and --port.") from error


def take_no_newcomers(listener: socket.socket) -> None:
    """Let the kernel drop requests for new connections: who asks is not refused, and asks again a second later.

    Connections that are complete, or about to be, still come. Where the kernel has no filters nothing changes.
    """
    steps = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _ONLY_KNOWN))
    program = struct.pack("HP", len(_ONLY_KNOWN), ctypes.addressof(steps))
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def has_waiting(listener: socket.socket) -> bool:
    """Say whether a connection waits to be accepted."""
    return bool(select.select([listener], [], [], 0)[0])
