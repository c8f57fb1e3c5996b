"""The address of the customer's page: one for each case, without an account, for a time, taken back at will.

The secret half is worked out from the shop's key, the case and a serial number, so that each message of a case carries
the same address and nothing that opens it is stored: the table holds a digest. Taking an address back moves the serial
on; the old one never opens again.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from datetime import datetime, timedelta

from bufa.apps.audit import actions as audit
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.shapes import CaseRow
from bufa.apps.notices.models import CustomerLink
from bufa.domain.permissions import Permission, check
from bufa.lib import clock, crypto
from bufa.lib.tenancy import reading, writing

DAYS = 30
"""How long an address opens after it was last sent."""

PATH = "/m/"
_SECRET_BYTES = 12


@dataclass(frozen=True, slots=True)
class LinkView:
    """A case's address as the desk shows it. `path` is what comes after the desk's own address."""

    path: str
    serial: int
    made_at: datetime
    expires_at: datetime
    opened: int
    opened_at: datetime | None


def public_address() -> str:
    """Where customers reach the desk, "" when nobody has said."""
    return (os.environ.get("BUFA_PUBLIC_URL") or os.environ.get("BUFA_ADDRESS") or "").rstrip("/")


def customer_link(case: CaseRow) -> str | None:
    """The whole address of the case's page, for a message or its preview; None where the desk has no address of its
    own. It opens from the moment a message with it is made (`keep`)."""
    base = public_address()
    if not base:
        return None
    with reading([case.shop_id]):
        live = _live(case.shop_id, case.case_id, clock.now())
        serial = live.serial if live else _next_serial(case.shop_id, case.case_id)
    return base + path_of(case.shop_id, case.case_id, serial)


def keep(*, shop_id: int, case_id: int, now: datetime) -> str:
    """Let the case's address open from now on, for `DAYS`; returns its path. Called with every message that leaves."""
    with writing([shop_id]):
        row = _live(shop_id, case_id, now)
        if row is None:
            serial = _next_serial(shop_id, case_id)
            row = CustomerLink(
                shop_id=shop_id,
                case_id=case_id,
                serial=serial,
                digest=digest_of(secret_of(shop_id, case_id, serial)),
                made_at=now,
            )
        row.expires_at = now + timedelta(days=DAYS)
        row.save()
        return path_of(shop_id, case_id, row.serial)


def make(*, shop_id: int, case_id: int, by: Actor, now: datetime | None = None) -> str:
    """A person wants the address, to give it to the customer in some other way."""
    if by.role is not None:
        check(by.role, Permission.SEND_NOTICE)
    with writing([shop_id]):
        audit.record(shop_id, by.ref, "customer_link.make", f"case:{case_id}")
        return keep(shop_id=shop_id, case_id=case_id, now=now or clock.now())


def revoke(*, shop_id: int, case_id: int, by: Actor, now: datetime | None = None) -> bool:
    """The case's address shows nothing from now on; the next message carries another one. False: there was none."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.SEND_NOTICE)
    with writing([shop_id]):
        row = _live(shop_id, case_id, now)
        if row is None:
            return False
        row.revoked_at = now
        row.save(update_fields=["revoked_at"])
        audit.record(shop_id, by.ref, "customer_link.revoke", f"case:{case_id}", {"serial": row.serial})
        return True


def of_case(shop_id: int, case_id: int, now: datetime) -> LinkView | None:
    """The address that opens now, None where there is none."""
    with reading([shop_id]):
        row = _live(shop_id, case_id, now)
        if row is None:
            return None
        path = path_of(shop_id, case_id, row.serial)
        return LinkView(path, row.serial, row.made_at, row.expires_at, row.opened, row.opened_at)


def find(token: str, now: datetime) -> CustomerLink | None:
    """The row that a token opens, None for one that never was, has expired or was taken back. Inside `for_shops` of
    `shop_of(token)`."""
    shop_id, secret = split(token)
    row = CustomerLink.objects.filter(shop_id=shop_id, digest=digest_of(secret)).select_related("case").first()
    return row if row is not None and row.revoked_at is None and row.expires_at > now else None


def shop_of(token: str) -> int:
    """The shop that a token names, 0 for what is no token."""
    return split(token)[0]


def split(token: str) -> tuple[int, str]:
    shop, _, secret = token.partition("-")
    fits = shop.isdecimal() and shop.isascii() and 0 < len(shop) < 16 and 0 < len(secret) <= 40
    return (int(shop), secret) if fits else (0, "")


def path_of(shop_id: int, case_id: int, serial: int) -> str:
    return f"{PATH}{shop_id}-{secret_of(shop_id, case_id, serial)}/"


def secret_of(shop_id: int, case_id: int, serial: int) -> str:
    """96 bits that only the shop's key gives."""
    digest = bytes.fromhex(crypto.blind(shop_id, f"{case_id}:{serial}", purpose="customer_link"))
    return base64.urlsafe_b64encode(digest[:_SECRET_BYTES]).decode()


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _live(shop_id: int, case_id: int, now: datetime) -> CustomerLink | None:
    row = next((each for each in _rows(shop_id, case_id) if each.revoked_at is None), None)
    return row if row is not None and row.expires_at > now else None


def _next_serial(shop_id: int, case_id: int) -> int:
    return next((row.serial for row in _rows(shop_id, case_id)), 0) + 1


def _rows(shop_id: int, case_id: int) -> list[CustomerLink]:
    """All addresses that a case ever had, the newest first: one question, however much of it is asked."""
    return list(CustomerLink.objects.filter(shop_id=shop_id, case_id=case_id).order_by("-serial"))
