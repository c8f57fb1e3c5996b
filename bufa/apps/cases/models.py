"""What the rules found, and people's work on it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from bufa.apps.orders.models import Order
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops.choices import is_one_of
from bufa.domain.double_delivery import Way
from bufa.domain.incidents import Cause
from bufa.domain.kinds import Measure, Step

CASE_STATES = ("determining", "waiting", "asking", "numbering", "submitting", "telling", "following", "closed")
STANDING = ["open", "snoozed"]
"""States of a finding that still holds, whether somebody looks at it now or later."""


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
    approval_at = models.DateTimeField(null=True, help_text="Since when a measure waits for a second person.")
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
            models.Index(
                fields=["shop_id", "step", "due_at"],
                include=["risk_fen", "id"],
                condition=~Q(state="closed"),
                name="case_open_by_step",
            ),
            models.Index(
                fields=["shop_id", "owner", "due_at"], condition=~Q(state="closed"), name="case_open_by_owner"
            ),
            models.Index(fields=["shop_id", "due_at", "id"], condition=~Q(state="closed"), name="case_open_by_due"),
            models.Index(fields=["shop_id", "-opened_at", "-id"], name="case_newest"),
            models.Index(
                fields=["shop_id", "-closed_at", "-id"], condition=Q(state="closed"), name="case_newest_closed"
            ),
            models.Index(fields=["shop_id", "id"], condition=~Q(todo=[]), name="case_todo"),
            models.Index(
                fields=["shop_id", "approval_at"], condition=Q(approval_at__isnull=False), name="case_approval"
            ),
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
    triaged_at = models.DateTimeField(null=True, help_text="When a person said that it is real.")
    triaged_by = models.CharField(max_length=80, blank=True, default="", db_default="")
    triaged_as = models.CharField(max_length=8, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["parcel", "rule", "since"], name="finding_once"),
            is_one_of("certainty", ["suspected", "confirmed"], "finding_certainty_known"),
            is_one_of("state", ["open", "cleared", "dismissed", "snoozed"], "finding_state_known"),
        ]
        indexes = [
            models.Index(fields=["shop_id", "-found_at", "-id"], condition=Q(state="open"), name="finding_open"),
            models.Index(
                fields=["shop_id", "found_at", "id"], condition=Q(state="open", triaged_at=None), name="finding_new"
            ),
            models.Index(fields=["shop_id", "since"], name="finding_since"),
            models.Index(fields=["shop_id", "since"], condition=Q(state__in=STANDING), name="finding_standing"),
        ]

    @property
    def is_certain(self) -> bool:
        """By its rule, or because a person who looked at it said so."""
        return self.certainty == "confirmed" or self.triaged_as == "real"


class Statement(models.Model):
    """One dated fact said by tracking, the carrier or the customer. Words are sealed: people write names into them."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="statements")
    source = models.CharField(max_length=10)
    claim = models.CharField(max_length=24)
    words = models.BinaryField(default=b"")
    items = models.JSONField(default=list, help_text="[[line_id, quantity], …]: which items it is about; empty: all.")
    wish = models.CharField(max_length=12, blank=True, help_text="The measure that the customer asks for.")
    said_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    by = models.CharField(max_length=80, help_text="Who recorded it.")

    class Meta:
        constraints = [
            is_one_of("source", ["tracking", "carrier", "customer"], "statement_source_known"),
            is_one_of("wish", ["", *Measure], "statement_wish_known"),
        ]


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


FILE_SLOTS = ("photo", "weight", "video", "paper")


class CaseFile(models.Model):
    """A file that belongs to a case: a photo, a scale's picture, a packing video, a paper. Its bytes are in parts."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.PROTECT, related_name="files")
    statement = models.ForeignKey(Statement, models.PROTECT, null=True, related_name="files")
    slot = models.CharField(max_length=10, default="photo")
    key = models.CharField(max_length=32, help_text="Random: where its sealed bytes belong.")
    name = models.BinaryField(default=b"", help_text="Sealed: people put names into file names.")
    media_type = models.CharField(max_length=40)
    size = models.BigIntegerField(help_text="Bytes as kept.")
    parts = models.IntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the bytes as kept.")
    width = models.IntegerField(null=True)
    height = models.IntegerField(null=True)
    thumb = models.BinaryField(default=b"", help_text="Sealed small JPEG of an image.")
    by = models.CharField(max_length=80)
    added_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, help_text="When its bytes were deleted: the time to keep them was over.")

    class Meta:
        constraints = [
            is_one_of("slot", FILE_SLOTS, "case_file_slot_known"),
            models.UniqueConstraint(fields=["shop_id", "key"], name="case_file_key_once"),
        ]
        indexes = [models.Index(fields=["shop_id", "case"], name="case_file_of_case")]


class FilePart(models.Model):
    """A sealed piece of a file."""

    shop_id = models.BigIntegerField()
    file = models.ForeignKey(CaseFile, models.CASCADE, related_name="pieces")
    number = models.IntegerField()
    body = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="file_part_once")]


REMEDY_STATES = ("under_way", "todo", "unknown", "failed", "done", "cancelled")


class Remedy(models.Model):
    """What a measure does outside: pay the buyer back, pay compensation, have the parcel called back."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.PROTECT, related_name="remedies")
    round = models.IntegerField()
    measure = models.CharField(max_length=12)
    state = models.CharField(max_length=10)
    amount_fen = models.BigIntegerField(default=0)
    payer = models.CharField(max_length=10, blank=True)
    ticket = models.CharField(max_length=40, blank=True, help_text="The platform's after-sale that it goes through.")
    effect_id = models.BigIntegerField(null=True)
    reference = models.CharField(max_length=80, blank=True, help_text="Of what a person did by hand.")
    why = models.CharField(max_length=200, blank=True, help_text="What the platform said when it refused.")
    by = models.CharField(max_length=80)
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            is_one_of("measure", ["refund", "compensate", "intercept"], "remedy_measure_known"),
            is_one_of("state", REMEDY_STATES, "remedy_state_known"),
            is_one_of("payer", ["", "shop", "carrier"], "remedy_payer_known"),
            models.UniqueConstraint(
                fields=["case"], condition=Q(state__in=["under_way", "todo", "unknown"]), name="one_live_remedy"
            ),
        ]
        indexes = [models.Index(fields=["shop_id", "case"], name="remedy_of_case")]


