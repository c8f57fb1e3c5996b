"""Do the migrations say all that the models say? Without a database."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def missing() -> list[str]:
    """A line for each change of a model that no migration makes."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bufa.config.settings")
    import django  # the settings module must be known first

    django.setup()
    from django.apps import apps
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState
    from django.utils import translation

    translation.deactivate_all()  # a translated label is no change of a model
    loader = MigrationLoader(None)
    if conflicts := loader.detect_conflicts():
        return [f"{app}: two last migrations, {' and '.join(names)}" for app, names in conflicts.items()]
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    changes = detector.changes(graph=loader.graph)
    return [
        f"{app}: {operation.describe()}"
        for app, migrations in sorted(changes.items())
        for migration in migrations
        for operation in migration.operations
    ]


if __name__ == "__main__":
    problems = missing()
    print("\n".join(problems) or "migrations: fine")
    sys.exit(bool(problems))
