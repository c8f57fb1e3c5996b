"""Talk with carriers: whom we ask, what was said, what they agreed to."""

from __future__ import annotations

from django.db import models

from bufa.apps.cases.models import Case
from bufa.apps.shops.choices import is_one_of

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
