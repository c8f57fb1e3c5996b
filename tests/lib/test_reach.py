"""No address that a member types in leads into the machine's own network, however it is spelt, and no name does that
changes its mind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import httpx
import pytest

from bufa.integrations import wire
from bufa.integrations.messaging.imap import client as imap
from bufa.integrations.messaging.imap.settings import Settings as ImapSettings
from bufa.integrations.messaging.smtp import client as smtp
from bufa.integrations.messaging.smtp.settings import Settings as SmtpSettings
from bufa.integrations.ports import MailOut, ProviderError
from bufa.lib import http, reach

PRIVATE = (
    "127.0.0.1", "127.1.2.3", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1",  # noqa: S104
    "172.31.255.254", "192.168.0.1", "192.168.255.255", "169.254.169.254", "169.254.170.2", "169.254.0.1",
    "100.64.0.1", "100.100.100.200", "100.127.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "198.51.100.1",
    "203.0.113.1", "198.18.0.1", "198.19.255.255", "192.88.99.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::ffff:100.100.100.200", "fe80::1", "febf::1", "fc00::1", "fd00:ec2::254", "fdff::1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:1::1", "2001:db8::1",
    "2001:2::1", "100::1", "ff02::1", "ff0e::1", "fec0::1", "3fff::1", "::7f00:1", "5f00::1",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "8.8.8.8", "47.88.1.1", "223.5.5.5", "2606:4700::1111", "2400:3200::1", "::ffff:8.8.8.8")
SPELT = (
    "127.1", "127.0.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1", "0x7f.0x0.0x0.0x1", "0",
    "10.1", "0xa.0.0.1", "012.0.0.1", "167772161", "192.168.1", "0xc0a80001", "3232235521", "0xa9fea9fe", "2852039166",
    "169.254.43518", "0251.0376.0251.0376", "[::1]", "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]", "[::ffff:7f00:1]",
    "localhost", "LOCALHOST", "localhost.", "ip6-localhost", "[fe80::1%25lo]", "[::127.0.0.1]",
)  # fmt: skip


@pytest.fixture(autouse=True)
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BUFA_REACH")
    monkeypatch.delenv("BUFA_CLOCK_URL", raising=False)


@pytest.fixture
def listener() -> Iterator[tuple[int, list[Any]]]:
    """A port of this machine, and whoever connected to it."""
    came: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    came.append(server.accept())
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)
    for connection, _ in came:
        connection.close()


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_reached(address: str) -> None:
    assert not reach.is_reachable(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_ones_are(address: str) -> None:
    assert reach.is_reachable(address)


def test_no_spelling_of_an_address_gets_through(listener: tuple[int, list[Any]]) -> None:
    port, came = listener
    tried = 0
    with http.client() as client:
        for host in (*SPELT, *(f"[{one}]" if ":" in one else one for one in PRIVATE)):
            for scheme in ("http", "https"):
                with pytest.raises(ProviderError) as refused:
                    wire.exchange(client, f"{scheme}://{host}:{port}/", changes=True)
                # Nothing left, whatever the machine makes of the spelling: no name, no URL, or out of bounds.
                assert refused.value.why in {"out_of_bounds", "refused_connection", "input"}, host
                assert not refused.value.unknown
                tried += 1
    assert tried >= 120
    assert came == []


def test_a_name_that_changes_its_mind_is_connected_to_as_it_was_checked(
    listener: tuple[int, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Public when it is asked first, private ever after: there is no second asking."""
    port, came = listener
    asked: list[str] = []

    def rebinding(host: str, port: int, **more: object) -> list[tuple[object, ...]]:
        asked.append(host)
        address = "93.184.215.14" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    tried: list[tuple[str, int]] = []

    def connecting(address: tuple[str, int], *more: object, **named: object) -> socket.socket:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket, "create_connection", connecting)
    with http.client() as client, pytest.raises(httpx.ConnectError):
        client.get(f"http://rebinding.example:{port}/")
    assert (asked, tried, came) == (["rebinding.example"], [("93.184.215.14", port)], [])


def test_a_name_with_one_private_address_is_refused_whole() -> None:
    def both(host: str, port: int, **more: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", (one, port)) for one in ("93.184.215.14", "10.0.0.7")]

    with pytest.raises(reach.OutOfBounds, match=r"10\.0\.0\.7"):
        reach.addresses("mixed.example", 443, resolve=both)


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_mail_goes_nowhere_private_either(
    listener: tuple[int, list[Any]], security: Literal["none", "starttls", "tls"]
) -> None:
    port, came = listener
    out = smtp.Client(SmtpSettings("127.1", port, security))
    with pytest.raises(ProviderError) as refused:
        out.send(MailOut("<1@b.example>", "a@b.example", ("c@d.example",), "s", "t", sent_at=datetime.now(UTC)))
    assert refused.value.why == "out_of_bounds"
    with pytest.raises(ProviderError) as refused:
        imap.Client(ImapSettings("127.1", port, security)).check()
    assert refused.value.why == "out_of_bounds"
    assert came == []


def test_the_operator_of_the_machine_may_allow_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUFA_REACH", "10.1.0.0/16, 192.168.3.4,fd00::/8")
    assert [reach.is_reachable(one) for one in ("10.1.2.3", "10.2.0.1", "192.168.3.4", "192.168.3.5", "fd12::1")] == [
        True, False, True, False, True,
    ]  # fmt: skip
    monkeypatch.setenv("BUFA_REACH", "any")
    assert reach.is_reachable("127.0.0.1")
    monkeypatch.delenv("BUFA_REACH")
    monkeypatch.setenv("BUFA_CLOCK_URL", "http://127.0.0.1:1/clock")
    assert [reach.is_reachable(one) for one in ("127.0.0.1", "::1", "10.0.0.1")] == [True, True, False]
