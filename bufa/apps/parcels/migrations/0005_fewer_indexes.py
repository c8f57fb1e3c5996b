from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Two indexes that a unique constraint beginning with the same column covers: each cost a write a scan."""

    dependencies = [("parcels", "0004_reading_templates")]

    operations = [
        migrations.AlterField(
            model_name="parcel",
            name="order",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="parcels",
                to="orders.order",
            ),
        ),
        migrations.AlterField(
            model_name="scan",
            name="parcel",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="scans",
                to="parcels.parcel",
            ),
        ),
    ]
