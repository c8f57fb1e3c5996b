"""Carrier cases: written anew from what happened whenever something did, so that the row never knows better.

Facts are the messages that left, the answers that were accepted, the consents, and the case itself. `refresh` folds
them and works out the next rung; nobody else writes these rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q

from bufa.apps.cases.models import Case, Statement
from bufa.apps.negotiations.models import (
    GONE_STATES,
    CarrierAnswer,
    CarrierCase,
    CarrierContact,
    CarrierMessage,
    Consent,
)
from bufa.apps.parcels import sites
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops import pauses
from bufa.apps.shops import queries as shops
from bufa.domain import carrier_cases as trade
from bufa.domain.calendars import Pause, PauseCode
from bufa.domain.carrier_cases import Event, Happened, Talk, TalkState
from bufa.domain.cases import CaseState
from bufa.domain.chasing import Contact, Hours, Ladder, Level, Reach, Sent, Step, Stop, Way, fits, next_step, order
from bufa.domain.kinds import Measure
from bufa.domain.regions import short_province
from bufa.domain.verdict import Source
from bufa.lib.tenancy import for_shops, writing

AT_ONCE = 500
_EVENTS = {"ask_consent": Event.ASK, "remind": Event.REMIND, "escalate": Event.ESCALATE}
_NOTHING_ASKED = frozenset({Measure.REFUND, Measure.COMPENSATE})
"""Measures for which nobody needs the carrier's word any more; what it owes is the claim's business."""


@dataclass(frozen=True, slots=True)
class _Around:
    """What is shared by all cases of one refresh."""

    ladder: Ladder
    festivals: tuple[Pause, ...]
    contacts: dict[str, list[CarrierContact]]
    sites: dict[int, str]


def refresh(*, shop_id: int, case_ids: Iterable[int], now: datetime) -> None:
    """Make the carrier cases of these cases new: the current round's, and those of rounds that ended."""
    ids = sorted(set(case_ids))
    if not ids:
        return
    with writing([shop_id]):
        cases = list(Case.objects.select_for_update(of=("self",)).filter(shop_id=shop_id, id__in=ids).order_by("id"))
        known: dict[int, dict[int, CarrierCase]] = defaultdict(dict)
        for row in CarrierCase.objects.filter(shop_id=shop_id, case_id__in=ids).order_by("round"):
            known[row.case_id][row.round] = row
        facts = _Facts(shop_id, ids)
        parcels = {
            row.pk: row
            for row in Parcel.objects.filter(shop_id=shop_id, id__in=[_parcel_of(case, case.round) for case in cases])
        }
        around = _around(shop_id, list(parcels.values()), now)
        for case in cases:
            _refresh(case, known[case.pk], facts, parcels[_parcel_of(case, case.round)], around, now)


def stale(everyone: Sequence[int]) -> dict[int, list[int]]:
    """Shop → cases whose carrier case is missing or of another round, by what the cases themselves say."""
    found: dict[int, list[int]] = defaultdict(list)
    with for_shops(everyone):
        there = CarrierCase.objects.filter(shop_id=OuterRef("shop_id"), case=OuterRef("id"), round=OuterRef("round"))
        wanting = Case.objects.filter(shop_id__in=everyone).exclude(state=CaseState.CLOSED).exclude(parcel__number="")
        wanting = wanting.filter(Q(state=CaseState.ASKING) | Q(round__gt=1)).filter(~Exists(there))
        over = CarrierCase.objects.filter(shop_id__in=everyone).exclude(state=TalkState.CLOSED)
        over = over.filter(Q(case__state=CaseState.CLOSED) | ~Q(case__round=F("round")))
        for shop_id, case_id in wanting.order_by("id").values_list("shop_id", "id")[:AT_ONCE]:
            found[shop_id].append(case_id)
        for shop_id, case_id in over.order_by("id").values_list("shop_id", "case_id")[:AT_ONCE]:
            found[shop_id].append(case_id)
    return dict(found)


