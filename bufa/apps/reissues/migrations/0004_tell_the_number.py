"""Cases whose reissue was accepted before cases kept our number of it learn it: notices about a reissue name it."""

from __future__ import annotations

from django.db import migrations

# The owner's role is under row-level security as well, so the shops are named for this transaction.
FILL = """
SELECT set_config('app.shops', COALESCE((SELECT '{' || string_agg(shop_id::text, ',') || '}' FROM shops_roster), ''), true);
UPDATE cases_case AS c
SET facts = c.facts || jsonb_build_object('reissue_code', newest.code)
FROM (
    SELECT DISTINCT ON (shop_id, case_id) shop_id, case_id, code FROM reissues_reissue
    WHERE accepted_at IS NOT NULL ORDER BY shop_id, case_id, accepted_at DESC, id DESC
) AS newest
WHERE c.shop_id = newest.shop_id AND c.id = newest.case_id AND NOT c.facts ? 'reissue_code';
SELECT set_config('app.shops', '', true);
"""


class Migration(migrations.Migration):
    dependencies = [("reissues", "0003_protect"), ("cases", "0002_initial"), ("shops", "0002_protect")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
