from __future__ import annotations

from django.db import migrations

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [("reissues", "0002_initial")]

    operations = [
        ProtectByShop("reissues_reissue"),
    ]
