"""Recipients: what is sealed, what is masked, what can be found again without being readable."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from bufa.apps.orders.models import Recipient
from bufa.domain.addresses import normalise_phone, normalise_recipient
from bufa.integrations.ports import RecipientFact
from bufa.lib import crypto


@dataclass(frozen=True, slots=True)
class Plain:
    """A recipient in plain text, held only while it is used."""

    name: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    email: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.name or self.phone or self.address or self.email)


def plain_of(fact: RecipientFact) -> Plain:
    return Plain(fact.name.strip(), fact.phone.strip(), fact.address.strip(), fact.email.strip())


def seal_plain(shop_id: int, order_id: int, plain: Plain) -> bytes:
    said = {"name": plain.name, "phone": plain.phone, "address": plain.address, "email": plain.email}
    return crypto.seal(shop_id, json.dumps(said, ensure_ascii=False).encode(), where=_where(order_id))


def open_plain(row: Recipient) -> Plain:
    """The sealed recipient; empty where no file or customer gave one."""
    if not row.plain:
        return Plain()
    return Plain(**json.loads(crypto.unseal(row.shop_id, row.plain, where=_where(row.order_id))))


def recipient_index(shop_id: int, name: str, phone: str, province: str, city: str, district: str, detail: str) -> str:
    """Blind index of a whole recipient: equal for the same person at the same address, however it is written. "" when
    a part of it is not known."""
    if not (name and phone and detail):
        return ""
    text = normalise_recipient(name, phone, province, city, district, detail)
    return crypto.blind(shop_id, text, purpose="recipient")


def phone_index(shop_id: int, phone: str) -> str:
    digits = normalise_phone(phone)
    return crypto.blind(shop_id, digits, purpose="phone") if len(digits) >= 7 else ""


def phone_tail_index(shop_id: int, phone_or_mask: str) -> str:
    """Of the last four digits, also where only a mask such as 138****5678 is known."""
    tail = phone_tail(phone_or_mask)
    return crypto.blind(shop_id, tail, purpose="phone_tail") if tail else ""


def phone_tail(phone_or_mask: str) -> str:
    """The last four digits of a phone or of its mask, "" when the mask hides them.

    A platform's virtual number is "main-extension": carriers know it by the four digits of the extension.
    """
    text = phone_or_mask.strip()
    return text[-4:] if len(text) >= 4 and text[-4:].isdigit() else ""


def mask_name(name: str) -> str:
    return f"{name[0]}{'*' * min(max(len(name) - 1, 1), 3)}" if name else ""


def mask_phone(phone: str) -> str:
    digits = normalise_phone(phone)
    if len(digits) < 7:
        return "*" * len(digits)
    return f"{digits[:3]}{'*' * (len(digits) - 7)}{digits[-4:]}" if len(digits) > 7 else f"***{digits[-4:]}"


def _where(order_id: int) -> str:
    return f"orders_recipient.plain:{order_id}"
