"""Claims as pages read them: lists by what needs doing, the ledger by carrier and month, one case's claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate, TruncMonth

from bufa.apps.claims.actions import words_place
from bufa.apps.claims.models import Claim, ClaimEntry, SheetLine
from bufa.domain.claims import LIVE, SOON, ClaimAct, ClaimState, allowed
from bufa.domain.rulebook import SHOP_ZONE
from bufa.lib.crypto import unseal
from bufa.lib.tenancy import reading

VIEWS = ("todo", "window", "waiting", "short", "done", "all")


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim in a list; money in fen. `until`: the end of its window. `acts`: what people can do now."""

    claim_id: int
    shop_id: int
    case_id: int
    case_code: str
    order_number: str
    carrier: str
    number: str
    kind: str
    state: str
    value_fen: int
    freight_fen: int
    insured_fen: int | None
    low_fen: int
    high_fen: int
    ask_fen: int
    rule_id: str
    window_rule: str
    until: datetime | None
    asked_fen: int
    offered_fen: int | None
    paid_fen: int
    due_at: datetime | None
    opened_at: datetime
    asked_at: datetime | None
    changed_at: datetime
    version: int

    @property
    def short_fen(self) -> int:
        return max(0, self.asked_fen - self.paid_fen)

    @property
    def acts(self) -> tuple[str, ...]:
        return tuple(act.value for act in allowed(ClaimState(self.state)))

    @property
    def in_window(self) -> bool:
        return self.state == ClaimState.OPEN

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


@dataclass(frozen=True, slots=True)
class EntryRow:
    act: str
    amount_fen: int
    reference: str
    by: str
    at: datetime
    words: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many claims stand under each view, and the money of those that are live."""

    todo: int
    window: int
    waiting: int
    short: int
    unmatched: int
    asked_fen: int
    short_fen: int


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One carrier in one month of the shop: what was asked, paid, refused and given up in it."""

    month: date
    carrier: str
    claims: int
    asked_fen: int
    paid_fen: int
    refused: int
    lapsed: int

    @property
    def share(self) -> int | None:
        """Paid per cent of asked."""
        return round(100 * self.paid_fen / self.asked_fen) if self.asked_fen else None


@dataclass(frozen=True, slots=True)
class LineRow:
    """A row of a sheet. `case_code`: of the parcel's case, "" for none."""

    line_id: int
    shop_id: int
    kind: str
    row: int
    carrier: str
    number: str
    amount_fen: int
    on: date | None
    reference: str
    state: str
    at: datetime
    has_parcel: bool


def of_case(shop_id: int, case_id: int) -> tuple[ClaimRow, ...]:
    """A case's claims, one a parcel, the newest parcel last; those with nothing owed are left out."""
    with reading([shop_id]):
        rows = _rows([shop_id]).filter(case_id=case_id).exclude(state=ClaimState.NONE)
        return tuple(_row(row) for row in rows.order_by("parcel_id"))


def claim(shop_id: int, claim_id: int) -> ClaimRow | None:
    with reading([shop_id]):
        row = _rows([shop_id]).filter(id=claim_id).first()
        return _row(row) if row else None


def entries(shop_id: int, claim_id: int) -> tuple[EntryRow, ...]:
    """What happened to a claim, oldest first."""
    with reading([shop_id]):
        rows = ClaimEntry.objects.filter(shop_id=shop_id, claim_id=claim_id).order_by("at", "id")
        return tuple(EntryRow(row.act, row.amount_fen, row.reference, row.by, row.at, _words(row)) for row in rows)


def claims(
    shops: Sequence[int],
    view: str,
    now: datetime,
    *,
    carrier: str = "",
    text: str = "",
    after: int = 0,
    limit: int = 50,
) -> tuple[tuple[ClaimRow, ...], int]:
    """A page of one view, and the offset of the next (0: none). `text`: the beginning of a waybill, order or case."""
    with reading(shops):
        rows = _view(_rows(shops), view, now)
        if carrier:
            rows = rows.filter(carrier=carrier)
        if text:
            rows = rows.filter(
                Q(number__istartswith=text) | Q(case__code__istartswith=text) | Q(case__order__number__startswith=text)
            )
        order = (
            (F("until").asc(nulls_last=True), "due_at", "id") if view in ("todo", "window") else ("-changed_at", "-id")
        )
        found = list(rows.order_by(*order)[after : after + limit + 1])
        return tuple(_row(row) for row in found[:limit]), after + limit if len(found) > limit else 0


def counted(shops: Sequence[int], now: datetime) -> Counted:
    """The numbers of the tabs; two queries."""
    with reading(shops):
        live = Claim.objects.filter(shop_id__in=shops, state__in=LIVE)
        sums = live.aggregate(
            todo=Count("id", filter=_todo(now)),
            window=Count("id", filter=Q(state=ClaimState.OPEN)),
            waiting=Count("id", filter=Q(state__in=[ClaimState.ASKED, ClaimState.ANSWERED])),
            short=Count("id", filter=Q(state__in=[ClaimState.SHORT_PAID, ClaimState.REFUSED])),
            asked=Sum("asked_fen", default=0),
            paid=Sum("paid_fen", default=0),
        )
        unmatched = SheetLine.objects.filter(shop_id__in=shops, state="unmatched").count()
    return Counted(
        sums["todo"], sums["window"], sums["waiting"], sums["short"], unmatched,
        sums["asked"], max(0, sums["asked"] - sums["paid"]),
    )  # fmt: skip


