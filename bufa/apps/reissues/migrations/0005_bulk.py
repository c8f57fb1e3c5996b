import django.db.models.deletion
from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0003_protect"),
        ("reissues", "0004_tell_the_number"),
    ]

    operations = [
        migrations.CreateModel(
            name="BulkRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                (
                    "key",
                    models.CharField(
                        help_text="Given by the form, so that sending it twice makes one run.", max_length=40
                    ),
                ),
                ("name", models.CharField(help_text="The file's name, or how else it came.", max_length=120)),
                ("state", models.CharField(default="checked", max_length=8)),
                ("operator_id", models.BigIntegerField()),
                ("by", models.CharField(max_length=80)),
                ("override_reason", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "last_leaves_at",
                    models.DateTimeField(help_text="Real time at which its newest submission leaves.", null=True),
                ),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("state", "running")), fields=["shop_id"], name="bulk_run_running"),
                    models.Index(fields=["shop_id", "-id"], name="bulk_run_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("shop_id", "key"), name="bulk_run_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["checked", "running", "stopped", "done"])),
                        name="bulk_run_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BulkRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("row", models.IntegerField(help_text="As a spreadsheet counts; the header is row 1.")),
                ("reference", models.CharField(blank=True, max_length=40)),
                ("carrier", models.CharField(blank=True, max_length=40)),
                ("number", models.CharField(blank=True, max_length=40)),
                ("contents", models.JSONField(default=list, help_text="[[line_id, quantity], …]")),
                ("pickup_id", models.BigIntegerField(null=True)),
                ("state", models.CharField(max_length=9)),
                ("verdict", models.CharField(help_text="What the gate said before the run.", max_length=16)),
                (
                    "whys",
                    models.JSONField(
                        default=list, help_text="[{code, params}, …]: what stands against it, or needs a look."
                    ),
                ),
                ("done_at", models.DateTimeField(null=True)),
                (
                    "case",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cases.case"
                    ),
                ),
                (
                    "reissue",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reissues.reissue"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rows", to="reissues.bulkrun"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["run", "state", "row"], name="bulk_row_next")],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "row"), name="bulk_row_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["refused", "ready", "left_out", "waiting", "submitted", "failed", "stopped"])
                        ),
                        name="bulk_row_state_known",
                    ),
                ],
            },
        ),
        ProtectByShop("reissues_bulkrun"),
        ProtectByShop("reissues_bulkrow"),
    ]