def ladder_of(shop_id: int) -> Ladder:
    """The shop's policy of chasing."""
    return Ladder.read(shops.policy_json(shop_id))


def reach_of(row: CarrierContact) -> Reach:
    return Reach(row.pk, Level(row.level), row.branch, row.origin, row.destination)


def hours_of(row: CarrierContact) -> Hours:
    return Hours(row.opens, row.closes, frozenset(int(day) for day in row.days), row.rests_on_festivals)


def way_of(parcel: Parcel, site: str = "") -> Way:
    """What a parcel's contacts are chosen by. `site`: where the carrier's newest text puts it."""
    return Way(site or parcel.place, short_province(parcel.origin_province), short_province(parcel.dest_province))


def festivals(shop_id: int, now: datetime) -> tuple[Pause, ...]:
    """Holidays of all, from the calendar and the shop's own table."""
    return tuple(
        one
        for one in pauses.standing(shop_id, now)
        if one.code is PauseCode.FESTIVAL and not one.areas and one.ends > now
    )


# --- inside ----------------------------------------------------------------------------------------------------------


def _parcel_of(case: Case, round_: int) -> int:
    boxes: list[int] = [case.parcel_id, *case.facts.get("reissue_parcels", [])]
    return boxes[min(round_, len(boxes)) - 1]


def _around(shop_id: int, parcels: Sequence[Parcel], now: datetime) -> _Around:
    contacts: dict[str, list[CarrierContact]] = defaultdict(list)
    carriers = {row.carrier for row in parcels}
    for row in CarrierContact.objects.filter(shop_id=shop_id, carrier__in=carriers, is_active=True).order_by("id"):
        contacts[row.carrier].append(row)
    at = sites.newest(shop_id, [row.pk for row in parcels])
    return _Around(ladder_of(shop_id), festivals(shop_id, now), contacts, at)


class _Facts:
    """All that happened in the talks of some cases; four queries."""

    def __init__(self, shop_id: int, ids: Sequence[int]) -> None:
        self.messages: dict[int, list[CarrierMessage]] = defaultdict(list)
        self.consents: dict[int, list[Consent]] = defaultdict(list)
        self.said: dict[int, list[tuple[datetime, dict[str, Any]]]] = defaultdict(list)
        messages = CarrierMessage.objects.filter(shop_id=shop_id, case_id__in=ids, direction="out")
        for message in messages.select_related("contact").defer("subject", "body").order_by("at", "id"):
            self.messages[message.case_id].append(message)
        for consent in Consent.objects.filter(shop_id=shop_id, case_id__in=ids).defer("terms").order_by("id"):
            self.consents[consent.case_id].append(consent)
        answers = CarrierAnswer.objects.filter(shop_id=shop_id, case_id__in=ids, state="accepted")
        for case_id, at, said in answers.values_list("case_id", "decided_at", "said"):
            if at is not None:
                self.said[case_id].append((at, said))
        told = Statement.objects.filter(shop_id=shop_id, case_id__in=ids, source=Source.CARRIER.value)
        for case_id, at in told.values_list("case_id", "recorded_at"):
            self.said[case_id].append((at, {}))

    def of(self, case_id: int, round_: int, since: datetime, until: datetime | None) -> list[Happened]:
        """Those of one round; answers name none, so theirs is told by the time."""
        found = [
            Happened(_EVENTS[one.purpose], one.at, due=one.answer_by)
            for one in self.messages[case_id]
            if one.round == round_ and one.purpose in _EVENTS and one.state in ("queued", "sent", "unknown")
        ]
        for consent in self.consents[case_id]:
            if consent.round == round_:
                event = {"given": Event.CONSENT, "refused": Event.REFUSE}.get(consent.result, Event.CLOSE)
                found.append(Happened(event, consent.recorded_at, due=consent.valid_until))
        for at, said in self.said[case_id]:
            if at >= since and (until is None or at < until):
                day = date.fromisoformat(said["promise_on"]) if said.get("promise_on") else None
                found.append(Happened(Event.PROMISE if day else Event.ANSWER, at, day=day))
        return found


