from __future__ import annotations

from django.db import migrations

from bufa.lib.rls import ProtectByShop

# Waybills are remembered for ever, across shops, as keyed digests. The table answers only "used before", never by
# whom: the application may call these two functions and cannot read the table.
USED_NUMBERS = migrations.RunSQL(
    """
    CREATE FUNCTION waybill_used(wanted bytea) RETURNS boolean
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
        AS 'SELECT EXISTS (SELECT 1 FROM parcels_usednumber WHERE digest = wanted)';
    CREATE FUNCTION waybill_use(wanted bytea) RETURNS boolean
        LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public
        AS 'WITH put AS (INSERT INTO parcels_usednumber VALUES (wanted) ON CONFLICT DO NOTHING RETURNING 1)
            SELECT EXISTS (SELECT 1 FROM put)';
    REVOKE ALL ON FUNCTION waybill_used(bytea), waybill_use(bytea) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION waybill_used(bytea), waybill_use(bytea) TO bufa_app;
    """,
    "DROP FUNCTION waybill_used(bytea); DROP FUNCTION waybill_use(bytea);",
)


class Migration(migrations.Migration):
    dependencies = [("parcels", "0001_initial")]

    operations = [
        ProtectByShop("parcels_parcel"),
        ProtectByShop("parcels_scan"),
        ProtectByShop("parcels_subscription"),
        USED_NUMBERS,
    ]
