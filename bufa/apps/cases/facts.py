"""Between a case's row and the facts that the trade decides on.

Columns hold what lists sort and filter by; the rest of `CaseFacts` is JSON in `Case.facts`, beside a few keys of our
own (`reissue_parcels`). What the world around the case says (open findings, money at risk, tickets, statements) is
read fresh at each decision and never trusted from the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet

from bufa.apps.cases.models import Case, Finding, Statement
from bufa.apps.orders.models import AfterSale
from bufa.apps.parcels import lane_counts
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops.models import Connection, Shop
from bufa.domain import watch
from bufa.domain.case_proof import LONGEST_SILENCE
from bufa.domain.cases import (
    CaseFacts,
    CaseState,
    Claim,
    Consent,
    ConsentPolicy,
    FindingFact,
    NoticeState,
    Outcome,
    Payer,
    ReissueState,
    RemedyState,
)
from bufa.domain.kinds import Measure, Stage, Step
from bufa.domain.measures import ItemReport, MeasurePolicy, agree_refund_by
from bufa.domain.outcome import Why
from bufa.domain.reissues import needs_ticket
from bufa.domain.rulebook import Certainty
from bufa.domain.verdict import Source, Verdict, weigh
from bufa.domain.verdict import Statement as Said
from bufa.lib.prepared import prepared
from bufa.lib.shelf import remembered

_TYPES: dict[str, type[StrEnum]] = {
    "measure": Measure,
    "claim": Claim,
    "consent_policy": ConsentPolicy,
    "consent": Consent,
    "reissue_state": ReissueState,
    "notice_state": NoticeState,
    "approval_measure": Measure,
    "approval_payer": Payer,
    "payer": Payer,
    "remedy": RemedyState,
}
_TIMES = frozenset(
    {
        "carrier_asked_at",
        "answer_due",
        "consent_until",
        "ticket_asked_at",
        "told_at",
        "promise_at",
        "wait_until",
        "approval_at",
        "customer_said_at",
        "confirmed_at",
        "signed_at",
    }
)
_COLUMNS = frozenset(
    {"state", "opened_at", "round", "measure", "findings", "owner", "deadline", "risk_fen", "outcome", "snoozed_until"}
)
_KEPT = tuple(one.name for one in fields(CaseFacts) if one.name not in _COLUMNS)

RESEND_TYPE, RESEND_ASKED, RESEND_AGREED = 7, 6, 8
ENDED = frozenset({12, 14, 28, 51, 53})
"""After-sale statuses in which nothing happens any more (doudian-openapi §9.1)."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the world around a case says at this moment."""

    findings: tuple[Finding, ...]
    statements: tuple[Statement, ...]
    risk_fen: int
    risk_at: datetime | None
    ticket_open: bool
    ticket_waiting: bool
    needs_ticket: bool
    ticket_deadline: datetime | None
    loss: float
    refund_ticket: AfterSale | None = None
    any_ticket: AfterSale | None = None
    stored_policy: Mapping[str, Any] = field(default_factory=dict)
    snoozed_until: datetime | None = None

    @property
    def policy(self) -> MeasurePolicy:
        return MeasurePolicy.read(self.stored_policy)

    @property
    def consent_policy(self) -> ConsentPolicy:
        return ConsentPolicy(self.stored_policy.get("consent", ConsentPolicy.CARRIER_PAYS))

    @property
    def wish(self) -> Measure | None:
        """What the customer last said they want."""
        wished = [row.wish for row in self.statements if row.source == Source.CUSTOMER and row.wish]
        return Measure(wished[-1]) if wished else None

    @property
    def reports(self) -> tuple[ItemReport, ...]:
        """Which items of the parcel somebody reported."""
        return tuple(
            ItemReport(Claim(row.claim), row.said_at, tuple((str(line), int(count)) for line, count in row.items))
            for row in self.statements
            if row.items
        )


def parcel_ids(case: Case) -> list[int]:
    """The original parcel, then the reissues in order."""
    return [case.parcel_id, *case.facts.get("reissue_parcels", [])]


@prepared
def _policy(shop_id: int) -> QuerySet[Shop, Mapping[str, Any]]:
    return Shop.objects.filter(id=shop_id).values_list("policy", flat=True)[:1]


