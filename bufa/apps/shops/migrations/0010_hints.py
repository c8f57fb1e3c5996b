from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("shops", "0009_barcode"),
    ]

    operations = [
        migrations.AddField(
            model_name="operator",
            name="hints",
            field=models.BooleanField(
                default=True, help_text="Shows what to press next, until the person puts it away."
            ),
        ),
    ]
