"""What customers were told, on which channel, and what it promised."""

from __future__ import annotations

from django.db import models

from bufa.apps.cases.models import Case
from bufa.apps.shops.choices import is_one_of
from bufa.domain.customer_says import Answer
from bufa.domain.promise_ledger import PromiseState


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


class CustomerLink(models.Model):
    """The customer's page of a case: until when its address opens. The address is worked out anew from the shop's key
    whenever a message needs it; here is only its digest."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="customer_links")
    serial = models.IntegerField(help_text="1 for a case's first address; one that was revoked is never made again.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the secret half of its address.")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    opened = models.IntegerField(default=0)
    opened_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "digest"], name="customer_link_digest_once"),
            models.UniqueConstraint(fields=["shop_id", "case", "serial"], name="customer_link_once"),
        ]


class CustomerAnswer(models.Model):
    """One thing that a customer said on their page. What it means to the case is a statement there."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="customer_answers")
    link = models.ForeignKey(CustomerLink, models.CASCADE, null=True, related_name="answers")
    answer = models.CharField(max_length=16)
    round = models.IntegerField()
    stars = models.IntegerField(null=True, help_text="1 to 5, where it is how satisfied they are.")
    digest = models.CharField(max_length=40, help_text="Of all that was said: the same, pressed twice, is one.")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            is_one_of("answer", Answer, "customer_answer_known"),
            models.CheckConstraint(
                name="customer_answer_stars",
                condition=models.Q(answer="rated", stars__range=(1, 5))
                | (~models.Q(answer="rated") & models.Q(stars=None)),
            ),
            models.UniqueConstraint(
                fields=["shop_id", "case"], condition=models.Q(answer="rated"), name="customer_rated_once"
            ),
        ]
        indexes = [models.Index(fields=["shop_id", "case", "-at"], name="customer_answer_of_case")]


class Knock(models.Model):
    """How often somebody without an account tried something, in one window of time: by a keyed digest of what they
    tried and of where they came from, never by the thing itself."""

    shop_id = models.BigIntegerField()
    key = models.CharField(max_length=64)
    since = models.DateTimeField(help_text="Real time: when this window began.")
    count = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop_id", "key"], name="knock_once")]


class Promise(models.Model):
    """A day of arrival that a message told the customer, and whether it was kept. One for each message with a date."""

    shop_id = models.BigIntegerField()
    notice = models.ForeignKey(Notice, models.CASCADE, related_name="promises")
    case = models.ForeignKey(Case, models.CASCADE, related_name="promises")
    parcel_id = models.BigIntegerField(help_text="The parcel that it is about: the case's newest when it was told.")
    made_at = models.DateTimeField()
    first = models.DateTimeField(help_text="The first day told …")
    until = models.DateTimeField(help_text="… and the last instant of the last day told.")
    state = models.CharField(max_length=8, default="running")
    next_at = models.DateTimeField(null=True, help_text="When to look at it again; none once it is settled.")
    warned_at = models.DateTimeField(null=True, help_text="Since when it looks as if it would break.")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            is_one_of("state", PromiseState, "promise_state_known"),
            models.UniqueConstraint(fields=["notice"], name="promise_once"),
            models.CheckConstraint(
                name="promise_settled_together",
                condition=(models.Q(state="running", settled_at=None, next_at__isnull=False))
                | (~models.Q(state="running") & models.Q(settled_at__isnull=False, next_at=None)),
            ),
        ]
        indexes = [
            models.Index(fields=["shop_id", "next_at"], condition=models.Q(state="running"), name="promise_running"),
            models.Index(fields=["shop_id", "until"], name="promise_by_day"),
            models.Index(fields=["shop_id", "case"], name="promise_of_case"),
        ]
