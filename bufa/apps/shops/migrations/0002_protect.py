from __future__ import annotations

from django.db import migrations

from bufa.lib.rls import ProtectByShop, Unprotected


class Migration(migrations.Migration):
    dependencies = [
        ("shops", "0001_initial"),
        ("sessions", "0001_initial"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        ProtectByShop("shops_shop", column="id"),
        ProtectByShop("shops_member", operator_column="operator_id"),
        ProtectByShop("shops_connection"),
        ProtectByShop("shops_pickupaddress"),
        Unprotected("shops_roster", why="ids only: what the sweep and the hooks start from"),
        Unprotected("shops_operator", why="people sign in before a shop is known; holds no shop's data"),
        Unprotected("shops_operator_groups", why="Django's own, unused"),
        Unprotected("shops_operator_user_permissions", why="Django's own, unused"),
        Unprotected("auth_group", why="Django's own, unused"),
        Unprotected("auth_group_permissions", why="Django's own, unused"),
        Unprotected("auth_permission", why="Django's own, unused"),
        Unprotected("django_content_type", why="Django's own"),
        Unprotected("django_session", why="sessions hold an operator's id and chosen shop, no shop's data"),
        migrations.RunSQL(
            "GRANT USAGE, SELECT ON SEQUENCE shops_shop_id_seq TO bufa_app",
            "REVOKE ALL ON SEQUENCE shops_shop_id_seq FROM bufa_app",
        ),
    ]
