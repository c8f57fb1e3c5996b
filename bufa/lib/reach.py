"""Where this installation may connect to: addresses of the open internet, and what the operator of the machine allows.

A member of a shop types in the addresses of their mail server and their provider. On a machine that serves many shops
such an address must not lead into the machine's own network: its metadata service, its database, a neighbour's desk.
So a name is resolved once, every address that it stands for must be public, and the connection goes to that very
address; a name that answers differently the next time changes nothing.

`BUFA_REACH` allows more: networks (`10.0.0.0/8`) and addresses with commas, or `any`. Under a simulated clock the
world stands on this machine, so its own addresses are allowed there. Free of Django, because providers use it.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Sequence
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LOOPBACK = "127.0.0.0/8,::1"
_ALL_OF_IPV6 = ipaddress.IPv6Network("2000::/3")  # what was ever given to anybody
# Not private by name, yet nobody's public host: shared address space (a cloud's metadata lives there), benchmarking,
# 6to4 and Teredo, documentation, multicast, reserved.
_NEVER: tuple[Network, ...] = tuple(
    ipaddress.ip_network(one)
    for one in (
        "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
        "2001::/32", "2001:2::/48", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip


class OutOfBounds(Exception):
    """An address that this installation does not connect to. Nothing was sent."""


def addresses(host: str, port: int, *, resolve: Callable[..., Sequence[tuple[object, ...]]] | None = None) -> list[str]:
    """The addresses of a host, checked. Raises OutOfBounds when one of them is not to be reached, OSError when the name
    stands for none."""
    found = (resolve or socket.getaddrinfo)(host.strip("[]"), port, type=socket.SOCK_STREAM)
    plain = list(dict.fromkeys(str(entry[4][0]) for entry in found))  # type: ignore[index]
    for one in plain:
        if not is_reachable(one):
            raise OutOfBounds(f"{host} leads to {one}, which is not on the open internet")
    if not plain:
        raise OSError(f"{host} stands for no address")
    return plain


def is_reachable(address: str) -> bool:
    """Whether this address may be connected to."""
    allowed = _allowed(os.environ.get("BUFA_REACH", ""), bool(os.environ.get("BUFA_CLOCK_URL")))
    if allowed is None:
        return True
    try:
        plain = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(plain, ipaddress.IPv6Address) and plain.ipv4_mapped:
        plain = plain.ipv4_mapped
    return _is_public(plain) or any(plain in network for network in allowed if network.version == plain.version)


def connect(host: str, port: int, timeout: float | None) -> socket.socket:
    """An open socket to the first address of a host that answers. Raises OutOfBounds and OSError."""
    last: OSError | None = None
    for one in addresses(host, port):
        try:
            return socket.create_connection((one, port), timeout)
        except OSError as error:
            last = error
    raise last or OSError(f"{host} stands for no address")


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _ALL_OF_IPV6:
        return False
    special = any(address in network for network in _NEVER if network.version == address.version)
    return address.is_global and not special


@lru_cache(maxsize=8)
def _allowed(said: str, simulated: bool) -> tuple[Network, ...] | None:
    """The networks allowed beside the public ones; None for any. Raises ValueError for what is no network."""
    words = [word.strip() for word in said.split(",") if word.strip()]
    if "any" in words:
        return None
    words += _LOOPBACK.split(",") if simulated else []
    return tuple(ipaddress.ip_network(word, strict=False) for word in words)
