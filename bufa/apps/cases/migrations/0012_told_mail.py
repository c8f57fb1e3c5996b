from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0011_doubles"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ToldMail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("is_on", models.BooleanField(default=True)),
                ("address", models.EmailField(max_length=200)),
                ("every_minutes", models.SmallIntegerField()),
                ("quiet_from", models.SmallIntegerField(help_text="Hour of the shop's day.")),
                (
                    "quiet_to",
                    models.SmallIntegerField(help_text="The first hour that is not quiet; the same: none is."),
                ),
                (
                    "desk",
                    models.CharField(
                        help_text="Where the desk was called when it was chosen: for links.", max_length=200
                    ),
                ),
                (
                    "told_until",
                    models.DateTimeField(help_text="What is news after this has been in no mail."),
                ),
                (
                    "told_before",
                    models.DateTimeField(help_text="The same before the last mail: back to it when that was refused."),
                ),
                ("sent_at", models.DateTimeField(help_text="When the last mail was wanted.", null=True)),
                ("effect_id", models.BigIntegerField(help_text="The last mail.", null=True)),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("shop_id", "operator"), name="told_mail_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("quiet_from__gte", 0),
                            ("quiet_from__lte", 23),
                            ("quiet_to__gte", 0),
                            ("quiet_to__lte", 23),
                        ),
                        name="told_mail_hours",
                    ),
                    models.CheckConstraint(condition=models.Q(("every_minutes__gte", 1)), name="told_mail_pause"),
                ],
            },
        ),
        ProtectByShop("cases_toldmail"),
    ]
