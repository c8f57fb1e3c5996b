from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    """Let the application role use the job queue: its tables hold ids and times only, no shop's data."""

    dependencies = [("effects", "0002_protect"), ("procrastinate", "0041_post_retry_failed_job")]

    operations = [
        migrations.RunSQL(
            """
            GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_jobs, procrastinate_events,
                procrastinate_periodic_defers, procrastinate_workers TO bufa_app;
            GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO bufa_app;
            """,
            migrations.RunSQL.noop,
        )
    ]