def _refresh(
    case: Case, known: dict[int, CarrierCase], facts: _Facts, parcel: Parcel, around: _Around, now: datetime
) -> None:
    current = known.get(case.round)
    begun = current.opened_at if current else case.opened_at if case.round == 1 else now
    for round_, row in known.items():
        if round_ < case.round and row.state != TalkState.CLOSED:
            ended = [*facts.of(case.pk, round_, row.opened_at, begun), Happened(Event.CLOSE, begun)]
            _write(row, trade.fold(ended, row.opened_at), Stop.NOT_WAITING)
    told = facts.of(case.pk, case.round, begun, None)
    if current is None:
        if case.state == CaseState.CLOSED or not (told or _should_be(case)):
            return
        current = CarrierCase(
            shop_id=case.shop_id, case=case, round=case.round, parcel_id=parcel.pk, opened_at=begun, since=begun
        )
    if case.state == CaseState.CLOSED:
        told.append(Happened(Event.CLOSE, case.closed_at or now))
    talk = trade.fold(told, begun)
    current.carrier, current.branch = parcel.carrier, way_of(parcel, around.sites.get(parcel.pk, "")).place[:80]
    _write(current, talk, _next(case, current, talk, facts, parcel, around, now))


def _should_be(case: Case) -> bool:
    return case.state == CaseState.ASKING or case.round > 1


def _next(
    case: Case, row: CarrierCase, talk: Talk, facts: _Facts, parcel: Parcel, around: _Around, now: datetime
) -> Step | Stop:
    if not parcel.number or case.measure in _NOTHING_ASKED:
        return Stop.NOT_WAITING
    sent = [
        Sent(one.contact.pk, Level(one.contact.level), one.at, one.state in GONE_STATES, one.state == "to_copy")
        for one in facts.messages[case.pk]
        if one.contact is not None and one.round == case.round and one.matter == "talk" and one.state != "cancelled"
    ]
    way = way_of(parcel, around.sites.get(parcel.pk, ""))
    rows = {one.pk: one for one in around.contacts.get(parcel.carrier, ())}
    near = [one for one in order((reach_of(one) for one in rows.values()), way) if fits(one, way)]
    contacts = [
        Contact(one.contact_id, one.level, hours_of(rows[one.contact_id]), rows[one.contact_id].bounced_at is None)
        for one in near
    ]
    # Whoever was asked by a person is reminded, also where the ladder itself would not have chosen them.
    asked = {one.contact_id for one in sent} - {one.contact_id for one in contacts}
    contacts += [
        Contact(key, Level(rows[key].level), hours_of(rows[key]), rows[key].bounced_at is None)
        for key in sorted(asked)
        if key in rows
    ]
    return next_step(
        talk, sent, contacts, around.ladder, around.festivals, now,
        is_stopped=row.stopped_at is not None, asks_first=case.round > 1,
    )  # fmt: skip


def _write(row: CarrierCase, talk: Talk, step: Step | Stop) -> None:
    row.state, row.since, row.due_at = talk.state.value, talk.since or row.opened_at, talk.due
    row.asked_at, row.answered_at, row.promise_on, row.asked = (
        talk.asked_at, talk.answered_at, talk.promise_on, talk.asked,
    )  # fmt: skip
    if isinstance(step, Stop):
        row.next_rung, row.next_contact_id, row.next_at, row.answer_by, row.no_rung = "", None, None, None, step.value
    else:
        at = max(step.at, row.held_until) if row.held_until else step.at
        row.next_rung, row.next_contact_id, row.next_at, row.answer_by, row.no_rung = (
            step.rung.value, step.contact_id, at, step.answer_by, "",
        )  # fmt: skip
    row.save()
