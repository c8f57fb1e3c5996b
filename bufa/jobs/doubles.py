"""The double-delivery guard: a lead's choice, and what follows from it in the other rooms, each by its own front door.

Only here all rooms are known to each other. What can be taken back is taken back together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bufa.apps.cases import actions as cases
from bufa.apps.cases import doubles, putting_off
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.page import case_page
from bufa.apps.cases.shapes import CaseView
from bufa.apps.claims import actions as claim_actions
from bufa.apps.claims import queries as claims
from bufa.apps.effects import actions as effects
from bufa.apps.negotiations import actions as negotiations
from bufa.apps.negotiations import queries as talks
from bufa.apps.notices import actions as notices
from bufa.apps.parcels.queries import outlook
from bufa.apps.parcels.views import ParcelView
from bufa.apps.shops import stock
from bufa.apps.shops.stock import Goods
from bufa.domain import double_delivery
from bufa.domain.carrier_messages import Ask
from bufa.domain.cases import Purpose
from bufa.domain.claims import ClaimAct, ClaimState
from bufa.domain.double_delivery import PAID, Option, Side, Way
from bufa.domain.kinds import Stage
from bufa.domain.notices import Channel
from bufa.domain.outcome import Refused
from bufa.domain.permissions import Permission, check
from bufa.lib import clock
from bufa.lib.tenancy import writing

ANSWER_WITHIN = timedelta(hours=12)
_TOLD = {Way.REFUSE_ONE: Purpose.REFUSE_ONE, Way.KEEP_BOTH: Purpose.KEEP_BOTH}


@dataclass(frozen=True, slots=True)
class Double:
    """Both parcels beside each other, and what can be done."""

    original: ParcelView
    reissue: ParcelView
    original_by: datetime | None
    reissue_by: datetime | None
    options: tuple[Option, ...]
    proposed: Way | None

    def option(self, way: Way) -> Option:
        return next(one for one in self.options if one.way is way)


def compare(found: CaseView, now: datetime) -> Double | None:
    """The two parcels of a case, None where no reissue is or was on its way beside the first."""
    if not found.reissue_parcels:
        return None
    original, reissue = found.original, found.reissue_parcels[-1]
    goods = sum(line.paid_fen for line in found.order.lines)
    sides = [Side(Stage(box.stage), _expected(box, now)) for box in (original, reissue)]
    wished = any(one.source == "customer" and one.wish == "intercept" for one in found.statements)
    recall = found.recall_fen
    options = double_delivery.options(sides[0], sides[1], goods_fen=goods, recall_fen=recall, wished=wished)
    return Double(original, reissue, sides[0].expected, sides[1].expected, options, double_delivery.proposed(options))


def choose(
    *, shop_id: int, code: str, way: Way, by: Actor, accept_penalty: bool = False, now: datetime | None = None
) -> None:
    """The lead's choice. Raises Refused: not_allowed, no_two_parcels, chosen_already, recall_not_wished, and the way's
    own reason."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.APPROVE_MEASURE)
    with writing([shop_id]):
        found = case_page(shop_id, code, by.role, now)
        double = compare(found, now) if found is not None else None
        if found is None or double is None:
            raise Refused("no_two_parcels")
        case_id = found.row.case_id
        if there := doubles.of_case(shop_id, case_id).get("choice"):
            raise Refused("chosen_already", way=there.way)
        double_delivery.check(double.option(way), accept_penalty=accept_penalty)
        done: dict[str, Any] = {"findings": doubles.standing(shop_id, double.original.parcel_id)}
        for finding_id in done["findings"]:
            putting_off.dismiss(shop_id=shop_id, finding_id=finding_id, by=by, reason=f"double:{way.value}", now=now)
        done |= _claim_off(shop_id, case_id, double.original, by, now)
        if way in _TOLD:
            done["notice"] = _tell(shop_id, case_id, _TOLD[way], by, now)
        if way in (Way.STOP_ORIGINAL, Way.STOP_REISSUE):
            box = double.original if way is Way.STOP_ORIGINAL else double.reissue
            done |= _stop(shop_id, case_id, box, by, now)
        doubles.keep(shop_id=shop_id, case_id=case_id, kind="choice", way=way.value, done=done, by=by, now=now)


def undo(*, shop_id: int, case_id: int, by: Actor, now: datetime | None = None) -> bool:
    """Take the choice back: finding and claim stand again, what has not left yet does not leave. False: a message or a
    mail had left already, so that people must be told in another way. Raises Refused `double_not_chosen`."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.APPROVE_MEASURE)
    with writing([shop_id]):
        chosen = doubles.undo(shop_id=shop_id, case_id=case_id, kind="choice", by=by, now=now)
        for finding_id in chosen.done.get("findings", []):
            try:
                putting_off.bring_back(shop_id=shop_id, finding_id=finding_id, by=by, now=now)
            except Refused:
                continue  # it is over by itself
        _claim_on(shop_id, chosen.done, by, now)
        stopped = True
        if (notice := chosen.done.get("notice")) is not None:
            try:
                notices.take_back(shop_id=shop_id, notice_id=notice, by=by, now=now)
            except Refused:
                stopped = False
        if (effect := chosen.done.get("effect")) is not None:
            stopped = effects.cancel(shop_id=shop_id, effect_id=effect, by=by.name) and stopped
        return stopped


def goods_back(*, shop_id: int, code: str, by: Actor, now: datetime | None = None) -> int:
    """The first parcel is in our hands again: its goods go back to the shelf, its claim is put right. Returns how many
    pieces. Raises Refused: not_returned, chosen_already."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        found = case_page(shop_id, code, by.role, now)
        if found is None or found.original.stage != Stage.RETURNED:
            raise Refused("not_returned")
        case_id, pieces = found.row.case_id, _contents(found)
        if "goods" in doubles.of_case(shop_id, case_id):
            raise Refused("chosen_already", way="")
        kept = stock.bring_in(shop_id=shop_id, subject=f"case:{case_id}", goods=pieces, by=by.ref, now=now)
        done: dict[str, Any] = {"pieces": sum(pieces.values()), "items": kept}
        done |= _claim_off(shop_id, case_id, found.original, by, now)
        doubles.keep(shop_id=shop_id, case_id=case_id, kind="goods", way="", done=done, by=by, now=now)
        return sum(pieces.values())


