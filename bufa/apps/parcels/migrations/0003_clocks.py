from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0003_clocks"),
        ("parcels", "0002_protect"),
    ]

    operations = [
        migrations.CreateModel(
            name="ParcelFact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("fact", models.CharField(max_length=24)),
                ("at", models.DateTimeField(help_text="Since when it is so.")),
                ("source", models.CharField(help_text="person, file, statement, after_sale or numbers", max_length=12)),
                ("by", models.CharField(max_length=80)),
                ("recorded_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="parcel",
            name="cost_fen",
            field=models.BigIntegerField(default=0, help_text="What its open findings cost by now."),
        ),
        migrations.AddField(
            model_name="parcel",
            name="risk_rule",
            field=models.CharField(blank=True, help_text="The rule by which that step costs.", max_length=60),
        ),
        migrations.AddField(
            model_name="parcel",
            name="warn_at",
            field=models.DateTimeField(help_text="When it comes; empty until its warning time has begun.", null=True),
        ),
        migrations.AddField(
            model_name="parcel",
            name="warn_rule",
            field=models.CharField(
                blank=True, help_text="The finding that comes next if nothing happens.", max_length=60
            ),
        ),
        migrations.AddIndex(
            model_name="parcel",
            index=models.Index(
                condition=models.Q(("warn_at__isnull", False)), fields=["shop_id", "warn_at"], name="parcel_warned"
            ),
        ),
        migrations.AddField(
            model_name="parcelfact",
            name="parcel",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="told", to="parcels.parcel"
            ),
        ),
        migrations.AddConstraint(
            model_name="parcelfact",
            constraint=models.UniqueConstraint(fields=("parcel", "fact"), name="parcel_fact_once"),
        ),
        migrations.AddConstraint(
            model_name="parcelfact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "fact__in",
                        [
                            "not_received",
                            "receiver_differs",
                            "number_used",
                            "recalled",
                            "asked_unanswered",
                            "out_of_stock_said",
                            "fraud_judged",
                            "reissued",
                            "penalty_notice",
                        ],
                    )
                ),
                name="parcel_fact_known",
            ),
        ),
        ProtectByShop("parcels_parcelfact"),
    ]
