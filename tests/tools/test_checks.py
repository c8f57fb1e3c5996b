"""Every check of `make check`, proved by breaking what it guards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import docs, i18n, lock, sizes

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def run(*command: str, cwd: Path = ROOT, stdin: str = "") -> tuple[int, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("BUFA_", "DJANGO_", "PYTEST_"))}
    done = subprocess.run(command, cwd=cwd, env=env, input=stdin, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_make_check_runs_each_of_them() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("check: setup")[2].partition("\n\n")[0]
    for part in (
        "ruff check .", "ruff format --check .", "tools/sizes.py", "tools/lock.py check", "tools/migrations.py",
        "tools/docs.py check", "tools/i18n.py check", "djlint bufa --lint", "lint-imports", "mypy",
    ):  # fmt: skip
        assert part in recipe


def test_ci_runs_check_and_test_and_fails_with_either(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
    for check, test, code in (("true", "true", 0), ("false", "true", 1), ("true", "false", 1)):
        (tmp_path / "Makefile").write_text(f"check:\n\t@{check} && echo checked\ntest:\n\t@{test} && echo tested\n")
        got, said = run("bash", ".ci/run", cwd=tmp_path)
        assert got == code
        assert [word in said for word in ("checked", "tested")] == [check == "true", test == "true"]


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("import os\n", "F401"),
        ("import sys\nimport os\n\nprint(os, sys)\n", "I001"),
        ("from datetime import datetime\n\nAT = datetime.now()\n", "DTZ005"),
        ("import subprocess\n\nsubprocess.run('ls', shell=True, check=True)\n", "S602"),
        ("try:\n    x = 1\nexcept Exception:\n    x = 2\n", "BLE001"),
        ("print('x')\n", "T201"),
        ("def f(x=[]):\n    return x\n", "B006"),
        ("import logging\n\nlogging.getLogger().info(f'{1}')\n", "G004"),
        ("x = 1  # " + "y" * 120 + "\n", "E501"),
    ],
)
def test_ruff_finds(fault: str, rule: str) -> None:
    code, said = run(
        str(BIN / "ruff"), "check", "--no-cache", "--output-format=concise",
        "--stdin-filename", "bufa/lib/fault.py", "-", stdin=fault,
    )  # fmt: skip
    assert code == 1
    assert rule in said


def test_ruff_leaves_chinese_punctuation_alone() -> None:
    code, said = run(
        str(BIN / "ruff"), "check", "--no-cache", "--stdin-filename", "bufa/lib/fine.py", "-",
        stdin='"""丢件了，怎么办？（补发）"""\n\nTEXT = "您好，您的包裹：已补发！"\n',
    )  # fmt: skip
    assert code == 0, said


def test_ruff_format_finds() -> None:
    command = (str(BIN / "ruff"), "format", "--no-cache", "--check", "--stdin-filename", "bufa/fault.py", "-")
    assert run(*command, stdin="x = {  'a':1 }\n")[0] == 1
    assert run(*command, stdin='x = {"a": 1}\n')[0] == 0


@pytest.mark.slow
def test_mypy_finds_missing_and_wrong_types(tmp_path: Path) -> None:
    fault = tmp_path / "fault.py"
    fault.write_text("def f(x):\n    return x\n\n\ndef g() -> int:\n    return 'x'\n")
    code, said = run(str(BIN / "mypy"), "--config-file", "pyproject.toml", str(fault))
    assert code == 1
    assert "[no-untyped-def]" in said
    assert "[return-value]" in said


def test_djlint_finds(tmp_path: Path) -> None:
    (tmp_path / "fault.html").write_text('<div><img src="x.png">\n{% if x %}<p>\n')
    code, said = run(str(BIN / "djlint"), str(tmp_path), "--lint", "--configuration", str(ROOT / "pyproject.toml"))
    assert code == 1
    assert "H013" in said  # a picture without words


@pytest.mark.slow
def test_every_contract_of_the_rooms_can_break(tmp_path: Path) -> None:
    for room in ("bufa", "simulator"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=lambda _, names: {n for n in names if n == "__pycache__"})
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, text in {
        "bufa/lib/fault.py": "import bufa.apps\nimport simulator\n",
        "bufa/apps/audit/fault.py": "import bufa.apps.cases\n",
        "bufa/domain/fault.py": "import httpx\n",
        "bufa/integrations/tracking/kdniao/fault.py": "import django\nimport bufa.integrations.tracking.kuaidi100\n",
        "bufa/web/fault.py": "import bufa.integrations.tracking.kdniao\nimport bufa.apps.cases.models\n",
    }.items():
        (tmp_path / path).write_text(text)
    code, said = run(str(BIN / "lint-imports"), "--no-cache", cwd=tmp_path)
    assert code == 1
    assert "0 kept" in said, said
    assert "8 broken" in said


@pytest.mark.slow
def test_a_room_without_a_place_in_the_layers_is_noticed(tmp_path: Path) -> None:
    for room in ("bufa", "simulator"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=lambda _, names: {n for n in names if n == "__pycache__"})
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "bufa/helpers.py").write_text("")
    code, said = run(str(BIN / "lint-imports"), "--no-cache", cwd=tmp_path)
    assert code == 1
    assert "bufa.helpers" in said


def test_sizes_finds_long_files_and_functions(tmp_path: Path) -> None:
    (tmp_path / "bufa").mkdir()
    (tmp_path / "bufa/long.py").write_text("x = 1\n" * 501)
    (tmp_path / "bufa/fine.py").write_text("x = 1\n" * 500)
    (tmp_path / "bufa/function.py").write_text("def f() -> None:\n" + "    print()\n" * 80)
    (tmp_path / "bufa/migrations").mkdir()
    (tmp_path / "bufa/migrations/0001.py").write_text("x = 1\n" * 600)
    assert list(sizes.faults(tmp_path)) == [
        "bufa/function.py:1 f has 81 lines; the most is 80",
        "bufa/long.py:1 has 501 lines; the most is 500",
    ]


def test_lock_finds_what_is_missing_outdated_unhashed_unexplained_or_placed(tmp_path: Path) -> None:
    assert lock.faults(ROOT) == []
    hashed = " \\\n    --hash=sha256:00\n"
    (tmp_path / "pyproject.toml").write_text(
        "[project]\ndependencies = [\n"
        '    "one>=2", # a reason\n    "two", # a reason\n    "three",\n    "four", # a reason\n]\n'
        "[project.optional-dependencies]\ndev = []\n"
    )
    text = "--find-links there\none==1.0" + hashed + "two==1\nfour==1" + hashed
    for name in (lock.RUNTIME, lock.DEV):
        (tmp_path / name).write_text(text)
    assert [fault for fault in lock.faults(tmp_path) if not fault.startswith(lock.DEV)] == [
        "pyproject.toml: three comes without its reason",
        "requirements.lock: --find-links there names a place",
        "requirements.lock: two has no hash",
        "requirements.lock: one is 1.0, not >=2; run `make lock`",
        "requirements.lock: three is missing; run `make lock`",
    ]


def test_stale_generated_documents_are_found(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    assert docs.stale(ROOT) == []
    assert docs.stale(tmp_path) == list(docs.PAGES)
    for path in docs.PAGES:
        (tmp_path / path).write_text("old\n")
    assert docs.stale(tmp_path) == list(docs.PAGES)


def test_a_model_without_its_migration_is_found() -> None:
    code, said = run(sys.executable, "tools/migrations.py")
    assert code == 0, said
    program = (
        "import os, django\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'bufa.config.settings'\n"
        "django.setup()\n"
        "from django.db import models\n"
        "class Extra(models.Model):\n"
        "    class Meta:\n"
        "        app_label = 'shops'\n"
        "from tools.migrations import missing\n"
        "print(missing())\n"
    )
    code, said = run(sys.executable, "-c", program)
    assert code == 0, said
    assert said.strip() == "['shops: Create model Extra']"


PO = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "你好"
msgstr "Hello"

msgid "还剩 %(hours)s 小时"
msgstr "%(left)s"

msgid "没人用"
msgstr "Unused"
"""


def test_messages_without_english_unused_or_with_other_placeholders_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, po = tmp_path / "bufa", tmp_path / "locale/en/LC_MESSAGES/django.po"
    for name, value in (("ROOT", tmp_path), ("SOURCE", source), ("PO", po)):
        monkeypatch.setattr(i18n, name, value)
    source.mkdir()
    (source / "page.html").write_text(
        '{% load i18n %}{% translate "你好" %}{% blocktranslate %}还剩 {{ hours }} 小时{% endblocktranslate %}'
    )
    (source / "words.py").write_text('from x import gettext as _\n\n_("新的")\n')
    po.parent.mkdir(parents=True)
    po.write_text(PO)
    assert sorted(i18n.problems()) == [
        "no longer used (run `extract`): '没人用'",
        "not in the catalogue (run `extract`): '新的'",
        "placeholders differ (hours, left): '还剩 %(hours)s 小时'",
    ]
    i18n.extract_all()
    assert sorted(i18n.problems()) == ["no English: '新的'", "placeholders differ (hours, left): '还剩 %(hours)s 小时'"]
    assert i18n.compile_all().read_bytes()[:4] == b"\xde\x12\x04\x95"
