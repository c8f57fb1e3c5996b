"""What a deed for all parcels of an incident would come to, looked at before it is done. Nothing is written here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bufa.apps.cases import many
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.incident_views import IncidentRow, MemberRow, members
from bufa.apps.cases.incidents import rules_of
from bufa.apps.cases.models import Finding
from bufa.apps.cases.queries import cases_by_id, involved
from bufa.apps.cases.shapes import CaseRow
from bufa.apps.negotiations import posting, rounds
from bufa.apps.negotiations.together import Deed, Wish, check_wish
from bufa.apps.parcels.models import Parcel, ParcelRole
from bufa.domain.carrier_messages import Mail
from bufa.domain.carrier_rounds import MOST_LINES, RoundLine
from bufa.domain.cases import Action
from bufa.domain.kinds import Role
from bufa.domain.outcome import Why
from bufa.lib.tenancy import reading

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Expected:
    """One parcel. `what` is a code: open (a case is opened first), take, hand_over (from `owner`), ask, put_off; ""
    where nothing would be done, for the reason `why`."""

    parcel_id: int
    number: str
    case_code: str
    what: str
    owner: str
    why: Why | None


@dataclass(frozen=True, slots=True)
class Preview:
    """`will` and `wont`: how many parcels; `opens`: cases that are opened for it. `mails`: those that would leave, the
    first one's text in `mail`. `rows`: the first of them."""

    rows: tuple[Expected, ...]
    will: int
    wont: int
    opens: int
    mails: int
    mail: Mail | None


def expect(incident: IncidentRow, wish: Wish, by: Actor, now: datetime) -> Preview:
    """Raises Refused when nothing of it could be done (see `together.check_wish`)."""
    check_wish(incident, wish, by, now)
    shop_id = incident.shop_id
    with reading([shop_id]):
        inside = members(shop_id, incident.incident_id, limit=100_000)
        ids = [row.parcel_id for row in inside]
        known = {parcel: case_id for parcel, (case_id, _) in involved(shop_id, ids).items()}
        cases = cases_by_id([shop_id], sorted(set(known.values())))
        around = _Around(
            cases=cases,
            known=known,
            reissues=set(
                Parcel.objects.filter(shop_id=shop_id, id__in=ids, role=ParcelRole.REISSUE).values_list("id", flat=True)
            ),
            closed=_closed(shop_id, sorted(cases), wish, by, now),
            standing=_standing(incident, ids),
        )
        rows = [_one(row, wish, around) for row in inside]
    will = [row for row in rows if row.what]
    lines = [_line(row, said) for row, said in zip(inside, rows, strict=True) if said.what]
    is_mail = wish.deed is Deed.ASK and lines and wish.due is not None
    mail = rounds.letter(incident, lines[:MOST_LINES], wish.due, wish.extra) if is_mail and wish.due else None
    return Preview(
        rows=tuple(rows[:SHOWN]),
        will=len(will),
        wont=len(rows) - len(will),
        opens=sum(row.what == "open" for row in rows),
        mails=-(-len(will) // MOST_LINES) if mail else 0,
        mail=mail,
    )


@dataclass(frozen=True, slots=True)
class _Around:
    cases: dict[int, CaseRow]
    known: dict[int, int]
    reissues: set[int]
    closed: dict[int, Why]
    standing: set[int]


def _closed(shop_id: int, case_ids: Sequence[int], wish: Wish, by: Actor, now: datetime) -> dict[int, Why]:
    """Cases that cannot be asked about, and why."""
    closed = many.closed_to(shop_id, case_ids, Action.ASK_CARRIER, by.role or Role.OWNER, now)
    if wish.deed is Deed.ASK:
        boxes = many.newest_parcels(shop_id, case_ids)
        today = posting.asked_today(shop_id, wish.contact_id, boxes.values(), now)
        closed |= {key: Why("asked_today", {}) for key, box in boxes.items() if box in today and key not in closed}
    return closed


def _standing(incident: IncidentRow, parcel_ids: Sequence[int]) -> set[int]:
    rows = Finding.objects.filter(
        shop_id=incident.shop_id, parcel_id__in=parcel_ids, state="open", rule__in=rules_of(incident.family)
    )
    return set(rows.values_list("parcel_id", flat=True))


def _one(row: MemberRow, wish: Wish, around: _Around) -> Expected:
    case = around.cases.get(around.known.get(row.parcel_id, 0))
    owner = case.owner_name if case else ""
    what, why = _what(row, wish, around, case)
    return Expected(row.parcel_id, row.number or row.order_number, case.code if case else "", what, owner, why)


def _what(row: MemberRow, wish: Wish, around: _Around, case: CaseRow | None) -> tuple[str, Why | None]:
    if wish.deed is Deed.SNOOZE:
        there = row.parcel_id in around.standing
        return ("put_off", None) if there else ("", Why("nothing_to_put_off", {}))
    if case is None:
        return ("", Why("not_an_original", {})) if row.parcel_id in around.reissues else ("open", None)
    if wish.deed is Deed.ASK:
        why = around.closed.get(case.case_id)
        return ("", why) if why else ("ask", None)
    if case.owner_id == wish.owner_id:
        return "", Why("has_this_owner", {})
    return ("hand_over" if case.owner_id else "take"), None


def _line(row: MemberRow, said: Expected) -> RoundLine:
    code = said.case_code or "–"  # its case is opened with the mail
    return RoundLine(code, said.number, row.dest_province, row.place, row.last_scan_at)
