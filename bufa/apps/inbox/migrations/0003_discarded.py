from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inbox", "0002_protect"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="message",
            name="message_state_known",
        ),
        migrations.AlterField(
            model_name="message",
            name="state",
            field=models.CharField(default="new", max_length=10),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["new", "done", "parked", "discarded"])), name="message_state_known"
            ),
        ),
    ]
