"""A customer asks for another address: written down from the case, with when, by whom and where the proof lies."""

from __future__ import annotations

from datetime import datetime

from bufa.apps.cases import files
from bufa.apps.cases.actions import log
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.models import Case
from bufa.apps.orders import address_changes
from bufa.apps.orders.address_changes import NewAddress
from bufa.apps.orders.people import Plain
from bufa.domain.address_parser import ParsedAddress, Verdict, parse
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.lib import clock
from bufa.lib.divisions import divisions
from bufa.lib.tenancy import for_shops, writing

LIST_ALL = 6


def record(
    *,
    shop_id: int,
    case_id: int,
    text: str,
    said_at: datetime,
    proof_kind: str,
    proof: str,
    photo: tuple[str, bytes] | None,
    by: Actor,
    now: datetime | None = None,
) -> int:
    """Keep a changed address as the customer wrote it; its divisions must be sure. Returns the change's id.

    `photo`: a screenshot, kept with the case's files. Raises Refused: address_ambiguous (candidates), address_unknown,
    address_incomplete, change_from_the_future, and what files are refused for.
    """
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    new = _read(text)
    with writing([shop_id]):
        case = Case.objects.get(shop_id=shop_id, id=case_id)
        file_id = None
        if photo is not None:
            name, raw = photo
            file_id = files.add_file(shop_id=shop_id, case_id=case_id, name=name, raw=raw, by=by, now=now)
        change_id = address_changes.record(
            shop_id=shop_id,
            order_id=case.order_id,
            new=new,
            said_at=said_at,
            proof_kind=proof_kind or ("file" if file_id else ""),
            proof=proof,
            proof_file=file_id,
            by=by.ref,
            by_name=by.name,
            now=now,
        )
        place = new.province + ("" if new.city == new.province else new.city) + new.district
        told = {"place": place, "proof": proof_kind or ("file" if file_id else ""), "said_at": said_at.isoformat()}
        log(shop_id=shop_id, case_id=case_id, kind="address_changed", by=by, now=now, data=told)
        return change_id


def take_back(*, shop_id: int, case_id: int, change_id: int, by: Actor, now: datetime | None = None) -> None:
    """The entry was wrong. Raises Refused("change_not_here") for another order's, or the platform's own."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with for_shops([shop_id]):
        order_id = Case.objects.values_list("order_id", flat=True).get(shop_id=shop_id, id=case_id)
    known = {one.change_id for one in address_changes.of_orders(shop_id, [order_id]).get(order_id, ())}
    if change_id not in known:
        raise Refused("change_not_here")
    with writing([shop_id]):
        address_changes.take_back(shop_id=shop_id, change_id=change_id, by=by.ref, by_name=by.name, now=now)
        log(shop_id=shop_id, case_id=case_id, kind="address_change_back", by=by, now=now)


def _read(text: str) -> NewAddress:
    read: ParsedAddress = parse(text, divisions())
    if read.verdict is Verdict.AMBIGUOUS:
        meant = [one.province + one.city.removeprefix(one.province) + one.district for one in read.candidates]
        raise Refused("address_ambiguous", candidates=meant[:LIST_ALL])
    if read.verdict is not Verdict.OK:
        raise Refused("address_unknown")
    if not read.detail:
        raise Refused("address_without_detail")
    phone = f"{read.phone}-{read.extension}" if read.extension else read.phone
    return NewAddress(Plain(read.name, phone, read.detail), read.province, read.city, read.district, read.town)
