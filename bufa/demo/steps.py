"""What an agent does with a case at each of the five steps. Every function is one short visit to one case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from bufa.apps.cases import actions as cases
from bufa.apps.cases import remedies
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.shapes import CaseRow
from bufa.apps.cases.weighing import proposed_measure
from bufa.apps.negotiations import actions as negotiations
from bufa.apps.negotiations import queries as talks
from bufa.apps.notices import actions as notices
from bufa.apps.notices import queries as notice_queries
from bufa.apps.reissues import actions as reissues
from bufa.apps.reissues import queries as reissue_queries
from bufa.demo.carrier_words import read_answer
from bufa.demo.shop import Shop
from bufa.demo.world import Mail, World
from bufa.domain.cases import Action, CaseState, Claim, Purpose, RemedyState
from bufa.domain.kinds import Measure
from bufa.domain.notices import Channel
from bufa.domain.outcome import Refused

AT_ONCE = timedelta(0)
PATIENCE = timedelta(hours=36)
"""How long a carrier that was urged may leave a parcel lying."""

TICKET_PATIENCE = timedelta(hours=20)
_GONE = frozenset(
    {Claim.LOST, Claim.DAMAGED, Claim.RETURNED, Claim.WRONG_OR_SHORT, Claim.SHORT, Claim.SIGNED_NOT_RECEIVED}
)
_URGED = frozenset({Measure.CHASE, Measure.INTERCEPT, Measure.REDELIVER, Measure.WAIT})
_FAST = "shunfeng"


@dataclass(slots=True)
class Memory:
    """What the agents keep in their heads: labels printed but not accepted yet, mails written, refunds wished for."""

    labels: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    asked: dict[tuple[str, int], int] = field(default_factory=dict)
    refund_wished: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Doing:
    """One visit: who looks at which case, when."""

    shop: Shop
    world: World
    row: CaseRow
    by: Actor
    now: datetime
    memory: Memory

    @property
    def ids(self) -> dict[str, Any]:
        return {"shop_id": self.row.shop_id, "case_id": self.row.case_id}

    @property
    def round(self) -> tuple[str, int]:
        return self.row.code, self.row.round

    def act(self, action: Action, **params: Any) -> None:
        cases.act(**self.ids, action=action, by=self.by, now=self.now, **params)

    def facts(self) -> tuple[Any, Claim | None]:
        """The case's facts, and what is wrong: as confirmed, else as weighed."""
        facts, _, weighed = cases.about(**self.ids)
        return facts, facts.claim or (Claim(weighed) if weighed else None)


# --- determine -------------------------------------------------------------------------------------------------------


def determine(doing: Doing) -> None:
    """Confirm the verdict and choose a measure, mostly the proposed ones."""
    row, now = doing.row, doing.now
    facts, claim = doing.facts()
    if now - row.opened_at < timedelta(hours=1) or claim is None:
        return
    if not facts.verdict_confirmed:
        if Random(f"dismiss:{row.code}").random() < 0.03 and row.round == 1 and claim not in _GONE:
            doing.act(Action.DISMISS, reason="已和网点电话确认，件在途，轨迹上传晚了")
            return
        doing.act(Action.CONFIRM_VERDICT, claim=claim)
    measure, until = proposed_measure(row.shop_id, row.case_id, now)
    if row.order_id in doing.memory.refund_wished:
        measure = Measure.REFUND
    elif measure in _URGED and now - row.opened_at > timedelta(days=4):
        measure = Measure.REISSUE
    more = {"until": until or now + timedelta(hours=24)} if measure is Measure.WAIT else {}
    doing.act(Action.CHOOSE_MEASURE, measure=measure, delay=AT_ONCE, accept_penalty=True, **more)


# --- negotiate -------------------------------------------------------------------------------------------------------


def ask(doing: Doing) -> None:
    """Write to the carrier, remind it, and after that go on without it or wait another day."""
    row = doing.row
    match Action(row.next_action):
        case Action.ASK_CARRIER if doing.memory.asked.get(doing.round, 0) < 2:
            _write(doing)
        case Action.ASK_CARRIER:
            _without(doing, "承运商两次来信都没有答复，客户等不了，先办")
        case Action.CHANGE_MEASURE:
            _refused(doing)
        case _:
            return


def _write(doing: Doing) -> None:
    row = doing.row
    contacts = talks.contacts_for(row.shop_id, row.carrier, row.place)
    if not contacts:
        _without(doing, "没有这家承运商的联系方式")
        return
    negotiations.ask_carrier(**doing.ids, contact_id=contacts[0].contact_id, by=doing.by, now=doing.now)
    doing.memory.asked[doing.round] = doing.memory.asked.get(doing.round, 0) + 1


def _without(doing: Doing, reason: str) -> None:
    negotiations.go_without_consent(**doing.ids, reason=reason, by=doing.shop.lead, now=doing.now)


def _refused(doing: Doing) -> None:
    """The carrier says no: a lead sends all the same where the goods are gone, else the shop waits a day."""
    facts, claim = doing.facts()
    if facts.measure is Measure.REISSUE and (claim in _GONE or doing.now - doing.row.opened_at > timedelta(days=3)):
        _without(doing, "客户坚持没有收到好的货，先补发，费用再和快递谈")
        return
    doing.act(
        Action.CHANGE_MEASURE,
        measure=Measure.WAIT if claim not in _GONE else Measure.REISSUE,
        until=doing.now + timedelta(hours=24),
        reason="快递说件还在走，再等一天",
    )


