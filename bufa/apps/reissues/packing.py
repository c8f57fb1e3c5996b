"""The packing table: reissues released to the warehouse, tied to their waybills by scans, and taken back.

A read changes at most one parcel, in one transaction, and says in one sentence what it did. Reading the same twice
changes nothing, so a read whose answer got lost may be sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bufa.apps.audit import actions as audit
from bufa.apps.cases.actors import Actor
from bufa.apps.orders.views import order_view
from bufa.apps.reissues import actions, booking, counting, packs
from bufa.apps.reissues.forms import ReissueForm, check_form, goods_wanted, open_draft
from bufa.apps.reissues.models import HandedParcel, Pack, Reissue, StationRead
from bufa.apps.shops import queries as shops
from bufa.apps.shops import stock
from bufa.domain.kinds import Role
from bufa.domain.outcome import Refused, Why
from bufa.domain.packing import (
    Read,
    Result,
    Scanned,
    Tone,
    carrier_of,
    result_from_json,
    result_to_json,
    what_is,
)
from bufa.domain.permissions import Permission, check, may
from bufa.domain.reissues import Answer
from bufa.lib import clock
from bufa.lib.tenancy import writing

OVER = ("rejected", "cancelled", "wrong", "delivered")
SUBMITS, ALARM_HOURS = "pack_submits", "handed_alarm_hours"
"""Keys of the shop's policy: whether a pack submits its number at once; when a parcel without a scan is shown."""

_READS_KEPT = timedelta(days=1)
_OF_NO_USE_HERE = ("stock_not_kept", "stock_not_counted", "range_not_asked", "range_waiting", "range_no_api")


@dataclass(frozen=True, slots=True)
class Released:
    """What came of releasing cases to the warehouse: our numbers by case, and why others were not."""

    codes: dict[int, str]
    refused: dict[int, Why]


def release(*, shop_id: int, case_ids: Sequence[int], by: Actor, now: datetime | None = None) -> Released:
    """Give each case its reissue number and keep its goods, so that it can be picked; one case's trouble is its own."""
    now = now or clock.now()
    _allowed(by)
    done = Released({}, {})
    for case_id in dict.fromkeys(case_ids):
        try:
            with writing([shop_id]):
                draft = open_draft(shop_id, case_id, now)
                reissue_id = actions.save_draft(shop_id=shop_id, case_id=case_id, form=draft.form, by=by, now=now)
                wanted = goods_wanted(draft.order, draft.form.items)
                stock.reserve(shop_id=shop_id, subject=actions.subject_of(reissue_id), wanted=wanted, now=now)
                done.codes[case_id] = Reissue.objects.values_list("code", flat=True).get(id=reissue_id)
        except Refused as refused:
            done.refused[case_id] = refused.why
    return done


def read(
    *,
    shop_id: int,
    text: str,
    open_id: int,
    by: Actor,
    carrier: str = "",
    key: str = "",
    now: datetime | None = None,
) -> Result:
    """What one read does. `open_id`: the reissue that lies on the table; `carrier`: chosen by a person where the
    number could be several carriers'; `key`: made by the page, so that the same read sent again changes nothing and is
    answered as before. Never raises Refused for what was read: the result says why not."""
    now = now or clock.now()
    _allowed(by)
    with writing([shop_id]):
        known = StationRead.objects.filter(shop_id=shop_id, key=key).first() if key else None
        if known is not None:
            return result_from_json(known.result)
        result = _read(shop_id, text, open_id, carrier, by, now)
        if key:
            StationRead.objects.create(shop_id=shop_id, key=key, result=result_to_json(result), at=now)
        return result


