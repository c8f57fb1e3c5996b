from __future__ import annotations

from django.db import migrations

from bufa.lib.rls import AppendOnly, ProtectByShop


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        ProtectByShop("audit_auditentry"),
        AppendOnly("audit_auditentry"),
    ]
