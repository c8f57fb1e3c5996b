"""Talk with carriers: whom we ask, what was said, what they agreed to."""

from __future__ import annotations

from django.db import models

from bufa.apps.cases.models import Case
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops.choices import is_one_of
from bufa.domain.carrier_cases import COVERS, TalkState
from bufa.domain.carrier_rules import Paper
from bufa.domain.chasing import DAY_MINUTES, Level, Rung, Stop
from bufa.domain.paper_layouts import Written
from bufa.domain.parcel_requests import RequestKind, RequestState, RequestWay

MESSAGE_STATES = ["queued", "sent", "failed", "unknown", "received", "cancelled", "bounced", "to_copy"]
GONE_STATES = ["queued", "sent", "unknown", "to_copy"]
"""A message that left, may have, or is about to: its contact is not written to again that day about that parcel."""

ROBOTS = ["wecom", "dingtalk", "feishu"]


class GroupRobot(models.Model):
    """A robot in a chat group with a carrier, or of the shop's own. Its address is a secret, and so is its key."""

    shop_id = models.BigIntegerField()
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, help_text="Of its address: the same robot is kept once.")
    secrets = models.BinaryField(help_text="Sealed JSON: token, secret.")
    base_url = models.CharField(max_length=120, blank=True, help_text="The simulator's; empty: the vendor's own.")
    is_active = models.BooleanField(default=True)
    recent = models.JSONField(default=list, help_text="Real times (epoch) of its last minute's messages.")
    checked_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            is_one_of("kind", ROBOTS, "group_robot_kind_known"),
            models.UniqueConstraint(fields=["shop_id", "digest"], name="group_robot_once"),
        ]


class CarrierContact(models.Model):
    """Whom to ask at a carrier: a branch, its head office, the platform; by mail, by a group's robot, or by hand.

    A branch may serve one route only: `origin` and `destination` are provinces as short names, empty for all.
    """

    shop_id = models.BigIntegerField()
    carrier = models.CharField(max_length=40)
    level = models.CharField(max_length=12, default=Level.HEAD_OFFICE.value)
    branch = models.CharField(max_length=80, blank=True)
    origin = models.CharField(max_length=20, blank=True)
    destination = models.CharField(max_length=20, blank=True)
    name = models.CharField(max_length=60, blank=True)
    email = models.EmailField(blank=True)
    robot = models.ForeignKey(GroupRobot, models.PROTECT, null=True, related_name="contacts")
    opens = models.IntegerField(default=0, help_text="Minutes after the shop's midnight.")
    closes = models.IntegerField(default=DAY_MINUTES)
    days = models.CharField(max_length=7, default="1234567", help_text="ISO weekdays on which it works.")
    rests_on_festivals = models.BooleanField(default=True)
    answer_hours = models.IntegerField(null=True, help_text="What it says that it needs; what it takes is counted.")
    bounced_at = models.DateTimeField(null=True, help_text="Its address gave a mail back; until it is changed.")
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop_id", "carrier", "branch", "email", "origin", "destination"],
                condition=models.Q(robot=None),
                name="contact_once",
            ),
            models.UniqueConstraint(
                fields=["shop_id", "carrier", "branch", "robot", "origin", "destination"],
                condition=models.Q(robot__isnull=False),
                name="contact_once_by_robot",
            ),
            is_one_of("level", Level, "contact_level_known"),
            models.CheckConstraint(
                name="contact_works_some_time",
                condition=models.Q(opens__gte=0, closes__gt=models.F("opens"), closes__lte=DAY_MINUTES),
            ),
        ]


