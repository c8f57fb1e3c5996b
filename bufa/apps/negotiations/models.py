"""Talk with carriers: whom we ask, what was said, what they agreed to."""

from __future__ import annotations

from django.db import models

from bufa.apps.cases.models import Case
from bufa.apps.shops.choices import is_one_of
from bufa.domain.carrier_rules import Paper
from bufa.domain.paper_layouts import Written

MESSAGE_STATES = ["queued", "sent", "failed", "unknown", "received", "cancelled"]


class CarrierContact(models.Model):
    """Whom to write to at a carrier: a branch, or its head office when branch is empty."""

    shop_id = models.BigIntegerField()
    carrier = models.CharField(max_length=40)
    branch = models.CharField(max_length=80, blank=True)
    name = models.CharField(max_length=60, blank=True)
    email = models.EmailField()
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop_id", "carrier", "branch", "email"], name="contact_once")]


class CarrierMessage(models.Model):
    """One mail to or from a carrier about a case. Subject and body are sealed."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="carrier_messages")
    contact = models.ForeignKey(CarrierContact, models.PROTECT, null=True)
    round = models.IntegerField(default=1)
    direction = models.CharField(max_length=3, default="out")
    purpose = models.CharField(max_length=20, help_text="ask_consent, remind, tell")
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
            is_one_of(
                "state", ["queued", "sent", "failed", "unknown", "received", "cancelled"], "carrier_message_state_known"
            ),
        ]


class Consent(models.Model):
    """Who at the carrier agreed to what, on which terms, until when, with proof; or refused."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="consents")
    round = models.IntegerField()
    result = models.CharField(max_length=10)
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
