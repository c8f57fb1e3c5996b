"""Who we work for: shops (the tenants), operators and their roles, connections, policy."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from bufa.domain.calendars import End, PauseCode
from bufa.domain.kinds import Role

from .choices import is_one_of


class ConnectionKind(models.TextChoices):
    DOUDIAN = "doudian"
    KUAIDI100 = "kuaidi100"
    KDNIAO = "kdniao"
    TRACK17 = "17track"
    SMTP = "smtp"
    ALIYUN_SMS = "aliyun_sms"
    TENCENT_SMS = "tencent_sms"
    ALIYUN_VOICE = "aliyun_voice"


class ConnectionState(models.TextChoices):
    NEW = "new"
    CONNECTED = "connected"
    FAILING = "failing"
    OFF = "off"


class PauseWhy(models.TextChoices):
    """Why nothing leaves a shop: somebody stopped it, or its rows came out of a backup that may be behind the world."""

    PERSON = "person"
    RESTORED = "restored"


class Operator(AbstractUser):
    """A person who signs in. Belongs to shops through Member; global, holds no shop's data."""

    display_name = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=10, default="zh-hans")
    hints = models.BooleanField(default=True, help_text="Shows what to press next, until the person puts it away.")


class Roster(models.Model):
    """The ids of all shops and nothing else: what the sweep and the hooks start from, outside row-level security."""

    shop_id = models.BigIntegerField(primary_key=True)


class Shop(models.Model):
    """One storefront: the tenant. Every row that belongs to it carries its id."""

    name = models.CharField(max_length=80)
    platform = models.CharField(max_length=20, default="doudian")
    platform_shop_id = models.CharField(max_length=40, blank=True)
    is_demo = models.BooleanField(default=False)
    policy = models.JSONField(default=dict, help_text="Shop policy: only what differs from the defaults in domain.")
    next_case = models.BigIntegerField(default=1)
    next_reissue = models.BigIntegerField(default=1)
    created_at = models.DateTimeField()
    outbound_paused_at = models.DateTimeField(null=True, help_text="Since then nothing leaves the house; null: it may.")
    outbound_paused_why = models.CharField(
        max_length=12, blank=True, db_default="", help_text="person, or restored from a backup."
    )
    outbound_paused_by = models.CharField(max_length=80, blank=True, db_default="")

    class Meta:
        constraints = [is_one_of("outbound_paused_why", ["", *PauseWhy.values], "shop_outbound_paused_why_known")]


class Member(models.Model):
    """An operator's role in a shop."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="members")
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=12)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "operator"], name="member_once_per_shop"),
            is_one_of("role", Role, "member_role_known"),
        ]


class Connection(models.Model):
    """Credentials of one outside service for one shop. Secrets and tokens are sealed."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="connections")
    kind = models.CharField(max_length=20)
    state = models.CharField(max_length=12, default=ConnectionState.NEW)
    settings = models.JSONField(default=dict, help_text="What is not secret: base_url, app_key, host, sender.")
    secrets = models.BinaryField(default=b"", help_text="Sealed JSON: app_secret, key, password.")
    tokens = models.BinaryField(default=b"", help_text="Sealed JSON of the platform's tokens.")
    tokens_expire_at = models.DateTimeField(null=True)
    hook_digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the secret part of the hook path.")
    synced_until = models.DateTimeField(null=True)
    progress = models.JSONField(default=dict, help_text="First sync: done, total, phase.")
    error = models.TextField(blank=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "kind"], name="connection_once_per_kind"),
            is_one_of("kind", ConnectionKind.values, "connection_kind_known"),
            is_one_of("state", ConnectionState.values, "connection_state_known"),
        ]


