from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("parcels", "0003_clocks"),
    ]

    operations = [
        migrations.CreateModel(
            name="TextTemplate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("key", models.CharField(max_length=12)),
                ("template", models.TextField()),
                ("sample", models.TextField()),
                ("said", models.CharField(help_text="How it reads untaught: unmapped, or a note.", max_length=24)),
                ("count", models.BigIntegerField(default=0, help_text="Scans of it, each counted once.")),
                ("first_at", models.DateTimeField(null=True)),
                ("last_at", models.DateTimeField(null=True)),
                ("reread_after", models.BigIntegerField(null=True)),
                ("reread_done", models.IntegerField(default=0)),
                ("reread_total", models.IntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("reread_after__isnull", False)),
                        fields=["shop_id"],
                        name="text_template_rereading",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("shop_id", "key"), name="text_template_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "said__in",
                                [
                                    "label_created",
                                    "collected",
                                    "arrived_hub",
                                    "in_transit",
                                    "arrived_destination",
                                    "out_for_delivery",
                                    "attempt_failed",
                                    "ready_for_pickup",
                                    "delivered",
                                    "refused",
                                    "returning",
                                    "returned",
                                    "damaged",
                                    "lost",
                                    "held",
                                    "intercepted",
                                    "cancelled",
                                    "forwarded",
                                    "customs",
                                    "eta",
                                    "note",
                                    "unmapped",
                                ],
                            )
                        ),
                        name="text_template_said_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TemplateScan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("minute", models.DateTimeField()),
                ("digest", models.CharField(max_length=32)),
                (
                    "parcel",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="template_scans",
                        to="parcels.parcel",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scans",
                        to="parcels.texttemplate",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["template", "parcel"], name="template_scan_parcels")],
                "constraints": [
                    models.UniqueConstraint(fields=("parcel", "minute", "digest"), name="template_scan_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="TemplateReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=24)),
                ("reason", models.CharField(blank=True, max_length=24)),
                ("by", models.CharField(max_length=80)),
                ("at", models.DateTimeField()),
                (
                    "template",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="reading", to="parcels.texttemplate"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "label_created",
                                    "collected",
                                    "arrived_hub",
                                    "in_transit",
                                    "arrived_destination",
                                    "out_for_delivery",
                                    "attempt_failed",
                                    "ready_for_pickup",
                                    "delivered",
                                    "refused",
                                    "returning",
                                    "returned",
                                    "damaged",
                                    "lost",
                                    "held",
                                    "intercepted",
                                    "cancelled",
                                    "forwarded",
                                    "customs",
                                    "eta",
                                    "note",
                                    "unmapped",
                                ],
                            )
                        ),
                        name="template_reading_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "reason__in",
                                [
                                    "",
                                    "contact_failed",
                                    "recipient_absent",
                                    "rescheduled",
                                    "address_problem",
                                    "out_of_area",
                                    "refused",
                                    "pickup_overdue",
                                    "missort",
                                    "weather",
                                    "holiday",
                                    "regulation",
                                    "damaged",
                                    "security",
                                    "other",
                                ],
                            )
                        ),
                        name="template_reading_reason_known",
                    ),
                ],
            },
        ),
        ProtectByShop("parcels_texttemplate"),
        ProtectByShop("parcels_templatereading"),
        ProtectByShop("parcels_templatescan"),
    ]
