"""Loaded by every Python process of a network test: notes and refuses what leaves the machine."""

import os
import sys
from pathlib import Path

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _watch(event: str, arguments: tuple) -> None:
    if event == "socket.connect":
        host = arguments[1][0] if isinstance(arguments[1], tuple) else None
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host is not None and host not in _LOOPBACK:
        with Path(os.environ["NOTED_CONNECTIONS"]).open("a") as noted:
            noted.write(f"{sys.argv[0]} {host}\n")
        raise PermissionError(host)


sys.addaudithook(_watch)
