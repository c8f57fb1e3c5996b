from __future__ import annotations

from django.db import migrations

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [("negotiations", "0001_initial")]

    operations = [
        ProtectByShop("negotiations_carriercontact"),
        ProtectByShop("negotiations_carriermessage"),
        ProtectByShop("negotiations_consent"),
    ]
