from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reissues", "0009_packing"),
    ]

    operations = [
        migrations.AddField(
            model_name="bulkrow",
            name="delivery",
            field=models.CharField(default="order", help_text="The order's recipient, or change:<id>.", max_length=40),
        ),
        migrations.AddField(
            model_name="bulkrow",
            name="asks_range",
            field=models.BooleanField(
                default=False, help_text="The platform is being asked about its carrier's range."
            ),
        ),
        migrations.AddField(
            model_name="bulkrow",
            name="to_whom",
            field=models.CharField(
                blank=True, default="", help_text="To whom that question asks, as RangeQuestion.", max_length=80
            ),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="bulkrow",
            index=models.Index(condition=models.Q(("asks_range", True)), fields=["shop_id"], name="bulk_row_asks"),
        ),
    ]
