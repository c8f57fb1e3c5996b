from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("shops", "0008_outbound"),
    ]

    operations = [
        migrations.AddField(
            model_name="stockitem",
            name="barcode",
            field=models.CharField(blank=True, help_text="On the goods, as a scanner reads it.", max_length=40),
        ),
        migrations.AddConstraint(
            model_name="stockitem",
            constraint=models.UniqueConstraint(
                condition=models.Q(("barcode", ""), _negated=True),
                fields=("shop", "barcode"),
                name="stock_once_per_barcode",
            ),
        ),
    ]
