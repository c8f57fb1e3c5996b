from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """The list of parcels at risk by money. Built beside the running shop."""

    atomic = False
    dependencies = [("parcels", "0014_leases")]

    operations = [
        AddIndexConcurrently(
            model_name="parcel",
            index=models.Index(
                fields=["shop_id", "-risk_fen", "-id"], condition=Q(risk_fen__gt=0), name="parcel_dearest"
            ),
        ),
    ]