class LedgerLine(models.Model):
    """Money that moved because of a case, and who pays it in the end. Append-only; a correction is another line."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.PROTECT, related_name="ledger")
    remedy = models.ForeignKey(Remedy, models.PROTECT, null=True, related_name="ledger")
    kind = models.CharField(max_length=20)
    amount_fen = models.BigIntegerField()
    payer = models.CharField(max_length=10)
    at = models.DateTimeField()
    by = models.CharField(max_length=80)

    class Meta:
        constraints = [
            is_one_of("kind", ["refund", "compensation", "intercept_fee"], "ledger_kind_known"),
            is_one_of("payer", ["shop", "carrier"], "ledger_payer_known"),
            models.UniqueConstraint(fields=["remedy", "kind"], name="ledger_line_once"),
        ]
        indexes = [models.Index(fields=["shop_id", "at"], name="ledger_by_time")]


class Incident(models.Model):
    """Many parcels, one cause. Made, moved on and closed by `incidents.regroup`; people act on it, nobody edits it."""

    shop_id = models.BigIntegerField()
    code = models.CharField(max_length=24, help_text="I-20261124-01, for people and mails.")
    ref = models.CharField(max_length=16, help_text="domain.incidents.incident_id of its first day.")
    cause = models.CharField(max_length=8)
    carrier = models.CharField(max_length=40)
    key = models.CharField(max_length=120, blank=True, help_text="A place, two provinces, or nothing.")
    family = models.CharField(max_length=12)
    first_day = models.DateField()
    last_day = models.DateField()
    since = models.DateTimeField(help_text="When the first of its findings began.")
    opened_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    parcels = models.IntegerField(default=0, help_text="In it now.")
    ever = models.IntegerField(default=0, help_text="That were in it at some time.")
    cost_fen = models.BigIntegerField(default=0, help_text="What its parcels' findings cost by now.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "ref"], name="incident_once"),
            models.UniqueConstraint(fields=["shop_id", "code"], name="incident_code_once"),
            is_one_of("cause", Cause, "incident_cause_known"),
        ]
        indexes = [
            models.Index(fields=["shop_id", "-parcels"], condition=Q(closed_at=None), name="incident_open"),
            models.Index(fields=["shop_id", "-closed_at"], condition=Q(closed_at__isnull=False), name="incident_past"),
        ]


class IncidentParcel(models.Model):
    """A parcel in an incident, or one that has left it."""

    shop_id = models.BigIntegerField()
    incident = models.ForeignKey(Incident, models.CASCADE, related_name="members", db_index=False)
    parcel = models.ForeignKey(Parcel, models.CASCADE, related_name="incidents")
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    left_how = models.CharField(max_length=10, blank=True, help_text="moved, arrived, returned, dismissed")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "parcel"], name="incident_parcel_once"),
            is_one_of("left_how", ["", "moved", "arrived", "returned", "dismissed"], "incident_left_known"),
        ]


class IncidentRun(models.Model):
    """One deed for all parcels of an incident, with what became of each. `key` makes one of a form sent twice."""

    shop_id = models.BigIntegerField()
    incident = models.ForeignKey(Incident, models.CASCADE, related_name="runs")
    key = models.CharField(max_length=40)
    deed = models.CharField(max_length=8, help_text="take, ask, snooze")
    params = models.JSONField(default=dict, help_text="What was asked for; free words are cleaned of personal data.")
    rows = models.JSONField(default=list, help_text="One a parcel: parcel, case, state, code, params, before.")
    todo = models.IntegerField(default=0, help_text="Rows that nobody has come to yet.")
    by = models.CharField(max_length=80)
    operator_id = models.BigIntegerField(null=True)
    role = models.CharField(max_length=10)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "key"], name="incident_run_once"),
            is_one_of("deed", ["take", "ask", "snooze"], "incident_deed_known"),
        ]
        indexes = [models.Index(fields=["shop_id", "id"], condition=Q(todo__gt=0), name="incident_run_todo")]


class ToldSeen(models.Model):
    """Up to when a member has seen what the shop's rules told them."""

    shop_id = models.BigIntegerField()
    operator = models.ForeignKey("shops.Operator", models.CASCADE, related_name="+")
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop_id", "operator"], name="told_seen_once")]


