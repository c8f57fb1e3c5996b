from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("parcels", "0011_fast_lists"),
    ]

    operations = [
        migrations.CreateModel(
            name="PenaltyNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=20)),
                ("noticed_at", models.DateTimeField()),
                ("amount_fen", models.BigIntegerField(null=True)),
                ("source", models.CharField(help_text="person or file", max_length=12)),
                ("by", models.CharField(max_length=80)),
                ("recorded_at", models.DateTimeField()),
                (
                    "parcel",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="penalties",
                        to="parcels.parcel",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("parcel", "kind", "noticed_at"), name="penalty_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["late_shipping", "out_of_stock", "track_timeout", "track_abnormal", "fraud"])
                        ),
                        name="penalty_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_fen", None), ("amount_fen__gte", 0), _connector="OR"),
                        name="penalty_amount_not_negative",
                    ),
                ],
            },
        ),
        ProtectByShop("parcels_penaltynotice"),
    ]
