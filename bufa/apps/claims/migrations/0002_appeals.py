from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import bufa.domain.appeals
from bufa.lib.rls import AppendOnly, ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("claims", "0001_initial"),
        ("parcels", "0013_unplaced_penalties"),
    ]

    operations = [
        migrations.CreateModel(
            name="Appeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("state", models.CharField(default=bufa.domain.appeals.AppealState["OPEN"], max_length=10)),
                ("ground", models.CharField(blank=True, max_length=20)),
                (
                    "area",
                    models.CharField(
                        blank=True, help_text="The district or street that the proof names.", max_length=200
                    ),
                ),
                ("begins_at", models.DateTimeField(help_text="From when what the proof tells held …", null=True)),
                ("ends_at", models.DateTimeField(help_text="… until when.", null=True)),
                ("words", models.BinaryField(default=b"", help_text="Sealed: what we say.")),
                (
                    "files",
                    models.JSONField(
                        default=dict, help_text="What is proved (domain.appeals.FILES) → id of the case's file."
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=80)),
                ("sent_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(help_text="Until when the platform answers.", null=True)),
                ("granted_fen", models.BigIntegerField(default=0)),
                ("back_fen", models.BigIntegerField(default=0)),
                ("changed_at", models.DateTimeField()),
                ("version", models.IntegerField(default=0)),
                (
                    "notice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="appeal", to="parcels.penaltynotice"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AppealEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("act", models.CharField(max_length=10)),
                ("amount_fen", models.BigIntegerField(default=0)),
                ("reference", models.CharField(blank=True, max_length=80)),
                ("words", models.BinaryField(default=b"", help_text="Sealed: the reason, in somebody's words.")),
                ("by", models.CharField(max_length=80)),
                ("at", models.DateTimeField()),
                (
                    "appeal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entries", to="claims.appeal"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="appeal",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "sent", "granted", "refused", "back", "waived"])),
                name="appeal_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="appeal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("begins_at", None), ("ends_at", None), ("ends_at__gte", models.F("begins_at")), _connector="OR"
                ),
                name="appeal_span_in_order",
            ),
        ),
        migrations.AddIndex(
            model_name="appealentry",
            index=models.Index(fields=["shop_id", "at"], name="appeal_entry_by_time"),
        ),
        migrations.AddConstraint(
            model_name="appealentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("act__in", ["prepare", "send", "grant", "refuse", "pay_back", "waive", "reopen"])),
                name="appeal_act_known",
            ),
        ),
        ProtectByShop("claims_appeal"),
        ProtectByShop("claims_appealentry"),
        AppendOnly("claims_appealentry"),
    ]
