"""Sealed bytes open for their shop and place, and nowhere else."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bufa.lib import crypto
from bufa.lib.crypto import Unreadable, blind, seal, unseal

WHERE = "inbox_message.body:17"


@pytest.fixture(autouse=True)
def own_keys(data_folder: Path) -> Iterator[None]:
    crypto.forget_keys()
    yield
    crypto.forget_keys()


def test_what_was_sealed_opens_again() -> None:
    sealed = seal(7, "李四 13800000000".encode(), where=WHERE)
    assert unseal(7, sealed, where=WHERE).decode() == "李四 13800000000"
    assert unseal(7, memoryview(sealed), where=WHERE).decode() == "李四 13800000000"
    assert sealed[0] == 1
    assert len(sealed) == 1 + 12 + len("李四 13800000000".encode()) + 16


def test_the_same_text_never_looks_the_same() -> None:
    assert seal(7, b"x", where=WHERE) != seal(7, b"x", where=WHERE)


@pytest.mark.parametrize(("shop_id", "where"), [(8, WHERE), (7, "inbox_message.body:18"), (7, "inbox_message.head:17")])
def test_another_shop_or_place_reads_nothing(shop_id: int, where: str) -> None:
    sealed = seal(7, b"x", where=WHERE)
    with pytest.raises(Unreadable):
        unseal(shop_id, sealed, where=where)


def test_any_changed_or_missing_byte_is_noticed() -> None:
    sealed = seal(7, b"abc", where=WHERE)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(Unreadable):
            unseal(7, bytes(changed), where=WHERE)
        with pytest.raises(Unreadable):
            unseal(7, sealed[:at], where=WHERE)


def test_another_master_key_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = seal(7, b"x", where=WHERE)
    monkeypatch.setenv("BUFA_MASTER_KEY", "00" * 32)
    crypto.forget_keys()
    with pytest.raises(Unreadable):
        unseal(7, sealed, where=WHERE)


def test_the_master_key_is_made_once_and_is_ours_alone(data_folder: Path) -> None:
    seal(7, b"x", where=WHERE)
    key = data_folder / "master.key"
    first = key.read_text()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(bytes.fromhex(first.strip())) == 32
    crypto.forget_keys()
    seal(7, b"y", where=WHERE)
    assert key.read_text() == first
    assert [path.name for path in data_folder.iterdir()] == ["master.key"]


@pytest.mark.parametrize("given_key", ["00", "zz" * 32])
def test_a_malformed_master_key_is_refused(given_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUFA_MASTER_KEY", given_key)
    with pytest.raises(ValueError):
        crypto.check_master_key()


def test_without_a_data_folder_there_is_no_key_to_lose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUFA_DATA", str(tmp_path / "missing"))
    with pytest.raises(FileNotFoundError):
        seal(7, b"x", where=WHERE)


@given(st.text(), st.text())
def test_blind_index_is_equal_exactly_for_equal_texts(one: str, other: str) -> None:
    with pytest.MonkeyPatch.context() as env:
        env.setenv("BUFA_MASTER_KEY", "11" * 32)
        crypto.forget_keys()
        assert (blind(7, one, purpose="phone") == blind(7, other, purpose="phone")) == (one == other)


def test_blind_index_differs_by_shop_and_purpose() -> None:
    digests = {blind(7, "x", purpose="phone"), blind(8, "x", purpose="phone"), blind(7, "x", purpose="name")}
    assert {len(digest) for digest in digests} == {64}
    assert len(digests) == 3


def test_what_is_deflated_is_smaller_opens_the_same_and_cannot_be_passed_off_as_the_other() -> None:
    plain = b"%E6%9D%AD%E5%B7%9E" * 200
    small = crypto.seal(1, plain, where="inbox", deflate=True)
    assert len(small) < len(plain) / 10
    assert crypto.unseal(1, small, where="inbox") == plain
    assert crypto.unseal(1, crypto.seal(1, b"", where="inbox", deflate=True), where="inbox") == b""
    for sealed in (small, crypto.seal(1, plain, where="inbox")):
        swapped = bytes([sealed[0] ^ 3]) + sealed[1:]
        with pytest.raises(crypto.Unreadable):
            crypto.unseal(1, swapped, where="inbox")
