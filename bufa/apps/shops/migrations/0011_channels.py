from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("shops", "0010_hints"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="connection",
            name="connection_kind_known",
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "doudian",
                            "kuaidi100",
                            "kdniao",
                            "17track",
                            "smtp",
                            "aliyun_sms",
                            "tencent_sms",
                            "aliyun_voice",
                        ],
                    )
                ),
                name="connection_kind_known",
            ),
        ),
    ]
