"""Money asked from carriers, and money that the platform took and may give back."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from bufa.apps.cases.models import Case
from bufa.apps.parcels.models import Parcel, PenaltyNotice
from bufa.apps.shops.choices import is_one_of
from bufa.domain.appeals import AppealAct, AppealState
from bufa.domain.claims import LIVE, ClaimAct, ClaimState

SHEET_KINDS = ["paid", "bill", "insured"]


class Claim(models.Model):
    """What a carrier may owe for one parcel; never two for the same parcel."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.PROTECT, related_name="claims")
    parcel = models.ForeignKey(Parcel, models.PROTECT, related_name="claims")
    carrier = models.CharField(max_length=40, blank=True)
    number = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=24, blank=True, help_text="What is wrong: domain.case_facts.Claim.")
    state = models.CharField(max_length=12, default=ClaimState.OPEN)
    value_fen = models.BigIntegerField(default=0, help_text="What was lost.")
    freight_fen = models.BigIntegerField(default=0)
    insured_fen = models.BigIntegerField(null=True, help_text="As somebody entered it; else what a sheet says holds.")
    low_fen = models.BigIntegerField(default=0, help_text="What the carrier's terms give, at least …")
    high_fen = models.BigIntegerField(default=0, help_text="… and at most.")
    ask_fen = models.BigIntegerField(default=0, help_text="What can be asked by rule.")
    rule_id = models.CharField(max_length=60, blank=True, help_text="The rule that the amount comes from.")
    window_rule = models.CharField(max_length=60, blank=True)
    until = models.DateTimeField(null=True, help_text="The end of the window in which it must be asked.")
    asked_fen = models.BigIntegerField(default=0)
    offered_fen = models.BigIntegerField(null=True)
    paid_fen = models.BigIntegerField(default=0)
    due_at = models.DateTimeField(null=True, help_text="Until when the carrier has to answer.")
    opened_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()
    case_seen = models.DateTimeField(help_text="The case's last change that was reckoned with.")
    version = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "parcel"], name="one_claim_per_parcel"),
            is_one_of("state", ClaimState, "claim_state_known"),
        ]
        indexes = [
            models.Index(
                fields=["shop_id", "until"], condition=Q(state__in=["open", "lapsed"]), name="claim_by_window"
            ),
            models.Index(fields=["shop_id", "-changed_at"], condition=Q(state__in=sorted(LIVE)), name="claim_live"),
            models.Index(fields=["shop_id", "number"], name="claim_by_number"),
            models.Index(fields=["shop_id", "case", "case_seen"], name="claim_of_case"),
        ]


class ClaimEntry(models.Model):
    """One thing that happened to a claim. Append-only: the ledger adds these up."""

    shop_id = models.BigIntegerField()
    claim = models.ForeignKey(Claim, models.PROTECT, related_name="entries")
    act = models.CharField(max_length=10)
    amount_fen = models.BigIntegerField(default=0)
    reference = models.CharField(max_length=80, blank=True)
    words = models.BinaryField(default=b"", help_text="Sealed: the reason, in somebody's words.")
    line_id = models.BigIntegerField(null=True, help_text="The row of a sheet that said so.")
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = [is_one_of("act", ClaimAct, "claim_act_known")]
        indexes = [models.Index(fields=["shop_id", "at"], name="claim_entry_by_time")]


class Sheet(models.Model):
    """A sheet from a carrier: what it paid, what it bills for carrying, or what parcels were insured for."""

    shop_id = models.BigIntegerField()
    kind = models.CharField(max_length=12)
    carrier = models.CharField(max_length=40, blank=True)
    name = models.BinaryField(default=b"", help_text="Sealed: people put names into file names.")
    key = models.CharField(max_length=32)
    rows = models.IntegerField()
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = [is_one_of("kind", SHEET_KINDS, "claim_sheet_kind_known")]


class SheetLine(models.Model):
    """One row of such a sheet. The same row twice is one."""

    shop_id = models.BigIntegerField()
    sheet = models.ForeignKey(Sheet, models.PROTECT, related_name="lines")
    row = models.IntegerField()
    number = models.CharField(max_length=40)
    amount_fen = models.BigIntegerField()
    on = models.DateField(null=True)
    reference = models.CharField(max_length=80, blank=True)
    claim = models.ForeignKey(Claim, models.PROTECT, null=True, related_name="lines")
    parcel = models.ForeignKey(Parcel, models.PROTECT, null=True)
    state = models.CharField(max_length=10)
    digest = models.CharField(max_length=40)

    class Meta:
        constraints = [
            is_one_of("state", ["matched", "unmatched", "set_aside"], "claim_line_state_known"),
            models.UniqueConstraint(fields=["shop_id", "digest"], name="claim_line_once"),
        ]
        indexes = [
            models.Index(fields=["shop_id", "id"], condition=Q(state="unmatched"), name="claim_line_unmatched"),
            models.Index(fields=["shop_id", "number"], name="claim_line_by_number"),
        ]


class Appeal(models.Model):
    """What was done about one deduction of the platform. A deduction without one can still be appealed, or no more:
    its days tell (domain.appeals)."""

    shop_id = models.BigIntegerField()
    notice = models.OneToOneField(PenaltyNotice, models.PROTECT, related_name="appeal")
    state = models.CharField(max_length=10, default=AppealState.OPEN)
    ground = models.CharField(max_length=20, blank=True)
    area = models.CharField(max_length=200, blank=True, help_text="The district or street that the proof names.")
    begins_at = models.DateTimeField(null=True, help_text="From when what the proof tells held …")
    ends_at = models.DateTimeField(null=True, help_text="… until when.")
    words = models.BinaryField(default=b"", help_text="Sealed: what we say.")
    files = models.JSONField(default=dict, help_text="What is proved (domain.appeals.FILES) → id of the case's file.")
    reference = models.CharField(max_length=80, blank=True)
    sent_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text="Until when the platform answers.")
    granted_fen = models.BigIntegerField(default=0)
    back_fen = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField()
    version = models.IntegerField(default=0)

    class Meta:
        constraints = [
            is_one_of("state", [one for one in AppealState if one is not AppealState.LAPSED], "appeal_state_known"),
            models.CheckConstraint(
                name="appeal_span_in_order",
                condition=Q(begins_at=None) | Q(ends_at=None) | Q(ends_at__gte=models.F("begins_at")),
            ),
        ]


class AppealEntry(models.Model):
    """One thing that happened to an appeal. Append-only: the ledger of deductions adds these up."""

    shop_id = models.BigIntegerField()
    appeal = models.ForeignKey(Appeal, models.PROTECT, related_name="entries")
    act = models.CharField(max_length=10)
    amount_fen = models.BigIntegerField(default=0)
    reference = models.CharField(max_length=80, blank=True)
    words = models.BinaryField(default=b"", help_text="Sealed: the reason, in somebody's words.")
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = [is_one_of("act", AppealAct, "appeal_act_known")]
        indexes = [models.Index(fields=["shop_id", "at"], name="appeal_entry_by_time")]