def due_soon(shops: Sequence[int], now: datetime, limit: int = 8) -> tuple[ClaimRow, ...]:
    """What Today shows: windows that end soon or have ended, and answers that are late; the most urgent first."""
    with reading(shops):
        rows = _rows(shops).filter(_todo(now)).order_by(F("until").asc(nulls_last=True), "due_at", "id")
        return tuple(_row(row) for row in rows[:limit])


def windows(shops: Sequence[int], case_ids: Sequence[int]) -> dict[int, ClaimRow]:
    """Case → its claim whose window runs or has lapsed, for lists."""
    with reading(shops):
        rows = _rows(shops).filter(
            case_id__in=case_ids, state__in=[ClaimState.OPEN, ClaimState.LAPSED], until__isnull=False
        )
        return {row.case_id: _row(row) for row in rows.order_by("-until")}


def ledger(shops: Sequence[int], since: date | None = None) -> tuple[LedgerRow, ...]:
    """By carrier and month, the newest month first. Money counts in the month in which it was asked or paid."""
    with reading(shops):
        rows = ClaimEntry.objects.filter(shop_id__in=shops)
        if since is not None:
            rows = rows.filter(at__date__gte=since)
        sums = (
            rows.annotate(month=TruncMonth("at", tzinfo=SHOP_ZONE))
            .values("month", "claim__carrier")
            .annotate(
                claims=Count("claim", distinct=True),
                asked=Sum("amount_fen", filter=Q(act=ClaimAct.ASK), default=0),
                paid=Sum("amount_fen", filter=Q(act=ClaimAct.PAY), default=0),
                refused=Count("id", filter=Q(act=ClaimAct.REFUSE)),
                lapsed=Count("id", filter=Q(act=ClaimAct.LAPSE)),
            )
            .order_by("-month", "claim__carrier")
        )
        return tuple(
            LedgerRow(
                row["month"].astimezone(SHOP_ZONE).date(), row["claim__carrier"], row["claims"], row["asked"],
                row["paid"], row["refused"], row["lapsed"],
            )
            for row in sums
        )  # fmt: skip


def paid_by_day(shops: Sequence[int], first: date, last: date) -> dict[date, int]:
    """What carriers paid, by the shop's day."""
    since = datetime.combine(first, time(), SHOP_ZONE)
    until = datetime.combine(last + timedelta(days=1), time(), SHOP_ZONE)
    with reading(shops):
        rows = ClaimEntry.objects.filter(shop_id__in=shops, act=ClaimAct.PAY, at__gte=since, at__lt=until)
        days = rows.annotate(day=TruncDate("at", tzinfo=SHOP_ZONE)).values_list("day").annotate(paid=Sum("amount_fen"))
        return {day: int(paid or 0) for day, paid in days.order_by("day")}


def unmatched(shops: Sequence[int], limit: int = 200) -> tuple[LineRow, ...]:
    """Rows of sheets that nobody could place, the oldest first."""
    with reading(shops):
        rows = SheetLine.objects.filter(shop_id__in=shops, state="unmatched").select_related("sheet")
        return tuple(_line(row) for row in rows.order_by("id")[:limit])


def _todo(now: datetime) -> Q:
    return (
        Q(state=ClaimState.LAPSED)
        | Q(state=ClaimState.OPEN, until__lte=now + SOON)
        | Q(state__in=[ClaimState.ASKED, ClaimState.ANSWERED], due_at__lte=now)
        | Q(state__in=[ClaimState.SHORT_PAID, ClaimState.REFUSED])
    )


def _view(rows: QuerySet[Claim], view: str, now: datetime) -> QuerySet[Claim]:
    wanted = {
        "todo": _todo(now),
        "window": Q(state=ClaimState.OPEN),
        "waiting": Q(state__in=[ClaimState.ASKED, ClaimState.ANSWERED]),
        "short": Q(state__in=[ClaimState.SHORT_PAID, ClaimState.REFUSED]),
        "done": Q(state__in=[ClaimState.PAID, ClaimState.SETTLED, ClaimState.WAIVED]),
    }.get(view)
    return rows.filter(wanted) if wanted is not None else rows.exclude(state=ClaimState.NONE)


def _rows(shops: Sequence[int]) -> QuerySet[Claim]:
    return Claim.objects.filter(shop_id__in=shops).select_related("case", "case__order")


def _row(row: Claim) -> ClaimRow:
    return ClaimRow(
        claim_id=row.pk,
        shop_id=row.shop_id,
        case_id=row.case_id,
        case_code=row.case.code,
        order_number=row.case.order.number,
        carrier=row.carrier,
        number=row.number,
        kind=row.kind,
        state=row.state,
        value_fen=row.value_fen,
        freight_fen=row.freight_fen,
        insured_fen=row.insured_fen,
        low_fen=row.low_fen,
        high_fen=row.high_fen,
        ask_fen=row.ask_fen,
        rule_id=row.rule_id,
        window_rule=row.window_rule,
        until=row.until,
        asked_fen=row.asked_fen,
        offered_fen=row.offered_fen,
        paid_fen=row.paid_fen,
        due_at=row.due_at,
        opened_at=row.opened_at,
        asked_at=row.asked_at,
        changed_at=row.changed_at,
        version=row.version,
    )


def _words(row: ClaimEntry) -> str:
    sealed = bytes(row.words)
    return unseal(row.shop_id, sealed, where=words_place(row.claim_id, row.at)).decode() if sealed else ""


def _line(row: SheetLine) -> LineRow:
    return LineRow(
        row.pk, row.shop_id, row.sheet.kind, row.row, row.sheet.carrier, row.number, row.amount_fen, row.on,
        row.reference, row.state, row.sheet.at, row.parcel_id is not None,
    )  # fmt: skip