def _read(shop_id: int, text: str, open_id: int, carrier: str, by: Actor, now: datetime) -> Result:
    found = what_is(text)
    box = _on_the_table(shop_id, open_id)
    match found.read:
        case Read.UNDO if box is not None and box.counted:
            return counting.take_back(box)
        case Read.UNDO:
            return undo(shop_id=shop_id, by=by, now=now)
        case Read.REISSUE:
            StationRead.objects.filter(shop_id=shop_id, at__lt=now - _READS_KEPT).delete()
            return _open(shop_id, found.value, open_id)
        case Read.RECOUNT | Read.LABEL | Read.PIECE if box is None:
            return Result(Tone.BAD, Why("open_a_box_first"))
        case Read.RECOUNT if box is not None:
            return counting.afresh(box)
        case Read.LABEL if box is not None:
            return _book(box, by, now)
        case Read.PIECE if box is not None:
            return counting.add(box, [found.value])
    if box is not None and (lines := counting.lines_of_code(box, text)):
        return counting.add(box, lines)
    if (goods := stock.goods_by_barcode(shop_id, text)) is not None:
        why = "goods_not_in_box" if box is not None else "goods_without_box"
        return Result(Tone.BAD, Why(why, {"goods": goods.label, "code": box.code if box else ""}), open_id)
    if found.read is Read.WAYBILL:
        return _waybill(shop_id, found, open_id, carrier, by, now)
    return Result(Tone.BAD, Why(f"read_{found.read.value}", {"text": text[:40]}), open_id)


def undo(*, shop_id: int, by: Actor, pack_id: int = 0, now: datetime | None = None) -> Result:
    """Take back the last pack of this person (or the one named). A number that has left stays the parcel's number."""
    now = now or clock.now()
    _allowed(by)
    with writing([shop_id]):
        mine = Pack.objects.select_for_update(of=("self",)).filter(shop_id=shop_id, state="packed")
        mine = mine.filter(id=pack_id) if pack_id else mine.filter(operator_id=by.operator_id)
        pack = mine.order_by("-packed_at", "-id").first()
        if pack is None:
            return Result(Tone.SOFT, Why("nothing_to_undo"))
        if HandedParcel.objects.filter(
            shop_id=shop_id, pack=pack, taken_off_at=None, hand_over__state="closed"
        ).exists():
            return Result(Tone.BAD, Why("handed_over_already", {"number": pack.number}))
        row = Reissue.objects.select_for_update(of=("self",)).get(shop_id=shop_id, id=pack.reissue_id)
        return _undo(shop_id, pack, row, by, now)


def submit_packed(*, shop_id: int, reissue_id: int, by: Actor, now: datetime | None = None) -> actions.Submitted:
    """Submit the number of a box that was packed and waits. Raises what `actions.submit` raises."""
    now = now or clock.now()
    with writing([shop_id]):
        row = Reissue.objects.get(shop_id=shop_id, id=reissue_id)
        return actions.submit(shop_id=shop_id, case_id=row.case_id, form=_form(row), by=by, now=now)


# --- inside ----------------------------------------------------------------------------------------------------------


def _allowed(by: Actor) -> None:
    if by.role is not None:
        check(by.role, Permission.PACK)


def _on_the_table(shop_id: int, open_id: int) -> Reissue | None:
    """The open box, locked; None where none is open, or it is closed or over meanwhile."""
    if not open_id:
        return None
    rows = Reissue.objects.select_for_update(of=("self",)).select_related("case")
    row = rows.filter(shop_id=shop_id, id=open_id).exclude(state__in=OVER).first()
    return row if row is not None and packs.live(shop_id, row.pk) is None else None


def _book(row: Reissue, by: Actor, now: datetime) -> Result:
    """An e-waybill for the open box: its number comes into the draft, and is then the one to be read."""
    if row.number:
        return Result(Tone.SOFT, Why("expects_number", {"carrier": row.carrier, "number": row.number}), row.pk)
    try:
        booking.book(shop_id=row.shop_id, case_id=row.case_id, form=_form(row), by=by, now=now)
    except Refused as refused:
        return Result(Tone.BAD, refused.why, row.pk)
    return Result(Tone.GOOD, Why("label_on_its_way", {"carrier": row.carrier}), row.pk)


