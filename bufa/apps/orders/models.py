"""What was bought, by whom it is to be received, and the platform's after-sales."""

from __future__ import annotations

from django.db import models

from bufa.apps.shops.choices import is_one_of
from bufa.domain.rulebook import OrderClass

# Doudian's order_status and aftersale_status numbers are kept as they come: doudian-openapi §4.3, §9.1.


class Order(models.Model):
    """One parent order (shop_order) of the platform."""

    shop_id = models.BigIntegerField()
    number = models.CharField(max_length=40)
    status = models.IntegerField(default=2)
    main_status = models.IntegerField(default=2)
    created_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    ship_by = models.DateTimeField(null=True)
    promise_hours = models.IntegerField(null=True)
    paid_fen = models.BigIntegerField(default=0)
    goods_class = models.CharField(
        max_length=20, default=OrderClass.ORDINARY.value, help_text="For which rules pay otherwise."
    )
    platform_updated_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    is_closed = models.BooleanField(default=False, help_text="Cancelled or wholly refunded: nothing is owed any more.")
    source = models.CharField(max_length=12, default="doudian")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "number"], name="order_once"),
            is_one_of("goods_class", OrderClass, "order_goods_class_known"),
        ]


class Line(models.Model):
    """One sub-order: an item and how many."""

    shop_id = models.BigIntegerField()
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    line_id = models.CharField(max_length=40)
    product_id = models.CharField(max_length=40, blank=True)
    sku_id = models.CharField(max_length=40, blank=True)
    title = models.CharField(max_length=200)
    spec = models.CharField(max_length=120, blank=True)
    quantity = models.IntegerField()
    paid_fen = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "line_id"], name="line_once"),
            models.CheckConstraint(name="line_quantity_positive", condition=models.Q(quantity__gt=0)),
        ]


class Recipient(models.Model):
    """Who receives: the platform's ciphers and masks; sealed plain text only where a file or the customer gave it."""

    shop_id = models.BigIntegerField()
    order = models.OneToOneField(Order, models.CASCADE, related_name="recipient")
    name_cipher = models.TextField(blank=True)
    name_mask = models.CharField(max_length=60, blank=True)
    phone_cipher = models.TextField(blank=True)
    phone_mask = models.CharField(max_length=40, blank=True)
    address_cipher = models.TextField(blank=True)
    address_mask = models.CharField(max_length=200, blank=True)
    province = models.CharField(max_length=30, blank=True)
    city = models.CharField(max_length=30, blank=True)
    district = models.CharField(max_length=30, blank=True)
    town = models.CharField(max_length=60, blank=True)
    open_address_id = models.CharField(max_length=80, blank=True)
    plain = models.BinaryField(default=b"", help_text="Sealed JSON of name, phone, address, email, where known.")
    has_email = models.BooleanField(default=False)
    blind_index = models.CharField(max_length=64, blank=True, help_text="Of name, phone and address together.")
    phone_index = models.CharField(max_length=64, blank=True)
    phone_tail_index = models.CharField(max_length=64, blank=True, help_text="Of the last four digits.")
    moved_at = models.DateTimeField(
        null=True, help_text="When another receiver or address took the place of the first."
    )

    class Meta:
        indexes = [
            models.Index(fields=["shop_id", "phone_tail_index"], name="recipient_phone_tail"),
            models.Index(fields=["shop_id", "phone_index"], name="recipient_phone"),
            models.Index(
                fields=["shop_id", "open_address_id"], condition=~models.Q(open_address_id=""), name="recipient_address"
            ),
            models.Index(
                fields=["shop_id", "blind_index"], condition=~models.Q(blind_index=""), name="recipient_blind"
            ),
        ]


class AddressChange(models.Model):
    """The delivery goes to somebody or somewhere else: the platform's order said so, or a person wrote down what the
    customer asked for. What was before stays readable as places and masks. Taken back, a row stays."""

    shop_id = models.BigIntegerField()
    order = models.ForeignKey(Order, models.CASCADE, related_name="address_changes")
    source = models.CharField(max_length=10)
    said_at = models.DateTimeField(help_text="When the customer asked for it; when the platform's order changed.")
    recorded_at = models.DateTimeField()
    by = models.CharField(max_length=80)
    proof_kind = models.CharField(max_length=10, blank=True, help_text="Where the proof lies; none: nobody has one.")
    proof_file = models.BigIntegerField(null=True, help_text="A file of the order's case.")
    open_address_id = models.CharField(max_length=80, blank=True, help_text="The platform's, after the change.")
    name_mask = models.CharField(max_length=60, blank=True)
    phone_mask = models.CharField(max_length=40, blank=True)
    address_mask = models.CharField(max_length=200, blank=True)
    province = models.CharField(max_length=30, blank=True)
    city = models.CharField(max_length=30, blank=True)
    district = models.CharField(max_length=30, blank=True)
    town = models.CharField(max_length=60, blank=True)
    sealed = models.BinaryField(default=b"", help_text="Sealed JSON: name, phone, address, and the words of the proof.")
    blind_index = models.CharField(max_length=64, blank=True)
    was = models.JSONField(default=dict, help_text="Places and masks before it.")
    taken_back_at = models.DateTimeField(null=True)
    taken_back_by = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            is_one_of("source", ["platform", "customer"], "address_change_source_known"),
            is_one_of("proof_kind", ["", "chat", "call", "file", "platform"], "address_change_proof_known"),
        ]
        indexes = [models.Index(fields=["order", "-id"], name="address_change_newest")]


class AfterSale(models.Model):
    """The platform's after-sale ticket; type 7 is 补寄."""

    shop_id = models.BigIntegerField()
    order = models.ForeignKey(Order, models.CASCADE, related_name="after_sales")
    number = models.CharField(max_length=40)
    type = models.IntegerField()
    status = models.IntegerField()
    deadline = models.DateTimeField(null=True, help_text="status_deadline: the platform's clock on this ticket.")
    applied_at = models.DateTimeField(null=True)
    update_time = models.BigIntegerField(default=0, help_text="The platform's optimistic lock, as it came.")
    reason = models.CharField(max_length=200, blank=True)
    refund_fen = models.BigIntegerField(default=0, help_text="What the buyer asks back.")
    resend_carrier = models.CharField(max_length=40, blank=True)
    resend_number = models.CharField(max_length=40, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop_id", "number"], name="after_sale_once")]
        indexes = [models.Index(fields=["shop_id", "status", "deadline"], name="after_sale_open")]
