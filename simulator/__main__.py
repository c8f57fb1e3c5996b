"""``python -m simulator``: run the outside world. Its first line of output is all that a client needs, as JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial

import uvicorn

from simulator import app, carriers, goods, imap
from simulator.clock import DAY, Clock, parse_iso
from simulator.clouds.desk import SIGN
from simulator.doudian import sms
from simulator.journal import Journal
from simulator.sim import Sim
from simulator.state import Json

TICK = 0.2  # real seconds between two looks at a running clock


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulator", description="The outside world, over the wire.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="HTTP port; 0 takes any free one")
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument("--imap-port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds in a real one")
    parser.add_argument("--start", help="ISO 8601; time stands still there until it is stepped")
    parser.add_argument("--stepping", action="store_true", help="stand still, 21 days ago unless --start is given")
    parser.add_argument("--orders-per-day", type=int, default=60)
    parser.add_argument("--journal", help="keep the world in this file, and go on with the one that is there")
    parser.add_argument("--ledger", help="also write the ledger to this JSON-lines file")
    return parser.parse_args(argv)


def hello(sim: Sim, host: str, port: int, smtp_port: int, imap_port: int) -> Json:
    """What the first line of output says."""
    base = f"http://{host}:{port}"
    return {
        "doudian": {
            "base_url": f"{base}/doudian",
            "app_key": sim.keys.app_key,
            "app_secret": sim.keys.app_secret,
            "shop_id": str(sim.world.shop_id),
            "shop_name": goods.SHOP_NAME,
            "authorize_url": f"{base}/doudian/authorize",
        },
        "kuaidi100": {"base_url": f"{base}/kuaidi100", "customer": sim.keys.customer, "key": sim.keys.kuaidi100_key},
        "kdniao": {
            "base_url": f"{base}/kdniao",
            "business_id": sim.keys.business_id,
            "app_key": sim.keys.kdniao_key,
        },
        "17track": {"base_url": f"{base}/17track", "key": sim.keys.track17_key},
        "aliyun_sms": {
            "base_url": f"{base}/aliyun_sms",
            "key_id": sim.clouds.services["aliyun_sms"].key_id,
            "key_secret": sim.clouds.services["aliyun_sms"].secret,
            "sign": SIGN,
        },
        "aliyun_voice": {
            "base_url": f"{base}/aliyun_voice",
            "key_id": sim.clouds.services["aliyun_voice"].key_id,
            "key_secret": sim.clouds.services["aliyun_voice"].secret,
        },
        "tencent_sms": {
            "base_url": f"{base}/tencent_sms",
            "secret_id": sim.clouds.services["tencent_sms"].key_id,
            "secret_key": sim.clouds.services["tencent_sms"].secret,
            "app_id": sim.clouds.app_id,
            "sign": SIGN,
        },
        "smtp": {"host": host, "port": smtp_port},
        "imap": {"host": host, "port": imap_port, "password": sim.post.password, "authserv": imap.AUTHSERV},
        "carriers": {c.code: {"name": c.name, "email": c.email} for c in carriers.CARRIERS.values()},
        "sms": {"account": sms.ACCOUNT, "sign": sms.SIGN, "templates": dict(sim.templates.items)},
        "robots": sim.robots.hello(base),
        "control": f"{base}/control",
        "ledger": f"{base}/ledger",
        "mail": f"{base}/mail",
        "world": f"{base}/world",
    }


def listener(host: str, port: int) -> socket.socket:
    """A listening socket. It names its protocol, or asyncio leaves Nagle's algorithm on and each answer takes 40 ms."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(128)
    except OSError:
        sock.close()
        raise
    return sock


async def live_again(sim: Sim, door: app.Door, ledger: str | None) -> None:
    """Bring the world to where it was stopped. Its ledger is the one that it wrote then."""
    if ledger is not None:
        sim.ledger.load(ledger)
    sim.ledger.muted = True
    await sim.journal.replay(sim, partial(app.call_again, door))
    sim.ledger.muted = False
    for order in sim.world.orders.values():
        sim.vault.receiver(order)  # reads that were not kept gave these ciphers away


async def serve(args: argparse.Namespace, say: Callable[[Json], None], done: asyncio.Event) -> int:
    """Run until ``done``; ``say`` learns where everything is as soon as it answers. The exit code."""
    try:
        sock = listener(args.host, args.port)
    except OSError as error:
        print(f"simulator: port {args.port} is not free ({error.strerror})", file=sys.stderr)
        return 1
    stepping = args.stepping or args.start is not None
    now = int(time.time())
    start = parse_iso(args.start) if args.start else now - 21 * DAY if stepping else now
    begun = {"seed": args.seed, "start": start, "orders_per_day": args.orders_per_day}
    kept = Journal(args.journal).header()
    begun = kept or begun
    sim = Sim(
        seed=begun["seed"],
        clock=Clock(begun["start"], speed=args.speed, stepping=stepping),
        orders_per_day=begun["orders_per_day"],
        ledger=args.ledger,
        journal=args.journal,
    )
    door = app.make(sim)
    if kept is not None:
        await live_again(sim, door, args.ledger)
    sim.journal.open(sim, begun)
    try:
        smtp_port = await sim.post.listen(args.host, args.smtp_port)
        imap_port = await sim.post.listen_imap(args.host, args.imap_port)
    except OSError as error:
        sock.close()
        print(f"simulator: a port for mail is not free ({error.strerror})", file=sys.stderr)
        return 1
    config = uvicorn.Config(
        door,
        log_level="error",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
    )
    server = uvicorn.Server(config)
    # serve() would take the signals for itself
    running = asyncio.ensure_future(server._serve([sock]))
    while not server.started and not running.done():
        await asyncio.sleep(0.01)
    say(hello(sim, args.host, sock.getsockname()[1], smtp_port, imap_port))
    while not done.is_set() and not running.done():
        if not sim.clock.stepping:
            sim.tick()
        try:
            await asyncio.wait_for(done.wait(), TICK)
        except TimeoutError:
            continue
    server.should_exit = True
    await running
    await sim.close()
    return 0


async def program(args: argparse.Namespace) -> int:
    """The program: first line out, then quiet until SIGTERM or SIGINT."""
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, done.set)
    return await serve(args, lambda line: print(json.dumps(line, ensure_ascii=False), flush=True), done)


def main(argv: list[str] | None = None) -> int:
    return asyncio.run(program(arguments(argv)))


if __name__ == "__main__":
    sys.exit(main())
