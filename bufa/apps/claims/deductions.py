"""Deductions of the platform as pages read them: lists by what needs doing, one with its appeal, the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncMonth

from bufa.apps.claims.appeals import entry_place, facts_of, words_place
from bufa.apps.claims.models import Appeal, AppealEntry
from bufa.apps.parcels.models import PenaltyNotice
from bufa.domain.appeals import AppealAct, AppealState, allowed, clocks, current, until
from bufa.domain.penalties import Penalty
from bufa.domain.rulebook import SHOP_ZONE
from bufa.lib.crypto import unseal
from bufa.lib.tenancy import reading

VIEWS = ("todo", "open", "sent", "granted", "done", "all")
STILL_SHOWN = timedelta(days=30)
"""How long one whose days are over asks to be looked at: an import of last year's must not bury what can be saved."""
MONEY_LATE = timedelta(days=7)
"""After that what was granted and has not come asks for a look."""


@dataclass(frozen=True, slots=True)
class DeductionRow:
    """One deduction with its appeal. `until`: the last moment to appeal; `due`: until when the platform answers.

    `parcel_id` None: it fits no parcel, for the reason `why`. `version`: of the appeal, 0 for none yet.
    """

    notice_id: int
    shop_id: int
    parcel_id: int | None
    order_id: int
    order_number: str
    carrier: str
    number: str
    why: str
    kind: str
    noticed_at: datetime
    amount_fen: int | None
    source: str
    by: str
    state: str
    until: datetime
    ground: str
    area: str
    begins_at: datetime | None
    ends_at: datetime | None
    reference: str
    sent_at: datetime | None
    due: datetime | None
    granted_fen: int
    back_fen: int
    version: int
    acts: tuple[str, ...]
    words: str = field(default="", repr=False)

    @property
    def can_send(self) -> bool:
        """Is the clock for handing it in still what matters?"""
        return self.state == AppealState.OPEN

    @property
    def lost_fen(self) -> int:
        """What it cost in the end."""
        return max(0, (self.amount_fen or 0) - self.back_fen)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many deductions stand under each view; `taken_fen`, `back_fen`: of the last 30 days."""

    todo: int
    open: int
    sent: int
    granted: int
    unplaced: int
    taken_fen: int
    back_fen: int


@dataclass(frozen=True, slots=True)
class AppealLine:
    act: str
    amount_fen: int
    reference: str
    by: str
    at: datetime
    words: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class MonthRow:
    """One kind of deduction in one month of the shop. `taken_fen` counts in the month of the notice, `back_fen` in the
    month in which it came back; `sent`, `granted`, `refused`: of the deductions of that month."""

    month: date
    kind: str
    count: int
    taken_fen: int
    sent: int
    granted: int
    refused: int
    lapsed: int
    back_fen: int

    @property
    def net_fen(self) -> int:
        return self.taken_fen - self.back_fen


def deductions(
    shops: Sequence[int], view: str, now: datetime, *, kind: str = "", text: str = "", after: int = 0, limit: int = 50
) -> tuple[tuple[DeductionRow, ...], int]:
    """A page of one view, and the offset of the next (0: none). `text`: the beginning of a waybill or order number."""
    with reading(shops):
        rows = _rows(shops).filter(parcel__isnull=False)
        wanted = _view(view, now)
        rows = rows.filter(wanted) if wanted is not None else rows
        rows = rows.filter(kind=kind) if kind else rows
        if text:
            rows = rows.filter(Q(parcel__number__istartswith=text) | Q(parcel__order__number__startswith=text))
        order = ("noticed_at", "id") if view in ("todo", "open") else ("-noticed_at", "-id")
        found = list(rows.order_by(*order)[after : after + limit + 1])
        return tuple(_row(row, now) for row in found[:limit]), after + limit if len(found) > limit else 0


def due_soon(shops: Sequence[int], now: datetime, limit: int = 8) -> tuple[DeductionRow, ...]:
    """What Today shows: all that can still be appealed, what has just lapsed, answers and money that are late."""
    with reading(shops):
        rows = _rows(shops).filter(_todo(now), parcel__isnull=False).order_by("noticed_at", "id")
        return tuple(_row(row, now) for row in rows[:limit])


def deduction(shop_id: int, notice_id: int, now: datetime) -> DeductionRow | None:
    """One deduction; None when it is not this shop's."""
    with reading([shop_id]):
        row = _rows([shop_id]).filter(id=notice_id).first()
        return _row(row, now) if row else None


