from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("parcels", "0012_penalties"),
    ]

    operations = [
        migrations.AddField(
            model_name="penaltynotice",
            name="is_set_aside",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="penaltynotice",
            name="order_number",
            field=models.CharField(blank=True, help_text="As it was written, where no parcel fits.", max_length=40),
        ),
        migrations.AddField(
            model_name="penaltynotice",
            name="waybill",
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddField(
            model_name="penaltynotice",
            name="why",
            field=models.CharField(blank=True, help_text="Why no parcel fits.", max_length=24),
        ),
        migrations.AlterField(
            model_name="penaltynotice",
            name="parcel",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="penalties",
                to="parcels.parcel",
            ),
        ),
        migrations.AddIndex(
            model_name="penaltynotice",
            index=models.Index(fields=["shop_id", "-noticed_at"], name="penalty_by_time"),
        ),
        migrations.AddIndex(
            model_name="penaltynotice",
            index=models.Index(
                condition=models.Q(("is_set_aside", False), ("parcel", None)),
                fields=["shop_id"],
                name="penalty_unplaced",
            ),
        ),
        migrations.AddConstraint(
            model_name="penaltynotice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("parcel", None)),
                fields=("shop_id", "order_number", "waybill", "kind", "noticed_at"),
                name="unplaced_penalty_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="penaltynotice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("parcel__isnull", False),
                    models.Q(("order_number", ""), _negated=True),
                    models.Q(("waybill", ""), _negated=True),
                    _connector="OR",
                ),
                name="penalty_is_about_something",
            ),
        ),
    ]
