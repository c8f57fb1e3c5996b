from __future__ import annotations

from django.db import migrations, models

from bufa.lib.rls import AppendOnly, ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("negotiations", "0007_parcel_requests"),
    ]

    operations = [
        migrations.CreateModel(
            name="RuleChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("rule_id", models.CharField(max_length=60)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                ("by", models.CharField(max_length=80)),
                ("at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["shop_id", "-id"], name="rule_change_newest")],
            },
        ),
        ProtectByShop("negotiations_rulechange"),
        AppendOnly("negotiations_rulechange"),
    ]