def hear_carrier(doing: Doing, mail: Mail) -> None:
    """Write a carrier's answer down. One that offers more than was asked for changes the measure first."""
    answer = read_answer(mail.text)
    facts, _ = doing.facts()
    here = CaseState(doing.row.state)
    if answer.given is None or facts.consent is not None or here not in (CaseState.ASKING, CaseState.FOLLOWING):
        cases.act(**doing.ids, action=Action.NOTE, by=doing.by, now=doing.now, text=f"快递来信：{answer.text}"[:400])
        return
    if answer.given and facts.measure in _URGED:
        doing.act(Action.CHANGE_MEASURE, measure=Measure.REISSUE, reason="快递查明原因并同意补发")
    elif here is CaseState.FOLLOWING:
        return
    negotiations.record_answer(
        **doing.ids,
        given=answer.given,
        person="客服部",
        position="客服",
        said_at=mail.at,
        amount_fen=answer.amount_fen,
        freight_by="carrier" if answer.given else "",
        terms=answer.text[:400],
        valid_until=doing.now + timedelta(days=7) if answer.given else None,
        proof=f"邮件 {answer.ticket}".strip(),
        claim=answer.claim,
        by=doing.by,
        now=doing.now,
    )


# --- number ----------------------------------------------------------------------------------------------------------


def number(doing: Doing) -> None:
    """Fill in a fresh label and submit it, once the customer's ticket is there where one is needed."""
    row, now = doing.row, doing.now
    draft = reissue_queries.open_draft(row.shop_id, row.case_id, now)
    facts, _ = doing.facts()
    late_ticket = False
    if draft.asks_for_ticket:
        if facts.ticket_asked_at is None:
            _tell(doing, Purpose.ASK_OPEN_TICKET)
            return
        if now - facts.ticket_asked_at < TICKET_PATIENCE:
            return
        late_ticket = True
    carrier, label = _label(doing)
    form = replace(draft.form, carrier=carrier, number=label)
    if late_ticket:
        _submit(doing, form, doing.shop.lead, "客户一直没有申请补寄，电话里同意先发")
        return
    try:
        _submit(doing, form, doing.by, "")
    except Refused as refused:
        if refused.why.code not in ("gate_needs_lead", "gate_needs_reason", "ticket_needed"):
            raise
        _submit(doing, form, doing.shop.lead, "已和客户电话确认，先发货")


def _submit(doing: Doing, form: reissue_queries.ReissueForm, by: Actor, reason: str) -> None:
    reissues.submit(**doing.ids, form=form, by=by, override_reason=reason, now=doing.now, delay=AT_ONCE)
    doing.memory.labels.pop(doing.round, None)


def _label(doing: Doing) -> tuple[str, str]:
    """The label printed for this round; a third of them from the faster carrier."""
    known = doing.memory.labels.get(doing.round)
    if known is None:
        faster = Random(f"label:{doing.round}").random() < 0.33 and _FAST in doing.world.said["carriers"]
        carrier = _FAST if faster else doing.row.carrier
        known = carrier, doing.world.waybill(doing.row.order_number, carrier)
        doing.memory.labels[doing.round] = known
    return known


# --- notify ----------------------------------------------------------------------------------------------------------


def tell(doing: Doing) -> None:
    """Tell the customer on the best open channel; a call is made at once."""
    waiting = [one for one in notice_queries.of_case(doing.row.shop_id, doing.row.case_id) if one.state == "todo"]
    if waiting:
        reached = Random(f"call:{doing.round}:{doing.now.isoformat()}").random() < 0.8
        notices.finish_call(
            shop_id=doing.row.shop_id,
            notice_id=waiting[0].notice_id,
            outcome="reached" if reached else "no_answer",
            by=doing.by,
            now=doing.now,
        )
        return
    facts, _ = doing.facts()
    if facts.remedy_is_pending:
        _pay(doing, facts.remedy)
        return
    _tell(doing, None)


def _pay(doing: Doing, remedy: RemedyState) -> None:
    """What the platform has no method for, or refused, is paid by hand in its back office."""
    if remedy in (RemedyState.TODO, RemedyState.FAILED):
        reference = f"小额打款 {Random(f'pay:{doing.row.code}').randrange(10**8):08d}"
        remedies.done_by_hand(**doing.ids, by=doing.by, reference=reference, now=doing.now)


def _tell(doing: Doing, purpose: Purpose | None) -> None:
    choices = notice_queries.proposals(doing.row.shop_id, doing.row.case_id, purpose)
    said = {
        one.channel for one in notice_queries.of_case(doing.row.shop_id, doing.row.case_id) if one.state == "failed"
    }
    channel = next((one.channel for one in choices if one.refused is None and one.channel not in said), None)
    if channel is None:
        return
    notices.send(**doing.ids, channel=Channel(channel), purpose=purpose, by=doing.by, now=doing.now, delay=AT_ONCE)


# --- follow ----------------------------------------------------------------------------------------------------------


def follow(doing: Doing) -> None:
    """A parcel that lies still although the carrier was urged is sent again; a late reissue is asked about once."""
    row, now = doing.row, doing.now
    facts, _ = doing.facts()
    if facts.measure is Measure.REISSUE:
        late = row.next_action == Action.ASK_CARRIER and doing.memory.asked.get((row.code, -row.round), 0) == 0
        if late:
            doing.memory.asked[row.code, -row.round] = 1
            _write(doing)
        return
    still = row.last_scan_at is None or now - row.last_scan_at > PATIENCE
    if still and now - row.opened_at > PATIENCE + timedelta(hours=12):
        doing.act(Action.CHANGE_MEASURE, measure=Measure.REISSUE, reason="催了一天半没有动静，改补发")


BY_STATE: Mapping[CaseState, Callable[[Doing], None]] = {
    CaseState.DETERMINING: determine,
    CaseState.ASKING: ask,
    CaseState.NUMBERING: number,
    CaseState.TELLING: tell,
    CaseState.FOLLOWING: follow,
}
"""Waiting and submitting need nobody."""