def of_parcels(shop_id: int, parcel_ids: Sequence[int], now: datetime) -> tuple[DeductionRow, ...]:
    """The deductions about some parcels, the newest first."""
    with reading([shop_id]):
        rows = _rows([shop_id]).filter(parcel_id__in=list(parcel_ids)).order_by("-noticed_at", "-id")
        return tuple(_row(row, now) for row in rows)


def unplaced(shops: Sequence[int], now: datetime, limit: int = 200) -> tuple[DeductionRow, ...]:
    """Deductions that fit no parcel, the newest first."""
    with reading(shops):
        rows = _rows(shops).filter(parcel=None, is_set_aside=False).order_by("-noticed_at", "-id")
        return tuple(_row(row, now) for row in rows[:limit])


def entries(shop_id: int, notice_id: int) -> tuple[AppealLine, ...]:
    """What happened to an appeal, oldest first."""
    with reading([shop_id]):
        rows = AppealEntry.objects.filter(shop_id=shop_id, appeal__notice_id=notice_id).order_by("id")
        return tuple(AppealLine(row.act, row.amount_fen, row.reference, row.by, row.at, _said(row)) for row in rows)


def counted(shops: Sequence[int], now: datetime) -> Counted:
    """The numbers of the tabs; one query."""
    month = Q(noticed_at__gt=now - timedelta(days=30), parcel__isnull=False)
    here = Q(parcel__isnull=False)
    with reading(shops):
        sums = PenaltyNotice.objects.filter(shop_id__in=shops).aggregate(
            todo=Count("id", filter=_todo(now) & here),
            open=Count("id", filter=_open(now) & here),
            sent=Count("id", filter=Q(appeal__state=AppealState.SENT) & here),
            granted=Count("id", filter=Q(appeal__state=AppealState.GRANTED) & here),
            unplaced=Count("id", filter=Q(parcel=None, is_set_aside=False)),
            taken_fen=Coalesce(Sum("amount_fen", filter=month), 0),
            back_fen=Coalesce(Sum("appeal__back_fen", filter=month), 0),
        )
    return Counted(**sums)


def ledger(shops: Sequence[int], now: datetime) -> tuple[MonthRow, ...]:
    """By month and kind, the newest month first; three queries."""
    with reading(shops):
        rows = PenaltyNotice.objects.filter(shop_id__in=shops, parcel__isnull=False)
        taken = (
            rows.annotate(month=TruncMonth("noticed_at", tzinfo=SHOP_ZONE))
            .values_list("month", "kind")
            .annotate(
                n=Count("id"),
                fen=Coalesce(Sum("amount_fen"), 0),
                sent=Count("id", filter=Q(appeal__sent_at__isnull=False)),
                granted=Count("id", filter=Q(appeal__granted_fen__gt=0) | Q(appeal__state=AppealState.BACK)),
                refused=Count("id", filter=Q(appeal__state=AppealState.REFUSED)),
                lapsed=Count("id", filter=_lapsed(now)),
            )
            .order_by()
        )
        back = (
            AppealEntry.objects.filter(shop_id__in=shops, act=AppealAct.PAY_BACK)
            .annotate(month=TruncMonth("at", tzinfo=SHOP_ZONE))
            .values_list("month", "appeal__notice__kind")
            .annotate(fen=Sum("amount_fen"))
            .order_by()
        )
        found = {(_day(month), kind): numbers for month, kind, *numbers in taken}
        came = {(_day(month), kind): int(fen or 0) for month, kind, fen in back}
    keys = sorted({*found, *came}, key=lambda key: (-key[0].toordinal(), key[1]))
    return tuple(_month(key, found.get(key, [0] * 6), came.get(key, 0)) for key in keys)


