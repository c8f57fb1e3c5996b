from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("reissues", "0005_bulk"),
    ]

    operations = [
        migrations.CreateModel(
            name="LabelBooking",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("pack_id", models.CharField(max_length=40)),
                ("carrier", models.CharField(max_length=40)),
                ("state", models.CharField(default="wanted", max_length=12)),
                ("number", models.CharField(blank=True, max_length=40)),
                (
                    "details",
                    models.JSONField(default=dict, help_text="What the platform gave besides: sort code, hint."),
                ),
                ("error", models.JSONField(default=dict, help_text="Why it was not booked, or not cancelled.")),
                ("effect_id", models.BigIntegerField(help_text="The newest effect: booking or cancelling.", null=True)),
                ("by", models.CharField(max_length=80)),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "reissue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="bookings", to="reissues.reissue"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("shop_id", "pack_id"), name="label_pack_id_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["wanted", "unknown", "booked", "cancelling"])),
                        fields=("reissue",),
                        name="one_live_label_per_reissue",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["wanted", "unknown", "booked", "failed", "cancelling", "cancelled"])
                        ),
                        name="label_state_known",
                    ),
                ],
            },
        ),
        ProtectByShop("reissues_labelbooking"),
    ]