def _open(shop_id: int, code: str, open_id: int) -> Result:
    """Our number was read: what is to go into this box."""
    row = Reissue.objects.select_related("case", "parcel").filter(shop_id=shop_id, code=code).first()
    if row is None:
        return Result(Tone.BAD, Why("reissue_not_here", {"code": code}), open_id)
    if (pack := packs.live(shop_id, row.pk)) is not None:
        said = {"code": code, "number": pack.number, "carrier": pack.carrier}
        return Result(Tone.SOFT, Why("packed_already", said), open_id if open_id != row.pk else 0, pack_id=pack.pk)
    if row.state in OVER or (row.state == "draft" and row.case.state != "numbering"):
        return Result(Tone.BAD, Why("reissue_over", {"code": code, "reissue_state": row.state}), open_id)
    if row.parcel is not None and row.parcel.stage not in ("unshipped", "labelled"):
        return Result(Tone.BAD, Why("reissue_left", {"code": code, "stage": row.parcel.stage}), open_id)
    if row.pk == open_id:
        return Result(Tone.SOFT, Why("open_already", {"code": code}), open_id)
    pieces = sum(int(count) for _line, count in row.contents)
    more = [Why("expects_number", {"carrier": row.carrier, "number": row.number})] if row.number else []
    left = Reissue.objects.filter(shop_id=shop_id, id=open_id).values_list("code", flat=True).first()
    if left:
        more.append(Why("left_open", {"code": left}))
    return Result(
        Tone.SOFT if left else Tone.GOOD, Why("open_to_pack", {"code": code, "n": pieces}), row.pk, tuple(more)
    )


def _waybill(shop_id: int, found: Scanned, open_id: int, carrier: str, by: Actor, now: datetime) -> Result:
    number = found.value
    used = Pack.objects.filter(shop_id=shop_id, number=number, state="packed").select_related("reissue").first()
    if used is not None:
        said = {"code": used.reissue.code, "number": number, "carrier": used.carrier}
        if open_id and used.reissue_id != open_id:
            return Result(Tone.BAD, Why("waybill_of_another_box", said), open_id)
        return Result(Tone.SOFT, Why("packed_already", said), 0, pack_id=used.pk)
    row = (
        Reissue.objects.select_for_update(of=("self",)).filter(shop_id=shop_id, id=open_id).first() if open_id else None
    )
    owner = Reissue.objects.filter(shop_id=shop_id, number=number).exclude(state__in=OVER).first()
    if row is None:
        if owner is not None:
            return Result(Tone.SOFT, Why("read_the_reissue_first", {"code": owner.code, "number": number}))
        return Result(Tone.BAD, Why("no_box_open", {"number": number}))
    if row.state in OVER:  # it came to nothing while it lay on the table
        return Result(Tone.BAD, Why("reissue_over", {"code": row.code, "reissue_state": row.state}))
    if row.number and row.number != number:
        said = {"code": row.code, "expected": row.number, "number": number}
        return Result(Tone.BAD, Why("wrong_waybill", said), open_id)
    if owner is not None and owner.pk != row.pk:
        return Result(Tone.BAD, Why("waybill_of_another_box", {"code": owner.code, "number": number}), open_id)
    if against := counting.stands_against(row):
        return Result(Tone.BAD, against, open_id)
    if carrier and carrier not in found.fits:
        carrier = ""
    whose = row.carrier if row.number else carrier or carrier_of(found.fits, row.carrier)
    if not whose:
        return Result(Tone.SOFT, Why("choose_carrier", {"number": number}), open_id, choose=found.fits, number=number)
    guessed = (Why("carrier_by_number", {"carrier": whose}),) if whose != row.carrier else ()
    try:
        return _pack(row, whose, number, guessed, by, now)
    except Refused as refused:
        return Result(Tone.BAD, refused.why, open_id)


