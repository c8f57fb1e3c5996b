from __future__ import annotations

from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("effects", "0003_queue"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=20)),
                ("free_at", models.DateTimeField()),
                ("pause_ms", models.IntegerField(default=0)),
                (
                    "denied_at",
                    models.DateTimeField(help_text="The platform has not granted this method since then.", null=True),
                ),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="effect",
            name="effect_kind_known",
        ),
        migrations.AddField(
            model_name="effect",
            name="looks",
            field=models.JSONField(default=list, help_text="Read-backs, oldest first: at, found, why."),
        ),
        migrations.AddConstraint(
            model_name="effect",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "resend",
                            "extra_package",
                            "add_pack",
                            "correct_number",
                            "report_view",
                            "agree_resend",
                            "refuse_resend",
                            "platform_sms",
                            "carrier_mail",
                            "customer_mail",
                        ],
                    )
                ),
                name="effect_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="pace",
            constraint=models.UniqueConstraint(fields=("shop_id", "kind"), name="effect_pace_once"),
        ),
        ProtectByShop("effects_pace"),
    ]
