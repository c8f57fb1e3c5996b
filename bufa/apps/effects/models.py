"""Changes that we want outside. A row before it is a call; UNKNOWN is never sent again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from bufa.apps.shops.choices import is_one_of


class EffectKind(models.TextChoices):
    RESEND = "resend", "afterSale.fillLogistics"
    EXTRA_PACKAGE = "extra_package", "order.uploadextrapackage"
    ADD_PACK = "add_pack", "order.logisticsAddMultiPack"
    CORRECT_NUMBER = "correct_number", "order.logisticsEdit or logisticsEditByPack"
    REPORT_VIEW = "report_view", "security.batchReportOrderSecurityEvent"
    AGREE_RESEND = "agree_resend", "afterSale.operate 501"
    REFUSE_RESEND = "refuse_resend", "afterSale.operate 502"
    BOOK_LABEL = "book_label", "logistics.newCreateOrder"
    CANCEL_LABEL = "cancel_label", "logistics.cancelOrder"
    AGREE_REFUND = "agree_refund", "afterSale.operate 201, 121, 401…"
    INTERCEPT = "intercept", "afterSale.applyLogisticsIntercept"
    PLATFORM_SMS = "platform_sms", "sms.send"
    CARRIER_MAIL = "carrier_mail", "SMTP to a carrier"
    CUSTOMER_MAIL = "customer_mail", "SMTP to a customer"
    GROUP_MESSAGE = "group_message", "a robot's webhook: WeCom, DingTalk, Feishu"
    TOLD_MAIL = "told_mail", "SMTP to a member of the shop"
    ALIYUN_SMS = "aliyun_sms", "dysmsapi SendSms"
    TENCENT_SMS = "tencent_sms", "sms SendSms"
    VOICE = "voice", "dyvmsapi SingleCallByTts"


class EffectState(models.TextChoices):
    READY = "ready"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


class Effect(models.Model):
    """One intent. `key` makes it unique for ever; `lane` lets one at a time through (an order's number)."""

    shop_id = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=120)
    lane = models.CharField(max_length=80, blank=True)
    subject = models.CharField(max_length=60, help_text="What asked for it: reissue:12, notice:7, message:3.")
    intent = models.BinaryField(help_text="Sealed JSON: what to send.")
    state = models.CharField(max_length=10, default=EffectState.READY)
    attempt = models.IntegerField(default=0)
    next_at = models.DateTimeField(null=True, help_text="Ready: not before. Unknown: next read-back.")
    reads = models.IntegerField(default=0, help_text="Read-backs done since it became unknown.")
    looks = models.JSONField(default=list, help_text="Read-backs, oldest first: at, found, why.")
    lease_until = models.DateTimeField(null=True, help_text="By the real clock.")
    needs_person = models.BooleanField(default=False, help_text="Reading back could not settle it.")
    error = models.JSONField(default=dict, help_text="Last answer that was not a yes: code and params.")
    outcome = models.JSONField(default=dict, help_text="What the other side gave us: ids, never buyer data.")
    asked_by = models.CharField(max_length=80)
    asked_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=80, blank=True, help_text="answer, read_back, or the person.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "key"], name="effect_once"),
            models.UniqueConstraint(
                fields=["shop_id", "lane"],
                condition=Q(state__in=["sending", "unknown"]) & ~Q(lane=""),
                name="effect_one_at_a_time_per_lane",
            ),
            is_one_of("kind", EffectKind.values, "effect_kind_known"),
            is_one_of("state", EffectState.values, "effect_state_known"),
            models.CheckConstraint(
                name="effect_settled_together",
                condition=Q(state__in=["accepted", "rejected", "cancelled"], settled_at__isnull=False)
                | Q(state__in=["ready", "sending", "unknown"], settled_at=None),
            ),
        ]
        indexes = [
            models.Index(
                fields=["shop_id", "next_at"], condition=Q(state__in=["ready", "unknown", "sending"]), name="effect_due"
            ),
            models.Index(fields=["shop_id", "subject"], name="effect_subject"),
        ]


class Attempt(models.Model):
    """One try of an effect, committed before the first byte leaves."""

    shop_id = models.BigIntegerField()
    effect = models.ForeignKey(Effect, models.PROTECT, related_name="attempts")
    number = models.IntegerField()
    request_id = models.CharField(max_length=80)
    request = models.JSONField(default=dict, help_text="Method and fields without buyer data.")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=10, default="sending")
    answer = models.BinaryField(default=b"", help_text="Sealed raw answer.")
    error = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["effect", "number"], name="attempt_once_per_number")]


class Pace(models.Model):
    """How fast a shop may make one kind of change. `free_at` by the real clock: before it, none is begun."""

    shop_id = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    free_at = models.DateTimeField()
    pause_ms = models.IntegerField(default=0)
    denied_at = models.DateTimeField(null=True, help_text="The platform has not granted this method since then.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop_id", "kind"], name="effect_pace_once")]