@prepared
def _parcels(shop_id: int, ids: Sequence[int]) -> QuerySet[Parcel]:
    return Parcel.objects.filter(shop_id=shop_id, id__one_of=ids).only(
        "shop_id", "number", "carrier", "risk_fen", "risk_at", "stage", "last_scan_at", "origin_province",
        "dest_province",
    )  # fmt: skip


@prepared
def _findings(shop_id: int, ids: Sequence[int]) -> QuerySet[Finding]:
    return Finding.objects.filter(shop_id=shop_id, parcel_id__one_of=ids, state__in=("open", "snoozed")).order_by(
        "since", "id"
    )


@prepared
def _statements(shop_id: int, case_id: int) -> QuerySet[Statement]:
    return Statement.objects.filter(shop_id=shop_id, case_id=case_id).order_by("said_at", "id")


@prepared
def _tickets(shop_id: int, order_id: int) -> QuerySet[AfterSale]:
    return AfterSale.objects.filter(shop_id=shop_id, order_id=order_id).order_by("id")


@prepared
def _platform(shop_id: int) -> QuerySet[Connection, int]:
    return Connection.objects.filter(shop_id=shop_id, kind="doudian").values_list("id", flat=True)[:1]


@prepared
def _late(shop_id: int, order_ids: Sequence[int]) -> QuerySet[Finding, int]:
    missed = Finding.objects.filter(shop_id=shop_id, parcel__order_id__one_of=order_ids, payout_fen__gt=0)
    return missed.exclude(state="dismissed").values_list("parcel__order_id", flat=True)


@remembered
def look_around(case: Case, now: datetime) -> Around:
    """Read the parcels, findings, statements, tickets and the shop's policy around a case: eight small queries."""
    ids = parcel_ids(case)
    policy = _policy.first(case.shop_id)
    late, has_api = is_late(case.shop_id, case.order_id), has_platform(case.shop_id)
    rows = {row.pk: row for row in _parcels(case.shop_id, ids)}
    by_parcel: dict[int, list[Finding]] = {}
    wakes: list[datetime] = []
    for finding in _findings(case.shop_id, ids):
        if finding.state == "snoozed":
            wakes += [finding.snoozed_until] if finding.snoozed_until else []
            continue
        by_parcel.setdefault(finding.parcel_id, []).append(finding)
    # The newest reissue is what people work on; the original's old findings only count while there is nothing newer.
    current = next((ids[i] for i in range(len(ids) - 1, -1, -1) if by_parcel.get(ids[i])), case.parcel_id)
    at_risk = [row for row in rows.values() if row.risk_at is not None and row.risk_fen > 0]
    first = min(at_risk, key=lambda row: (row.risk_at, row.pk), default=None)
    statements = _statements(case.shop_id, case.pk)
    tickets = _tickets(case.shop_id, case.order_id)
    resends = [row for row in tickets if row.type == RESEND_TYPE and not row.resend_number]
    in_states = frozenset(row.status for row in resends)
    clocks = [row.deadline for row in resends if row.deadline and row.status in (RESEND_ASKED, RESEND_AGREED)]
    refunds = [row for row in tickets if agree_refund_by(row.type, row.status) is not None]
    return Around(
        findings=tuple(by_parcel.get(current, ())),
        statements=tuple(statements),
        risk_fen=first.risk_fen if first else 0,
        risk_at=first.risk_at if first else None,
        ticket_open=RESEND_AGREED in in_states,
        ticket_waiting=RESEND_ASKED in in_states,
        # A further number that no ticket asked for is punished only where the platform has our parcel's number.
        needs_ticket=bool(rows[case.parcel_id].number) and has_api and needs_ticket(late, shipped=True),
        ticket_deadline=min(clocks, default=None),
        loss=_loss(rows.get(current), now),
        snoozed_until=min(wakes, default=None),
        refund_ticket=refunds[-1] if refunds else None,
        any_ticket=next((row for row in reversed(tickets) if row.status not in ENDED), None),
        stored_policy=policy or {},
    )


def has_platform(shop_id: int) -> bool:
    """Does the shop have a connection to the platform?"""
    return bool(_platform(shop_id))


def is_late(shop_id: int, order_id: int) -> bool:
    """Has the order missed a clock of the platform that costs money?"""
    return order_id in late_orders(shop_id, [order_id])


def late_orders(shop_id: int, order_ids: Sequence[int]) -> set[int]:
    """Those orders that missed a clock of the platform that costs money; in one query."""
    return set(_late(shop_id, order_ids))


