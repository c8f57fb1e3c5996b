"""Before the first page: migrate as the owner, lay out the static files. A child of its own, because roles differ."""

from __future__ import annotations

import os
import sys

from bufa.host.trouble import Trouble


def prepare() -> None:
    """Bring the database to this code's migrations. Raises Trouble when a newer Bufa has been there."""
    os.environ["BUFA_DB_AS"] = "owner"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bufa.config.settings")
    import django  # the role must be in the environment before the settings are read

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    from bufa.host.postgres import must_remember

    connection.ensure_connection()
    must_remember(connection.connection)
    loader = MigrationLoader(connection)
    unknown = sorted(set(loader.applied_migrations) - set(loader.disk_migrations))
    ours = [f"{app}.{name}" for app, name in unknown if app in loader.migrated_apps]
    if ours:
        raise Trouble(f"The database was written by a newer Bufa (it has {ours[0]}). Update Bufa, or use another one.")
    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)


if __name__ == "__main__":
    try:
        prepare()
    except Trouble as trouble:
        print(trouble)
        sys.exit(1)
