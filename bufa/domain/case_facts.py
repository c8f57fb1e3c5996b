"""What a case is made of: its states, its actions, and the facts that its next move depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from bufa.domain.kinds import Measure, Step
from bufa.domain.outcome import Why
from bufa.domain.watch import Finding


class CaseState(StrEnum):
    """Where a case is. Each state belongs to one step; a closed case to none."""

    DETERMINING = "determining"
    WAITING = "waiting"
    ASKING = "asking"
    NUMBERING = "numbering"
    SUBMITTING = "submitting"
    TELLING = "telling"
    FOLLOWING = "following"
    CLOSED = "closed"

    @property
    def step(self) -> Step | None:
        return STEP_OF[self]


STEP_OF: Mapping[CaseState, Step | None] = {
    CaseState.DETERMINING: Step.DETERMINE,
    CaseState.WAITING: Step.DETERMINE,
    CaseState.ASKING: Step.NEGOTIATE,
    CaseState.NUMBERING: Step.NUMBER,
    CaseState.SUBMITTING: Step.NUMBER,
    CaseState.TELLING: Step.NOTIFY,
    CaseState.FOLLOWING: Step.FOLLOW,
    CaseState.CLOSED: None,
}


class Action(StrEnum):
    """Everything that can happen to a case, by people or by facts that come in."""

    CONFIRM_VERDICT = "confirm_verdict"
    CHOOSE_MEASURE = "choose_measure"
    CHANGE_MEASURE = "change_measure"
    ASK_CARRIER = "ask_carrier"
    RECORD_CONSENT = "record_consent"
    RECORD_REFUSAL = "record_refusal"
    GO_WITHOUT_CONSENT = "go_without_consent"
    FILL_NUMBER = "fill_number"
    SUBMIT = "submit"
    SUBMISSION_ACCEPTED = "submission_accepted"
    SUBMISSION_REJECTED = "submission_rejected"
    SUBMISSION_UNKNOWN = "submission_unknown"
    PROVE_SUBMISSION = "prove_submission"
    RELEASE_UNKNOWN = "release_unknown"
    TELL_CUSTOMER = "tell_customer"
    CUSTOMER_TOLD = "customer_told"
    NOTICE_FAILED = "notice_failed"
    SKIP_NOTICE = "skip_notice"
    REQUEST_APPROVAL = "request_approval"
    APPROVE = "approve"
    DECLINE = "decline"
    WITHDRAW_REQUEST = "withdraw_request"
    REMEDY_MOVED = "remedy_moved"
    REMEDY_DONE = "remedy_done"
    REISSUE_DELIVERED = "reissue_delivered"
    REISSUE_WRONG = "reissue_wrong"
    PARCEL_DELIVERED = "parcel_delivered"
    PARCEL_MOVED = "parcel_moved"
    PARCEL_CAME_BACK = "parcel_came_back"
    CUSTOMER_SAID = "customer_said"
    SILENCE_OVER = "silence_over"
    WAIT_OVER = "wait_over"
    CLOSE = "close"
    REOPEN = "reopen"
    DISMISS = "dismiss"
    TAKE = "take"
    NOTE = "note"


class Claim(StrEnum):
    """What is said to be wrong with a parcel: a statement's and a verdict's content."""

    NOT_SHIPPED = "not_shipped"
    NOT_PICKED_UP = "not_picked_up"
    STALLED = "stalled"
    LATE = "late"
    LOST = "lost"
    DAMAGED = "damaged"
    REFUSED = "refused"
    RETURNED = "returned"
    WRONG_OR_SHORT = "wrong_or_short"
    SHORT = "short"
    WRONG = "wrong"
    EMPTY = "empty"
    SIGNED_NOT_RECEIVED = "signed_not_received"
    DELIVERED = "delivered"
    MOVING = "moving"


class Consent(StrEnum):
    """The carrier's answer, or that a lead went on without one."""

    GIVEN = "given"
    REFUSED = "refused"
    OVERRIDDEN = "overridden"


class ConsentPolicy(StrEnum):
    """When the shop wants the carrier's consent before a reissue leaves."""

    ALWAYS = "always"
    CARRIER_PAYS = "carrier_pays"
    NEVER = "never"


class ReissueState(StrEnum):
    """How far this round's reissue is; the empty value means there is none."""

    NONE = ""
    DRAFT = "draft"
    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    DELIVERED = "delivered"
    WRONG = "wrong"


