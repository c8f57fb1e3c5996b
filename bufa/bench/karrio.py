"""Karrio taking the same scans, beside our own figure; it lives in an environment of its own (see the tool)."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bufa.bench import server, superuser

_ROOT = Path(__file__).resolve().parents[2]
TOOL = _ROOT / "tools" / "other_server.py"
PYTHON = _ROOT / "artefacts" / "karrio" / "bin" / "python"
DATABASE = "karrio"
PATIENCE_S = 300.0


Track = tuple[str, Sequence[tuple[str, str, str, str]]]


def measure(tracks: Sequence[Track]) -> dict[str, Any] | str:
    """What it came to on (number, [(day, time, text, code)]), or why it was not measured."""
    if not PYTHON.exists():
        return "not measured: it is not installed (make karrio)"
    with superuser("postgres") as rows:
        rows.execute(f"CREATE DATABASE {DATABASE}".encode())
    with tempfile.TemporaryDirectory(prefix="bufa-bench-karrio-") as work:
        env = {
            "PATH": os.environ.get("PATH", ""), "SECRET_KEY": "bench", "DEBUG_MODE": "False", "WORK_DIR": work,
            "LOG_LEVEL": "ERROR", "DJANGO_LOG_LEVEL": "ERROR", "DATABASE_ENGINE": "postgresql",
            "DATABASE_NAME": DATABASE, "DATABASE_HOST": server().socket, "DATABASE_PORT": "5432",
            "DATABASE_USERNAME": "postgres", "DATABASE_PASSWORD": "", "DATABASE_CONN_MAX_AGE": "600",
        }  # fmt: skip
        try:
            done = subprocess.run(
                [str(PYTHON), str(TOOL), "measure"],
                input=json.dumps({"tracks": tracks}), env=env, cwd=work, capture_output=True, text=True, check=False,
                timeout=PATIENCE_S,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"not measured: it did not end within {PATIENCE_S:.0f} s"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        return f"not measured: it ended with code {done.returncode}: {last[:200]}"
    result: dict[str, Any] = json.loads(done.stdout)
    return result
