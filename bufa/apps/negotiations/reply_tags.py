"""The tag in the address that carriers answer to: it finds its case, or the incident that a mail was about, and only we
can make it."""

from __future__ import annotations

import hmac
import re

from bufa.apps.shops import queries as shops
from bufa.lib.crypto import blind

_TAG = re.compile(r"\+c(\d{1,15})\.([0-9a-f]{24})@")
_ROUND_TAG = re.compile(r"\+(i-\d{8}-\d{2,6})\.([0-9a-f]{24})@", re.IGNORECASE)


def reply_to(shop_id: int, case_id: int, sender: str) -> str:
    """The address to answer to; "" where the shop's mail server takes no tags (`name+tag@…`), as many don't."""
    return _tagged(shop_id, sender, f"c{case_id}.{_token(shop_id, case_id)}")


def reply_to_round(shop_id: int, code: str, sender: str) -> str:
    """The same for a mail about an incident's parcels; `code` is the incident's."""
    return _tagged(shop_id, sender, f"{code.lower()}.{_round_token(shop_id, code)}")


def incident_of(shop_id: int, address: str) -> str:
    """The code of the incident that an address was made for, "" for one that we did not make."""
    tag = _ROUND_TAG.search(address)
    if tag is None or not hmac.compare_digest(tag[2].lower(), _round_token(shop_id, tag[1])):
        return ""
    return tag[1].upper()


def _tagged(shop_id: int, sender: str, tag: str) -> str:
    connection = shops.connection(shop_id, "smtp")
    local, _, domain = sender.partition("@")
    if connection is None or not connection.settings.get("reply_tags") or not domain:
        return ""
    return f"{local}+{tag}@{domain}"


def case_of(shop_id: int, address: str) -> int | None:
    """The case that an address was made for, None for one that we did not make."""
    tag = _TAG.search(address)
    if tag is None or not hmac.compare_digest(tag[2], _token(shop_id, int(tag[1]))):
        return None
    return int(tag[1])


def _token(shop_id: int, case_id: int) -> str:
    return blind(shop_id, f"case:{case_id}", purpose="mail_reply")[:24]


def _round_token(shop_id: int, code: str) -> str:
    return blind(shop_id, f"incident:{code.upper()}", purpose="mail_reply")[:24]