def goods_out_again(*, shop_id: int, case_id: int, by: Actor, now: datetime | None = None) -> None:
    """Pressed by mistake. Raises Refused: double_not_chosen, stock_below_reserved where they are promised now."""
    now = now or clock.now()
    if by.role is not None:
        check(by.role, Permission.WORK_CASE)
    with writing([shop_id]):
        chosen = doubles.undo(shop_id=shop_id, case_id=case_id, kind="goods", by=by, now=now)
        items = {int(item): int(count) for item, count in chosen.done.get("items", [])}
        stock.take_out(shop_id=shop_id, subject=f"case:{case_id}", items=items, by=by.ref, now=now)
        _claim_on(shop_id, chosen.done, by, now)


# --- inside ----------------------------------------------------------------------------------------------------------


def _expected(box: ParcelView, now: datetime) -> datetime | None:
    seen = outlook(box, now)
    return seen.eta.p90 if seen is not None and seen.credible else None


def _contents(found: CaseView) -> dict[Goods, int]:
    """What the first parcel held: its own contents, else the whole order."""
    lines = {line.line_id: line for line in found.order.lines}
    held = found.original.contents or tuple((line.line_id, line.quantity) for line in found.order.lines)
    counted: dict[Goods, int] = {}
    for line_id, count in held:
        if line := lines.get(line_id):
            goods = Goods(line.sku_id, line.title, line.spec)
            counted[goods] = counted.get(goods, 0) + count
    return counted


def _claim_off(shop_id: int, case_id: int, original: ParcelView, by: Actor, now: datetime) -> dict[str, Any]:
    """What was asked of the carrier for a loss that is none: given up; where it has paid, noted to be asked back."""
    for claim in claims.of_case(shop_id, case_id):
        if claim.number != original.number:
            continue
        state = ClaimState(claim.state)
        if state in PAID and claim.kind in ("lost", "stalled", "not_picked_up"):
            data = {"amount_fen": claim.paid_fen, "carrier": claim.carrier}
            cases.log(shop_id=shop_id, case_id=case_id, kind="charge_back", by=by, now=now, data=data)
            return {"charge_back_fen": claim.paid_fen}
        if double_delivery.claim_act(state, claim.kind) is not None:
            moved = {"shop_id": shop_id, "claim_id": claim.claim_id, "by": by, "now": now}
            claim_actions.act(**moved, act=ClaimAct.WAIVE, reason="原件又出现了")  # type: ignore[arg-type]
            return {"claim": claim.claim_id}
    return {}


def _claim_on(shop_id: int, done: Any, by: Actor, now: datetime) -> None:
    if (claim_id := done.get("claim")) is None:
        return
    try:
        claim_actions.act(shop_id=shop_id, claim_id=claim_id, act=ClaimAct.REOPEN, by=by, reason="撤销", now=now)
    except Refused:
        return  # it has moved on meanwhile


def _tell(shop_id: int, case_id: int, purpose: Purpose, by: Actor, now: datetime) -> int | None:
    """By the first channel that is open; a call where none is. None: the customer was told so in this round before."""
    for channel in (Channel.SMS, Channel.EMAIL, Channel.PHONE):
        try:
            return notices.send(shop_id=shop_id, case_id=case_id, channel=channel, purpose=purpose, by=by, now=now)
        except Refused as refused:
            if refused.why.code == "already_told":
                return None
            if channel is Channel.PHONE:
                raise
    return None


def _stop(shop_id: int, case_id: int, box: ParcelView, by: Actor, now: datetime) -> dict[str, Any]:
    """The carrier of that parcel is asked to stop it; without a contact a person does it, with the number to copy."""
    contacts = talks.contacts_for(shop_id, box.carrier, box.place)
    if contacts:
        try:
            asked = negotiations.ask_carrier(
                shop_id=shop_id,
                case_id=case_id,
                contact_id=contacts[0].contact_id,
                by=by,
                ask=Ask.INTERCEPT,
                parcel_id=box.parcel_id,
                answer_due=now + ANSWER_WITHIN,
                now=now,
            )
            return {"effect": asked.effect_id, "number": box.number}
        except Refused as refused:
            if refused.why.code not in ("no_mail_sender", "action_not_here"):
                raise
    return {"by_hand": True, "number": box.number}
