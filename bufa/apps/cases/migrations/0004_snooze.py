from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0003_protect")]

    operations = [
        migrations.RemoveConstraint(model_name="finding", name="finding_state_known"),
        migrations.AddField(model_name="finding", name="snoozed_by", field=models.CharField(blank=True, max_length=80)),
        migrations.AddField(
            model_name="finding",
            name="snoozed_scan",
            field=models.DateTimeField(help_text="The newest scan when it was put off until the next one.", null=True),
        ),
        migrations.AddField(
            model_name="finding",
            name="snoozed_until",
            field=models.DateTimeField(help_text="It comes back then, if it still stands.", null=True),
        ),
        migrations.AddField(
            model_name="finding", name="snoozed_why", field=models.CharField(blank=True, max_length=200)
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "cleared", "dismissed", "snoozed"])),
                name="finding_state_known",
            ),
        ),
    ]
