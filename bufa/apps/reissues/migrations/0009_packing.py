import django.db.models.deletion
from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("reissues", "0008_range_question"),
    ]

    operations = [
        migrations.CreateModel(
            name="HandOver",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("code", models.CharField(max_length=24)),
                ("carrier", models.CharField(max_length=40)),
                ("state", models.CharField(default="open", max_length=8)),
                ("opened_at", models.DateTimeField()),
                ("opened_by", models.CharField(max_length=80)),
                ("closed_at", models.DateTimeField(null=True)),
                ("closed_by", models.CharField(blank=True, max_length=80)),
                ("courier", models.CharField(blank=True, help_text="Who signed for the carrier.", max_length=60)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("shop_id", "code"), name="hand_over_code_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")),
                        fields=("shop_id", "carrier"),
                        name="one_open_list_per_carrier",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "closed"])), name="hand_over_state_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at", None), ("state", "open")),
                            models.Q(
                                ("closed_at__isnull", False),
                                ("state", "closed"),
                                models.Q(("closed_by", ""), _negated=True),
                                models.Q(("courier", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="hand_over_closed_together",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Pack",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("state", models.CharField(default="packed", max_length=8)),
                ("carrier", models.CharField(max_length=40)),
                ("number", models.CharField(max_length=40)),
                ("gave_number", models.BooleanField(default=False, help_text="This scan said which waybill it is.")),
                ("operator_id", models.BigIntegerField(null=True)),
                ("by", models.CharField(max_length=80)),
                ("packed_at", models.DateTimeField()),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "undone_by",
                    models.CharField(blank=True, help_text="A person, or why it came undone by itself.", max_length=80),
                ),
                (
                    "reissue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="packs", to="reissues.reissue"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="HandedParcel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("added_at", models.DateTimeField()),
                ("added_by", models.CharField(max_length=80)),
                ("taken_off_at", models.DateTimeField(null=True)),
                (
                    "hand_over",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="parcels", to="reissues.handover"
                    ),
                ),
                (
                    "pack",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="handed", to="reissues.pack"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="pack",
            index=models.Index(fields=["shop_id", "-packed_at"], name="pack_newest"),
        ),
        migrations.AddConstraint(
            model_name="pack",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "packed")), fields=("reissue",), name="one_pack_per_reissue"
            ),
        ),
        migrations.AddConstraint(
            model_name="pack",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["packed", "undone"])), name="pack_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="pack",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "packed"), ("undone_at", None)),
                    models.Q(("state", "undone"), ("undone_at__isnull", False)),
                    _connector="OR",
                ),
                name="pack_undone_together",
            ),
        ),
        migrations.AddIndex(
            model_name="handedparcel",
            index=models.Index(fields=["hand_over", "id"], name="handed_in_order"),
        ),
        migrations.AddConstraint(
            model_name="handedparcel",
            constraint=models.UniqueConstraint(
                condition=models.Q(("taken_off_at", None)), fields=("pack",), name="pack_on_one_list"
            ),
        ),
        ProtectByShop("reissues_pack"),
        ProtectByShop("reissues_handover"),
        ProtectByShop("reissues_handedparcel"),
    ]
