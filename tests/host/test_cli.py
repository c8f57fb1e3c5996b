"""The command from outside: what it prints, what it refuses, with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ENV = {name: value for name, value in os.environ.items() if not name.startswith(("BUFA_", "DJANGO_", "DATABASE_"))}


def bufa(*arguments: str, stdin: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.run(
        [sys.executable, "-m", "bufa", *arguments], env=ENV | {"PYTHONPATH": root}, input=stdin, cwd=cwd,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_read_answers_line_by_line_in_order_whatever_the_line_is() -> None:
    given = [
        '{"provider": "kuaidi100", "carrier": "zhongtong", "text": "【深圳市】快件已签收,签收人：本人"}',
        '{"provider": "kuaidi100", "state": "3"}',
        "no json",
        "",
        "[]",
        '{"text": ["x"]}',
        "{}",
        '{"text": null, "code": 208, "provider": "kuaidi100"}',
    ]
    done = bufa("read", stdin="\n".join(given) + "\n")
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers[0] == {"kind": "delivered", "stage": "delivered", "reason": None, "why": "text:delivered.signed"}
    assert answers[1] == {"kind": "delivered", "stage": "delivered", "reason": None, "why": "kuaidi100:3"}
    assert [sorted(answer) for answer in answers[2:6]] == [["error"]] * 4
    assert answers[6] == {"kind": "unmapped", "stage": "labelled", "reason": None, "why": "unmapped"}
    assert len(answers) == len(given)
    assert set(answers[7]) == {"kind", "stage", "reason", "why"}


def test_read_stops_quietly_when_nobody_listens() -> None:
    line = '{"provider": "kuaidi100", "state": "3"}\n'
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m bufa read | head -n 1"],
        env=ENV, input=line * 20_000, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert json.loads(done.stdout)["kind"] == "delivered"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["up", "import", "read", "watch", "status", "bench", "doctor"])
def test_each_command_explains_itself(command: str) -> None:
    done = bufa(command, "--help")
    assert done.returncode == 0
    assert f"usage: bufa {command}" in done.stdout


def test_wrong_arguments_are_exit_code_2() -> None:
    assert bufa("fly").returncode == 2
    assert bufa("import", "orders", "x.csv").returncode == 2


def test_a_missing_file_is_said_before_a_database_is_started(tmp_path: Path) -> None:
    done = bufa("import", "orders", "none.csv", "--shop", "1", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "bufa: There is no file none.csv.\n"
    assert list(tmp_path.iterdir()) == []


def test_bench_lists_refuses_and_measures(tmp_path: Path) -> None:
    listed = bufa("bench", cwd=tmp_path).stdout.splitlines()
    names = [
        "ingest",
        "push",
        "killed",
        "freshness",
        "memory",
        "sweep",
        "incidents",
        "pages",
        "gate",
        "reading",
        "lanes",
    ]
    assert [line.split()[0] for line in listed] == names
    assert listed[8] == "gate       seconds to check a sheet of 1,000 reissue numbers, database included"
    unknown = bufa("bench", "speed", cwd=tmp_path)
    assert unknown.returncode == 1
    assert unknown.stderr == f"bufa: There is no benchmark speed; there are: {', '.join(names)}, all.\n"
    done = bufa("bench", "gate", "--scale", "0.02", "--json", cwd=tmp_path)
    figure = json.loads(done.stdout)
    assert sorted(figure) == [
        "beside", "commit", "figure", "goal", "less_is_better", "machine", "measured_at", "name", "ok", "scale",
        "took_s", "unit", "versions",
    ]  # fmt: skip
    assert (figure["beside"]["rows"], figure["beside"]["rows_that_may_go"]) == (20, 20)
    assert done.returncode == (0 if figure["ok"] else 1)
    assert list(tmp_path.iterdir()) == []


def test_doctor_on_a_bare_folder_has_notes_only_and_changes_nothing(tmp_path: Path) -> None:
    done = bufa("doctor", "--data", str(tmp_path / "data"))
    assert done.returncode == 0
    assert "is not there yet; `bufa up` makes it" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_doctor_blocks_on_a_key_that_others_can_read(tmp_path: Path) -> None:
    key = tmp_path / "master.key"
    key.write_text("00" * 32)
    key.chmod(0o644)
    done = bufa("doctor", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "can be read by others; chmod 600 it" in done.stdout
