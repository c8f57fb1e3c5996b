"""Control: the clock, the push address, trouble, orders made to measure, and the truth about everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator import carriers, lives
from simulator.clock import iso, parse_iso
from simulator.clouds.desk import Template
from simulator.doudian import opening
from simulator.sim import Sim
from simulator.state import Json, Order, Parcel
from simulator.trouble import KINDS

SPOILT = {"used": 70022, "receiver": 70020, "recalled": 70018, "too_early": 70019, "bad": 60127}

Handler = Callable[[Sim, Request, Json], Awaitable[Any]]


class Bad(Exception):
    """A control call that makes no sense; answered with HTTP 400 (or the given status) and the reason."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


def _clock(sim: Sim) -> Json:
    return {"now": iso(sim.clock.now()), "speed": sim.clock.speed, "stepping": sim.clock.stepping}


def _order(sim: Sim, order_id: object) -> Order:
    order = sim.world.orders.get(str(order_id))
    if order is None:
        raise Bad(f"no order {order_id}", 404)
    return order


def parcel_truth(sim: Sim, parcel: Parcel) -> Json:
    now = sim.clock.now()
    life = parcel.life
    return {
        "carrier": parcel.carrier,
        "number": parcel.number,
        "role": parcel.role,
        "fate": life.fate,
        "outcome": life.outcome,
        "started_at": iso(parcel.started_at),
        "submitted_at": iso(parcel.submitted_at) if parcel.submitted_at else None,
        "ends_at": iso(life.ends_at),
        "ended": life.ends_at <= now,
        "scans": lives.described(life, now),
        "scans_to_come": sum(s.known_at > now for s in life.scans),
    }


def order_truth(sim: Sim, order: Order) -> Json:
    """All there is to know of an order, what the world has in mind for it included."""
    world = sim.world
    return {
        "order_id": order.order_id,
        "status": order.status,
        "carrier": order.carrier,
        "fate": order.fate,
        "reissue_fate": order.reissue_fate,
        "customer": order.customer,
        "carrier_answer": order.carrier_answer,
        "paid_fen": order.pay_fen,
        "created_at": iso(order.created_at),
        "paid_at": iso(order.paid_at) if order.paid_at else None,
        "ship_at": iso(order.ship_at) if order.ship_at else None,
        "name": order.buyer.name,
        "phone": order.buyer.phone,
        "address": order.buyer.full,
        "lines": [{"sub_id": x.sub_id, "name": x.goods.name, "count": x.count} for x in order.lines],
        "packages": [
            {"deliver_id": p.deliver_id, "carrier": p.carrier, "number": p.number, "extra": p.extra}
            for p in order.packages
        ],
        "parcels": [parcel_truth(sim, p) for p in world.parcels.values() if p.order_id == order.order_id],
        "aftersales": [
            {"aftersale_id": str(s.aftersale_id), "type": s.type, "status": s.status, "resend": s.resend}
            for s in (world.aftersales[i] for i in order.aftersales)
        ],
        "submissions": [{**s, "at": iso(s["at"])} for s in world.submissions if s["order_id"] == order.order_id],
        "sms": [s.content for s in world.sms if s.order_id == order.order_id],
        "feed": [{"at": iso(f.at), "kind": f.kind, "text": f.text} for f in world.feed if f.order_id == order.order_id],
    }


