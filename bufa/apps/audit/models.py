"""One chain of entries per shop: each entry's hash covers the one before it."""

from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    """One act by a person or the system. Never updated, never deleted."""

    shop_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    at = models.DateTimeField(help_text="The shop's clock: the simulator's in the demo.")
    wall_at = models.DateTimeField(help_text="The real clock, always.")
    by = models.CharField(max_length=80)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=80)
    data = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop_id", "seq"], name="audit_once_per_seq")]