class CarrierMessage(models.Model):
    """One mail to or from a carrier about a case. Subject and body are sealed."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="carrier_messages")
    contact = models.ForeignKey(CarrierContact, models.PROTECT, null=True)
    parcel_id = models.BigIntegerField(null=True, help_text="The parcel that it is about: original or reissue.")
    day = models.DateField(null=True, help_text="The shop's day on which it was written.")
    matter = models.CharField(
        max_length=12, default="talk", help_text="talk; intercept, redeliver: orders of their own beside it."
    )
    rung = models.CharField(max_length=12, blank=True, help_text="The ladder's, where the ladder sent it.")
    channel = models.CharField(max_length=8, default="email")
    round = models.IntegerField(default=1)
    direction = models.CharField(max_length=3, default="out")
    purpose = models.CharField(max_length=20, help_text="ask_consent, remind, escalate, tell")
    subject = models.BinaryField()
    body = models.BinaryField()
    message_id = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, default="queued")
    effect_id = models.BigIntegerField(null=True)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    answer_by = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            is_one_of("direction", ["out", "in"], "carrier_message_direction_known"),
            is_one_of("state", MESSAGE_STATES, "carrier_message_state_known"),
            is_one_of("rung", ["", *Rung], "carrier_message_rung_known"),
            is_one_of("channel", ["email", "robot", "by_hand"], "carrier_message_channel_known"),
            models.UniqueConstraint(
                fields=["shop_id", "contact", "parcel_id", "matter", "day"],
                condition=models.Q(direction="out", state__in=GONE_STATES),
                name="carrier_asked_once_a_day",
            ),
        ]
        indexes = [
            models.Index(fields=["shop_id", "effect_id"], name="carrier_message_effect"),
            models.Index(fields=["shop_id", "id"], condition=models.Q(state="to_copy"), name="carrier_message_to_copy"),
        ]


class CarrierCase(models.Model):
    """The talk with a carrier about one parcel, one a round of a case: what its messages, answers and consents fold to,
    and the rung of the ladder that comes next. Written by `carrier_cases.refresh` only."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="carrier_cases")
    round = models.IntegerField(default=1)
    parcel_id = models.BigIntegerField()
    carrier = models.CharField(max_length=40)
    branch = models.CharField(max_length=80, blank=True, help_text="Where the parcel was seen last.")
    state = models.CharField(max_length=12, default=TalkState.OPENED.value)
    opened_at = models.DateTimeField()
    since = models.DateTimeField()
    due_at = models.DateTimeField(null=True, help_text="When silence becomes our turn.")
    asked_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    promise_on = models.DateField(null=True)
    asked = models.IntegerField(default=0)
    next_rung = models.CharField(max_length=12, blank=True)
    next_contact = models.ForeignKey(CarrierContact, models.SET_NULL, null=True)
    next_at = models.DateTimeField(null=True)
    answer_by = models.DateTimeField(null=True, help_text="Until when the next rung's message will ask to answer.")
    no_rung = models.CharField(max_length=12, blank=True, help_text="Why no rung comes next.")
    held_until = models.DateTimeField(null=True, help_text="The last try was refused; not again before this.")
    stopped_at = models.DateTimeField(null=True)
    stopped_by = models.CharField(max_length=80, blank=True)
    stop_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            is_one_of("state", TalkState, "carrier_case_state_known"),
            is_one_of("next_rung", ["", *Rung], "carrier_case_rung_known"),
            is_one_of("no_rung", ["", *Stop], "carrier_case_no_rung_known"),
            models.UniqueConstraint(fields=["shop_id", "case", "round"], name="carrier_case_once_a_round"),
            models.CheckConstraint(
                name="carrier_case_rung_together",
                condition=models.Q(next_rung="", next_at=None)
                | (~models.Q(next_rung="") & models.Q(next_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="carrier_case_stopped_together",
                condition=models.Q(stopped_at=None, stopped_by="")
                | (models.Q(stopped_at__isnull=False) & ~models.Q(stopped_by="")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["shop_id", "next_at"], condition=models.Q(next_at__isnull=False), name="carrier_case_next"
            ),
            models.Index(fields=["shop_id", "state", "due_at"], name="carrier_case_state"),
            models.Index(fields=["shop_id", "carrier", "branch"], name="carrier_case_carrier"),
        ]


class Consent(models.Model):
    """Who at the carrier agreed to what, on which terms, until when, with proof; or refused."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="consents")
    round = models.IntegerField()
    result = models.CharField(max_length=10)
    covers = models.CharField(max_length=10, default="reissue", help_text="What was agreed to.")
    rule_id = models.CharField(max_length=60, blank=True, help_text="The rule of the library that it was given under.")
    person = models.CharField(max_length=60, blank=True)
    position = models.CharField(max_length=60, blank=True)
    said_at = models.DateTimeField()
    amount_fen = models.BigIntegerField(null=True)
    freight_by = models.CharField(max_length=10, blank=True)
    valid_until = models.DateTimeField(null=True)
    terms = models.BinaryField(default=b"", help_text="Sealed: the words agreed to, or the reason of a refusal.")
    proof = models.CharField(max_length=200, blank=True, help_text="Where the proof is: a mail's id, a call's time.")
    by = models.CharField(max_length=80)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            is_one_of("result", ["given", "refused", "overridden"], "consent_result_known"),
            is_one_of("freight_by", ["", "carrier", "shop", "customer"], "consent_freight_known"),
            is_one_of("covers", COVERS, "consent_covers_known"),
        ]


class OwnRule(models.Model):
    """A shop's own rule about a carrier: over a row of the library with the same id, or beside them."""

    shop_id = models.BigIntegerField()
    rule_id = models.CharField(max_length=60)
    row = models.JSONField(help_text="As domain.carrier_rules.read_rule takes it.")
    by = models.CharField(max_length=80)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop_id", "rule_id"], name="own_rule_once")]


class RuleChange(models.Model):
    """One change of a shop's rule. Append-only; None is "the product's row holds", or no row at all."""

    shop_id = models.BigIntegerField()
    rule_id = models.CharField(max_length=60)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["shop_id", "-id"], name="rule_change_newest")]