def truth(sim: Sim) -> Json:
    """Counts of everything, to be compared with a client's own."""
    world, now = sim.world, sim.clock.now()
    parcels = list(world.parcels.values())
    original = [p for p in parcels if p.role in {"original", "split"}]
    return {
        "now": iso(now),
        "orders": {"total": len(world.orders), "by_status": Counter(str(o.status) for o in world.orders.values())},
        "parcels": {
            "total": len(parcels),
            "original": len(original),
            "by_role": Counter(p.role for p in parcels),
            "by_fate": Counter(p.life.fate for p in original),
            "delivered": sum(p.life.outcome == "delivered" and p.life.ends_at <= now for p in parcels),
        },
        "scans": {"known": sum(len(p.life.known(now)) for p in parcels)},
        "aftersales": {
            "total": len(world.aftersales),
            "by_type": Counter(str(s.type) for s in world.aftersales.values()),
            "by_status": Counter(str(s.status) for s in world.aftersales.values()),
        },
        "submissions": Counter(s["method"] for s in world.submissions),
        "sms": {"total": len(world.sms), "delivered": sum(s.ok and s.receipt_at <= now for s in world.sms)},
        "mails": {
            "received": sum(not m.message_id.startswith("<reply-") for m in world.mails),
            "answered": sum(m.message_id.startswith("<reply-") for m in world.mails),
        },
        "feed": len(world.feed),
        "pushes": {
            "sent": sim.outbox.sent,
            "failed": sim.outbox.failed,
            "doudian_messages": dict(sim.pusher.made),
            "kuaidi100": dict(sim.kuaidi100.pushed),
            "kdniao": sim.kdniao.pushed,
            "17track": sim.track17.pushed,
        },
        "subscriptions": {
            "kuaidi100": len(sim.kuaidi100.subscriptions),
            "open": sum(s.open for s in sim.kuaidi100.subscriptions.values()),
            "kdniao": len(sim.kdniao.watches),
            "17track": len(sim.track17.follows),
        },
        "security_events": len(sim.world.security_events),
        "ledger": len(sim.ledger.entries),
    }


def make_order(sim: Sim, given: Json) -> Json:
    """One order by measure; with ``shipped`` (the default) it is paid and shipped at once."""
    carrier = given.get("carrier")
    if carrier is not None and carrier not in carriers.CARRIERS:
        raise Bad(f"unknown carrier {carrier}")
    for key in ("fate", "reissue_fate"):
        if given.get(key) is not None and given[key] not in lives.FATES:
            raise Bad(f"unknown fate {given[key]}")
    paid_at = parse_iso(given["paid_at"]) if given.get("paid_at") else sim.clock.now()
    order = sim.world.make_order(
        province=given.get("province"),
        carrier=carrier,
        fate=given.get("fate"),
        reissue_fate=given.get("reissue_fate"),
        customer=given.get("customer"),
        carrier_answer=given.get("carrier_answer"),
        paid_fen=given.get("paid_fen"),
        created_at=min(paid_at, sim.clock.now()),
    )
    number = ""
    if given.get("paid", True):
        sim.world.pay(order, paid_at=paid_at, plan=False)
        if given.get("shipped", True):
            package = sim.world.ship(order)
            number = package.number if package is not None else ""
    return {"order_id": order.order_id, "number": number, "carrier": order.carrier}


async def _set_clock(sim: Sim, body: Json) -> Json:
    if "stepping" in body or "speed" in body:
        speed = body.get("speed")
        if speed is not None and not 0 < float(speed) <= 100_000:
            raise Bad("speed must be above 0")
        stepping = body.get("stepping")
        sim.clock.change(
            stepping=bool(stepping) if stepping is not None else None, speed=float(speed) if speed else None
        )
    if body.get("advance_to"):
        until = parse_iso(body["advance_to"])
        if until < sim.clock.now():
            raise Bad("time does not go back", 409)
        try:
            done = await sim.advance(until)
        except ValueError as error:
            raise Bad(str(error), 409) from None
        return {**done, "now": iso(done["now"])}
    return _clock(sim)


async def _push(sim: Sim, body: Json) -> Json:
    how = body.get("sign") or "md5"
    if how not in {"md5", "hmac"}:
        raise Bad("sign must be md5 or hmac")
    if not body.get("url"):
        sim.pusher.url = ""
        sim.journal.note("push", url="", how=how)
        return {"registered": False, "probe": "none"}
    ok = await sim.pusher.register(str(body["url"]), how)
    return {"registered": ok, "probe": "answered" if ok else "not answered", "url": sim.pusher.url}


