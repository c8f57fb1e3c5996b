from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("parcels", "0009_room_for_leases"),
    ]

    operations = [
        migrations.AddField(
            model_name="parcel",
            name="ships_first",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="A reissue that left as the order's first shipment: its goods are no remainder.",
            ),
        ),
    ]