class ToldMail(models.Model):
    """A member who wants what they are told as a mail, too: their own choice, their own address."""

    shop_id = models.BigIntegerField()
    operator = models.ForeignKey("shops.Operator", models.CASCADE, related_name="+")
    is_on = models.BooleanField(default=True)
    address = models.EmailField(max_length=200)
    every_minutes = models.SmallIntegerField()
    quiet_from = models.SmallIntegerField(help_text="Hour of the shop's day.")
    quiet_to = models.SmallIntegerField(help_text="The first hour that is not quiet; the same: none is.")
    desk = models.CharField(max_length=200, help_text="Where the desk was called when it was chosen: for links.")
    told_until = models.DateTimeField(help_text="What is news after this has been in no mail.")
    told_before = models.DateTimeField(help_text="The same before the last mail: back to it when that was refused.")
    sent_at = models.DateTimeField(null=True, help_text="When the last mail was wanted.")
    effect_id = models.BigIntegerField(null=True, help_text="The last mail.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "operator"], name="told_mail_once"),
            models.CheckConstraint(
                name="told_mail_hours",
                condition=Q(quiet_from__gte=0, quiet_from__lte=23, quiet_to__gte=0, quiet_to__lte=23),
            ),
            models.CheckConstraint(name="told_mail_pause", condition=Q(every_minutes__gte=1)),
        ]


RUN_STATES = ("checked", "running", "stopped", "done")
RUN_ROW_STATES = ("ready", "closed", "waiting", "done", "failed", "stopped", "undone")


class CaseRun(models.Model):
    """One act on many cases of a shop: looked through, then done case by case. Runs of several shops that were asked
    for together share their key."""

    shop_id = models.BigIntegerField()
    key = models.CharField(max_length=40, help_text="Given out with the form: the same form twice is one run.")
    act = models.CharField(max_length=20)
    params = models.JSONField(default=dict, help_text="By act: owner, until, claim, measure.")
    words = models.BinaryField(default=b"", help_text="Sealed: the reason or note that goes with each.")
    state = models.CharField(max_length=8, default="checked")
    operator = models.ForeignKey("shops.Operator", models.PROTECT, related_name="+")
    by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "key"], name="case_run_once"),
            is_one_of("state", RUN_STATES, "case_run_state_known"),
        ]
        indexes = [models.Index(fields=["shop_id", "id"], condition=Q(state="running"), name="case_run_running")]


class CaseRunRow(models.Model):
    """One case of a run, and what came of it."""

    shop_id = models.BigIntegerField()
    run = models.ForeignKey(CaseRun, models.CASCADE, related_name="rows")
    row = models.IntegerField()
    case = models.ForeignKey(Case, models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, default="ready")
    why = models.JSONField(default=dict, help_text="Code and params: why it cannot be done, or why it was not.")
    before = models.JSONField(default=dict, help_text="What it was, to show and to take it back.")
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "row"], name="case_run_row_once"),
            is_one_of("state", RUN_ROW_STATES, "case_run_row_state_known"),
        ]
        indexes = [models.Index(fields=["run", "row"], condition=Q(state="waiting"), name="case_run_waiting")]


class SavedView(models.Model):
    """A view of the list of cases under a name: filters and columns. Without owner it is everybody's of the shop."""

    shop_id = models.BigIntegerField()
    owner = models.ForeignKey("shops.Operator", models.CASCADE, null=True, related_name="+")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=400, help_text="The address's filters, as the list reads them.")
    columns = models.JSONField(default=list, help_text="Names of the columns shown, in order; empty: the usual ones.")
    position = models.IntegerField(default=0)
    by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, help_text="Deleted; kept for a while, so that it can be brought back.")

    class Meta:
        indexes = [models.Index(fields=["shop_id", "owner"], condition=Q(gone_at=None), name="saved_view_of")]


class DoubleChoice(models.Model):
    """What a lead chose when two parcels with the same goods were on their way, and goods that came back to the shelf.
    Taken back, a row stays."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.PROTECT, related_name="doubles")
    kind = models.CharField(max_length=8)
    way = models.CharField(max_length=16, blank=True)
    done = models.JSONField(default=dict, help_text="What followed: ids of finding, claim, notice, mail; pieces.")
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    undone_by = models.CharField(max_length=80, blank=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            is_one_of("kind", ["choice", "goods"], "double_kind_known"),
            is_one_of("way", ["", *Way], "double_way_known"),
            models.UniqueConstraint(fields=["case", "kind"], condition=Q(undone_at=None), name="double_once"),
        ]
        indexes = [models.Index(fields=["shop_id", "case"], name="double_of_case")]