def _pack(row: Reissue, carrier: str, number: str, guessed: tuple[Why, ...], by: Actor, now: datetime) -> Result:
    """Tie the box to its waybill; a draft goes through the gate first, and to the platform where the shop wants so."""
    gave = not row.number
    why, tone, more = "packed", Tone.GOOD, guessed
    if row.state == "draft":
        form = _form(row, carrier, number)
        report = check_form(row.shop_id, row.case_id, form, now).report
        if refused := report.of(Answer.REFUSED):
            return Result(
                Tone.BAD, Why("gate_stops_pack", {"number": number}), row.pk, tuple(one.why for one in refused)
            )
        punished = tuple(one.why for one in report.of(Answer.PUNISHED_LATER))
        doubts = tuple(one.why for one in report.of(Answer.CANNOT_TELL) if one.why.code not in _OF_NO_USE_HERE)
        submits = bool(shops.policy_json(row.shop_id).get(SUBMITS, True)) and _may_submit(by.role)
        if punished or not submits:
            actions.save_draft(shop_id=row.shop_id, case_id=row.case_id, form=form, by=by, now=now)
            why, tone = ("packed_waits_lead", Tone.SOFT) if punished else ("packed_ready", Tone.GOOD)
        else:
            done = actions.submit(shop_id=row.shop_id, case_id=row.case_id, form=form, by=by, now=now)
            why = "packed_submitted" if done.effect_id else "packed_by_hand"
        more = (*guessed, *punished, *doubts)
    pack = Pack.objects.create(
        shop_id=row.shop_id,
        reissue_id=row.pk,
        carrier=carrier,
        number=number,
        gave_number=gave,
        counted=len(row.counted),
        operator_id=by.operator_id,
        by=by.name,
        packed_at=now,
    )
    stock.use(shop_id=row.shop_id, subject=actions.subject_of(row.pk), now=now)
    audit.record(row.shop_id, by.ref, "pack", actions.subject_of(row.pk), {"number": number, "carrier": carrier})
    said = {"code": row.code, "number": number, "carrier": carrier}
    return Result(tone, Why(why, said), 0, more, pack_id=pack.pk)


def _undo(shop_id: int, pack: Pack, row: Reissue, by: Actor, now: datetime) -> Result:
    said = {"code": row.code, "number": pack.number}
    audit.record(shop_id, by.ref, "pack.undo", actions.subject_of(row.pk), {"number": pack.number})
    if row.state == "submitting":
        try:
            actions.stop(shop_id=shop_id, reissue_id=row.pk, by=by, now=now)
        except Refused:
            pass  # it has left: the box is opened, its number stays
        else:
            again = release(shop_id=shop_id, case_ids=[row.case_id], by=by, now=now).codes.get(row.case_id, "")
            return Result(Tone.SOFT, Why("undone_new_code", {**said, "again": again}))
    packs.undo(pack, by.name, now)
    if row.counted:  # the box is open again, and who knows what comes out of it
        row.counted = []
        row.save(update_fields=["counted"])
    if row.state == "draft":
        if pack.gave_number:
            row.number = ""
            row.save(update_fields=["number"])
        return Result(Tone.SOFT, Why("undone", said))
    return Result(Tone.SOFT, Why("undone_number_stays", said))


def _may_submit(role: Role | None) -> bool:
    return role is not None and may(role, Permission.SUBMIT_REISSUE)


def _form(row: Reissue, carrier: str = "", number: str = "") -> ReissueForm:
    """The draft's form, with the waybill that was read."""
    change = row.delivery.get("change")
    return ReissueForm(
        carrier=carrier or row.carrier,
        number=number or row.number,
        items=tuple((str(line), int(count)) for line, count in row.contents),
        pickup_id=row.pickup_address_id,
        delivery=f"change:{change}" if change else str(row.delivery.get("from") or "order"),
    )


def items_of(row: Reissue) -> list[tuple[str, str, int]]:
    """What goes into the box: (title, spec, pieces)."""
    order = order_view(row.shop_id, row.case.order_id)
    lines = {line.line_id: line for line in order.lines} if order else {}
    return [
        (lines[line].title, lines[line].spec, int(count)) if line in lines else (line, "", int(count))
        for line, count in ((str(line), count) for line, count in row.contents)
    ]
