"""Sealing what must not be read in a stolen table: buyers' data, raw messages, credentials.

AES-256-GCM-SIV with a key per shop (HKDF-SHA256 from the master key). The cipher text is bound to its shop and place
(`where`, by habit "table.column:row"), so that moving it to another row or shop makes it unreadable. GCM-SIV keeps
its promise even if a nonce should ever repeat.

Form: one version byte (1), 12 bytes nonce, cipher text with its 16-byte tag.
"""

from __future__ import annotations

import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bufa.lib.places import secret_file

_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16


class Unreadable(ValueError):
    """Sealed bytes that do not open: tampered with, cut off, of another shop, place or master key."""


def seal(shop_id: int, plain: bytes, *, where: str) -> bytes:
    """Encrypt for one shop and place."""
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + _cipher(shop_id).encrypt(nonce, plain, _bound_to(shop_id, where))


def unseal(shop_id: int, sealed: bytes | memoryview, *, where: str) -> bytes:
    """Decrypt what `seal` made for the same shop and place. Raises Unreadable for anything else."""
    raw = bytes(sealed)
    if raw[:1] != _VERSION or len(raw) < 1 + _NONCE_BYTES + _TAG_BYTES:
        raise Unreadable("not sealed by this version")
    nonce, body = raw[1 : 1 + _NONCE_BYTES], raw[1 + _NONCE_BYTES :]
    try:
        return _cipher(shop_id).decrypt(nonce, body, _bound_to(shop_id, where))
    except InvalidTag:
        raise Unreadable(f"does not open at {where} of shop {shop_id}") from None


def blind(shop_id: int, text: str, *, purpose: str) -> str:
    """A keyed digest (64 hex digits): equal texts of one shop and purpose can be found without being stored.

    The caller normalises the text first. Shop 0 is the key for what all shops share.
    """
    return hmac.digest(_key(shop_id, f"blind|{purpose}"), text.encode(), "sha256").hex()


def check_master_key() -> None:
    """Raise ValueError or OSError when the master key is missing or malformed; for the doctor and for start-up."""
    _master()


def forget_keys() -> None:
    """Drop keys held in memory, after the master key has changed."""
    _master.cache_clear()
    _key.cache_clear()
    _cipher.cache_clear()


def _bound_to(shop_id: int, where: str) -> bytes:
    return f"{shop_id}|{where}".encode()


@lru_cache(maxsize=1)
def _master() -> bytes:
    if given := os.environ.get("BUFA_MASTER_KEY"):
        key = bytes.fromhex(given)
        if len(key) != 32:
            raise ValueError("BUFA_MASTER_KEY must be 64 hex digits")
        return key
    key = secret_file("master.key")
    if len(key) != 32:
        raise ValueError("the file master.key must hold 64 hex digits")
    return key


@lru_cache(maxsize=4096)
def _key(shop_id: int, use: str) -> bytes:
    info = f"bufa|{use}|{shop_id}".encode()
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(_master())


@lru_cache(maxsize=4096)
def _cipher(shop_id: int) -> AESGCMSIV:
    return AESGCMSIV(_key(shop_id, "seal"))
