from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    """What a sweep has taken as one row of its own, and the id in the index of deadlines: taking what is due neither reads nor writes
    the parcels' rows, whose number made it slower before."""

    dependencies = [("parcels", "0013_unplaced_penalties")]

    operations = [
        migrations.CreateModel(
            name="ParcelLease",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("parcel_ids", ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("until", models.DateTimeField(help_text="By the real clock.")),
            ],
        ),
        ProtectByShop("parcels_parcellease"),
        migrations.RemoveField(model_name="parcel", name="lease_until"),
        migrations.AddField(
            model_name="parcel",
            name="risk_moved",
            field=models.JSONField(help_text="What made that step's clock stand still: code, name, hours.", null=True),
        ),
        migrations.RemoveIndex(model_name="parcel", name="parcel_due"),
        migrations.AddIndex(
            model_name="parcel",
            index=models.Index(
                condition=models.Q(("next_deadline__isnull", False)),
                fields=["shop_id", "next_deadline"],
                include=["id"],
                name="parcel_due",
            ),
        ),
    ]
