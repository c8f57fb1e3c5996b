"""DingTalk's signature: the secret is the key, and also part of the message."""

from __future__ import annotations

import base64
import hashlib
import hmac


def sign(secret: str, millis: int) -> str:
    """As it goes into the query, before it is escaped there."""
    digest = hmac.new(secret.encode(), f"{millis}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
