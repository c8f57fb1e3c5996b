from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("parcels", "0007_longer_codes"),
    ]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="query_failures",
            field=models.SmallIntegerField(default=0, help_text="Queries in a row that failed."),
        ),
        migrations.AddField(
            model_name="subscription",
            name="query_after",
            field=models.DateTimeField(help_text="Failures of its own: no planned query before.", null=True),
        ),
        migrations.CreateModel(
            name="TrackingCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("provider", models.CharField(max_length=20)),
                ("asked_at", models.DateTimeField()),
                ("why", models.CharField(help_text="customer, deadline, new, turn, or person", max_length=10)),
                ("by", models.CharField(max_length=80)),
                (
                    "failure",
                    models.CharField(help_text='"" answered; empty while nobody knows.', max_length=30, null=True),
                ),
                ("new_scans", models.IntegerField(default=0)),
                (
                    "parcel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="parcels.parcel"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("why__in", ["customer", "deadline", "new", "turn", "person"])),
                        name="tracking_call_why_known",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["shop_id", "provider", "asked_at"], name="tracking_call_hour"),
                ],
            },
        ),
        ProtectByShop("parcels_trackingcall"),
    ]
