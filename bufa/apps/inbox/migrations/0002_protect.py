from __future__ import annotations

from django.db import migrations

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [("inbox", "0001_initial")]

    operations = [
        ProtectByShop("inbox_message"),
    ]
