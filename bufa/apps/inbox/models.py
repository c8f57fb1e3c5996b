"""Raw messages, kept once before anybody understands them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from bufa.apps.shops.choices import is_one_of


class MessageState(models.TextChoices):
    NEW = "new"
    DONE = "done"
    PARKED = "parked"
    DISCARDED = "discarded"


class Message(models.Model):
    """One push, poll answer or file row as it came: body sealed, expires after the shop's retention."""

    shop_id = models.BigIntegerField()
    source = models.CharField(max_length=32, help_text="doudian, kuaidi100, kdniao, file")
    kind = models.CharField(max_length=40, blank=True, help_text="Tag or type of the message, never its content.")
    external_id = models.CharField(max_length=200, help_text="The sender's id, else a digest of the body.")
    body = models.BinaryField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=10, default=MessageState.NEW)
    attempts = models.IntegerField(default=0)
    outcome = models.CharField(max_length=80, blank=True, help_text="What became of it: a code.")
    why_parked = models.JSONField(default=dict, help_text="Code and params; no buyer data.")
    handled_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop_id", "source", "external_id"], name="message_once"),
            is_one_of("state", MessageState.values, "message_state_known"),
            models.CheckConstraint(
                name="message_handled_together",
                condition=Q(state="new", handled_at=None) | (~Q(state="new") & Q(handled_at__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["shop_id", "id"], condition=Q(state="new"), name="message_new")]
