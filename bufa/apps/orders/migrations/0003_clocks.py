from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_protect"),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="goods_class",
            field=models.CharField(
                default="ordinary",
                help_text="For which rules pay otherwise.",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="recipient",
            name="moved_at",
            field=models.DateTimeField(
                help_text="When another receiver or address took the place of the first.", null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("goods_class__in", ["ordinary", "precious_metal", "second_hand_3c", "pet_self_delivery"])
                ),
                name="order_goods_class_known",
            ),
        ),
    ]