class OwnLayout(models.Model):
    """A shop's own layout of a paper, for one carrier or (empty) for all that have none."""

    shop_id = models.BigIntegerField()
    paper = models.CharField(max_length=12)
    carrier = models.CharField(max_length=40, blank=True)
    row = models.JSONField(help_text="As domain.paper_layouts.read_layout takes it.")
    by = models.CharField(max_length=80)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            is_one_of("paper", Written, "own_layout_paper_known"),
            models.UniqueConstraint(fields=["shop_id", "paper", "carrier"], name="own_layout_once"),
        ]


class PaperTick(models.Model):
    """A paper of a case's checklist that is there; a tick taken back is deleted, the audit log keeps both."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="papers")
    paper = models.CharField(max_length=16)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            is_one_of("paper", Paper, "paper_tick_known"),
            models.UniqueConstraint(fields=["shop_id", "case", "paper"], name="paper_tick_once"),
        ]


class CarrierLink(models.Model):
    """A page for a carrier's agent without an account: which cases it shows, and until when it opens."""

    shop_id = models.BigIntegerField()
    carrier = models.CharField(max_length=40)
    contact = models.ForeignKey(CarrierContact, models.PROTECT, null=True)
    name = models.CharField(max_length=60, blank=True, help_text="For whom it was made, where no contact is.")
    cases = models.JSONField(help_text="Ids of the cases that it shows.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the secret half of its address.")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    opened = models.IntegerField(default=0)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop_id", "digest"], name="carrier_link_once")]


class IncomingMail(models.Model):
    """A mail that came in from outside. Everything in it is sealed: nobody knows what a stranger writes."""

    shop_id = models.BigIntegerField()
    digest = models.CharField(
        max_length=64, help_text="Of its Message-ID, else of its bytes: the same mail comes once."
    )
    sender = models.BinaryField(default=b"")
    subject = models.BinaryField(default=b"")
    text = models.BinaryField(default=b"")
    case = models.ForeignKey(Case, models.CASCADE, null=True, related_name="incoming_mails")
    contact = models.ForeignKey(CarrierContact, models.PROTECT, null=True)
    placed_by = models.CharField(max_length=10, help_text="What told the case: token, thread, code, waybill, person.")
    is_trusted = models.BooleanField(default=False, help_text="A known contact whose address the server vouches for.")
    attachments = models.IntegerField(default=0)
    faults = models.JSONField(default=list, help_text="What was cut off or left out, as codes.")
    state = models.CharField(max_length=10, default="placed")
    sent_at = models.DateTimeField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            is_one_of("state", ["placed", "unplaced", "set_aside"], "incoming_mail_state_known"),
            models.UniqueConstraint(fields=["shop_id", "digest"], name="incoming_mail_once"),
        ]
        indexes = [
            models.Index(fields=["shop_id", "id"], condition=models.Q(state="unplaced"), name="incoming_mail_unplaced")
        ]


