"""Recorded address changes: what the platform's order says is new, and what a customer asked a person here for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bufa.apps.audit import actions as audit
from bufa.apps.orders import people
from bufa.apps.orders.models import AddressChange, Recipient
from bufa.apps.orders.people import Plain
from bufa.domain.outcome import Refused
from bufa.lib import crypto
from bufa.lib.tenancy import reading, writing

PLATFORM, CUSTOMER = "platform", "customer"
PROOFS = ("chat", "call", "file")

_SHOWN = ("name_mask", "phone_mask", "address_mask", "province", "city", "district", "town")


@dataclass(frozen=True, slots=True)
class NewAddress:
    """Where a customer wants it, read into fields; the rest of the recipient may stay as the order has it ("")."""

    plain: Plain
    province: str
    city: str
    district: str
    town: str = ""


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One change as the pages show it: places and masks. `in_order`: the platform's order says the same by now."""

    change_id: int
    order_id: int
    source: str
    said_at: datetime
    recorded_at: datetime
    by: str
    proof_kind: str
    proof_file: int | None
    name_mask: str
    phone_mask: str
    address_mask: str
    province: str
    city: str
    district: str
    town: str
    was: dict[str, str]
    in_order: bool
    taken_back: bool

    @property
    def has_proof(self) -> bool:
        return bool(self.proof_kind)

    @property
    def place(self) -> str:
        city = self.city if self.city != self.province else ""
        return f"{self.province}{city}{self.district}{self.town}"


def by_platform(row: Recipient, there: Recipient, now: datetime) -> AddressChange:
    """The change that an order's update brings; the caller stores it together with the recipient."""
    return AddressChange(
        shop_id=row.shop_id,
        order_id=row.order_id,
        source=PLATFORM,
        said_at=now,
        recorded_at=now,
        by=PLATFORM,
        proof_kind=PLATFORM,
        open_address_id=row.open_address_id,
        was=_shown(there),
        **_shown(row),
    )


def record(
    *,
    shop_id: int,
    order_id: int,
    new: NewAddress,
    said_at: datetime,
    proof_kind: str,
    proof: str,
    proof_file: int | None,
    by: str,
    by_name: str,
    now: datetime,
) -> int:
    """Keep what the customer asked for; plain text only sealed. Returns its id.

    `proof`: in which chat, which call. Raises Refused("change_from_the_future"), and LookupError without recipient.
    """
    if said_at > now:
        raise Refused("change_from_the_future")
    with writing([shop_id]):
        there = Recipient.objects.filter(shop_id=shop_id, order_id=order_id).first()
        if there is None:
            raise LookupError(f"order {order_id} has no recipient")
        kept = people.open_plain(there)
        plain = Plain(
            new.plain.name or kept.name, new.plain.phone or kept.phone, new.plain.address or kept.address, kept.email
        )
        row = AddressChange(
            shop_id=shop_id,
            order_id=order_id,
            source=CUSTOMER,
            said_at=said_at,
            recorded_at=now,
            by=by_name[:80],
            proof_kind=proof_kind if proof_kind in PROOFS else "",
            proof_file=proof_file,
            name_mask=people.mask_name(new.plain.name) or there.name_mask,
            phone_mask=people.mask_phone(new.plain.phone) or there.phone_mask,
            address_mask=_mask_detail(new.plain.address),
            province=new.province[:30],
            city=new.city[:30],
            district=new.district[:30],
            town=new.town[:60],
            blind_index=people.recipient_index(
                shop_id, plain.name, plain.phone, new.province, new.city, new.district, plain.address
            ),
            was=_shown(there),
        )
        row.save()
        told = {"name": new.plain.name, "phone": new.plain.phone, "address": new.plain.address, "proof": proof[:500]}
        row.sealed = crypto.seal(shop_id, json.dumps(told, ensure_ascii=False).encode(), where=_where(row.pk))
        row.save(update_fields=["sealed"])
        audit.record(shop_id, by, "address.change", f"order:{order_id}", {"change": row.pk, "proof": row.proof_kind})
        return row.pk


def take_back(*, shop_id: int, change_id: int, by: str, by_name: str, now: datetime) -> None:
    """It was entered wrongly: it holds no more. Raises Refused("change_not_here") for the platform's own."""
    with writing([shop_id]):
        rows = AddressChange.objects.select_for_update().filter(shop_id=shop_id, id=change_id, source=CUSTOMER)
        row = rows.filter(taken_back_at=None).first()
        if row is None:
            raise Refused("change_not_here")
        row.taken_back_at, row.taken_back_by = now, by_name[:80]
        row.save(update_fields=["taken_back_at", "taken_back_by"])
        audit.record(shop_id, by, "address.change_back", f"order:{row.order_id}", {"change": change_id})


def of_orders(shop_id: int, order_ids: Sequence[int]) -> dict[int, tuple[ChangeView, ...]]:
    """Changes by order, oldest first; two queries however many orders."""
    with reading([shop_id]):
        rows = list(AddressChange.objects.filter(shop_id=shop_id, order_id__in=order_ids).order_by("id"))
        wanted = [row.order_id for row in rows]
        people_there = {
            one.order_id: one for one in Recipient.objects.filter(shop_id=shop_id, order_id__in=wanted) if wanted
        }
    found: dict[int, tuple[ChangeView, ...]] = {}
    for row in rows:
        found[row.order_id] = (*found.get(row.order_id, ()), _view(row, people_there.get(row.order_id)))
    return found


def newest_unknown(changes: Sequence[ChangeView]) -> ChangeView | None:
    """The customer's last word, unless the platform's order has changed since or says the same by now."""
    there = [one for one in changes if not one.taken_back]
    newest = there[-1] if there else None
    return newest if newest and newest.source == CUSTOMER and not newest.in_order else None


def open_change(shop_id: int, change_id: int) -> tuple[Plain, str]:
    """What was sealed: the recipient where the customer named one, and the words of the proof. The caller logs why it
    looks."""
    with reading([shop_id]):
        row = AddressChange.objects.get(shop_id=shop_id, id=change_id)
        if not row.sealed:
            return Plain(), ""
        told: dict[str, str] = json.loads(crypto.unseal(shop_id, bytes(row.sealed), where=_where(row.pk)))
        return Plain(told["name"], told["phone"], told["address"]), told["proof"]


# --- inside ----------------------------------------------------------------------------------------------------------


def _shown(row: Any) -> dict[str, str]:
    return {name: getattr(row, name) for name in _SHOWN}


def _mask_detail(detail: str) -> str:
    """The street stays readable, the door does not: `望江路 8 号 3-502` → `望江路****`."""
    if not detail:
        return ""
    kept = detail[: min(3, len(detail) // 2)]
    return f"{kept}****"


def _view(row: AddressChange, recipient: Recipient | None) -> ChangeView:
    same_id = bool(row.open_address_id) and recipient is not None and row.open_address_id == recipient.open_address_id
    same_person = bool(row.blind_index) and recipient is not None and row.blind_index == recipient.blind_index
    return ChangeView(
        change_id=row.pk,
        order_id=row.order_id,
        source=row.source,
        said_at=row.said_at,
        recorded_at=row.recorded_at,
        by=row.by,
        proof_kind=row.proof_kind,
        proof_file=row.proof_file,
        **_shown(row),
        was=row.was,
        in_order=same_id or same_person,
        taken_back=row.taken_back_at is not None,
    )


def _where(change_id: int) -> str:
    return f"orders_addresschange.sealed:{change_id}"