async def clock(sim: Sim, request: Request, body: Json) -> Json:
    return await _set_clock(sim, body) if request.method == "POST" else _clock(sim)


async def push(sim: Sim, request: Request, body: Json) -> Json:
    return await _push(sim, body)


async def kdniao(sim: Sim, request: Request, body: Json) -> Json:
    """The account's own push address at KDNiao."""
    sim.kdniao.url = str(body.get("url") or "")
    return {"url": sim.kdniao.url}


async def track17(sim: Sim, request: Request, body: Json) -> Json:
    """The account's own push address at 17TRACK, and what is left of its quota."""
    if "url" in body:
        sim.track17.url = str(body["url"] or "")
    if "quota" in body:
        sim.track17.quota = int(body["quota"])
    return {"url": sim.track17.url, "quota": sim.track17.quota}


async def clouds(sim: Sim, request: Request, body: Json) -> Json:
    """The vendors of messages: what is given is changed, `{}` shows. By service: ``urls`` pushes go to, ``receipts``
    usual, asked or never, ``limits`` a phone and minute, hour, day, ``again`` seconds between equal messages,
    ``credit``. ``failing``: phone to the carrier's code, ``blacklist``: phones, ``templates``: id to service, text,
    state. ``reply``: {service, phone, text} writes back, ``push``: {service, rows} sends anything."""
    desk = sim.clouds
    for name in ("urls", "receipts", "limits", "again", "credit"):
        for service, value in (body.get(name) or {}).items():
            account = desk.services.get(str(service))
            if account is None:
                raise Bad(f"no service {service}")
            setattr(account, "url" if name == "urls" else name, value)
    if "failing" in body:
        desk.failing = {str(phone): str(code) for phone, code in body["failing"].items()}
    if "blacklist" in body:
        desk.blacklist = {str(phone) for phone in body["blacklist"]}
    for key, told in (body.get("templates") or {}).items():
        desk.templates[str(key)] = Template(str(told["service"]), str(told["text"]), str(told.get("state", "approved")))
    if reply := body.get("reply"):
        desk.reply(str(reply["service"]), str(reply["phone"]), str(reply["text"]))
    if push := body.get("push"):
        desk.push(str(push["service"]), push["rows"])
    return {
        "services": {
            name: {"url": one.url, "receipts": one.receipts, "limits": one.limits, "credit": one.credit}
            for name, one in desk.services.items()
        },
        "templates": {key: {"service": one.service, "text": one.text} for key, one in desk.templates.items()},
        "told": [told.shown() for told in desk.told],
        "pushed": desk.pushed,
    }


async def trouble(sim: Sim, request: Request, body: Json) -> Json:
    if request.method == "POST":
        sim.trouble.add(
            str(body.get("kind")),
            service=str(body.get("service") or ""),
            method=str(body.get("method") or ""),
            times=int(body.get("times", 1)),
            seconds=float(body.get("seconds", 5)),
        )
    elif request.method == "DELETE":
        sim.trouble.clear()
    return {"kinds": KINDS, "standing": sim.trouble.shown()}


async def platform(sim: Sim, request: Request, body: Json) -> Json:
    """How strict the platform is: what is given is changed, `{}` shows.

    ``lag``: most simulated seconds until reads show a submission · ``forbidden``: methods that the app was not granted
    · ``limits``: calls a second by method · ``broken``: kinds of cipher (name, phone, address) that can't be opened ·
    ``virtual``: phones open as virtual numbers · ``balance``: e-waybills left by carrier · ``out_of_range``: places
    that a carrier does not serve, ``{"yuantong": [["西藏自治区", "那曲市"]]}``.
    """
    if "lag" in body:
        sim.lag = max(0, int(body["lag"]))
    if "forbidden" in body:
        sim.forbidden = {str(one) for one in body["forbidden"]}
    if "limits" in body:
        sim.limits = {str(method): int(most) for method, most in body["limits"].items()}
    if "broken" in body:
        sim.vault.broken = {opening.KINDS[str(kind)] for kind in body["broken"]}
    if "virtual" in body:
        sim.vault.virtual = bool(body["virtual"])
    if "balance" in body:
        sim.ebill_balance = {str(carrier): int(left) for carrier, left in body["balance"].items()}
    if "out_of_range" in body:
        told = body["out_of_range"].items()
        sim.out_of_range = {str(code): [tuple(map(str, one)) for one in places] for code, places in told}
    return {
        "balance": sim.ebill_balance,
        "out_of_range": sim.out_of_range,
        "lag": sim.lag,
        "forbidden": sorted(sim.forbidden),
        "limits": sim.limits,
        "broken": sorted(kind for kind, number in opening.KINDS.items() if number in sim.vault.broken),
        "virtual": sim.vault.virtual,
    }


