"""The letter to a carrier about one case: as it would leave now, for the preview and for sending."""

from __future__ import annotations

from datetime import datetime

from bufa.apps.cases import actions as cases
from bufa.apps.cases.letter_words import reason_words
from bufa.apps.cases.queries import cases_by_id
from bufa.apps.cases.shapes import CaseRow
from bufa.apps.negotiations import rules
from bufa.apps.negotiations.asking import cite
from bufa.apps.orders.views import order_view
from bufa.apps.parcels.views import parcel_views
from bufa.apps.shops import queries as shops
from bufa.domain.carrier_messages import Ask, CarrierLetter, Mail, write
from bufa.domain.cases import CaseFacts, Claim
from bufa.domain.kinds import Measure
from bufa.domain.notices import Language
from bufa.domain.parcels import ParcelState
from bufa.domain.rulebook import SHOP_ZONE
from bufa.lib import clock
from bufa.lib.tenancy import reading

_ASK_BY_CLAIM = {Claim.NOT_PICKED_UP: Ask.PICK_UP, Claim.SIGNED_NOT_RECEIVED: Ask.PROOF}
_ASK_BY_MEASURE = {
    Measure.REISSUE: Ask.CONSENT,
    Measure.REFUND: Ask.CONSENT,
    Measure.REDELIVER: Ask.REDELIVER,
    Measure.INTERCEPT: Ask.INTERCEPT,
}
MATTERS = {Ask.REDELIVER: "redeliver", Ask.INTERCEPT: "intercept"}
"""Orders that stand beside the talk: one may follow a question of the same day."""


def write_letter(
    shop_id: int,
    case_id: int,
    *,
    answer_by: datetime,
    language: Language = Language.ZH,
    ask: Ask | None = None,
    extra: str = "",
    reminder: bool = False,
    escalated_from: str = "",
    parcel_id: int | None = None,
) -> Mail:
    """The mail as it would leave now. `escalated_from`: who was asked before and did not answer. `parcel_id`: about one
    of the case's parcels that is not the newest."""
    with reading([shop_id]):
        case = cases_by_id([shop_id], [case_id])[case_id]
        letter = _letter(case, answer_by, language, ask, reminder, escalated_from, parcel_id)
    mail = write(letter, language)
    return Mail(mail.subject, f"{mail.body}\n{extra.strip()}\n") if extra.strip() else mail


def asked_for(case: CaseRow) -> Ask:
    """What this case's letter asks for by itself."""
    return ask_for(current(case)[1], Measure(case.measure) if case.measure else None)


def ask_for(facts_claim: Claim | None, measure: Measure | None) -> Ask:
    """What a carrier is asked for, by what is done and what is wrong."""
    if measure in _ASK_BY_MEASURE:
        return _ASK_BY_MEASURE[measure]
    return _ASK_BY_CLAIM.get(facts_claim, Ask.LOCATE) if facts_claim else Ask.LOCATE


def _letter(
    case: CaseRow,
    answer_by: datetime,
    language: Language,
    ask: Ask | None,
    reminder: bool,
    escalated_from: str,
    parcel_id: int | None,
) -> CarrierLetter:
    order = order_view(case.shop_id, case.order_id)
    box, claim = current(case)
    box = parcel_id or box
    parcel = parcel_views([case.shop_id], [box])[box]
    if order is None:
        raise LookupError(f"case {case.code} has no order")
    rule = cite(rules.of_shop(case.shop_id), parcel.carrier, claim, clock.now().astimezone(SHOP_ZONE).date())
    measure = Measure(case.measure) if case.measure else None
    contents = "、".join(f"{line.title} × {line.quantity}" for line in order.lines)
    return CarrierLetter(
        case_code=case.code,
        shop=shops.shop(case.shop_id).name,
        waybill=parcel.number or case.order_number,
        order_tail=case.order_number[-4:],
        reason=reason_words(claim, language),
        ask=ask or ask_for(claim, measure),
        answer_by=answer_by,
        origin=parcel.origin_province,
        destination=" ".join(part for part in (order.recipient.province, order.recipient.city) if part),
        collected_at=ParcelState.from_json(parcel.state).collected_at,
        last_scan_at=parcel.last_scan_at,
        place=parcel.place,
        contents=contents,
        value_fen=order.paid_fen or None,
        reminder=reminder,
        regulation=rule.text(language).rstrip("。.") if rule else "",
        escalated_from=escalated_from,
    )


def current(case: CaseRow) -> tuple[int, Claim | None]:
    """The parcel that the case is about now (the newest reissue, else the original), and what is wrong with it."""
    facts, parcels, verdict = cases.about(shop_id=case.shop_id, case_id=case.case_id)
    return parcels[-1], _claim_of(facts, verdict)


def _claim_of(facts: CaseFacts, weighed: str) -> Claim | None:
    return facts.claim or (Claim(weighed) if weighed else None)
