"""The reissue: a replacement parcel sent because of a case."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from bufa.apps.cases.models import Case
from bufa.apps.parcels.models import Parcel
from bufa.apps.shops.choices import is_one_of
from bufa.apps.shops.models import PickupAddress
from bufa.domain.bulk import RowState, RunState
from bufa.domain.copy_pack import FIELDS

LIVE = ("draft", "submitting", "unknown", "accepted")


class Reissue(models.Model):
    """One replacement: our number, items × quantity, carrier, waybill, where collected, where delivered."""

    shop_id = models.BigIntegerField()
    case = models.ForeignKey(Case, models.PROTECT, related_name="reissues")
    round = models.IntegerField()
    code = models.CharField(max_length=20, help_text="Our own reissue number.")
    state = models.CharField(max_length=12, default="draft")
    carrier = models.CharField(max_length=40, blank=True)
    number = models.CharField(max_length=40, blank=True)
    contents = models.JSONField(default=list, help_text="[[line_id, quantity], …]")
    pickup_address = models.ForeignKey(PickupAddress, models.PROTECT, null=True)
    delivery = models.JSONField(
        default=dict, help_text="Where the delivery address comes from: order or ticket, and which."
    )
    route = models.CharField(max_length=16, blank=True)
    after_sale_number = models.CharField(max_length=40, blank=True)
    gate = models.JSONField(default=list, help_text="The gate's checks as they were when it was submitted.")
    override_reason = models.CharField(max_length=200, blank=True)
    counted = models.JSONField(default=list, help_text="[line_id, …]: a line for each piece read into the open box.")
    parcel = models.OneToOneField(Parcel, models.PROTECT, null=True, related_name="reissue")
    effect_id = models.BigIntegerField(null=True)
    eta_from = models.DateTimeField(null=True)
    eta_to = models.DateTimeField(null=True)
    by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "code"], name="reissue_code_once"),
            models.UniqueConstraint(fields=["case"], condition=Q(state__in=LIVE), name="one_live_reissue_per_case"),
            models.UniqueConstraint(
                fields=["case", "round"],
                condition=~Q(state__in=["rejected", "cancelled"]),
                name="one_reissue_per_round",
            ),
            is_one_of(
                "state",
                ["draft", "submitting", "unknown", "accepted", "rejected", "cancelled", "delivered", "wrong"],
                "reissue_state_known",
            ),
            is_one_of("route", ["", "resend", "extra_package", "add_pack", "copy_pack"], "reissue_route_known"),
        ]
        indexes = [models.Index(fields=["shop_id", "submitted_at"], name="reissue_by_submission")]


class BulkRun(models.Model):
    """Many reissues submitted together: a sheet or a selection, looked through first, then row by row."""

    shop_id = models.BigIntegerField()
    key = models.CharField(max_length=40, help_text="Given by the form, so that sending it twice makes one run.")
    name = models.CharField(max_length=120, help_text="The file's name, or how else it came.")
    state = models.CharField(max_length=8, default=RunState.CHECKED.value)
    operator_id = models.BigIntegerField()
    by = models.CharField(max_length=80)
    override_reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    last_leaves_at = models.DateTimeField(null=True, help_text="Real time at which its newest submission leaves.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "key"], name="bulk_run_once"),
            is_one_of("state", [each.value for each in RunState], "bulk_run_state_known"),
        ]
        indexes = [
            models.Index(fields=["shop_id"], condition=Q(state="running"), name="bulk_run_running"),
            models.Index(fields=["shop_id", "-id"], name="bulk_run_newest"),
        ]


class BulkRow(models.Model):
    """One row of a run. `reference` is a case code or an order number, as it was written; nothing of a buyer's."""

    shop_id = models.BigIntegerField()
    run = models.ForeignKey(BulkRun, models.CASCADE, related_name="rows")
    row = models.IntegerField(help_text="As a spreadsheet counts; the header is row 1.")
    reference = models.CharField(max_length=40, blank=True)
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="+")
    carrier = models.CharField(max_length=40, blank=True)
    number = models.CharField(max_length=40, blank=True)
    contents = models.JSONField(default=list, help_text="[[line_id, quantity], …]")
    pickup_id = models.BigIntegerField(null=True)
    delivery = models.CharField(max_length=40, default="order", help_text="The order's recipient, or change:<id>.")
    asks_range = models.BooleanField(default=False, help_text="The platform is being asked about its carrier's range.")
    to_whom = models.CharField(max_length=80, blank=True, help_text="To whom that question asks, as RangeQuestion.")
    state = models.CharField(max_length=9)
    verdict = models.CharField(max_length=16, help_text="What the gate said before the run.")
    whys = models.JSONField(default=list, help_text="[{code, params}, …]: what stands against it, or needs a look.")
    reissue = models.ForeignKey(Reissue, models.PROTECT, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "row"], name="bulk_row_once"),
            is_one_of("state", [each.value for each in RowState], "bulk_row_state_known"),
        ]
        indexes = [
            models.Index(fields=["run", "state", "row"], name="bulk_row_next"),
            models.Index(fields=["shop_id"], condition=Q(asks_range=True), name="bulk_row_asks"),
        ]


BOOKING_STATES = ("wanted", "unknown", "booked", "failed", "cancelling", "cancelled")