class PickupAddress(models.Model):
    """Where the carrier collects a reissue: the shop's own address, the platform's `send_address_id`."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="pickup_addresses")
    platform_id = models.CharField(max_length=40, blank=True)
    contact = models.CharField(max_length=60)
    phone = models.CharField(max_length=30)
    province = models.CharField(max_length=30)
    city = models.CharField(max_length=30)
    district = models.CharField(max_length=30, blank=True)
    street = models.CharField(max_length=60, blank=True)
    detail = models.CharField(max_length=200)
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop"], condition=Q(is_default=True), name="one_default_pickup_address"),
        ]


class StockItem(models.Model):
    """Goods on the shelf. `sku` is the platform's number of them, "" where only their name is known."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="stock")
    sku = models.CharField(max_length=40, blank=True)
    name_key = models.CharField(max_length=320, help_text="Title and spec as domain.stock.goods_key writes them.")
    title = models.CharField(max_length=200)
    spec = models.CharField(max_length=120, blank=True)
    shelf = models.CharField(max_length=40, blank=True, help_text="Where it lies: A-03-2.")
    barcode = models.CharField(max_length=40, blank=True, help_text="On the goods, as a scanner reads it.")
    on_hand = models.IntegerField()
    reserved = models.IntegerField(default=0)
    counted_at = models.DateTimeField()
    counted_by = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "sku"], condition=~Q(sku=""), name="stock_once_per_sku"),
            models.UniqueConstraint(fields=["shop", "name_key"], condition=Q(sku=""), name="stock_once_per_name"),
            models.UniqueConstraint(
                fields=["shop", "barcode"], condition=~Q(barcode=""), name="stock_once_per_barcode"
            ),
            models.CheckConstraint(name="stock_never_negative", condition=Q(on_hand__gte=0, reserved__gte=0)),
            models.CheckConstraint(name="stock_promised_is_there", condition=Q(reserved__lte=models.F("on_hand"))),
        ]


class StockHold(models.Model):
    """Goods promised to one reissue (`subject` is `reissue:12`), until they leave or are let go."""

    shop_id = models.BigIntegerField()
    item = models.ForeignKey(StockItem, models.PROTECT, related_name="holds")
    subject = models.CharField(max_length=60)
    quantity = models.IntegerField()
    state = models.CharField(max_length=10, default="held")
    held_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "subject"], name="stock_held_once_per_subject"),
            models.CheckConstraint(name="stock_hold_positive", condition=Q(quantity__gt=0)),
            is_one_of("state", ["held", "released", "used"], "stock_hold_state_known"),
            models.CheckConstraint(
                name="stock_hold_settled_together",
                condition=Q(state="held", settled_at=None) | (~Q(state="held") & Q(settled_at__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["shop_id", "subject"], name="stock_hold_subject")]


class ShopPause(models.Model):
    """A festival of the shop's own table, an area without service, or force majeure: clocks stand still meanwhile.

    `works`: these days are no holiday, whatever the calendar says. Taken back, a row stays, so that it can be undone.
    """

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="pauses")
    code = models.CharField(max_length=16)
    name = models.CharField(max_length=60)
    begins = models.DateTimeField()
    ends = models.DateTimeField(help_text="Not included.")
    areas = models.JSONField(default=list, help_text="[[province, city, district], …]; none: everywhere.")
    end = models.CharField(max_length=12, default=End.EITHER.value, help_text="Which end of the way lies there.")
    carriers = models.JSONField(default=list, help_text="Company codes; none: all.")
    families = models.JSONField(default=list, help_text="Families of rules; none: all.")
    platform = models.BooleanField(default=False, help_text="The platform stops its own clocks, too.")
    works = models.BooleanField(default=False)
    source = models.CharField(max_length=200, blank=True, help_text="Where it was announced.")
    by = models.CharField(max_length=80)
    made_at = models.DateTimeField()
    taken_back_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            is_one_of("code", PauseCode, "shop_pause_code_known"),
            is_one_of("end", End, "shop_pause_end_known"),
            models.CheckConstraint(name="shop_pause_ends_after_it_begins", condition=Q(ends__gt=models.F("begins"))),
        ]
        indexes = [models.Index(fields=["shop", "ends"], condition=Q(taken_back_at=None), name="shop_pause_standing")]


class Presence(models.Model):
    """Who has something open right now. No fact of the trade: a row that is not renewed means nothing any more."""

    shop_id = models.BigIntegerField()
    subject = models.CharField(max_length=40, help_text="As the audit log names it: case:12.")
    operator_id = models.BigIntegerField()
    name = models.CharField(max_length=60)
    window = models.CharField(max_length=36, help_text="Random, one a page that is open.")
    since = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="The database's clock.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop_id", "window"], name="presence_once_per_window")]
        indexes = [models.Index(fields=["shop_id", "seen_at"], name="presence_by_time")]
