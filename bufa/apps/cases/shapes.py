"""What the pages get to see of cases: plain frozen values, no models, no buyer data but what is named so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bufa.apps.cases.incident_views import IncidentRow
from bufa.apps.orders.views import OrderView
from bufa.apps.parcels.views import ParcelView
from bufa.domain.money_ahead import DayMoney, MoneyStep
from bufa.domain.outcome import Why


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case in a list."""

    shop_id: int
    case_id: int
    code: str
    state: str
    step: str
    round: int
    measure: str
    headline: str
    why: Why
    next_action: str
    waiting_for: str
    due_at: datetime | None
    risk_fen: int
    risk_at: datetime | None
    owner_id: int | None
    owner_name: str
    opened_at: datetime
    changed_at: datetime
    closed_at: datetime | None
    outcome: str
    version: int
    order_id: int
    order_number: str
    parcel_id: int
    carrier: str
    number: str
    stage: str
    place: str
    last_scan_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.state != "closed"

    def is_overdue(self, now: datetime) -> bool:
        return self.is_open and self.due_at is not None and self.due_at < now


@dataclass(frozen=True, slots=True)
class CaseFilters:
    """`state`: a state, `open`, `closed` or `all` ("" is open). `owner_id`: 0 means nobody's. `text`: the beginning of
    a case code, waybill or order number. `overdue`: what should have been done by now. `headline`: the rule of the main
    finding. `ids`: none but these."""

    step: str = ""
    state: str = ""
    owner_id: int | None = None
    measure: str = ""
    carrier: str = ""
    waiting_for: str = ""
    text: str = ""
    overdue: bool = False
    headline: str = ""
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class CasePage:
    """One page of a list; give `next_cursor` back for the next, "" is the last."""

    rows: tuple[CaseRow, ...]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class StepCount:
    """One of the five steps on the today page. `risk_fen`: what its cases' next clocks cost together."""

    step: str
    count: int
    overdue: int
    oldest_due: datetime | None
    risk_fen: int


@dataclass(frozen=True, slots=True)
class MoneyNext:
    """One parcel whose clock will cost `risk_fen` more than `cost_fen` at `at`, by `rule`. `case_code` is "" where
    nobody works on it yet. `moved`: what made the clock stand still (code, name, hours)."""

    at: datetime
    shop_id: int
    parcel_id: int
    carrier: str
    number: str
    order_number: str
    stage: str
    place: str
    risk_fen: int
    case_code: str
    headline: str
    next_action: str
    cost_fen: int
    rule: str
    moved: tuple[Mapping[str, Any], ...] = ()

    @property
    def after_fen(self) -> int:
        return self.cost_fen + self.risk_fen


@dataclass(frozen=True, slots=True)
class Yesterday:
    """The shop day before: what was opened, closed, delivered after all, and what breaches cost."""

    day: date
    opened: int
    closed: int
    reissues_delivered: int
    payout_fen: int


@dataclass(frozen=True, slots=True)
class Today:
    """The today page. `ahead`: the next steps of all clocks; `day`: what of them falls into this shop day;
    `incidents`: the largest that are going on."""

    at: datetime
    steps: tuple[StepCount, ...]
    money: tuple[MoneyNext, ...]
    ahead: tuple[MoneyStep, ...]
    day: DayMoney
    mine: tuple[CaseRow, ...]
    incidents: tuple[IncidentRow, ...]
    watched: int
    open_cases: int
    open_findings: int
    yesterday: Yesterday


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding. `confirmed_by`: who looked at it and said that it is real. `put_off_by`, `put_off_why`: who snoozed or
    dismissed it. `until_scan`: it comes back with the next
    scan, at `snoozed_until` at the latest."""

    finding_id: int
    parcel_id: int
    rule: str
    certainty: str
    state: str
    since: datetime
    found_at: datetime
    evidence: Why
    payout_fen: int
    cleared_at: datetime | None
    put_off_by: str
    put_off_why: str
    snoozed_until: datetime | None
    until_scan: bool = False
    confirmed_by: str = ""


@dataclass(frozen=True, slots=True)
class FileView:
    """A file of a case. `slot`: photo, weight, video, paper. `is_gone`: its bytes were deleted, their time was over."""

    file_id: int
    statement_id: int | None
    slot: str
    name: str = field(repr=False)
    media_type: str
    size: int
    is_image: bool
    is_gone: bool
    by: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class ItemView:
    """Some of an order's line: what was reported, or what is to be sent again."""

    line_id: str
    title: str
    quantity: int
    ordered: int


