from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import bufa.domain.parcel_requests
from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0010_triage"),
        ("negotiations", "0006_talk"),
        ("parcels", "0013_unplaced_penalties"),
    ]

    operations = [
        migrations.CreateModel(
            name="ParcelRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=14)),
                ("way", models.CharField(max_length=8)),
                ("state", models.CharField(default=bufa.domain.parcel_requests.RequestState["ASKED"], max_length=9)),
                ("is_wished", models.BooleanField(default=False, help_text="The buyer's recorded wish.")),
                (
                    "penalty_fen",
                    models.BigIntegerField(
                        default=0, help_text="What the platform takes for it; accepted by who asked."
                    ),
                ),
                ("until", models.DateTimeField(help_text="When it is too late, as far as is known.", null=True)),
                ("ticket", models.CharField(blank=True, max_length=40)),
                ("effect_id", models.BigIntegerField(null=True)),
                (
                    "words",
                    models.BinaryField(default=b"", help_text="Sealed: what was asked, such as the other address."),
                ),
                ("by", models.CharField(max_length=80)),
                ("asked_at", models.DateTimeField()),
                ("result_by", models.CharField(blank=True, max_length=80)),
                ("result_at", models.DateTimeField(null=True)),
                (
                    "result_words",
                    models.BinaryField(default=b"", help_text="Sealed: what came of it, in somebody's words."),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="parcel_requests", to="cases.case"
                    ),
                ),
                (
                    "parcel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="requests", to="parcels.parcel"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "asked")), fields=["shop_id", "id"], name="parcel_request_open"
                    ),
                    models.Index(fields=["shop_id", "case"], name="parcel_request_of_case"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["intercept", "redeliver", "change_address"])),
                        name="parcel_request_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("way__in", ["platform", "mail", "hand"])), name="parcel_request_way_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["asked", "done", "failed", "late", "withdrawn"])),
                        name="parcel_request_state_known",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "asked")),
                        fields=("parcel", "kind"),
                        name="one_open_request_a_kind",
                    ),
                ],
            },
        ),
        ProtectByShop("negotiations_parcelrequest"),
    ]
