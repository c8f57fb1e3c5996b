"""Parcels and the scans they are folded from."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from bufa.apps.orders.models import Order
from bufa.apps.shops.choices import is_one_of
from bufa.domain.asking import Why
from bufa.domain.kinds import Kind, Reason, Stage
from bufa.domain.lanes import Leg
from bufa.domain.penalties import Penalty
from bufa.domain.rulebook import Fact


class ParcelRole(models.TextChoices):
    ORIGINAL = "original"
    REISSUE = "reissue"


class Parcel(models.Model):
    """One box. Without a number it is an unshipped remainder that carries the ship-by deadline."""

    shop_id = models.BigIntegerField()
    order = models.ForeignKey(Order, models.PROTECT, related_name="parcels", db_index=False)  # parcel_once_per_key
    role = models.CharField(max_length=10, default=ParcelRole.ORIGINAL)
    key = models.CharField(max_length=90, help_text="Stable identity in the order: rest, or carrier:number.")
    carrier = models.CharField(max_length=40, blank=True)
    number = models.CharField(max_length=40, blank=True)
    number_raw = models.CharField(max_length=80, blank=True)
    package_id = models.CharField(max_length=40, blank=True)
    contents = models.JSONField(default=list, help_text="[[line_id, quantity], …]")
    ships_first = models.BooleanField(
        db_default=False,
        default=False,
        help_text="A reissue that left as the order's first shipment: its goods are no remainder.",
    )
    uploaded_at = models.DateTimeField(null=True, help_text="When the number was given to the platform.")
    origin_province = models.CharField(max_length=30, blank=True)
    dest_province = models.CharField(max_length=30, blank=True)
    state = models.JSONField(default=dict, help_text="ParcelState.to_json(): folded from the scans, can be rebuilt.")
    stage = models.CharField(max_length=20, default=Stage.UNSHIPPED)
    place = models.CharField(max_length=120, blank=True)
    last_scan_at = models.DateTimeField(null=True)
    next_deadline = models.DateTimeField(null=True)
    risk_fen = models.BigIntegerField(default=0, help_text="What the next step of the clock costs.")
    risk_at = models.DateTimeField(null=True)
    risk_rule = models.CharField(max_length=60, blank=True, help_text="The rule by which that step costs.")
    risk_moved = models.JSONField(null=True, help_text="What made that step's clock stand still: code, name, hours.")
    cost_fen = models.BigIntegerField(default=0, help_text="What its open findings cost by now.")
    warn_rule = models.CharField(max_length=60, blank=True, help_text="The finding that comes next if nothing happens.")
    warn_at = models.DateTimeField(null=True, help_text="When it comes; empty until its warning time has begun.")
    is_watched = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    learned_at = models.DateTimeField(null=True, help_text="When its lane learned from it: once, at its end.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "key"], name="parcel_once_per_key"),
            models.UniqueConstraint(
                fields=["shop_id", "carrier", "number"], condition=~Q(number=""), name="parcel_once_per_waybill"
            ),
            is_one_of("role", ParcelRole.values, "parcel_role_known"),
            is_one_of("stage", Stage, "parcel_stage_known"),
        ]
        indexes = [
            models.Index(  # with the id, so that taking what is due needs no look at the rows
                fields=["shop_id", "next_deadline"],
                include=["id"],
                condition=Q(next_deadline__isnull=False),
                name="parcel_due",
            ),
            models.Index(fields=["shop_id", "risk_at"], condition=Q(risk_at__isnull=False), name="parcel_risk"),
            models.Index(fields=["shop_id", "-risk_fen", "-id"], condition=Q(risk_fen__gt=0), name="parcel_dearest"),
            models.Index(fields=["shop_id", "warn_at"], condition=Q(warn_at__isnull=False), name="parcel_warned"),
            models.Index(fields=["shop_id", "id"], name="parcel_newest"),
            models.Index(fields=["shop_id", "number"], condition=~Q(number=""), name="parcel_number"),
            models.Index(
                fields=["last_scan_at"],
                condition=Q(learned_at__isnull=True, stage__in=["delivered", "returned", "cancelled"]),
                name="parcel_to_learn",
            ),
        ]


class ParcelLease(models.Model):
    """Parcels of a shop that a sweep has taken together. They are named in it, and their own rows are left alone."""

    shop_id = models.BigIntegerField()
    parcel_ids = ArrayField(models.BigIntegerField())
    until = models.DateTimeField(help_text="By the real clock.")


class Scan(models.Model):
    """One dated fact about a parcel. Text is stored with names and phones cut out."""

    shop_id = models.BigIntegerField()
    parcel = models.ForeignKey(Parcel, models.CASCADE, related_name="scans", db_index=False)  # scan_once
    scanned_at = models.DateTimeField()
    minute = models.DateTimeField(help_text="scanned_at cut to the minute: part of what makes two messages one scan.")
    received_at = models.DateTimeField(help_text="Latest time we received it.")
    kind = models.CharField(max_length=24)
    reason = models.CharField(max_length=24, blank=True)
    place = models.CharField(max_length=120, blank=True)
    text = models.TextField()
    digest = models.CharField(max_length=32)
    provider = models.CharField(max_length=20)
    code = models.CharField(max_length=40, blank=True)
    fineness = models.SmallIntegerField(default=0)
    platform_hub = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["parcel", "minute", "digest"], name="scan_once"),
            is_one_of("kind", Kind, "scan_kind_known"),
            is_one_of("reason", ["", *Reason], "scan_reason_known"),
        ]


class ParcelFact(models.Model):
    """Something around a parcel that no scan tells: the platform's penalty notice, a customer who has nothing."""

    shop_id = models.BigIntegerField()
    parcel = models.ForeignKey(Parcel, models.CASCADE, related_name="told")
    fact = models.CharField(max_length=24)
    at = models.DateTimeField(help_text="Since when it is so.")
    source = models.CharField(max_length=12, help_text="person, file, statement, after_sale or numbers")
    by = models.CharField(max_length=80)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["parcel", "fact"], name="parcel_fact_once"),
            is_one_of("fact", Fact, "parcel_fact_known"),
        ]


