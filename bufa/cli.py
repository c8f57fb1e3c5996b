"""The `bufa` command: one place where arguments are read; the work is done in the rooms.

Imports stand inside the subcommands on purpose: Django reads the environment when it is set up, and that is filled
in here first (the data folder, the database's socket, the clock); and `--help` shouldn't load a web framework.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bufa.host.trouble import Trouble


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand. Exit code 0, or 1 with one sentence on standard error, or 2 for wrong arguments."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["manage"]:  # Django's own parser reads the rest, `--help` included
        return _guarded(lambda: _manage(given[1:]))
    if given[:1] == ["simulator"]:
        os.execv(sys.executable, [sys.executable, "-m", "simulator", *given[1:]])  # noqa: S606 - becomes that program
    arguments = _parser().parse_args(given)
    os.environ["BUFA_DATA"] = str(arguments.data.absolute())
    run: Callable[[argparse.Namespace], int] = arguments.run
    return _guarded(lambda: run(arguments))


def _guarded(work: Callable[[], int]) -> int:
    try:
        return work()
    except Trouble as trouble:
        print(f"bufa: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has gone (`bufa read | head`)
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the interpreter's own last flush
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bufa", description="补发: the desk for parcels that go wrong.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    where = Path(os.environ.get("BUFA_DATA", "data"))
    shared.add_argument("--data", type=Path, default=where, metavar="DIR", help="data folder (default: ./data)")

    def command(name: str, run: Callable[[argparse.Namespace], int], does: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, parents=[shared], help=does, description=does)
        made.set_defaults(run=run)
        return made

    made = command("up", _up, "run everything in one process tree")
    made.add_argument("--port", type=int, default=8800, metavar="N", help="port of the desk (default: 8800)")
    made.add_argument("--host", default="127.0.0.1", metavar="ADDR", help="address to listen on (default: 127.0.0.1)")
    made.add_argument("--workers", type=int, default=1, metavar="N", help="worker processes (default: 1)")
    made.add_argument("--demo", action="store_true", help="with a simulated outside world, a sample shop and operators")

    command("simulator", _simulator, "the outside world alone; its first line of output is one JSON object")

    made = command("shop", _shop, "open a shop and its owner's log-in; the password is asked for, or read from a pipe")
    made.add_argument("name", metavar="NAME", help="what the shop is called")
    made.add_argument("--owner", required=True, metavar="LOGIN", help="the owner's log-in")

    made = command("import", _import, "take in a file of orders, scans, stock or taught texts")
    made.add_argument("kind", choices=["orders", "scans", "stock", "penalties", "contacts", "templates"])
    made.add_argument("file", type=Path, metavar="FILE", help="csv (UTF-8 or GBK), xlsx or jsonl")
    made.add_argument("--shop", required=True, metavar="S", help="the shop's name or number")
    made.add_argument("--json", action="store_true", help="the report as one JSON object")

    command("read", _read, "read carriers' texts and codes: JSON lines in, JSON lines out")

    made = command("watch", _watch, "sweep: find what has become overdue")
    made.add_argument("--once", action="store_true", help="one sweep, then end")

    made = command("status", _status, "what there is, and what is wrong with it")
    made.add_argument("--json", action="store_true", help="as one JSON object")
    made.add_argument("--shop", type=int, action="append", metavar="S", help="only this shop (may be repeated)")

    made = command("backup", _backup, "all rows in one file, without the keys; while it runs or not")
    made.add_argument("file", type=Path, metavar="FILE")
    made.add_argument("--keys", type=Path, metavar="FILE", help="also write the keys, into a file to be kept apart")

    made = command("restore", _restore, "a backup into an empty data folder; nothing is sent until you say so")
    made.add_argument("file", type=Path, metavar="FILE")
    made.add_argument("--keys", type=Path, metavar="FILE", help="the keys that `bufa backup --keys` wrote")

    made = command("outbound", _outbound, "stop all that leaves a shop, or let it leave again")
    made.add_argument("act", choices=["show", "pause", "resume"])
    made.add_argument("--shop", metavar="S", help="the shop's name or number (default: all)")

    made = command("audit", _audit, "see that nobody has changed the audit log")
    made.add_argument("act", choices=["verify"])
    made.add_argument("--shop", metavar="S", help="the shop's name or number (default: all)")
    made.add_argument("--json", action="store_true", help="as one JSON object")

    made = command("bench", _bench, "run a benchmark on the production path")
    made.add_argument("name", nargs="?", help="which one, or all; without it the list")
    made.add_argument("--json", action="store_true", help="as one JSON object")
    made.add_argument("--scale", type=float, metavar="X", help="share of the full size (default: each one's usual)")
    made.add_argument("--kill", action="store_true", help="with push: kill web, worker and database meanwhile")
    made.add_argument("--keep", type=Path, metavar="DIR", help="also keep the JSON of each as DIR/NAME.json")
    made.add_argument("--rows", type=Path, metavar="DIR", help="with pages: keep the rows there, and use them again")

    command("doctor", _doctor, "what is configured, reachable, insecure or missing")
    command("manage", _doctor, "Django's own commands: bufa manage COMMAND …")
    return parser


@contextmanager
def _django(arguments: argparse.Namespace | None = None) -> Iterator[None]:
    from bufa.host.running import joined
    from bufa.lib.places import data_dir

    with joined(data_dir() if arguments is None else arguments.data.absolute()):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bufa.config.settings")
        import django

        django.setup()
        yield


def _up(arguments: argparse.Namespace) -> int:
    from bufa.host.up import Wishes, up

    if not 1 <= arguments.workers <= 32:
        raise Trouble("--workers is a number from 1 to 32.")
    up(Wishes(arguments.data.absolute(), arguments.host, arguments.port, arguments.demo, arguments.workers))
    return 0


def _simulator(arguments: argparse.Namespace) -> int:
    raise AssertionError("main() has become the simulator before")


def _shop(arguments: argparse.Namespace) -> int:
    import getpass

    def asked() -> str:
        if not sys.stdin.isatty():
            return sys.stdin.readline().rstrip("\n")
        password = getpass.getpass(f"Password for {arguments.owner}: ")
        if getpass.getpass("Once more: ") != password:
            raise Trouble("The two passwords differ. Nothing was made.")
        return password

    with _django(arguments):
        from bufa.apps.shops.actions import create_shop
        from bufa.domain.outcome import Refused

        says = {
            "name_empty": "The shop needs a name.",
            "login_empty": "The owner needs a log-in.",
            "password_weak": "Too easy to guess. Take 10 characters or more, no common word.",
        }
        try:
            shop_id = create_shop(arguments.name, owner_login=arguments.owner, owner_password=asked())
        except Refused as refused:
            raise Trouble(says[refused.why.code]) from None
        print(f"Shop {shop_id} is open: {arguments.name}. {arguments.owner} can sign in and connect it under Settings.")
        return 0


def _import(arguments: argparse.Namespace) -> int:
    if not arguments.file.is_file():
        raise Trouble(f"There is no file {arguments.file}.")
    with _django(arguments):
        from bufa.apps.shops.queries import find_shop
        from bufa.jobs.importing import run_import

        shop_id = find_shop(arguments.shop)
        if shop_id is None:
            raise Trouble(f"There is no shop {arguments.shop}.")
        report = run_import(arguments.kind, arguments.file, shop_id, _progress)
        if arguments.json:
            print(json.dumps(report.as_dict(), ensure_ascii=False))
        else:
            for line in report.lines():
                print(line)
        return 0 if report.ok else 1


def _progress(done: int, total: int | None) -> None:
    if sys.stderr.isatty():
        print(f"\r{done}" + (f" / {total}" if total else ""), end="", file=sys.stderr, flush=True)


def _read(arguments: argparse.Namespace) -> int:
    from bufa.host.reading import read_lines

    for line in read_lines(sys.stdin):
        sys.stdout.write(line + "\n")
    return 0


def _watch(arguments: argparse.Namespace) -> int:
    with _django(arguments):
        from bufa.jobs import sweep
        from bufa.lib import clock

        if not arguments.once:
            sweep.loop()
            return 0
        print(json.dumps({"swept": sweep.sweep_once(clock.now())}))
        return 0


def _status(arguments: argparse.Namespace) -> int:
    with _django(arguments):
        from bufa.jobs.status import status

        report = status(arguments.shop)
        print(json.dumps(report, ensure_ascii=False, default=str) if arguments.json else _as_text(report))
        return 0


def _as_text(report: object, depth: int = 0) -> str:
    if not isinstance(report, dict):
        return str(report)
    lines = []
    for name, value in report.items():
        if isinstance(value, dict):
            lines.append(f"{'  ' * depth}{name}")
            lines.append(_as_text(value, depth + 1))
        else:
            lines.append(f"{'  ' * depth}{name}: {value}")
    return "\n".join(line for line in lines if line)


def _backup(arguments: argparse.Namespace) -> int:
    from bufa.host.keeping import make_backup

    for line in make_backup(arguments.data.absolute(), arguments.file.absolute(), arguments.keys):
        print(line, flush=True)
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from bufa.host.keeping import restore_backup

    for line in restore_backup(arguments.data.absolute(), arguments.file.absolute(), arguments.keys):
        print(line, flush=True)
    return 0


def _outbound(arguments: argparse.Namespace) -> int:
    with _django(arguments):
        from bufa.host.tending import outbound

        return _said(outbound(arguments.act, arguments.shop))


def _audit(arguments: argparse.Namespace) -> int:
    with _django(arguments):
        from bufa.host.tending import verify_audit

        return _said(verify_audit(arguments.shop, as_json=arguments.json))


def _said(lines: Iterator[tuple[bool, str]]) -> int:
    """Print each line; 1 when one of them is no good news."""
    fine = True
    for good, line in lines:
        print(line, flush=True)
        fine &= good
    return 0 if fine else 1


def _bench(arguments: argparse.Namespace) -> int:
    from bufa import bench

    if arguments.kill:
        if arguments.name != "push":
            raise Trouble("--kill goes with push: bufa bench push --kill.")
        arguments.name = "killed"
    if arguments.name is None:
        print("\n".join(f"{name:<10} {made.goal}" for name, made in bench.BENCHES.items()))
        return 0
    if arguments.scale is not None and not 0 < arguments.scale <= 10:
        raise Trouble("--scale is a share of the full size: over 0, at most 10.")
    fine = True
    for name in bench.NAMES if arguments.name == "all" else (arguments.name,):
        if arguments.name == "all":  # each in a process of its own: memory and caches start the same
            fine &= os.spawnv(os.P_WAIT, sys.executable, _again(arguments, name)) == 0  # noqa: S606 - ourselves
            continue
        result = bench.run(name, arguments.scale, arguments.rows)
        print(json.dumps(result, ensure_ascii=False) if arguments.json else _as_text(result), flush=True)
        fine &= result["ok"]
        if arguments.keep is not None:
            arguments.keep.mkdir(parents=True, exist_ok=True)
            text = json.dumps(result, ensure_ascii=False, indent=1, sort_keys=True)
            (arguments.keep / f"{name}.json").write_text(text + "\n")
    return 0 if fine else 1


def _again(arguments: argparse.Namespace, name: str) -> list[str]:
    sized = [] if arguments.scale is None else ["--scale", str(arguments.scale)]
    kept = [] if arguments.keep is None else ["--keep", str(arguments.keep)]
    return [sys.executable, "-m", "bufa", "bench", name, *sized, *kept, *(["--json"] if arguments.json else [])]


def _doctor(arguments: argparse.Namespace) -> int:
    from bufa.host.doctor import Grade, examine

    checks = examine(arguments.data.absolute())
    for check in checks:
        print(f"{check.grade.value:<7} {check.what:<17} {check.says}")
    return 1 if any(check.grade is Grade.BLOCKS for check in checks) else 0


def _manage(given: list[str]) -> int:
    owner_work = {"migrate", "makemigrations", "sqlmigrate", "flush", "dbshell", "showmigrations"}
    if given[:1] and given[0] in owner_work:
        os.environ["BUFA_DB_AS"] = "owner"
    with _django():
        from django.core.management import execute_from_command_line

        execute_from_command_line(["bufa manage", *given])
    return 0
