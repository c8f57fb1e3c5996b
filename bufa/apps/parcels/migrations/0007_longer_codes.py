from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("parcels", "0006_lane_counts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="scan",
            name="code",
            field=models.CharField(blank=True, max_length=40),
        ),
    ]
