from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("shops", "0005_track17"),
    ]

    operations = [
        migrations.AddField(
            model_name="stockitem",
            name="shelf",
            field=models.CharField(blank=True, help_text="Where it lies: A-03-2.", max_length=40),
        ),
    ]