class LabelBooking(models.Model):
    """One e-waybill wanted for a reissue. The row, with its `pack_id`, is there before the call: repeating both order
    and pack_id gives the same number, so an unknown outcome is settled by the same call."""

    shop_id = models.BigIntegerField()
    reissue = models.ForeignKey(Reissue, models.PROTECT, related_name="bookings")
    pack_id = models.CharField(max_length=40)
    carrier = models.CharField(max_length=40)
    state = models.CharField(max_length=12, default="wanted")
    number = models.CharField(max_length=40, blank=True)
    details = models.JSONField(default=dict, help_text="What the platform gave besides: sort code, hint.")
    error = models.JSONField(default=dict, help_text="Why it was not booked, or not cancelled.")
    effect_id = models.BigIntegerField(null=True, help_text="The newest effect: booking or cancelling.")
    by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "pack_id"], name="label_pack_id_once"),
            models.UniqueConstraint(
                fields=["reissue"],
                condition=Q(state__in=["wanted", "unknown", "booked", "cancelling"]),
                name="one_live_label_per_reissue",
            ),
            is_one_of("state", BOOKING_STATES, "label_state_known"),
        ]


class CopyMark(models.Model):
    """An operator copied one field of a reissue into the platform's page, in a shop without API."""

    shop_id = models.BigIntegerField()
    reissue = models.ForeignKey(Reissue, models.CASCADE, related_name="+")
    operator_id = models.BigIntegerField()
    name = models.CharField(max_length=10)
    copied_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reissue", "operator_id", "name"], name="copied_once"),
            is_one_of("name", FIELDS, "copied_field_known"),
        ]


class RangeQuestion(models.Model):
    """Whether a carrier takes a parcel from one of the shop's addresses to a recipient: asked, and answered for a
    while. Times of turns are real, those of answers the shop's."""

    shop_id = models.BigIntegerField()
    carrier = models.CharField(max_length=40)
    pickup_id = models.BigIntegerField()
    order_id = models.BigIntegerField()
    to_whom = models.CharField(max_length=80, blank=True, help_text="The platform's address id, or change:<id>.")
    state = models.CharField(max_length=10, default="waiting")
    is_out = models.BooleanField(default=False)
    reason = models.CharField(max_length=200, blank=True)
    attempt = models.IntegerField(default=0)
    tries = models.IntegerField(default=0)
    next_at = models.DateTimeField(null=True, help_text="Real time before which it is not asked.")
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop_id", "carrier", "pickup_id", "order_id", "to_whom"], name="range_asked_once"
            ),
            is_one_of("state", ["waiting", "answered", "failed"], "range_state_known"),
        ]
        indexes = [
            models.Index(fields=["shop_id", "id"], condition=Q(state="waiting"), name="range_waiting"),
            models.Index(fields=["shop_id", "order_id"], name="range_of_order"),
        ]


class Pack(models.Model):
    """A reissue was put into its box and tied to its waybill by a scan. Undone, the row stays."""

    shop_id = models.BigIntegerField()
    reissue = models.ForeignKey(Reissue, models.PROTECT, related_name="packs")
    state = models.CharField(max_length=8, default="packed")
    carrier = models.CharField(max_length=40)
    number = models.CharField(max_length=40)
    gave_number = models.BooleanField(default=False, help_text="This scan said which waybill it is.")
    counted = models.IntegerField(default=0, help_text="Pieces that were read into it one by one; 0: not counted.")
    operator_id = models.BigIntegerField(null=True)
    by = models.CharField(max_length=80)
    packed_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=80, blank=True, help_text="A person, or why it came undone by itself.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reissue"], condition=Q(state="packed"), name="one_pack_per_reissue"),
            is_one_of("state", ["packed", "undone"], "pack_state_known"),
            models.CheckConstraint(
                name="pack_undone_together",
                condition=Q(state="packed", undone_at=None) | Q(state="undone", undone_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["shop_id", "-packed_at"], name="pack_newest")]


class StationRead(models.Model):
    """What a read at the packing table came to: the same read again (its answer got lost) is answered from here."""

    shop_id = models.BigIntegerField()
    key = models.CharField(max_length=40, help_text="Made by the page, one for each read.")
    result = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop_id", "key"], name="station_read_once")]
        indexes = [models.Index(fields=["shop_id", "at"], name="station_read_age")]


class HandOver(models.Model):
    """Parcels given to one carrier's courier together: open while they are put on it, closed once he signed."""

    shop_id = models.BigIntegerField()
    code = models.CharField(max_length=24)
    carrier = models.CharField(max_length=40)
    state = models.CharField(max_length=8, default="open")
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=80)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=80, blank=True)
    courier = models.CharField(max_length=60, blank=True, help_text="Who signed for the carrier.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "code"], name="hand_over_code_once"),
            models.UniqueConstraint(
                fields=["shop_id", "carrier"], condition=Q(state="open"), name="one_open_list_per_carrier"
            ),
            is_one_of("state", ["open", "closed"], "hand_over_state_known"),
            models.CheckConstraint(
                name="hand_over_closed_together",
                condition=Q(state="open", closed_at=None)
                | (Q(state="closed", closed_at__isnull=False) & ~Q(closed_by="") & ~Q(courier="")),
            ),
        ]


class HandedParcel(models.Model):
    """One parcel on a list; taken off, the row stays."""

    shop_id = models.BigIntegerField()
    hand_over = models.ForeignKey(HandOver, models.CASCADE, related_name="parcels")
    pack = models.ForeignKey(Pack, models.PROTECT, related_name="handed")
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=80)
    taken_off_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pack"], condition=Q(taken_off_at=None), name="pack_on_one_list"),
        ]
        indexes = [models.Index(fields=["hand_over", "id"], name="handed_in_order")]