LIVE_REISSUE = frozenset({ReissueState.SUBMITTING, ReissueState.UNKNOWN, ReissueState.ACCEPTED})
"""The platform has, or may have, this reissue's number."""


class RemedyState(StrEnum):
    """How far what a measure does outside is: a refund, a payment, an interception. The empty value: it does nothing.

    `todo` waits for a person, because no method of the platform does it.
    """

    NONE = ""
    UNDER_WAY = "under_way"
    TODO = "todo"
    UNKNOWN = "unknown"
    FAILED = "failed"
    DONE = "done"


PENDING_REMEDY = frozenset({RemedyState.UNDER_WAY, RemedyState.TODO, RemedyState.UNKNOWN, RemedyState.FAILED})
"""The customer can't be told yet that it is done."""

LEFT_REMEDY = frozenset({RemedyState.UNDER_WAY, RemedyState.UNKNOWN, RemedyState.DONE})
"""The platform has, or may have, what the measure asked of it: money that is out does not come back by a click."""


class Payer(StrEnum):
    """Who pays for a measure in the end."""

    SHOP = "shop"
    CARRIER = "carrier"


class NoticeState(StrEnum):
    """How far this round's telling of the customer is; the empty value means nothing was sent yet."""

    NONE = ""
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED = "skipped"


class Purpose(StrEnum):
    """What a message to a customer is for. Unique per case, purpose, recipient and round."""

    EARLY_WARNING = "early_warning"
    APOLOGY = "apology"
    ASK_OPEN_TICKET = "ask_open_ticket"
    CHASE_UPDATE = "chase_update"
    REISSUE_SENT = "reissue_sent"
    REISSUE_DELIVERED = "reissue_delivered"
    REISSUE_TROUBLE = "reissue_trouble"
    NEW_PROMISE = "new_promise"
    REFUSE_ONE = "refuse_one"
    KEEP_BOTH = "keep_both"
    REFUND = "refund"
    COMPENSATION = "compensation"
    CLOSING = "closing"


class Outcome(StrEnum):
    """How a case ended."""

    REISSUE_DELIVERED = "reissue_delivered"
    ORIGINAL_DELIVERED = "original_delivered"
    REFUNDED = "refunded"
    COMPENSATED = "compensated"
    RECOVERED = "recovered"
    DISMISSED = "dismissed"
    OTHER = "other"


class EffectKind(StrEnum):
    """What a decision asks the apps to do in the same transaction."""

    SEND_CARRIER_MAIL = "send_carrier_mail"
    SUBMIT_REISSUE = "submit_reissue"
    READ_BACK = "read_back"
    SUBSCRIBE_REISSUE = "subscribe_reissue"
    SEND_NOTICE = "send_notice"
    OPEN_NEXT_ROUND = "open_next_round"
    START_REMEDY = "start_remedy"
    WRITE_TO_CARRIER = "write_to_carrier"