@dataclass(frozen=True, slots=True)
class ShareView:
    """What one source adds to the verdict, in whole points."""

    source: str
    said: str
    weight: int
    support: int
    against: int


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """A measure that waits for a second person."""

    measure: str
    cost_fen: int
    by_id: int | None
    by: str
    at: datetime
    amount_fen: int | None
    payer: str


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """One of them in a list: which case, since when."""

    shop_id: int
    code: str
    order_number: str
    measure: str
    cost_fen: int
    by_id: int | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PastCase:
    """An earlier case of the same recipient."""

    code: str
    order_number: str
    opened_at: datetime
    claim: str
    measure: str
    outcome: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class RecipientHistory:
    """What the same person or address had in the last `days`: other orders, and their cases, newest first."""

    days: int
    orders: int
    cases: tuple[PastCase, ...]


@dataclass(frozen=True, slots=True)
class RemedyView:
    """What the measure does outside. `can_use`: the after-sale through which the platform can do it now, "" for none;
    it would pay `can_use_fen`."""

    remedy_id: int
    measure: str
    state: str
    amount_fen: int
    payer: str
    ticket: str
    can_use: str
    can_use_fen: int
    effect_id: int | None
    reference: str
    why: str
    by: str
    asked_at: datetime
    done_at: datetime | None
    done_by: str


@dataclass(frozen=True, slots=True)
class LedgerView:
    kind: str
    amount_fen: int
    payer: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class StatementView:
    """`words` are unsealed, for staff of the shop. `items`: what it is about, () for all. `wish`: what the customer
    asks for."""

    statement_id: int
    source: str
    claim: str
    words: str = field(repr=False)
    said_at: datetime = field(kw_only=True)
    by: str = field(kw_only=True)
    wish: str = field(kw_only=True, default="")
    items: tuple[ItemView, ...] = field(kw_only=True, default=())
    files: tuple[FileView, ...] = field(kw_only=True, default=())


@dataclass(frozen=True, slots=True)
class VerdictView:
    """What the three kinds of evidence add up to. `confidence`: 0–100. `confirmed_by`: "" until a person says so."""

    claim: str
    confidence: int
    agree: tuple[str, ...]
    contradict: tuple[str, ...]
    missing: tuple[str, ...]
    confirmed_by: str
    shares: tuple[ShareView, ...] = ()
    doubt: int = 0

    @property
    def support(self) -> int:
        return sum(share.support for share in self.shares)

    @property
    def against(self) -> int:
        return sum(share.against for share in self.shares)


@dataclass(frozen=True, slots=True)
class OptionView:
    """One measure with its price. `refused` says why it can't be chosen now; `is_proposed` marks the system's own."""

    measure: str
    is_proposed: bool
    is_chosen: bool
    costs: Mapping[str, int]
    net_fen: int
    outlay_fen: int
    act_by: datetime | None
    arrives_at: datetime | None
    arrives_late: datetime | None
    hours: int | None
    needs_second: bool
    why: Why | None
    refused: Why | None


@dataclass(frozen=True, slots=True)
class ActionView:
    """One thing that can be done, and why not if not. `is_next`: the next best."""

    action: str
    step: str
    allowed: bool
    refused: Why | None
    is_next: bool


@dataclass(frozen=True, slots=True)
class TimelineView:
    entry_id: int
    kind: str
    audience: str
    by: str
    at: datetime
    data: Mapping[str, Any]
    words: str = field(default="", repr=False)
    effect_id: int | None = None


@dataclass(frozen=True, slots=True)
class StepView:
    """One of the five steps on the case page: `done`, `skipped` (passed by, nothing was done), `now` or `later`."""

    step: str
    state: str


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything of one case that this app knows. Talk with carriers, reissues and notices have queries of their own:
    `negotiations.queries.of_case`, `reissues.queries.of_case`, `notices.queries.of_case`, `effects.queries.by_id`."""

    row: CaseRow
    order: OrderView
    original: ParcelView
    reissue_parcels: tuple[ParcelView, ...]
    findings: tuple[FindingView, ...]
    statements: tuple[StatementView, ...]
    verdict: VerdictView | None
    options: tuple[OptionView, ...]
    steps: tuple[StepView, ...]
    actions: tuple[ActionView, ...]
    timeline: tuple[TimelineView, ...]
    facts: Mapping[str, Any]
    ticket_deadline: datetime | None
    items: tuple[ItemView, ...]
    approval: ApprovalView | None
    remedy: RemedyView | None
    files: tuple[FileView, ...]
    penalty_fen: int
    recall_fen: int
    ledger: tuple[LedgerView, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer of the search box. `kind`: case, parcel or order; `matched`: code, waybill, order or phone."""

    kind: str
    shop_id: int
    ref: str
    matched: str
    order_number: str
    carrier: str = ""
    number: str = ""
    case_code: str = ""
    stage: str = ""
