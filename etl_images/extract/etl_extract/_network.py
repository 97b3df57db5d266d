"""Connects to web servers, and to no address inside that nobody has named.

A name is resolved once, each of its addresses is judged, and the connection goes to one that was judged: a name
server that answers differently a moment later changes nothing.
"""

import ipaddress
import socket
import ssl
from collections.abc import Iterable
from pathlib import Path

import httpcore
import httpx

from etl_extract._connection import Origin


class Forbidden(Exception):
    """The address lies inside, and nobody has named it."""


class Transport(httpx.HTTPTransport):
    """Sends requests to public addresses, and to origins and hosts that the author names.

    Args:
        named: where requests may go, be the address public or not.
        hosts: further hosts of which that is true, at any port.
        ca: certificates to trust beside the system's.
    """

    def __init__(self, named: Iterable[Origin], hosts: Iterable[str], ca: Path | None = None) -> None:
        context = httpx.create_ssl_context(trust_env=False)
        if ca is not None:
            context.load_verify_locations(cafile=ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=2,
            network_backend=_Backend(set(named), {host.lower() for host in hosts}),
        )


class _Backend(httpcore.SyncBackend):
    def __init__(self, named: set[Origin], hosts: set[str]) -> None:
        self._named = {(origin.host, origin.port) for origin in named}
        self._hosts = hosts

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers, if all may be reached."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"there is no host '{host}': {error}") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if (host.lower(), port) not in self._named and host.lower() not in self._hosts:
            for address in addresses:
                if not is_public(address):
                    raise Forbidden(f"{host}:{port} is {address}, an address inside")
        for address in addresses[:-1]:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return super().connect_tcp(addresses[-1], port, timeout, local_address, socket_options)


def is_public(address: str) -> bool:
    """Say whether an address is one of the internet's, also where IPv6 wraps one of IPv4."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    inner = None
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in ipaddress.ip_network("64:ff9b::/96"):  # NAT64
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    judged = inner or ip
    return judged.is_global and not judged.is_multicast
