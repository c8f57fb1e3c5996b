from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0006_incidents"),
        ("negotiations", "0003_ownrule"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="carriermessage",
            name="carrier_message_state_known",
        ),
        migrations.AddConstraint(
            model_name="carriermessage",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["queued", "sent", "failed", "unknown", "received", "cancelled"])),
                name="carrier_message_state_known",
            ),
        ),
    ]
