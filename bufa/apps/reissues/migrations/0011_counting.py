from django.db import migrations, models

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [
        ("reissues", "0010_bulk_ranges"),
    ]

    operations = [
        migrations.AddField(
            model_name="reissue",
            name="counted",
            field=models.JSONField(
                default=list, help_text="[line_id, …]: a line for each piece read into the open box."
            ),
        ),
        migrations.AddField(
            model_name="pack",
            name="counted",
            field=models.IntegerField(default=0, help_text="Pieces that were read into it one by one; 0: not counted."),
        ),
        migrations.CreateModel(
            name="StationRead",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_id", models.BigIntegerField()),
                ("key", models.CharField(help_text="Made by the page, one for each read.", max_length=40)),
                ("result", models.JSONField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["shop_id", "at"], name="station_read_age")],
                "constraints": [models.UniqueConstraint(fields=("shop_id", "key"), name="station_read_once")],
            },
        ),
        ProtectByShop("reissues_stationread"),
    ]
