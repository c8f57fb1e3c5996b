"""What customers were told, on which channel, and what it promised."""

from __future__ import annotations

from django.db import models

from bufa.apps.cases.models import Case, Incident
from bufa.apps.shops.choices import is_one_of
from bufa.domain.customer_says import Answer
from bufa.domain.notices import Channel
from bufa.domain.promise_ledger import PromiseState

STATES = (
    "held",
    "queued",
    "sending",
    "sent",
    "delivered",
    "silent",
    "failed",
    "unknown",
    "cancelled",
    "todo",
    "done",
)


class Notice(models.Model):
    """One message to a customer, or a phone task with a script. Rendered text is sealed."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="notices")
    round = models.IntegerField()
    purpose = models.CharField(max_length=24)
    channel = models.CharField(max_length=12)
    recipient = models.CharField(max_length=64, default="recipient", help_text="Whom: recipient, or a blind index.")
    language = models.CharField(max_length=10, default="zh-hans")
    params = models.JSONField(default=dict, help_text="Template values without buyer data.")
    text = models.BinaryField(default=b"", help_text="Sealed JSON: subject, text, script.")
    state = models.CharField(max_length=10, default="queued")
    send_at = models.DateTimeField(null=True, help_text="Held: not before then.")
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
    chosen = models.JSONField(default=dict, help_text="Why this channel: those before it and why not, why it is held.")
    follows = models.ForeignKey("self", models.SET_NULL, null=True, help_text="The one that did not arrive.")
    person = models.CharField(max_length=64, blank=True, help_text="Keyed digest of who is reached.")
    day = models.DateField(null=True, help_text="The shop's day that it counts to, once it may leave.")
    segments = models.IntegerField(default=0)
    cost_li = models.IntegerField(default=0, help_text="Thousandths of a yuan, as the shop's prices say.")
    tag = models.CharField(max_length=15, blank=True, help_text="Ours, in the vendor's receipt; not to be guessed.")
    provider_id = models.CharField(max_length=80, blank=True, help_text="The vendor's own name of it.")
    receipt = models.CharField(max_length=10, blank=True, help_text="waiting, delivered, failed, none")
    receipt_code = models.CharField(max_length=60, blank=True)
    receipt_at = models.DateTimeField(null=True)
    receipt_due_at = models.DateTimeField(null=True, help_text="Until when a receipt is waited for.")
    look_at = models.DateTimeField(null=True, help_text="When a receipt is asked for next.")

    class Meta:
        constraints = [
            # Silent: it left, and no receipt came in time. Then, and only then, another channel may say the same.
            models.UniqueConstraint(
                fields=["case", "purpose", "recipient", "round"],
                condition=~models.Q(state__in=["cancelled", "failed", "silent"]),
                name="notice_once",
            ),
            models.UniqueConstraint(
                fields=["case", "purpose", "channel", "recipient", "round"],
                condition=~models.Q(state__in=["cancelled", "failed"]),
                name="notice_once_per_channel",
            ),
            models.UniqueConstraint(fields=["shop_id", "tag"], condition=~models.Q(tag=""), name="notice_tag_once"),
            is_one_of("channel", Channel, "notice_channel_known"),
            is_one_of("state", STATES, "notice_state_known"),
            is_one_of("receipt", ["", "waiting", "delivered", "failed", "none"], "notice_receipt_known"),
        ]
        indexes = [
            models.Index(fields=["shop_id", "state"], name="notice_state"),
            models.Index(fields=["shop_id", "person", "day"], name="notice_of_person"),
            models.Index(fields=["shop_id", "look_at"], condition=models.Q(receipt="waiting"), name="notice_look"),
            models.Index(fields=["shop_id", "send_at"], condition=models.Q(state="held"), name="notice_held"),
            models.Index(
                fields=["shop_id", "provider_id"], condition=~models.Q(provider_id=""), name="notice_provider_id"
            ),
        ]


class Spending(models.Model):
    """What one day's messages of a shop cost so far. Written under the shop's lock: no two pass a budget together."""

    shop_id = models.BigIntegerField()
    day = models.DateField()
    cost_li = models.BigIntegerField(default=0)
    messages = models.IntegerField(default=0)
    tests_li = models.BigIntegerField(default=0, help_text="Of it, for test messages.")
    warned_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "day"], name="spending_once_a_day"),
            models.CheckConstraint(name="spending_not_negative", condition=models.Q(cost_li__gte=0, messages__gte=0)),
        ]


class OptOut(models.Model):
    """Somebody who wants no messages any more, by a keyed digest of who they are."""

    shop_id = models.BigIntegerField()
    person = models.CharField(max_length=64)
    source = models.CharField(max_length=8, help_text="reply: they wrote back; person: one of us; vendor: a blacklist.")
    channel = models.CharField(max_length=12, blank=True, help_text="Empty: nothing that rings, and no mail.")
    mask = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField()
    by = models.CharField(max_length=80)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop_id", "person", "channel"], condition=models.Q(lifted_at=None), name="opt_out_once"
            ),
            is_one_of("source", ["reply", "person", "vendor"], "opt_out_source_known"),
        ]


class NoticeWording(models.Model):
    """One version of a shop's own text. The newest version counts; `is_own` False goes back to the trade's text.
    Vendors approve texts: `approval` says how far that is."""

    shop_id = models.BigIntegerField()
    purpose = models.CharField(max_length=24)
    channel = models.CharField(max_length=12)
    language = models.CharField(max_length=10)
    version = models.IntegerField()
    is_own = models.BooleanField(default=True)
    text = models.TextField(blank=True)
    subject = models.CharField(max_length=200, blank=True)
    vendor_id = models.CharField(max_length=40, blank=True, help_text="The approved template at the vendor.")
    approval = models.CharField(max_length=10, default="draft")
    refusal = models.CharField(max_length=200, blank=True, help_text="Why the vendor refused it.")
    at = models.DateTimeField()
    by = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop_id", "purpose", "channel", "language", "version"], name="wording_version_once"
            ),
            is_one_of("channel", Channel, "wording_channel_known"),
            is_one_of("approval", ["draft", "submitted", "approved", "refused"], "wording_approval_known"),
        ]


class TellingRun(models.Model):
    """One text for all parcels of an incident: looked at first, sent a few at a time, each with its own numbers."""

    shop_id = models.BigIntegerField()
    incident = models.ForeignKey(Incident, models.CASCADE, related_name="tellings")
    key = models.CharField(max_length=40)
    purpose = models.CharField(max_length=24)
    channel = models.CharField(max_length=12, blank=True, help_text="Empty: by the shop's order.")
    text = models.TextField(blank=True, help_text="Its own text with {names}; empty for the shop's usual one.")
    per_minute = models.IntegerField(default=60)
    rows = models.JSONField(default=list, help_text="One a parcel: parcel, number, case, code, state, notice, why.")
    todo = models.IntegerField(default=0)
    state = models.CharField(max_length=8, default="running")
    next_at = models.DateTimeField(null=True, help_text="Not before this moment of the shop's clock.")
    by = models.CharField(max_length=80)
    operator_id = models.BigIntegerField(null=True)
    role = models.CharField(max_length=10)
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "key"], name="telling_run_once"),
            is_one_of("state", ["running", "stopped", "done"], "telling_run_state_known"),
        ]
        indexes = [
            models.Index(fields=["shop_id", "id"], condition=models.Q(state="running"), name="telling_run_going")
        ]


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
