from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0005_measures"),
        ("parcels", "0006_lane_counts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Incident",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("code", models.CharField(help_text="I-20261124-01, for people and mails.", max_length=24)),
                ("ref", models.CharField(help_text="domain.incidents.incident_id of its first day.", max_length=16)),
                ("cause", models.CharField(max_length=8)),
                ("carrier", models.CharField(max_length=40)),
                ("key", models.CharField(blank=True, help_text="A place, two provinces, or nothing.", max_length=120)),
                ("family", models.CharField(max_length=12)),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("since", models.DateTimeField(help_text="When the first of its findings began.")),
                ("opened_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("parcels", models.IntegerField(default=0, help_text="In it now.")),
                ("ever", models.IntegerField(default=0, help_text="That were in it at some time.")),
                ("cost_fen", models.BigIntegerField(default=0, help_text="What its parcels' findings cost by now.")),
            ],
        ),
        migrations.CreateModel(
            name="IncidentParcel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("joined_at", models.DateTimeField()),
                ("left_at", models.DateTimeField(null=True)),
                (
                    "left_how",
                    models.CharField(blank=True, help_text="moved, arrived, returned, dismissed", max_length=10),
                ),
            ],
        ),
        migrations.CreateModel(
            name="IncidentRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("key", models.CharField(max_length=40)),
                ("deed", models.CharField(help_text="take, ask, snooze", max_length=8)),
                (
                    "params",
                    models.JSONField(
                        default=dict, help_text="What was asked for; free words are cleaned of personal data."
                    ),
                ),
                (
                    "rows",
                    models.JSONField(
                        default=list, help_text="One a parcel: parcel, case, state, code, params, before."
                    ),
                ),
                ("todo", models.IntegerField(default=0, help_text="Rows that nobody has come to yet.")),
                ("by", models.CharField(max_length=80)),
                ("operator_id", models.BigIntegerField(null=True)),
                ("role", models.CharField(max_length=10)),
                ("at", models.DateTimeField()),
                ("undone_at", models.DateTimeField(null=True)),
                ("undone_by", models.CharField(blank=True, max_length=80)),
            ],
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                condition=models.Q(("state__in", ["open", "snoozed"])),
                fields=["shop_id", "since"],
                name="finding_standing",
            ),
        ),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(
                condition=models.Q(("closed_at", None)), fields=["shop_id", "-parcels"], name="incident_open"
            ),
        ),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)), fields=["shop_id", "-closed_at"], name="incident_past"
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.UniqueConstraint(fields=("shop_id", "ref"), name="incident_once"),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.UniqueConstraint(fields=("shop_id", "code"), name="incident_code_once"),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(("cause__in", ["hub", "branch", "lane", "carrier"])), name="incident_cause_known"
            ),
        ),
        migrations.AddField(
            model_name="incidentparcel",
            name="incident",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="members", to="cases.incident"
            ),
        ),
        migrations.AddField(
            model_name="incidentparcel",
            name="parcel",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="incidents", to="parcels.parcel"
            ),
        ),
        migrations.AddField(
            model_name="incidentrun",
            name="incident",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="cases.incident"
            ),
        ),
        migrations.AddConstraint(
            model_name="incidentparcel",
            constraint=models.UniqueConstraint(fields=("incident", "parcel"), name="incident_parcel_once"),
        ),
        migrations.AddConstraint(
            model_name="incidentparcel",
            constraint=models.CheckConstraint(
                condition=models.Q(("left_how__in", ["", "moved", "arrived", "returned", "dismissed"])),
                name="incident_left_known",
            ),
        ),
        migrations.AddIndex(
            model_name="incidentrun",
            index=models.Index(condition=models.Q(("todo__gt", 0)), fields=["shop_id", "id"], name="incident_run_todo"),
        ),
        migrations.AddConstraint(
            model_name="incidentrun",
            constraint=models.UniqueConstraint(fields=("shop_id", "key"), name="incident_run_once"),
        ),
        migrations.AddConstraint(
            model_name="incidentrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("deed__in", ["take", "ask", "snooze"])), name="incident_deed_known"
            ),
        ),
        ProtectByShop("cases_incident"),
        ProtectByShop("cases_incidentparcel"),
        ProtectByShop("cases_incidentrun"),
    ]