async def numbers(sim: Sim, request: Request, body: Json) -> Json:
    """Spoil a waybill, so that every submission of it is refused: used before, recalled, scanned too early, or bad."""
    problem = SPOILT.get(str(body.get("problem") or "used"))
    if problem is None:
        raise Bad(f"problem must be one of {', '.join(SPOILT)}")
    carrier, number = str(body.get("carrier") or ""), str(body.get("number") or "")
    if carrier not in carriers.CARRIERS or not number:
        raise Bad("a carrier and a number are wanted")
    sim.world.spoilt[carrier, number] = problem
    return {"carrier": carrier, "number": number, "refused_with": problem}


async def security(sim: Sim, request: Request, body: Json) -> Any:
    """Who was reported to have looked at buyers' data."""
    return sim.world.security_events


async def orders(sim: Sim, request: Request, body: Json) -> Any:
    if request.method == "POST":
        return make_order(sim, body)
    return [{"order_id": o.order_id, "status": o.status, "fate": o.fate} for o in sim.world.orders.values()]


async def order(sim: Sim, request: Request, body: Json) -> Json:
    return order_truth(sim, _order(sim, request.path_params["order_id"]))


async def ship(sim: Sim, request: Request, body: Json) -> Json:
    """The warehouse ships an order now."""
    package = sim.world.ship(_order(sim, request.path_params["order_id"]))
    if package is None:
        raise Bad("the order is not waiting to be shipped", 409)
    return {"number": package.number, "carrier": package.carrier}


async def waybills(sim: Sim, request: Request, body: Json) -> Json:
    """The label desk. ``fate``: what becomes of this and later replacements of the order."""
    if body.get("carrier") not in carriers.CARRIERS:
        raise Bad(f"unknown carrier {body.get('carrier')}")
    order = _order(sim, body.get("order_id"))
    if fate := body.get("fate"):
        if fate not in lives.FATES:
            raise Bad(f"unknown fate {fate}")
        order.reissue_fate = fate
    parcel = sim.world.hand_out(order, body["carrier"])
    return {"number": parcel.number, "carrier": parcel.carrier, "order_id": parcel.order_id}


async def after_sales(sim: Sim, request: Request, body: Json) -> Json:
    sale = sim.customers.open(
        _order(sim, body.get("order_id")), int(body.get("type", 7)), refund_fen=body.get("refund_fen")
    )
    if sale is None:
        raise Bad("the order has an open after-sale", 409)
    return {"aftersale_id": str(sale.aftersale_id), "status": sale.status}


async def revive(sim: Sim, request: Request, body: Json) -> Json:
    """A lost parcel moves again, now."""
    parcel = sim.world.by_number.get(str(body.get("number")))
    if parcel is None:
        raise Bad("no such number", 404)
    sim.world.revive(sim.world.orders[parcel.order_id], parcel)
    return parcel_truth(sim, parcel)


