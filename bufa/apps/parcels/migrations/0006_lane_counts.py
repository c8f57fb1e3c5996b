from __future__ import annotations

from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0003_clocks"),
        ("parcels", "0005_fewer_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="LaneCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("key", models.CharField(max_length=120)),
                ("leg", models.CharField(max_length=30)),
                ("month", models.DateField()),
                ("counts", models.JSONField(help_text="Histogram.to_json()")),
            ],
        ),
        migrations.AddField(
            model_name="parcel",
            name="learned_at",
            field=models.DateTimeField(help_text="When its lane learned from it: once, at its end.", null=True),
        ),
        migrations.AddIndex(
            model_name="parcel",
            index=models.Index(
                condition=models.Q(("learned_at__isnull", True), ("stage__in", ["delivered", "returned", "cancelled"])),
                fields=["last_scan_at"],
                name="parcel_to_learn",
            ),
        ),
        migrations.AddConstraint(
            model_name="lanecount",
            constraint=models.UniqueConstraint(fields=("shop_id", "key", "leg", "month"), name="lane_count_once"),
        ),
        migrations.AddConstraint(
            model_name="lanecount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "leg__in",
                        [
                            "first_hub",
                            "hub_gap",
                            "total",
                            "delivery",
                            "silent_labelled",
                            "silent_collected",
                            "silent_in_transit",
                            "silent_at_destination",
                            "silent_out_for_delivery",
                            "silent_ready_for_pickup",
                        ],
                    )
                ),
                name="lane_count_leg_known",
            ),
        ),
        ProtectByShop("parcels_lanecount"),
    ]
