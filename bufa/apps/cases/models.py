"""What the rules found, and people's work on it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from bufa.apps.orders.models import Order
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops.choices import is_one_of
from bufa.domain.kinds import Measure, Step

CASE_STATES = ("determining", "waiting", "asking", "numbering", "submitting", "telling", "following", "closed")


class Case(models.Model):
    """Work on one original parcel; its reissues belong to it, one per round."""

    shop_id = models.BigIntegerField()
    code = models.CharField(max_length=24)
    parcel = models.ForeignKey(Parcel, models.PROTECT, related_name="cases")
    order = models.ForeignKey(Order, models.PROTECT, related_name="cases")
    state = models.CharField(max_length=12, default="determining")
    step = models.CharField(max_length=10, default=Step.DETERMINE)
    round = models.IntegerField(default=1)
    measure = models.CharField(max_length=12, blank=True)
    verdict = models.JSONField(default=dict, help_text="claim, agree, contradict, missing, confidence, confirmed, by.")
    facts = models.JSONField(default=dict, help_text="The rest of domain.cases.CaseFacts as plain JSON.")
    headline = models.CharField(max_length=40, blank=True, help_text="Code of the main finding, for lists.")
    why = models.JSONField(default=dict, help_text="Why it is where it is: code and params.")
    next_action = models.CharField(max_length=30, blank=True)
    waiting_for = models.CharField(max_length=10, default="shop")
    due_at = models.DateTimeField(null=True, help_text="Until when the next best action has to be taken.")
    risk_fen = models.BigIntegerField(default=0)
    risk_at = models.DateTimeField(null=True)
    owner = models.ForeignKey("shops.Operator", models.PROTECT, null=True, related_name="cases")
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=80, blank=True)
    outcome = models.CharField(max_length=30, blank=True)
    version = models.IntegerField(default=0, help_text="Compare-and-set for people who act at once.")
    todo = models.JSONField(default=list, help_text="What decisions asked of other rooms and nobody has done yet.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "code"], name="case_code_once"),
            models.UniqueConstraint(fields=["parcel"], condition=~Q(state="closed"), name="one_open_case_per_parcel"),
            is_one_of("state", CASE_STATES, "case_state_known"),
            is_one_of("step", Step, "case_step_known"),
            is_one_of("measure", ["", *Measure], "case_measure_known"),
            is_one_of("waiting_for", ["shop", "carrier", "platform", "customer"], "case_waiting_for_known"),
            models.CheckConstraint(
                name="case_closed_together",
                condition=(Q(state="closed", closed_at__isnull=False) & ~Q(closed_by="") & ~Q(outcome=""))
                | (~Q(state="closed") & Q(closed_at=None, closed_by="", outcome="")),
            ),
        ]
        indexes = [
            models.Index(fields=["shop_id", "step", "due_at"], condition=~Q(state="closed"), name="case_open_by_step"),
            models.Index(
                fields=["shop_id", "owner", "due_at"], condition=~Q(state="closed"), name="case_open_by_owner"
            ),
            models.Index(fields=["shop_id", "-opened_at"], name="case_newest"),
            models.Index(fields=["shop_id", "id"], condition=~Q(todo=[]), name="case_todo"),
        ]


class Finding(models.Model):
    """A rule's statement that something is wrong with a parcel, with evidence."""

    shop_id = models.BigIntegerField()
    parcel = models.ForeignKey(Parcel, models.CASCADE, related_name="findings")
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="findings")
    rule = models.CharField(max_length=60)
    certainty = models.CharField(max_length=10)
    state = models.CharField(max_length=10, default="open")
    since = models.DateTimeField(help_text="When it became true.")
    found_at = models.DateTimeField(help_text="When we saw it.")
    evidence = models.JSONField(default=dict, help_text="Code and params.")
    payout_fen = models.BigIntegerField(default=0)
    cleared_at = models.DateTimeField(null=True)
    dismissed_by = models.CharField(max_length=80, blank=True)
    dismissed_why = models.CharField(max_length=200, blank=True)
    snoozed_until = models.DateTimeField(null=True, help_text="It comes back then, if it still stands.")
    snoozed_scan = models.DateTimeField(null=True, help_text="The newest scan when it was put off until the next one.")
    snoozed_by = models.CharField(max_length=80, blank=True)
    snoozed_why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["parcel", "rule", "since"], name="finding_once"),
            is_one_of("certainty", ["suspected", "confirmed"], "finding_certainty_known"),
            is_one_of("state", ["open", "cleared", "dismissed", "snoozed"], "finding_state_known"),
        ]
        indexes = [models.Index(fields=["shop_id", "-found_at"], condition=Q(state="open"), name="finding_open")]


class Statement(models.Model):
    """One dated fact said by tracking, the carrier or the customer. Words are sealed: people write names into them."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="statements")
    source = models.CharField(max_length=10)
    claim = models.CharField(max_length=24)
    words = models.BinaryField(default=b"")
    said_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    by = models.CharField(max_length=80, help_text="Who recorded it.")

    class Meta:
        constraints = [is_one_of("source", ["tracking", "carrier", "customer"], "statement_source_known")]


class TimelineEntry(models.Model):
    """One line of what was done. Append-only; says who may read it."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="timeline")
    kind = models.CharField(max_length=40)
    audience = models.CharField(max_length=10, default="staff")
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    data = models.JSONField(default=dict, help_text="Code params; no buyer data.")
    words = models.BinaryField(default=b"", help_text="Sealed free text: notes, reasons.")
    effect_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [is_one_of("audience", ["staff", "shop", "buyer"], "timeline_audience_known")]
        indexes = [models.Index(fields=["shop_id", "case", "id"], name="timeline_of_case")]