async def parcels(sim: Sim, request: Request, body: Json) -> Json:
    """The lives of many parcels at once, in the order they began; ``since`` and ``count`` cut a page out of them."""
    since, count = int(request.query_params.get("since", 0)), int(request.query_params.get("count", 1000))
    now = sim.clock.now()
    rows = list(sim.world.parcels.values())
    return {
        "total": len(rows),
        "parcels": [
            {
                "number": p.number,
                "carrier": p.carrier,
                "role": p.role,
                "province": sim.world.orders[p.order_id].buyer.place.province,
                "started_at": iso(p.started_at),
                "outcome": p.life.outcome,
                # when the customer would notice that something is wrong
                "trouble_at": iso(p.life.trouble_at) if p.life.trouble_at is not None else None,
                "ended": p.life.ends_at <= now,
                # dated, known to the providers, Kuaidi100's code, text
                "scans": [(iso(s.at), iso(s.known_at), s.kuaidi100, s.text) for s in p.life.known(now)],
            }
            for p in rows[since : since + count]
        ],
    }


async def tokens(sim: Sim, request: Request, body: Json) -> Json:
    """Make tokens old: last_hour, access, refresh; or busy for one refusal of a refresh."""
    sim.tokens.age(str(body.get("state")))
    return {"ok": True}


async def fates(sim: Sim, request: Request, body: Json) -> Json:
    return dict(lives.FATES)


async def feed(sim: Sim, request: Request, body: Json) -> Any:
    """What customers say and do; ``since`` is the seq of the last row already seen."""
    since = int(request.query_params.get("since", 0))
    rows = enumerate(sim.world.feed[since:], since + 1)
    return [{"seq": seq, "at": iso(f.at), "order_id": f.order_id, "kind": f.kind, "text": f.text} for seq, f in rows]


async def groups(sim: Sim, request: Request, body: Json) -> Json:
    """What robots said in the chat groups."""
    return sim.robots.said()


async def counts(sim: Sim, request: Request, body: Json) -> Json:
    return truth(sim)


async def ledger(sim: Sim, request: Request, body: Json) -> Any:
    query = request.query_params
    return sim.ledger.select(query.get("service", ""), query.get("method", ""), int(query.get("since", 0)))


_TABLE: list[tuple[str, Handler, list[str]]] = [
    ("/control/clock", clock, ["GET", "POST"]),
    ("/control/push", push, ["POST"]),
    ("/control/kdniao", kdniao, ["POST"]),
    ("/control/17track", track17, ["POST"]),
    ("/control/clouds", clouds, ["GET", "POST"]),
    ("/control/trouble", trouble, ["GET", "POST", "DELETE"]),
    ("/control/platform", platform, ["GET", "POST"]),
    ("/control/numbers", numbers, ["POST"]),
    ("/control/security", security, ["GET"]),
    ("/control/orders", orders, ["GET", "POST"]),
    ("/control/orders/{order_id}", order, ["GET"]),
    ("/control/orders/{order_id}/ship", ship, ["POST"]),
    ("/control/waybills", waybills, ["POST"]),
    ("/control/after-sales", after_sales, ["POST"]),
    ("/control/parcels", parcels, ["GET"]),
    ("/control/revive", revive, ["POST"]),
    ("/control/tokens", tokens, ["POST"]),
    ("/control/fates", fates, ["GET"]),
    ("/control/feed", feed, ["GET"]),
    ("/control/groups", groups, ["GET"]),
    ("/control/truth", counts, ["GET"]),
    ("/ledger", ledger, ["GET"]),
]


def routes(sim: Sim) -> list[Route]:
    """All of ``/control`` and ``/ledger``, JSON in and out."""

    def bound(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def run(request: Request) -> Response:
            try:
                body = await request.json() if await request.body() else {}
                if not isinstance(body, dict):
                    raise Bad("a JSON object is wanted")
                return JSONResponse(await handler(sim, request, body))
            except Bad as bad:
                return JSONResponse({"error": str(bad)}, status_code=bad.status)
            except (ValueError, TypeError, KeyError) as error:
                return JSONResponse({"error": f"{type(error).__name__}: {error}"}, status_code=400)

        return run

    return [Route(path, bound(handler), methods=methods) for path, handler, methods in _TABLE]
