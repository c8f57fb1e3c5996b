"""Everything that one simulated world consists of, put together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random

from simulator.clock import Clock, Wall
from simulator.clouds.aliyun import Aliyun
from simulator.clouds.desk import CloudDesk
from simulator.clouds.tencent import Tencent
from simulator.customers import Customers
from simulator.doudian.ciphers import Vault
from simulator.doudian.ebills import Ebill
from simulator.doudian.push import Pusher
from simulator.doudian.sms import Templates
from simulator.doudian.tokens import Tokens
from simulator.goods import SHOP_NAME
from simulator.journal import Journal
from simulator.kdniao import KdNiao
from simulator.kuaidi100 import Kuaidi100
from simulator.ledger import Ledger
from simulator.mail import PostOffice
from simulator.outbound import Outbox
from simulator.robots import Robots
from simulator.state import Json
from simulator.track17 import Track17
from simulator.trouble import Trouble
from simulator.world import World

SLICE = 1800  # seconds of simulated time that run between two deliveries of pushes


@dataclass(frozen=True)
class Keys:
    """Credentials that the services hand out; made from the seed, good for nothing else."""

    app_key: str
    app_secret: str
    customer: str
    kuaidi100_key: str
    business_id: str
    kdniao_key: str
    track17_key: str

    @staticmethod
    def make(seed: int) -> Keys:
        rng = Random(f"{seed}:keys")

        def hexes(n: int) -> str:
            return f"{rng.getrandbits(4 * n):0{n}x}"

        return Keys(
            f"70{rng.randrange(10**17):017d}",
            f"{hexes(8)}-{hexes(4)}-{hexes(4)}-{hexes(4)}-{hexes(12)}",
            hexes(32).upper(),
            hexes(12),
            str(1_200_000 + rng.randrange(700_000)),
            hexes(8) + "-" + hexes(12),
            hexes(32).upper(),
        )


class Sim:
    """The world, its services and its clock. ``advance`` and ``tick`` are the only things that move time."""

    def __init__(
        self,
        *,
        seed: int = 1,
        clock: Clock,
        orders_per_day: int = 60,
        ledger: str | None = None,
        journal: str | None = None,
        workers: int = 6,
    ) -> None:
        self.seed = seed
        self.clock = clock
        self.wall = Wall()
        self.journal = Journal(journal)
        self.keys = Keys.make(seed)
        self.world = World(seed, clock, orders_per_day=orders_per_day)
        self.customers = Customers(self.world)
        self.ledger = Ledger(clock, ledger, self.wall)
        self.trouble = Trouble()
        self.outbox = Outbox(workers)
        self.vault = Vault(f"vault:{seed}")
        self.tokens = Tokens(self.world.shop_id, SHOP_NAME, seed, self.wall)
        self.pusher = Pusher(self.world, self.outbox, self.trouble, self.keys.app_key, self.keys.app_secret)
        self.templates = Templates()
        self.robots = Robots(seed, self.wall)
        self.multi_packs: dict[str, Json] = {}
        self.ebills: dict[tuple[str, str], Ebill] = {}  # (order, pack_id) -> the waybill booked for it
        self.ebill_balance: dict[str, int] = {}  # labels left with a carrier, where they are counted
        self.out_of_range: dict[str, list[tuple[str, ...]]] = {}  # carrier -> places that it does not serve
        self.lag = 0  # most simulated seconds until a reading call shows what was submitted
        self.forbidden: set[str] = set()  # methods that the app was not granted
        self.limits: dict[str, int] = {}  # calls a second and method, where they differ from the published ones
        self.kuaidi100 = Kuaidi100(self.world, self.outbox, self.keys.customer, self.keys.kuaidi100_key)
        self.kdniao = KdNiao(self.world, self.outbox, self.keys.business_id, self.keys.kdniao_key)
        self.track17 = Track17(self.world, self.outbox, self.keys.track17_key)
        self.clouds = CloudDesk(self.world, self.outbox, self.wall, seed)
        self.aliyun, self.tencent = Aliyun(self.clouds), Tencent(self.clouds)
        self.post = PostOffice(self.world, self.ledger, self.trouble, f"box-{seed}-{self.keys.kdniao_key[:8]}")
        self._advancing = asyncio.Lock()
        self.outbox.replaying = lambda: self.journal.replaying
        self.outbox.on_failed = lambda number: self.journal.note("failed", id=number) if number else None
        self.pusher.journal = self.journal
        self.post.journal = self.journal
        self.world.open_days()

    def seen_at(self, what: str) -> int:
        """When reading calls show something submitted now: at once, or up to `lag` simulated seconds later."""
        return self.clock.now() + (Random(f"{self.seed}:lag:{what}").randint(0, self.lag) if self.lag else 0)

    async def advance(self, until: float) -> Json:
        """Run every event up to ``until`` in order and deliver the pushes. ValueError while time runs by itself."""
        if not self.clock.stepping:
            raise ValueError("the clock runs by itself; set stepping first")
        async with self._advancing:
            sent, bad = self.outbox.sent, self.outbox.failed
            while self.clock.running() < until:
                here = self.clock.running()
                coming = self.world.line.next_at()
                stop = min(until, max(here, coming if coming is not None else until) + SLICE)
                self.world.line.run(stop)
                self.clock.set(stop)
                self.pusher.pack()
                self.journal.beat()
                await self.outbox.flush()
            return {
                "now": self.clock.now(),
                "pushes": self.outbox.sent - sent,
                "failed": self.outbox.failed - bad,
            }

    def tick(self) -> None:
        """Run what is due by now, while the clock runs by itself; pushes leave on their own."""
        self.world.line.run(self.clock.running())
        self.pusher.pack()
        self.journal.beat()
        self.outbox.start()

    async def close(self) -> None:
        self.post.close()
        await self.outbox.close()
        self.ledger.close()
        self.journal.close()
