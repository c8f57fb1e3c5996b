"""Handing over: which packed boxes go with which carrier's courier, signed for; and what he took without a scan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet

from bufa.apps.audit import actions as audit
from bufa.apps.cases.actors import Actor
from bufa.apps.reissues.models import HandedParcel, HandOver, Pack
from bufa.apps.reissues.packing import ALARM_HOURS
from bufa.apps.shops import queries as shops
from bufa.domain.outcome import Refused, Why
from bufa.domain.packing import UNSCANNED_HOURS, Read, Result, Tone, is_unscanned, what_is
from bufa.domain.permissions import Permission, check
from bufa.lib import clock
from bufa.lib.tenancy import reading, writing

_ZONE = ZoneInfo("Asia/Shanghai")
_NO_SCAN = Q(reissue__parcel=None) | Q(reissue__parcel__stage__in=["unshipped", "labelled"])


@dataclass(frozen=True, slots=True)
class Waiting:
    """Packed boxes of one carrier that are on no list; `open_id`: the list that is open for it, 0 for none."""

    carrier: str
    boxes: int
    open_id: int


@dataclass(frozen=True, slots=True)
class Box:
    """One box on a list, or on its way to one."""

    pack_id: int
    code: str
    case_code: str
    order_number: str
    carrier: str
    number: str
    pieces: int
    added_at: datetime | None
    by: str
    scanned: bool


@dataclass(frozen=True, slots=True)
class ListView:
    """One list; `courier`: who signed, "" while it is open."""

    list_id: int
    code: str
    carrier: str
    state: str
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None
    closed_by: str
    courier: str
    boxes: tuple[Box, ...]

    @property
    def pieces(self) -> int:
        return sum(box.pieces for box in self.boxes)


@dataclass(frozen=True, slots=True)
class Late:
    """A box that a courier took and no carrier has scanned since."""

    box: Box
    list_id: int
    list_code: str
    handed_at: datetime
    courier: str


def open_list(*, shop_id: int, carrier: str, by: Actor, now: datetime | None = None) -> int:
    """The carrier's open list with every packed box of theirs that is on none; opened now where there is none."""
    now = now or clock.now()
    _allowed(by)
    with writing([shop_id]):
        row = HandOver.objects.filter(shop_id=shop_id, carrier=carrier, state="open").first()
        if row is None:
            row = HandOver.objects.create(
                shop_id=shop_id, code=_code(shop_id, now), carrier=carrier, opened_at=now, opened_by=by.name
            )
            audit.record(shop_id, by.ref, "hand_over.open", f"hand_over:{row.pk}", {"carrier": carrier})
        _put_on(row, list(_loose(shop_id).filter(carrier=carrier).order_by("id")), by, now)
        return row.pk


def read(*, shop_id: int, list_id: int, text: str, by: Actor, now: datetime | None = None) -> Result:
    """A box is read beside an open list: it goes on it, unless it is on one already or another carrier's."""
    now = now or clock.now()
    _allowed(by)
    found = what_is(text)
    with writing([shop_id]):
        row = HandOver.objects.select_for_update().filter(shop_id=shop_id, id=list_id, state="open").first()
        if row is None:
            return Result(Tone.BAD, Why("list_closed"))
        if found.read not in (Read.REISSUE, Read.WAYBILL):
            return Result(Tone.BAD, Why(f"read_{found.read.value}", {"text": text[:40]}))
        named = Q(reissue__code=found.value) if found.read is Read.REISSUE else Q(number=found.value)
        pack = Pack.objects.filter(named, shop_id=shop_id, state="packed").select_related("reissue").first()
        if pack is None:
            return Result(Tone.BAD, Why("not_packed", {"text": found.value}))
        said = {"code": pack.reissue.code, "number": pack.number, "carrier": pack.carrier}
        if pack.carrier != row.carrier:
            return Result(Tone.BAD, Why("box_of_another_carrier", said))
        there = HandedParcel.objects.filter(shop_id=shop_id, pack=pack, taken_off_at=None).select_related("hand_over")
        if on := there.first():
            why = "on_this_list" if on.hand_over_id == row.pk else "on_another_list"
            tone = Tone.SOFT if on.hand_over_id == row.pk else Tone.BAD
            return Result(tone, Why(why, {**said, "list": on.hand_over.code}))
        _put_on(row, [pack], by, now)
        return Result(Tone.GOOD, Why("put_on_list", said))


def take_off(*, shop_id: int, list_id: int, pack_id: int, by: Actor, now: datetime | None = None) -> None:
    """This box stays here. Raises Refused("list_closed") once the courier signed."""
    now = now or clock.now()
    _allowed(by)
    with writing([shop_id]):
        row = _open(shop_id, list_id)
        HandedParcel.objects.filter(shop_id=shop_id, hand_over=row, pack_id=pack_id, taken_off_at=None).update(
            taken_off_at=now
        )


def close(*, shop_id: int, list_id: int, courier: str, by: Actor, now: datetime | None = None) -> None:
    """The courier signed for what is on the list. Raises Refused: list_closed, list_empty, courier_missing."""
    now = now or clock.now()
    _allowed(by)
    if not courier.strip():
        raise Refused("courier_missing")
    with writing([shop_id]):
        row = _open(shop_id, list_id)
        boxes = HandedParcel.objects.filter(shop_id=shop_id, hand_over=row, taken_off_at=None).count()
        if not boxes:
            raise Refused("list_empty")
        row.state, row.closed_at, row.closed_by, row.courier = "closed", now, by.name, courier.strip()[:60]
        row.save(update_fields=["state", "closed_at", "closed_by", "courier"])
        audit.record(shop_id, by.ref, "hand_over.close", f"hand_over:{row.pk}", {"boxes": boxes})