class CarrierAnswer(models.Model):
    """What a carrier said about one parcel, as it was read; it counts once a person accepts it."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="carrier_answers")
    number = models.CharField(max_length=40)
    source = models.CharField(max_length=8)
    key = models.CharField(max_length=40, help_text="Source and words digested: the same answer comes once.")
    said = models.JSONField(
        help_text="consent, claim, promise_on, amount_fen, freight_by; what was not said is left out."
    )
    words = models.BinaryField(default=b"", help_text="Sealed.")
    sender = models.CharField(
        max_length=120, blank=True, help_text="Contact, link or who pasted it; never a stranger's words."
    )
    is_trusted = models.BooleanField(default=False)
    mail = models.ForeignKey(IncomingMail, models.CASCADE, null=True, related_name="answers")
    link = models.ForeignKey(CarrierLink, models.PROTECT, null=True, related_name="answers")
    state = models.CharField(max_length=10, default="open")
    at = models.DateTimeField()
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            is_one_of("source", ["chat", "mail", "sheet", "link"], "carrier_answer_source_known"),
            is_one_of("state", ["open", "accepted", "dismissed", "overtaken"], "carrier_answer_state_known"),
            models.UniqueConstraint(fields=["shop_id", "case", "key"], name="carrier_answer_once"),
        ]
        indexes = [
            models.Index(fields=["shop_id", "id"], condition=models.Q(state="open"), name="carrier_answer_open"),
            models.Index(fields=["shop_id", "case"], name="carrier_answer_of_case"),
        ]


class ParcelRequest(models.Model):
    """Something asked of a carrier about a parcel on its way, and what came of it: two facts."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="parcel_requests")
    parcel = models.ForeignKey(Parcel, models.CASCADE, related_name="requests")
    kind = models.CharField(max_length=14)
    way = models.CharField(max_length=8)
    state = models.CharField(max_length=9, default=RequestState.ASKED)
    is_wished = models.BooleanField(default=False, help_text="The buyer's recorded wish.")
    penalty_fen = models.BigIntegerField(default=0, help_text="What the platform takes for it; accepted by who asked.")
    until = models.DateTimeField(null=True, help_text="When it is too late, as far as is known.")
    ticket = models.CharField(max_length=40, blank=True)
    effect_id = models.BigIntegerField(null=True)
    words = models.BinaryField(default=b"", help_text="Sealed: what was asked, such as the other address.")
    by = models.CharField(max_length=80)
    asked_at = models.DateTimeField()
    result_by = models.CharField(max_length=80, blank=True)
    result_at = models.DateTimeField(null=True)
    result_words = models.BinaryField(default=b"", help_text="Sealed: what came of it, in somebody's words.")

    class Meta:
        constraints = [
            is_one_of("kind", RequestKind, "parcel_request_kind_known"),
            is_one_of("way", RequestWay, "parcel_request_way_known"),
            is_one_of("state", RequestState, "parcel_request_state_known"),
            models.UniqueConstraint(
                fields=["parcel", "kind"], condition=models.Q(state="asked"), name="one_open_request_a_kind"
            ),
        ]
        indexes = [
            models.Index(fields=["shop_id", "id"], condition=models.Q(state="asked"), name="parcel_request_open"),
            models.Index(fields=["shop_id", "case"], name="parcel_request_of_case"),
        ]
