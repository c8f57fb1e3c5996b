from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("shops", "0004_pauses"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="connection", name="connection_kind_known"),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["doudian", "kuaidi100", "kdniao", "17track", "smtp"])),
                name="connection_kind_known",
            ),
        ),
    ]
