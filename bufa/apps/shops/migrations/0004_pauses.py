from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("shops", "0003_stock"),
    ]

    operations = [
        migrations.CreateModel(
            name="ShopPause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=16)),
                ("name", models.CharField(max_length=60)),
                ("begins", models.DateTimeField()),
                ("ends", models.DateTimeField(help_text="Not included.")),
                (
                    "areas",
                    models.JSONField(default=list, help_text="[[province, city, district], …]; none: everywhere."),
                ),
                (
                    "end",
                    models.CharField(
                        default="either",
                        help_text="Which end of the way lies there.",
                        max_length=12,
                    ),
                ),
                ("carriers", models.JSONField(default=list, help_text="Company codes; none: all.")),
                ("families", models.JSONField(default=list, help_text="Families of rules; none: all.")),
                ("platform", models.BooleanField(default=False, help_text="The platform stops its own clocks, too.")),
                ("works", models.BooleanField(default=False)),
                ("source", models.CharField(blank=True, help_text="Where it was announced.", max_length=200)),
                ("by", models.CharField(max_length=80)),
                ("made_at", models.DateTimeField()),
                ("taken_back_at", models.DateTimeField(null=True)),
                (
                    "shop",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="pauses", to="shops.shop"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("taken_back_at", None)), fields=["shop", "ends"], name="shop_pause_standing"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("code__in", ["festival", "no_service", "force_majeure"])),
                        name="shop_pause_code_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("end__in", ["origin", "destination", "either"])),
                        name="shop_pause_end_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends__gt", models.F("begins"))), name="shop_pause_ends_after_it_begins"
                    ),
                ],
            },
        ),
        ProtectByShop("shops_shoppause"),
    ]
