import django.db.models.deletion
from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("reissues", "0006_e_waybills"),
    ]

    operations = [
        migrations.CreateModel(
            name="CopyMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("operator_id", models.BigIntegerField()),
                ("name", models.CharField(max_length=10)),
                ("copied_at", models.DateTimeField()),
                (
                    "reissue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="reissues.reissue"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("reissue", "operator_id", "name"), name="copied_once"),
                    models.CheckConstraint(
                        condition=models.Q(("name__in", ["order", "carrier", "number", "items", "pickup", "delivery"])),
                        name="copied_field_known",
                    ),
                ],
            },
        ),
        ProtectByShop("reissues_copymark"),
    ]
