"""Each benchmark of volume at its smallest, as the command runs it: a process of its own, real parts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def measured(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    """The result, also of a benchmark that misses its goal: at this size on a busy machine that says nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "bufa", "bench", *arguments, "--json", "--keep", str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert json.loads((tmp_path / f"{result['name']}.json").read_text()) == result
    return result


def test_ingest_reads_every_scan_once_and_says_what_it_is_measured_beside(tmp_path: Path) -> None:
    result = measured(tmp_path, "ingest", "--scale", "0.002")
    beside = result["beside"]
    assert (beside["parcels"], beside["parked"]) == (200, 0)
    assert 7 * 200 <= beside["new"] < beside["heard"]
    assert min(beside["copy_rows_per_s"], beside["model_loop_per_s"], result["figure"], beside["of_copy"]) > 0


def test_sweep_takes_the_same_due_at_every_size(tmp_path: Path) -> None:
    result = measured(tmp_path, "sweep", "--scale", "0.004")
    assert list(result["beside"]["median_ms"]) == ["10000", "20000"]
    assert result["beside"]["due"] == 1000
    assert result["figure"] > 0


def test_incidents_are_grouped_from_stored_findings(tmp_path: Path) -> None:
    result = measured(tmp_path, "incidents", "--scale", "0.02")
    assert (result["beside"]["findings"], result["beside"]["of_few"]) == (2000, 200)
    assert result["beside"]["incidents"] > 0
    assert result["beside"]["parcels_in_them"] > 1000


def test_memory_looks_at_a_worker_through_which_all_scans_went(tmp_path: Path) -> None:
    result = measured(tmp_path, "memory", "--scale", "0.0005")
    assert result["beside"]["scans"] == 2500
    assert 20 < result["beside"]["at_the_start_mb"] <= result["figure"] < 300


def test_push_thanks_for_every_push_after_the_commit(tmp_path: Path) -> None:
    result = measured(tmp_path, "push", "--scale", "0.01")
    beside = result["beside"]
    assert (beside["thanked"], beside["refused_or_broken"]) == (1700, 0)
    assert (beside["synchronous_commit"], beside["fsync"]) == ("on", "on")


def test_freshness_sees_every_warning(tmp_path: Path) -> None:
    result = measured(tmp_path, "freshness", "--scale", "0.02")
    assert result["beside"]["warnings"] == result["beside"]["seen"] == 20


def test_nothing_thanked_for_is_lost_when_all_three_are_killed(tmp_path: Path) -> None:
    result = measured(tmp_path, "push", "--kill", "--scale", "0.01")
    assert result["name"] == "killed"
    assert (result["figure"], result["beside"]["lost"]) == (0, [])
    assert result["beside"]["killed"].keys() == {"web", "worker", "postgres"}
    assert sum(result["beside"]["killed"].values()) > 0
    assert result["beside"]["thanked"] > 0


def test_kill_goes_with_push_only() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bufa", "bench", "ingest", "--kill"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "--kill goes with push" in done.stderr
