"""Readers of what providers send, and the one exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.integrations import registry, wire
from bufa.integrations.ports import ProviderError
from tests.integrations.support import Keeper, Wire


@pytest.mark.parametrize(
    ("told", "read"),
    [
        (" a ", "a"),
        (7, "7"),
        (7.0, "7"),
        (7085126861562380588, "7085126861562380588"),
        (None, ""),
        (True, ""),
        ([], ""),
    ],
)
def test_text(told, read):
    assert wire.text(told) == read


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("12", 12),
        (" -3 ", -3),
        (4.0, 4),
        ("4.5", 0),
        ("", 0),
        (None, 0),
        ("１２", 0),
        ("-", 0),
        ("9" * 5000, 0),
        ({}, 0),
    ],
)
def test_number(told, read):
    assert wire.number(told) == read


@pytest.mark.parametrize(
    ("told", "read"),
    [
        (1772330400, datetime(2026, 3, 1, 2, 0, tzinfo=UTC)),
        ("1772330400000", datetime(2026, 3, 1, 2, 0, tzinfo=UTC)),
        (0, None),
        (-5, None),
        ("161324234234", None),
        (10**30, None),
        ("soon", None),
    ],
)
def test_instant(told, read):
    assert wire.instant(told) == read


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("2026-03-01 10:00:05", datetime(2026, 3, 1, 2, 0, 5, tzinfo=UTC)),
        ("2026/3/1 10:00:05", datetime(2026, 3, 1, 2, 0, 5, tzinfo=UTC)),
        ("2015-3-11 16:21:06", datetime(2015, 3, 11, 8, 21, 6, tzinfo=UTC)),
        ("2026-03-01 10:00", datetime(2026, 3, 1, 2, 0, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 2, 28, 16, 0, tzinfo=UTC)),
        ("2026-03-01T10:00:05+08:00", datetime(2026, 3, 1, 2, 0, 5, tzinfo=UTC)),
        ("2026-03-01T10:00:05Z", datetime(2026, 3, 1, 10, 0, 5, tzinfo=UTC)),
        ("2026-02-30 10:00:00", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_china_time(told, read):
    assert wire.china_time(told) == read


class Endless(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b"x" * 1_000_000


@pytest.mark.parametrize("changes", [True, False])
def test_an_answer_without_end_is_cut(changes):
    far = Wire(httpx.Response(200, stream=Endless()))
    with pytest.raises(ProviderError) as caught:
        wire.exchange(far.client, "http://x.test", changes=changes)
    assert (caught.value.why, caught.value.unknown) == ("cut", changes)


def test_an_address_that_is_none_is_never_asked():
    for url in ("http://[", "ftp://x.test", "nothing"):
        with pytest.raises(ProviderError) as caught:
            wire.exchange(httpx.Client(), url, changes=True)
        assert caught.value.unknown is False


def test_a_redirect_is_no_answer():
    far = Wire(httpx.Response(302, headers={"location": "http://elsewhere.test"}))
    with pytest.raises(ProviderError) as caught:
        wire.exchange(far.client, "http://x.test", changes=True)
    assert (caught.value.why, caught.value.code, caught.value.unknown) == ("http", "302", False)
    assert len(far.requests) == 1


SETTINGS = {
    ("platform", "doudian"): {"app_key": "1", "app_secret": "2"},
    ("tracking", "kuaidi100"): {"customer": "1", "key": "2"},
    ("tracking", "kdniao"): {"business_id": "1", "app_key": "2"},
    ("tracking", "17track"): {"key": "1"},
    ("mail", "smtp"): {"host": "127.0.0.1"},
    ("mailbox", "imap"): {"imap_host": "127.0.0.1"},
    ("message", "aliyun_sms"): {"key_id": "1", "key_secret": "2", "sign": "补发"},
    ("message", "tencent_sms"): {"secret_id": "1", "secret_key": "2", "app_id": "3", "sign": "补发"},
    ("message", "aliyun_voice"): {"key_id": "1", "key_secret": "2"},
    **{("robot", name): {"token": "1"} for name in ("wecom", "dingtalk", "feishu")},
}


def test_every_registered_provider_loads():
    for kind, found in registry.PROVIDERS.items():
        for name in found:
            beside = {"keeper": Keeper()} if kind == "platform" else {}
            assert registry.load(kind, name, SETTINGS[kind, name], **beside) is not None
            if kind not in ("mail", "mailbox", "robot"):
                assert callable(registry.load_push(kind, name, SETTINGS[kind, name]).verify)


def test_an_unknown_provider_is_named():
    with pytest.raises(registry.UnknownProvider, match="tracking:pigeon"):
        registry.load("tracking", "pigeon", {})
    assert registry.names("tracking") == ("kuaidi100", "kdniao", "17track")


@given(
    st.lists(
        st.sampled_from(
            [
                b"%E4%BD%A0", b"%", b"+", b"&", b"=", b"a", b"%2", b"%zz", b"%00", b'"', b"\\", b"\n", b"%ff",
                "你".encode(), b"%0a", b"\x01", b"%C3%A9", b";", b"%+1", b"% 1",
            ]
        ),
        max_size=9,
    ).map(b"".join)
)  # fmt: skip
def test_a_form_is_read_as_the_standard_library_reads_it(body: bytes) -> None:
    def read(reader: Callable[[bytes], dict[str, str]]) -> dict[str, str] | None:
        try:
            return reader(body)
        except ValueError:
            return None

    def slowly(told: bytes) -> dict[str, str]:
        fields = parse_qs(told.decode(), keep_blank_values=True, errors="strict", max_num_fields=50)
        return {name: values[0] for name, values in fields.items()}

    assert read(wire.form) == read(slowly)


def test_a_form_of_too_many_fields_is_none() -> None:
    with pytest.raises(ValueError, match="Max number"):
        wire.form(b"&".join([b"a=1"] * 51))
