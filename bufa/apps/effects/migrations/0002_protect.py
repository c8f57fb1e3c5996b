from __future__ import annotations

from django.db import migrations

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [("effects", "0001_initial")]

    operations = [
        ProtectByShop("effects_effect"),
        ProtectByShop("effects_attempt"),
    ]
