from __future__ import annotations

from django.db import migrations

from bufa.lib.rls import ProtectByShop


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [
        ProtectByShop("orders_order"),
        ProtectByShop("orders_line"),
        ProtectByShop("orders_recipient"),
        ProtectByShop("orders_aftersale"),
    ]
