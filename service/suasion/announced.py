"""A uvicorn server that says its address once it listens."""

import socket

import uvicorn


class AnnouncedServer(uvicorn.Server):
    """Print the address that clients use, the real port also where port 0 asked for a free one."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then announce each listening socket."""
        await super().startup(sockets)
        for server in self.servers:
            for listener in server.sockets:
                host, port = listener.getsockname()[:2]
                print(f"Suasion answers at http://{f'[{host}]' if ':' in host else host}:{port}/", flush=True)
