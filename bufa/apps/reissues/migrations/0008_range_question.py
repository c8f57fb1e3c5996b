from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("reissues", "0007_copy_mark"),
    ]

    operations = [
        migrations.CreateModel(
            name="RangeQuestion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("carrier", models.CharField(max_length=40)),
                ("pickup_id", models.BigIntegerField()),
                ("order_id", models.BigIntegerField()),
                (
                    "to_whom",
                    models.CharField(blank=True, help_text="The platform's address id, or change:<id>.", max_length=80),
                ),
                ("state", models.CharField(default="waiting", max_length=10)),
                ("is_out", models.BooleanField(default=False)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("attempt", models.IntegerField(default=0)),
                ("tries", models.IntegerField(default=0)),
                ("next_at", models.DateTimeField(help_text="Real time before which it is not asked.", null=True)),
                ("asked_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")), fields=["shop_id", "id"], name="range_waiting"
                    ),
                    models.Index(fields=["shop_id", "order_id"], name="range_of_order"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("shop_id", "carrier", "pickup_id", "order_id", "to_whom"), name="range_asked_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "answered", "failed"])), name="range_state_known"
                    ),
                ],
            },
        ),
        ProtectByShop("reissues_rangequestion"),
    ]