def reopen(*, shop_id: int, list_id: int, by: Actor, now: datetime | None = None) -> None:
    """It was closed too early, within the last hour. Raises Refused: list_too_old, list_open_already."""
    now = now or clock.now()
    _allowed(by)
    with writing([shop_id]):
        row = HandOver.objects.select_for_update().get(shop_id=shop_id, id=list_id)
        if row.state != "closed" or row.closed_at is None or now - row.closed_at > timedelta(hours=1):
            raise Refused("list_too_old")
        if HandOver.objects.filter(shop_id=shop_id, carrier=row.carrier, state="open").exists():
            raise Refused("list_open_already")
        row.state, row.closed_at, row.closed_by, row.courier = "open", None, "", ""
        row.save(update_fields=["state", "closed_at", "closed_by", "courier"])
        audit.record(shop_id, by.ref, "hand_over.reopen", f"hand_over:{row.pk}")


# --- reading ---------------------------------------------------------------------------------------------------------


def waiting(shop_id: int) -> list[Waiting]:
    """What waits for a courier, by carrier; carriers with an open list too."""
    with reading([shop_id]):
        loose = dict(_loose(shop_id).values("carrier").annotate(n=Count("id")).values_list("carrier", "n"))
        open_ = dict(HandOver.objects.filter(shop_id=shop_id, state="open").values_list("carrier", "id"))
        return [Waiting(one, loose.get(one, 0), open_.get(one, 0)) for one in sorted({*loose, *open_})]


def lists(shop_id: int, *, limit: int = 30) -> list[ListView]:
    """The newest lists, open ones first."""
    with reading([shop_id]):
        rows = HandOver.objects.filter(shop_id=shop_id).order_by("-state", "-id")[:limit]
        return [_view(row) for row in rows]


def one(shop_id: int, list_id: int) -> ListView | None:
    with reading([shop_id]):
        row = HandOver.objects.filter(shop_id=shop_id, id=list_id).first()
        return _view(row) if row else None


def unscanned(shop_id: int, now: datetime) -> list[Late]:
    """Boxes that a courier signed for and no carrier has scanned after the shop's hours, the oldest first."""
    with reading([shop_id]):
        rows = HandedParcel.objects.filter(
            shop_id=shop_id, taken_off_at=None, hand_over__state="closed",
            hand_over__closed_at__lte=now - timedelta(hours=1), pack__state="packed",
        )  # fmt: skip
        rows = rows.filter(pack__in=Pack.objects.filter(_NO_SCAN, shop_id=shop_id, state="packed"))
        rows = rows.exclude(pack__reissue__state__in=["delivered", "wrong"])
        found = list(rows.select_related("hand_over", *_WITH_PACK).order_by("hand_over__closed_at", "id")[:500])
        if not found:
            return []
        hours = int(shops.policy_json(shop_id).get(ALARM_HOURS, UNSCANNED_HOURS))
        return [
            Late(_box(row), row.hand_over_id, row.hand_over.code, row.hand_over.closed_at, row.hand_over.courier)
            for row in found
            if row.hand_over.closed_at is not None and is_unscanned(row.hand_over.closed_at, now, hours)
        ]


# --- inside ----------------------------------------------------------------------------------------------------------

_WITH_PACK = ("pack__reissue__case__order", "pack__reissue__parcel")


def _allowed(by: Actor) -> None:
    if by.role is not None:
        check(by.role, Permission.PACK)


def _loose(shop_id: int) -> QuerySet[Pack]:
    """Packed boxes on no list, whose parcel no carrier has yet."""
    rows = Pack.objects.filter(_NO_SCAN, shop_id=shop_id, state="packed")
    rows = rows.exclude(reissue__state__in=["rejected", "cancelled", "wrong", "delivered"])
    return rows.exclude(id__in=HandedParcel.objects.filter(shop_id=shop_id, taken_off_at=None).values("pack_id"))


def _open(shop_id: int, list_id: int) -> HandOver:
    row = HandOver.objects.select_for_update().filter(shop_id=shop_id, id=list_id, state="open").first()
    if row is None:
        raise Refused("list_closed")
    return row


def _put_on(row: HandOver, packs: list[Pack], by: Actor, now: datetime) -> None:
    HandedParcel.objects.bulk_create(
        HandedParcel(shop_id=row.shop_id, hand_over=row, pack=pack, added_at=now, added_by=by.name) for pack in packs
    )


def _code(shop_id: int, now: datetime) -> str:
    day = now.astimezone(_ZONE).strftime("%y%m%d")
    return f"J{day}-{HandOver.objects.filter(shop_id=shop_id, code__startswith=f'J{day}-').count() + 1:02d}"


def _view(row: HandOver) -> ListView:
    there = HandedParcel.objects.filter(shop_id=row.shop_id, hand_over=row, taken_off_at=None)
    return ListView(
        list_id=row.pk,
        code=row.code,
        carrier=row.carrier,
        state=row.state,
        opened_at=row.opened_at,
        opened_by=row.opened_by,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        courier=row.courier,
        boxes=tuple(_box(one) for one in there.select_related(*_WITH_PACK).order_by("id")),
    )


def _box(row: HandedParcel) -> Box:
    reissue = row.pack.reissue
    return Box(
        pack_id=row.pack_id,
        code=reissue.code,
        case_code=reissue.case.code,
        order_number=reissue.case.order.number,
        carrier=row.pack.carrier,
        number=row.pack.number,
        pieces=sum(int(count) for _line, count in reissue.contents),
        added_at=row.added_at,
        by=row.added_by,
        scanned=reissue.parcel is not None and reissue.parcel.stage not in ("unshipped", "labelled"),
    )
