"""What customers were told, on which channel, and what it promised."""

from __future__ import annotations

from django.db import models

from bufa.apps.cases.models import Case
from bufa.apps.shops.choices import is_one_of


class Notice(models.Model):
    """One message to a customer, or a phone task with a script. Rendered text is sealed."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="notices")
    round = models.IntegerField()
    purpose = models.CharField(max_length=24)
    channel = models.CharField(max_length=8)
    recipient = models.CharField(max_length=64, default="recipient", help_text="Whom: recipient, or a blind index.")
    language = models.CharField(max_length=10, default="zh-hans")
    params = models.JSONField(default=dict, help_text="Template values without buyer data.")
    text = models.BinaryField(default=b"", help_text="Sealed JSON: subject, text, script.")
    state = models.CharField(max_length=10, default="queued")
    send_at = models.DateTimeField(null=True, help_text="Ten seconds to take it back.")
    sent_at = models.DateTimeField(null=True)
    promised_to = models.DateTimeField(null=True, help_text="The last day promised to the customer.")
    effect_id = models.BigIntegerField(null=True)
    outcome = models.CharField(
        max_length=20, blank=True, help_text="Phone: reached, no_answer, wrong_number, call_later."
    )
    note = models.BinaryField(default=b"", help_text="Sealed words of whoever phoned.")
    by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "purpose", "channel", "recipient", "round"],
                condition=~models.Q(state__in=["cancelled", "failed"]),
                name="notice_once",
            ),
            is_one_of("channel", ["sms", "email", "phone"], "notice_channel_known"),
            is_one_of(
                "state",
                ["queued", "sending", "sent", "delivered", "failed", "unknown", "cancelled", "todo", "done"],
                "notice_state_known",
            ),
        ]
        indexes = [models.Index(fields=["shop_id", "state"], name="notice_state")]
