from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("effects", "0008_told_mail"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="effect",
            name="effect_kind_known",
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
                            "book_label",
                            "cancel_label",
                            "agree_refund",
                            "intercept",
                            "platform_sms",
                            "carrier_mail",
                            "customer_mail",
                            "group_message",
                            "told_mail",
                            "aliyun_sms",
                            "tencent_sms",
                            "voice",
                        ],
                    )
                ),
                name="effect_kind_known",
            ),
        ),
    ]
