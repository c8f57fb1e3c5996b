"""Sealing what must not be read in a stolen table: buyers' data, raw messages, credentials.

AES-256-GCM-SIV with a key per shop (HKDF-SHA256 from the master key). The cipher text is bound to its shop and place
(`where`, by habit "table.column:row"), so that moving it to another row or shop makes it unreadable. GCM-SIV keeps
its promise even if a nonce should ever repeat.

Form: one version byte (1, or 2 where the content was deflated first), 12 bytes nonce, cipher text with its 16-byte tag.
"""

from __future__ import annotations

import hmac
import os
import zlib
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bufa.lib.places import secret_file

_VERSION, _DEFLATED = b"\x01", b"\x02"
_NONCE_BYTES = 12
_TAG_BYTES = 16


class Unreadable(ValueError):
    """Sealed bytes that do not open: tampered with, cut off, of another shop, place or master key."""


def seal(shop_id: int, plain: bytes, *, where: str, deflate: bool = False) -> bytes:
    """Encrypt for one shop and place. `deflate`: make it small first; for what comes by the million, and only where the
    sender of it does not choose what stands beside it (its length then tells how often it repeats itself)."""
    nonce = os.urandom(_NONCE_BYTES)
    version, content = (_DEFLATED, zlib.compress(plain, 1)) if deflate else (_VERSION, plain)
    return version + nonce + _cipher(shop_id).encrypt(nonce, content, _bound_to(shop_id, where) + _mark(version))


def unseal(shop_id: int, sealed: bytes | memoryview, *, where: str) -> bytes:
    """Decrypt what `seal` made for the same shop and place. Raises Unreadable for anything else."""
    raw = bytes(sealed)
    version = raw[:1]
    if version not in (_VERSION, _DEFLATED) or len(raw) < 1 + _NONCE_BYTES + _TAG_BYTES:
        raise Unreadable("not sealed by this version")
    nonce, body = raw[1 : 1 + _NONCE_BYTES], raw[1 + _NONCE_BYTES :]
    try:
        content = _cipher(shop_id).decrypt(nonce, body, _bound_to(shop_id, where) + _mark(version))
    except InvalidTag:
        raise Unreadable(f"does not open at {where} of shop {shop_id}") from None
    return zlib.decompress(content) if version == _DEFLATED else content


def blind(shop_id: int, text: str, *, purpose: str) -> str:
    """A keyed digest (64 hex digits): equal texts of one shop and purpose can be found without being stored.

    The caller normalises the text first. Shop 0 is the key for what all shops share.
    """
    return hmac.digest(_key(shop_id, f"blind|{purpose}"), text.encode(), "sha256").hex()


def check_master_key() -> None:
    """Raise ValueError or OSError when the master key is missing or malformed; for the doctor and for start-up."""
    _master()


def fingerprint() -> str:
    """Names the master key without telling anything of it (16 hex digits): a backup says so which key opens it."""
    return hmac.digest(_key(0, "fingerprint"), b"bufa", "sha256").hex()[:16]


def forget_keys() -> None:
    """Drop keys held in memory, after the master key has changed."""
    _master.cache_clear()
    _key.cache_clear()
    _cipher.cache_clear()


def _mark(version: bytes) -> bytes:
    """Binds the version as well: a changed first byte must not change how the content is taken."""
    return b"" if version == _VERSION else b"|" + version


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
