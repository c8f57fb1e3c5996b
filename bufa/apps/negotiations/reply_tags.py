"""The tag in the address that carriers answer to: it finds its case, and only we can make it."""

from __future__ import annotations

import hmac
import re

from bufa.apps.shops import queries as shops
from bufa.lib.crypto import blind

_TAG = re.compile(r"\+c(\d{1,15})\.([0-9a-f]{24})@")


def reply_to(shop_id: int, case_id: int, sender: str) -> str:
    """The address to answer to; "" where the shop's mail server takes no tags (`name+tag@…`), as many don't."""
    connection = shops.connection(shop_id, "smtp")
    local, _, domain = sender.partition("@")
    if connection is None or not connection.settings.get("reply_tags") or not domain:
        return ""
    return f"{local}+c{case_id}.{_token(shop_id, case_id)}@{domain}"


def case_of(shop_id: int, address: str) -> int | None:
    """The case that an address was made for, None for one that we did not make."""
    tag = _TAG.search(address)
    if tag is None or not hmac.compare_digest(tag[2], _token(shop_id, int(tag[1]))):
        return None
    return int(tag[1])


def _token(shop_id: int, case_id: int) -> str:
    return blind(shop_id, f"case:{case_id}", purpose="mail_reply")[:24]