def _loss(parcel: Parcel | None, now: datetime) -> float:
    if parcel is None or parcel.last_scan_at is None:
        return 0.0
    return lane_counts.loss_chance(
        parcel.shop_id,
        parcel.carrier,
        parcel.origin_province,
        parcel.dest_province,
        Stage(parcel.stage),
        parcel.last_scan_at,
        now,
    )


def due(facts: CaseFacts, around: Around, best: datetime | None) -> datetime | None:
    """Until when a person has to act: an open after-sale of the buyer's may run out before the parcel's own clock."""
    if facts.state in (CaseState.CLOSED, CaseState.WAITING) or around.ticket_deadline is None:
        return best
    return min(best or around.ticket_deadline, around.ticket_deadline)


def read(case: Case, around: Around) -> CaseFacts:
    """The facts of a case as the trade takes them."""
    kept = {name: _value(name, case.facts[name]) for name in _KEPT if name in case.facts}
    kept["ticket_open"] = around.ticket_open
    kept["ticket_waiting"] = around.ticket_waiting
    kept["needs_ticket"] = around.needs_ticket
    kept["approve_over_fen"] = around.policy.approve_over_fen
    kept["proof_days"] = proof_days(around.stored_policy)
    kept["wants_recall"] = around.wish is Measure.INTERCEPT
    return CaseFacts(
        state=CaseState(case.state),
        opened_at=case.opened_at,
        round=case.round,
        measure=Measure(case.measure) if case.measure else None,
        findings=tuple(FindingFact(row.rule, row.since, row.is_certain) for row in around.findings),
        owner=case.owner_id,
        deadline=around.risk_at,
        risk_fen=around.risk_fen,
        outcome=Outcome(case.outcome) if case.outcome else None,
        snoozed_until=None if around.findings else around.snoozed_until,
        **kept,
    )


def write(case: Case, facts: CaseFacts, around: Around, verdict: Verdict) -> None:
    """Put facts into the row (not saved yet)."""
    case.state = facts.state.value
    if facts.step is not None:
        case.step = facts.step.value
    case.round = facts.round
    case.measure = facts.measure.value if facts.measure else ""
    case.owner_id = facts.owner
    case.outcome = facts.outcome.value if facts.outcome else ""
    case.risk_fen = around.risk_fen
    case.risk_at = around.risk_at
    case.approval_at = facts.approval_at
    case.headline = headline(around) or case.headline
    case.facts = {**case.facts, **{name: _plain(getattr(facts, name)) for name in _KEPT}}
    case.verdict = {
        "claim": verdict.claim.value,
        "confidence": verdict.confidence,
        "agree": [source.value for source in verdict.agree],
        "contradict": [source.value for source in verdict.contradict],
        "missing": [source.value for source in verdict.missing],
        "confirmed_by": case.verdict.get("confirmed_by", "") if facts.verdict_confirmed else "",
    }


def proof_days(policy: Mapping[str, Any]) -> int | None:
    """How many days of silence the shop takes for the customer's yes; None where a signature is enough."""
    days = policy.get("proof_days")
    fits = isinstance(days, int) and not isinstance(days, bool) and 1 <= days <= LONGEST_SILENCE
    return days if fits else None


def headline(around: Around) -> str:
    """The rule whose finding names the case: confirmed before suspected, then the oldest."""
    first = min(around.findings, key=lambda row: (not row.is_certain, row.since, row.rule), default=None)
    return first.rule if first else ""


def weigh_all(around: Around, now: datetime) -> Verdict:
    """The verdict of all evidence there is now."""
    said = [Said(Source(row.source), Claim(row.claim), row.said_at) for row in around.statements]
    return weigh(said, [as_fact(row) for row in around.findings], around.loss, now)


def as_fact(row: Finding) -> watch.Finding:
    """A stored finding as the trade knows it."""
    return watch.Finding(
        rule_id=row.rule,
        certainty=Certainty.CONFIRMED if row.is_certain else Certainty.SUSPECTED,
        since=row.since,
        evidence=Why(row.evidence.get("code", row.rule), row.evidence.get("params", {})),
        payout_fen=row.payout_fen,
        step=Step.DETERMINE,
        opens_case=True,
        is_silence=False,
    )


def _value(name: str, stored: Any) -> Any:
    if stored is None:
        return None
    if name in _TYPES:
        return _TYPES[name](stored)
    return datetime.fromisoformat(stored) if name in _TIMES else stored


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.value if isinstance(value, StrEnum) else value