class Subscription(models.Model):
    """What a tracking provider was asked to push about a parcel, within its limits."""

    shop_id = models.BigIntegerField()
    parcel = models.OneToOneField(Parcel, models.CASCADE, related_name="subscription")
    provider = models.CharField(max_length=20)
    state = models.CharField(
        max_length=12, default="wanted", help_text="wanted, active, ended, aborted, unsupported, failed"
    )
    tries = models.JSONField(default=list, help_text="ISO times of subscriptions: at most 4 a month.")
    next_at = models.DateTimeField(null=True)
    last_query_at = models.DateTimeField(null=True, help_text="At least 30 minutes between queries of a number.")
    query_failures = models.SmallIntegerField(default=0, help_text="Queries in a row that failed.")
    query_after = models.DateTimeField(null=True, help_text="Failures of its own: no planned query before.")
    error = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            is_one_of(
                "state", ["wanted", "active", "ended", "aborted", "unsupported", "failed"], "subscription_state_known"
            )
        ]
        indexes = [
            models.Index(fields=["shop_id", "next_at"], condition=Q(next_at__isnull=False), name="subscription_due")
        ]


class TrackingCall(models.Model):
    """One question to a tracking provider: what the budget of an hour counts. Kept for some days."""

    shop_id = models.BigIntegerField()
    parcel = models.ForeignKey(Parcel, models.CASCADE, related_name="+")
    provider = models.CharField(max_length=20)
    asked_at = models.DateTimeField()
    why = models.CharField(max_length=10, help_text="customer, deadline, new, turn, or person")
    by = models.CharField(max_length=80)
    failure = models.CharField(max_length=30, null=True, help_text='"" answered; empty while nobody knows.')  # noqa: DJ001
    new_scans = models.IntegerField(default=0)

    class Meta:
        constraints = [is_one_of("why", [*Why, "person"], "tracking_call_why_known")]
        indexes = [models.Index(fields=["shop_id", "provider", "asked_at"], name="tracking_call_hour")]


class UsedNumber(models.Model):
    """Keyed digest of carrier and number, without shop or buyer: a waybill is never used twice. Reached only through
    the functions `waybill_used(digest)` and `waybill_use(digest)`; the application role cannot read the table."""

    digest = models.BinaryField(primary_key=True)


