"""Karrio (PyPI `karrio-server`) beside our own figures: the same scans, taken by its own code as it ships.

`setup` makes a virtual environment of its own in artefacts/karrio; nothing of Bufa ever depends on it. `measure` runs
in that environment, against an empty PostgreSQL database named by its environment: tracks come in on standard input,
one JSON object `{"tracks": [[number, [[day, time, text, code], …]], …]}`, and one goes out. What is measured
is what its worker does with a batch of answers: read ten trackers, `_save_results`, until all are in.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[1] / "artefacts" / "karrio"
_PARTS = ("", "-graph", "-manager", "-events", "-pricing", "-orders", "-data", "-documents")  # its migrations need all
PACKAGES = tuple(f"karrio-server{part}==2026.1.32" for part in _PARTS)
AT_ONCE = 10  # as many as its worker asks its carriers about at once


def setup() -> None:
    """Install it, into an environment of its own."""
    venv.create(HOME, with_pip=True, clear=True)
    subprocess.run([str(HOME / "bin" / "pip"), "install", "--quiet", *PACKAGES], check=True)


def measure() -> dict[str, Any]:
    """Scans a second, with what it took beside. Runs under Karrio's own Python."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "karrio.server.settings"
    import django  # Karrio's own, in its own environment

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    # Its tables as its models say they are: hundreds of migrations from an empty database would take minutes.
    settings.MIGRATION_MODULES = {app.rpartition(".")[2]: None for app in settings.INSTALLED_APPS}
    settings.MIGRATION_MODULES |= {config.label: None for config in django.apps.apps.get_app_configs()}
    call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)
    tracks = json.load(sys.stdin)["tracks"]
    made = _prepare(sorted({number for number, _ in tracks}))
    scans = sum(len(lines) for _, lines in tracks)
    told = [_details(number, lines) for number, lines in tracks]
    cpu, begun = time.process_time(), time.perf_counter()
    for first in range(0, len(told), AT_ONCE):
        _save(told[first : first + AT_ONCE])
    took = time.perf_counter() - begun
    return {
        "scans_per_s": round(scans / took, 1),
        "scans": scans,
        "cpu_us_per_scan": round((time.process_time() - cpu) / scans * 1e6, 1),
        "trackers_with_events": _with_events(made),
        "version": PACKAGES[0].partition("==")[2],
    }


def _prepare(numbers: list[str]) -> int:
    import karrio.server.manager.models as models
    from django.contrib.auth import get_user_model

    owner = get_user_model().objects.create_user(email="bench@example.com", password=None)
    carrier = {"carrier_id": "zto", "carrier_code": "generic", "carrier_name": "generic", "test_mode": False}
    models.Tracking.objects.bulk_create(
        [
            models.Tracking(tracking_number=number, test_mode=False, carrier=carrier, created_by=owner)
            for number in numbers
        ]
    )
    return len(numbers)


def _details(number: str, lines: list[list[str]]) -> Any:
    import karrio.core.models as core

    events = [core.TrackingEvent(date=day, time=at, description=text, code=code) for day, at, text, code in lines]
    return core.TrackingDetails(
        carrier_name="generic", carrier_id="zto", tracking_number=number, events=events, delivered=False,
        status="in_transit", meta={},
    )  # fmt: skip


def _save(told: list[Any]) -> None:
    import karrio.server.manager.models as models
    from karrio.server.events.task_definitions.base import tracking

    batch = list(models.Tracking.objects.filter(tracking_number__in=[one.tracking_number for one in told]))
    tracking._save_results((told, []), batch)


def _with_events(made: int) -> int:
    import karrio.server.manager.models as models

    return made - int(models.Tracking.objects.filter(events=[]).count())


if __name__ == "__main__":
    if sys.argv[1:] == ["setup"]:
        setup()
    elif sys.argv[1:] == ["measure"]:
        real, sys.stdout = sys.stdout, sys.stderr  # its log goes where logs go
        real.write(json.dumps(measure()) + "\n")
    else:
        sys.exit("usage: tools/other_server.py setup | measure")
