from __future__ import annotations

from django.db import migrations

from bufa.lib.rls import AppendOnly, ProtectByShop


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_initial")]

    operations = [
        ProtectByShop("cases_case"),
        ProtectByShop("cases_finding"),
        ProtectByShop("cases_statement"),
        ProtectByShop("cases_timelineentry"),
        AppendOnly("cases_timelineentry"),
    ]