class TextTemplate(models.Model):
    """A sentence that nothing could read, once for all texts of its form. Names, phones, numbers are cut out.

    `reread_after` is set while the parcels that hold such scans are read again: the last one done, 0 at the start.
    """

    shop_id = models.BigIntegerField()
    key = models.CharField(max_length=12)
    template = models.TextField()
    sample = models.TextField()
    said = models.CharField(max_length=24, help_text="How it reads untaught: unmapped, or a note.")
    count = models.BigIntegerField(default=0, help_text="Scans of it, each counted once.")
    first_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    reread_after = models.BigIntegerField(null=True)
    reread_done = models.IntegerField(default=0)
    reread_total = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "key"], name="text_template_once"),
            is_one_of("said", Kind, "text_template_said_known"),
        ]
        indexes = [
            models.Index(fields=["shop_id"], condition=Q(reread_after__isnull=False), name="text_template_rereading")
        ]


class TemplateReading(models.Model):
    """What a person said a template means."""

    shop_id = models.BigIntegerField()
    template = models.OneToOneField(TextTemplate, models.CASCADE, related_name="reading")
    kind = models.CharField(max_length=24)
    reason = models.CharField(max_length=24, blank=True)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            is_one_of("kind", Kind, "template_reading_kind_known"),
            is_one_of("reason", ["", *Reason], "template_reading_reason_known"),
        ]


class TemplateScan(models.Model):
    """Which scans are of a template: they are found again when it is taught or taken back."""

    shop_id = models.BigIntegerField()
    template = models.ForeignKey(TextTemplate, models.CASCADE, related_name="scans", db_index=False)
    parcel = models.ForeignKey(Parcel, models.CASCADE, related_name="template_scans", db_index=False)
    minute = models.DateTimeField()
    digest = models.CharField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["parcel", "minute", "digest"], name="template_scan_once")]
        indexes = [models.Index(fields=["template", "parcel"], name="template_scan_parcels")]


class LaneCount(models.Model):
    """Hours that passed parcels took: one histogram a level (`lanes.ladder`), leg and month. Merged by adding."""

    shop_id = models.BigIntegerField()
    key = models.CharField(max_length=120)
    leg = models.CharField(max_length=30)
    month = models.DateField()
    counts = models.JSONField(help_text="Histogram.to_json()")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "key", "leg", "month"], name="lane_count_once"),
            is_one_of("leg", Leg, "lane_count_leg_known"),
        ]


class PenaltyNotice(models.Model):
    """A deduction of the platform, as its notice tells it: about which parcel, which, when, how much.

    Without a parcel it stays listed under what was written, until somebody places it or sets it aside.
    """

    shop_id = models.BigIntegerField()
    parcel = models.ForeignKey(
        Parcel, models.CASCADE, null=True, related_name="penalties", db_index=False
    )  # penalty_once
    order_number = models.CharField(max_length=40, blank=True, help_text="As it was written, where no parcel fits.")
    waybill = models.CharField(max_length=80, blank=True)
    why = models.CharField(max_length=24, blank=True, help_text="Why no parcel fits.")
    is_set_aside = models.BooleanField(default=False)
    kind = models.CharField(max_length=20)
    noticed_at = models.DateTimeField()
    amount_fen = models.BigIntegerField(null=True)
    source = models.CharField(max_length=12, help_text="person or file")
    by = models.CharField(max_length=80)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["parcel", "kind", "noticed_at"], name="penalty_once"),
            models.UniqueConstraint(
                fields=["shop_id", "order_number", "waybill", "kind", "noticed_at"],
                condition=Q(parcel=None),
                name="unplaced_penalty_once",
            ),
            models.CheckConstraint(
                name="penalty_is_about_something",
                condition=Q(parcel__isnull=False) | ~Q(order_number="") | ~Q(waybill=""),
            ),
            is_one_of("kind", Penalty, "penalty_kind_known"),
            models.CheckConstraint(
                name="penalty_amount_not_negative", condition=Q(amount_fen=None) | Q(amount_fen__gte=0)
            ),
        ]
        indexes = [
            models.Index(fields=["shop_id", "-noticed_at"], name="penalty_by_time"),
            models.Index(fields=["shop_id"], condition=Q(parcel=None, is_set_aside=False), name="penalty_unplaced"),
        ]
