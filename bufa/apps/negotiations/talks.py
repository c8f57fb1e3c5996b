"""Reading carrier cases: one for a case's page, many for the list, and what waits for a person's hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from bufa.apps.negotiations.models import CarrierCase, CarrierMessage
from bufa.apps.negotiations.queries import ContactView, contact_view, plain_body
from bufa.apps.parcels.models import Parcel
from bufa.domain.carrier_cases import WAITING, TalkState
from bufa.domain.chasing import Stop
from bufa.lib import keyset
from bufa.lib.shelf import remembered
from bufa.lib.tenancy import reading

PAGE = 50
SOON = timedelta(hours=24)
_ORDER = keyset.Order(CarrierCase._meta.db_table, "due_at", missing=True)
_WAITING = sorted(state.value for state in WAITING)
_STUCK = (Stop.NOBODY_LEFT.value, Stop.TO_COPY.value)


@dataclass(frozen=True, slots=True)
class TalkRow:
    """One carrier case. `next_*`: the ladder's next rung, or `no_rung`: why none comes (a code of `chasing.Stop`)."""

    shop_id: int
    case_id: int
    case_code: str
    round: int
    parcel_id: int
    number: str
    carrier: str
    branch: str
    state: str
    since: datetime
    due_at: datetime | None
    asked: int
    asked_at: datetime | None
    answered_at: datetime | None
    promise_on: date | None
    next_rung: str
    next_at: datetime | None
    next_contact: ContactView | None
    no_rung: str
    stopped_at: datetime | None
    stopped_by: str
    stop_reason: str

    @property
    def is_waiting(self) -> bool:
        return self.state in _WAITING


@dataclass(frozen=True, slots=True)
class TalkFilters:
    """`view`: open, overdue, soon, stuck, stopped or closed."""

    view: str = "open"
    carrier: str = ""
    branch: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class TalkPage:
    rows: tuple[TalkRow, ...]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class ToCopy:
    """A text that a person has to send by hand; one of its messages names all of them."""

    shop_id: int
    message_id: int
    contact: ContactView | None
    parcels: int
    case_code: str
    at: datetime
    text: str = field(repr=False)


@remembered
def of_case(shop_id: int, case_id: int) -> TalkRow | None:
    """The carrier case of a case's current round."""
    with reading([shop_id]):
        rows = CarrierCase.objects.filter(shop_id=shop_id, case_id=case_id)
        row = rows.select_related("case", "next_contact__robot").order_by("-round").first()
        return _rows([shop_id], [row])[0] if row is not None else None


def listing(shops: Sequence[int], filters: TalkFilters, now: datetime, cursor: str = "") -> TalkPage:
    """Carrier cases, the nearest clock first."""
    where, params = _conditions(filters, now)
    with reading(shops):
        ids, more = keyset.ids(shops, _ORDER, where, params, cursor, PAGE)
        found = CarrierCase.objects.filter(shop_id__in=shops, id__in=ids).select_related("case", "next_contact__robot")
        there = {row.pk: row for row in found}
        return TalkPage(tuple(_rows(shops, [there[key] for key in ids if key in there])), more)


def branches(shops: Sequence[int], carrier: str = "", limit: int = 200) -> tuple[str, ...]:
    """Where parcels with open carrier cases are."""
    with reading(shops):
        rows = CarrierCase.objects.filter(shop_id__in=shops).exclude(state=TalkState.CLOSED.value).exclude(branch="")
        rows = rows.filter(carrier=carrier) if carrier else rows
        return tuple(rows.order_by("branch").values_list("branch", flat=True).distinct()[:limit])


def to_copy(shops: Sequence[int], limit: int = 20) -> tuple[ToCopy, ...]:
    """Texts that wait to be sent by hand, oldest first; those about many parcels once."""
    with reading(shops):
        rows = CarrierMessage.objects.filter(shop_id__in=shops, state="to_copy")
        texts: dict[str, list[CarrierMessage]] = {}
        for row in rows.select_related("contact__robot", "case").order_by("id")[: limit * 100]:
            texts.setdefault(row.message_id, []).append(row)
        return tuple(
            ToCopy(
                first.shop_id, first.pk, contact_view(first.contact) if first.contact else None, len(every),
                first.case.code, first.at, plain_body(first),
            )
            for first, every in ((every[0], every) for every in list(texts.values())[:limit])
        )  # fmt: skip


def _conditions(filters: TalkFilters, now: datetime) -> tuple[list[str], dict[str, Any]]:
    where: list[str] = []
    params: dict[str, Any] = {"closed": TalkState.CLOSED.value, "now": now, "soon": now + SOON}
    match filters.view:
        case "closed":
            where.append("t.state = %(closed)s")
        case "overdue":
            where.append("t.state = ANY (%(waiting)s) AND t.due_at <= %(now)s")
        case "soon":
            where.append("t.state = ANY (%(waiting)s) AND t.due_at > %(now)s AND t.due_at <= %(soon)s")
        case "stuck":
            where.append("(t.no_rung = ANY (%(stuck)s) OR t.state = %(refused)s)")
        case "stopped":
            where.append("t.stopped_at IS NOT NULL AND t.state <> %(closed)s")
        case _:
            where.append("t.state <> %(closed)s")
    params |= {"waiting": _WAITING, "stuck": list(_STUCK), "refused": TalkState.REFUSED.value}
    for name in ("carrier", "branch", "state"):
        if value := getattr(filters, name):
            where.append(f"t.{name} = %({name})s")
            params[name] = value
    return where, params


def _rows(shops: Sequence[int], rows: Sequence[CarrierCase]) -> list[TalkRow]:
    parcels = Parcel.objects.filter(shop_id__in=shops, id__in=[row.parcel_id for row in rows])
    numbers = dict(parcels.values_list("id", "number"))
    return [
        TalkRow(
            row.shop_id, row.case_id, row.case.code, row.round, row.parcel_id, numbers.get(row.parcel_id, ""),
            row.carrier, row.branch, row.state, row.since, row.due_at, row.asked, row.asked_at, row.answered_at,
            row.promise_on, row.next_rung, row.next_at, contact_view(row.next_contact) if row.next_contact else None,
            row.no_rung, row.stopped_at, row.stopped_by, row.stop_reason,
        )
        for row in rows
    ]  # fmt: skip