@dataclass(frozen=True, slots=True)
class FindingFact:
    """What a case needs to know of an open finding."""

    rule_id: str
    since: datetime
    confirmed: bool = True

    @classmethod
    def of(cls, finding: Finding) -> FindingFact:
        return cls(finding.rule_id, finding.since, finding.certainty == "confirmed")


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """Everything that a case's moves depend on. The names are those of the columns that `Decision.changes` sets.

    `claim`, `measure`, `carrier_asked_at`, `answer_due`, `consent`, `consent_until`, `reissue_state`, `told_at`,
    `notice_state`, `ticket_asked_at`, `wait_until`, `promise_at`, `signed_at`, `confirmed_at`, `promise_breaks` belong
    to this round and are emptied when the next one opens.
    `deadline` and `risk_fen` are the platform's next step of the clock and its cost.
    `needs_ticket`: the reissue needs the buyer's after-sale; `ticket_open`: one is agreed;
    `ticket_waiting`: one waits for our answer.
    `wait_due` is when a person should look again. `snoozed_until`: everything found is put off until then.
    `approve_over_fen`: what a measure may cost without a second person, None for no limit. `approval_*`: the request
    that waits for one: by whom (operator and name), for which measure, at what cost. `amount_fen`, `payer`: what refund
    or compensation was decided on. `remedy`: how far what the measure does outside is. `wants_recall`: the buyer asked
    to have the parcel called back. `customer_said`: the answer on the customer's page that nobody has acted on yet.
    `signed_at`: when tracking said that it arrived; `confirmed_at`: when the customer did. `proof_days`: how many days
    of silence count as their yes, None where the signature is enough. `promise_breaks`: the ledger says that the date
    told will not be kept.
    """

    state: CaseState
    opened_at: datetime
    round: int = 1
    measure: Measure | None = None
    claim: Claim | None = None
    findings: tuple[FindingFact, ...] = ()
    verdict_confirmed: bool = False
    consent_policy: ConsentPolicy = ConsentPolicy.CARRIER_PAYS
    carrier_pays: bool = True
    carrier_asked_at: datetime | None = None
    answer_due: datetime | None = None
    consent: Consent | None = None
    consent_until: datetime | None = None
    reissue_state: ReissueState = ReissueState.NONE
    needs_ticket: bool = False
    ticket_waiting: bool = False
    ticket_open: bool = False
    ticket_asked_at: datetime | None = None
    told_at: datetime | None = None
    notice_state: NoticeState = NoticeState.NONE
    promise_at: datetime | None = None
    wait_until: datetime | None = None
    parcel_moving: bool = False
    snoozed_until: datetime | None = None
    approve_over_fen: int | None = None
    approval_measure: Measure | None = None
    approval_by: int | None = None
    approval_name: str = ""
    approval_at: datetime | None = None
    approval_fen: int = 0
    approval_amount_fen: int | None = None
    approval_payer: Payer | None = None
    amount_fen: int | None = None
    payer: Payer | None = None
    remedy: RemedyState = RemedyState.NONE
    wants_recall: bool = False
    customer_said: str = ""
    customer_said_at: datetime | None = None
    confirmed_at: datetime | None = None
    signed_at: datetime | None = None
    proof_days: int | None = None
    promise_breaks: bool = False
    owner: int | None = None
    deadline: datetime | None = None
    risk_fen: int = 0
    outcome: Outcome | None = None

    @property
    def step(self) -> Step | None:
        return self.state.step

    @property
    def has_reissue(self) -> bool:
        return self.reissue_state is not ReissueState.NONE

    @property
    def reissue_is_live(self) -> bool:
        return self.reissue_state in LIVE_REISSUE

    @property
    def needs_consent(self) -> bool:
        """Whether this measure waits for the carrier's word."""
        match self.measure:
            case Measure.CHASE | Measure.INTERCEPT | Measure.REDELIVER:
                return True
            case Measure.REISSUE:
                return self.consent_policy is ConsentPolicy.ALWAYS or (
                    self.consent_policy is ConsentPolicy.CARRIER_PAYS and self.carrier_pays
                )
            case _:
                return False

    @property
    def remedy_is_pending(self) -> bool:
        """Money was promised and has not moved yet."""
        return self.measure in (Measure.REFUND, Measure.COMPENSATE) and self.remedy in PENDING_REMEDY

    def consent_is_over(self, now: datetime) -> bool:
        """What the carrier agreed to held until a day that has passed."""
        return self.consent is Consent.GIVEN and self.consent_until is not None and self.consent_until <= now

    @property
    def consent_settled(self) -> bool:
        return not self.needs_consent or self.consent in (Consent.GIVEN, Consent.OVERRIDDEN)

    @property
    def main_purpose(self) -> Purpose | None:
        """The message that this measure owes the customer; None while there is nothing to say yet."""
        match self.measure:
            case Measure.REISSUE:
                return Purpose.REISSUE_SENT if self.reissue_state is ReissueState.ACCEPTED else None
            case Measure.REFUND:
                return Purpose.REFUND
            case Measure.COMPENSATE:
                return Purpose.COMPENSATION
            case _:
                return None


Audience = Literal["staff", "shop", "buyer"]
Waiting = Literal["shop", "carrier", "platform", "customer"]


@dataclass(frozen=True, slots=True)
class EffectWanted:
    """One thing to do outside the case, asked for by a decision. `params` are plain JSON values."""

    kind: EffectKind
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. `words` is what a person wrote (a reason, a note): it is to be sealed."""

    kind: str
    why: Why
    audience: Audience = "staff"
    words: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What an action makes of a case. `changes` maps field names of CaseFacts to new values, `state` included."""

    state: CaseState
    step: Step | None
    changes: Mapping[str, Any]
    effects: tuple[EffectWanted, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class NextBest:
    """What should happen next, why, until when, and whose turn it is."""

    action: Action
    why: Why
    due: datetime | None
    waiting_for: Waiting
