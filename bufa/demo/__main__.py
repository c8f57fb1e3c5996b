"""`python -m bufa.demo`: open the sample shop, live its history, and hand over to the clock."""

from __future__ import annotations

import os
import sys
from datetime import timedelta

from bufa.demo.world import World
from bufa.host.up import HISTORY_DONE
from bufa.lib import clock

SPEED = 30.0
SLACK = timedelta(minutes=30)
"""A world that is this close to the present needs no history."""


def main() -> int:
    """Run to the present; exit code 0. Environment: BUFA_SIMULATOR, BUFA_ADDRESS, BUFA_DEMO_SPEED."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bufa.config.settings")
    import django

    django.setup()
    from django.db import connection

    from bufa.lib import queue

    with connection.cursor() as cursor:
        # History can be lived again, so its commits need not wait for the disk.
        cursor.execute("SET synchronous_commit = off")
    # The worker starts after history and sweeps up first of all: hints would only wait for it.
    with queue.unhinted():
        _live(World.from_environment())
    _welcome()
    _say(HISTORY_DONE)
    return 0


def _live(world: World) -> None:
    from bufa.demo import shop
    from bufa.demo.history import History

    world.stand_still()
    now = world.now()
    with clock.frozen(now):
        sample = shop.open_shop(world)
        shop.connect(sample.shop_id, world)
    until = clock.real_now().replace(microsecond=0)
    if now < until - SLACK:
        _say(f"工作台已经开着：{_address()}，可以先用 zhou / {shop.PASSWORD} 登录；下面补入历史")
        history = History(sample, world, until, _say)
        agents = history.run()
        if os.environ.get("BUFA_DEMO_TIMES"):
            _say(f"ms {dict(history.spent)} pushes {history.pushes} did {dict(agents.acted)} no {dict(agents.refused)}")
    world.run(float(os.environ.get("BUFA_DEMO_SPEED", SPEED)))


def _welcome() -> None:
    from bufa.demo.shop import OWNER, PASSWORD, PEOPLE

    roles = {"agent": "客服", "lead": "客服主管", "warehouse": "仓库", "finance": "财务"}
    _say(f"Bufa 补发  {_address()}")
    _say(f"登录名：{OWNER[0]}（店主）、" + "、".join(f"{login}（{roles[role]}）" for login, _, role in PEOPLE))
    _say(f"密码都是 {PASSWORD}")


def _address() -> str:
    return os.environ.get("BUFA_ADDRESS", "http://127.0.0.1:8800")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
