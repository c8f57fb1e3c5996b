"""Feishu's signature: the text is the key and nothing is signed; the other way round than DingTalk's."""

from __future__ import annotations

import base64
import hashlib
import hmac


def sign(secret: str, seconds: int) -> str:
    """As it goes into the JSON body beside `timestamp`."""
    digest = hmac.new(f"{seconds}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