def _month(key: tuple[date, str], numbers: Sequence[int], back_fen: int) -> MonthRow:
    count, taken, sent, granted, refused, lapsed = numbers
    return MonthRow(key[0], key[1], count, taken, sent, granted, refused, lapsed, back_fen)


def _untouched() -> Q:
    return Q(appeal=None) | Q(appeal__state=AppealState.OPEN)


def _open(now: datetime) -> Q:
    return _untouched() & Q(noticed_at__gte=_cut(now))


def _lapsed(now: datetime) -> Q:
    return _untouched() & Q(noticed_at__lt=_cut(now))


def _cut(now: datetime) -> datetime:
    """The notice whose days end now."""
    return now - timedelta(days=clocks(now).days)


def _todo(now: datetime) -> Q:
    return (
        _open(now)
        | (_lapsed(now) & Q(noticed_at__gt=_cut(now) - STILL_SHOWN))
        | Q(appeal__state=AppealState.SENT, appeal__due_at__lte=now)
        | Q(appeal__state=AppealState.GRANTED, appeal__changed_at__lte=now - MONEY_LATE)
    )


def _view(view: str, now: datetime) -> Q | None:
    return {
        "todo": _todo(now),
        "open": _open(now),
        "sent": Q(appeal__state=AppealState.SENT),
        "granted": Q(appeal__state=AppealState.GRANTED),
        "done": Q(appeal__state__in=[AppealState.REFUSED, AppealState.BACK, AppealState.WAIVED]) | _lapsed(now),
    }.get(view)


def _rows(shops: Sequence[int]) -> QuerySet[PenaltyNotice]:
    return PenaltyNotice.objects.filter(shop_id__in=shops).select_related("parcel", "parcel__order", "appeal")


def _row(row: PenaltyNotice, now: datetime) -> DeductionRow:
    appeal: Appeal | None = getattr(row, "appeal", None)
    facts = facts_of(row, appeal)
    parcel = row.parcel
    return DeductionRow(
        notice_id=row.pk,
        shop_id=row.shop_id,
        parcel_id=row.parcel_id,
        order_id=parcel.order_id if parcel else 0,
        order_number=parcel.order.number if parcel else row.order_number,
        carrier=parcel.carrier if parcel else "",
        number=parcel.number if parcel else row.waybill,
        why=row.why if parcel is None else "",
        kind=Penalty(row.kind).value,
        noticed_at=row.noticed_at,
        amount_fen=row.amount_fen,
        source=row.source,
        by=row.by,
        state=current(facts.state, row.noticed_at, now).value,
        until=until(row.noticed_at),
        ground=facts.ground,
        area=appeal.area if appeal else "",
        begins_at=appeal.begins_at if appeal else None,
        ends_at=appeal.ends_at if appeal else None,
        reference=appeal.reference if appeal else "",
        sent_at=facts.sent_at,
        due=facts.due,
        granted_fen=facts.granted_fen,
        back_fen=facts.back_fen,
        version=appeal.version if appeal else 0,
        acts=tuple(act.value for act in allowed(facts, now)) if parcel else (),
        words=_words(row, appeal),
    )


def _words(row: PenaltyNotice, appeal: Appeal | None) -> str:
    sealed = bytes(appeal.words) if appeal else b""
    return unseal(row.shop_id, sealed, where=words_place(row.pk)).decode() if sealed else ""


def _said(row: AppealEntry) -> str:
    sealed = bytes(row.words)
    return unseal(row.shop_id, sealed, where=entry_place(row.appeal_id, row.at)).decode() if sealed else ""


def _day(month: datetime) -> date:
    return month.astimezone(SHOP_ZONE).date()
