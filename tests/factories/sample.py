"""A small shop with a case at every step, made through the same doors as live work. For tests of the pages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bufa.apps.cases import actions as cases
from bufa.apps.cases import queries as case_queries
from bufa.apps.cases.actors import Actor
from bufa.apps.cases.taking_in import take_in
from bufa.apps.effects import actions as effects
from bufa.apps.effects.actions import Settled
from bufa.apps.inbox import actions as inbox
from bufa.apps.negotiations import actions as negotiations
from bufa.apps.notices import actions as notices
from bufa.apps.reissues import actions as reissues
from bufa.apps.reissues.queries import ReissueForm, open_draft
from bufa.apps.shops import actions as shops
from bufa.apps.shops import queries as shop_queries
from bufa.domain.cases import Action, Claim
from bufa.domain.effects import Result
from bufa.domain.kinds import Measure, Role
from bufa.domain.notices import Channel
from bufa.domain.verdict import Source
from bufa.integrations.ports import OrderFact, PickupAddressFact
from bufa.lib import clock
from bufa.lib.tenancy import for_shops
from tests.factories import (
    NOW,
    make_line,
    make_order,
    make_package,
    make_recipient,
    make_report,
    make_shop,
    make_ticket,
)

PASSWORD = "right-horse-battery"
ROLES = ("agent", "lead", "warehouse", "finance", "owner")
GOODS = (
    "赣南脐橙 5 斤装",
    "手冲咖啡壶",
    "儿童积木 200 粒",
    "纯棉四件套",
    "不锈钢保温杯",
    "坚果礼盒",
    "护眼台灯",
    "山药粉 500 g",
)


@dataclass
class Sample:
    """`cases`: name → case code. `people`: role → login, all with `PASSWORD`."""

    shop_id: int
    now: datetime
    owner_id: int
    """Not always 1: tests that were taken back have used up numbers."""
    people: dict[str, str] = field(default_factory=dict)
    cases: dict[str, str] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    parcel_id: int = 0
    incident: str = ""
    link: str = ""
    page: str = ""
    early_page: str = ""

    def actor(self, role: Role = Role.OWNER) -> Actor:
        return Actor(self.owner_id, "林", role)


def make_sample(name: str = "青禾鲜果旗舰店", *, prefix: str = "", now: datetime = NOW) -> Sample:
    """The whole sample; `prefix` keeps logins and numbers of two samples apart."""
    with clock.frozen(now):
        owner = f"{prefix}owner"
        shop_id = make_shop(name, login=owner)
        sample = Sample(shop_id, now, shops.add_operator(owner, PASSWORD), {"owner": owner})
        for role in ROLES[:-1]:
            operator = shops.add_operator(
                f"{prefix}{role}",
                PASSWORD,
                display_name={"agent": "林", "lead": "周", "warehouse": "陈", "finance": "吴"}[role],
            )
            shops.add_member(shop_id=sample.shop_id, operator_id=operator, role=Role(role), by="test")
            sample.people[role] = f"{prefix}{role}"
        _connections(sample)
        _parcels(sample, prefix)
        _walk(sample)
        return sample


def _connections(sample: Sample) -> None:
    shop_id = sample.shop_id
    templates = {name: {"id": f"ST_{at}"} for at, name in enumerate(("reissue_sent", "apology", "ask_open_ticket"))}
    shops.connect(
        shop_id=shop_id,
        kind="doudian",
        settings={"app_key": "k", "shop_id": "1", "app_kind": "self", "sms_templates": templates},
        secrets={"app_secret": "s"},
    )
    shops.set_connection_state(shop_id=shop_id, kind="doudian", state="connected")
    shops.connect(
        shop_id=shop_id,
        kind="smtp",
        settings={"host": "127.0.0.1", "port": 2525, "sender": "desk@shop.example"},
        secrets={},
    )
    shops.set_pickup_address(
        shop_id=shop_id,
        by="test",
        fact=PickupAddressFact(
            "9001", "陈", "13800000000", "浙江省", "杭州市", "余杭区", "仓前街道", "未来路 1 号", True
        ),
    )
    for carrier in ("zhongtong", "yuantong"):
        negotiations.add_contact(
            shop_id=shop_id, carrier=carrier, email=f"{carrier}@carrier.example", by=sample.actor()
        )


def _shipped(
    sample: Sample,
    name: str,
    at: int,
    prefix: str,
    *,
    hours: float = 60,
    carrier: str = "zhongtong",
    paid_fen: int = 8900,
) -> tuple[OrderFact, str]:
    number = f"73{len(prefix)}0000000{at:04d}"
    line = make_line(f"{prefix}{name}-1", paid_fen=paid_fen, title=GOODS[at % len(GOODS)])
    left = sample.now - timedelta(hours=hours)
    package = make_package(number, carrier=carrier, lines=[(line.line_id, 1)], shipped_at=left, package_id=f"p{number}")
    order = make_order(
        f"{6900000000000000 + len(prefix) * 1000 + at}",
        status=3,
        lines=[line],
        packages=[package],
        paid_fen=paid_fen,
        promise_hours=72,
        recipient=make_recipient(open_address_id=f"a{at}"),
    )
    return replace(order, ship_by=left + timedelta(hours=2), paid_at=left - timedelta(hours=20)), number


def _parcels(sample: Sample, prefix: str) -> None:
    """Eight parcels that stopped at a hub, some that are fine, one never collected, one that was not sent."""
    now, shop_id = sample.now, sample.shop_id
    names = ("fresh", "asking", "numbering", "submitting", "unknown", "telling", "following", "closed")
    for at, name in enumerate(names):
        order, number = _shipped(sample, name, at, prefix, hours=150)
        take_in(shop_id=shop_id, orders=[order], now=now - timedelta(hours=150))
        report = make_report(
            number,
            (now - timedelta(hours=148), "【杭州市】 快件已由【杭州余杭】揽收", "103"),
            (now - timedelta(hours=143), "【杭州市】 快件已到达 【杭州转运中心】", "1002"),
            (now - timedelta(hours=130 - at), "【武汉市】 快件已到达 【武汉转运中心】", "1002"),
        )
        result = take_in(shop_id=shop_id, reports=[report], now=now)
        row = case_queries.cases_by_id([shop_id], sorted(result.case_ids))
        (case_id,) = row
        sample.cases[name], sample.ids[name] = row[case_id].code, case_id
        sample.parcel_id = row[case_id].parcel_id
    for at in range(20, 26):
        order, number = _shipped(sample, f"ok{at}", at, prefix, hours=20)
        take_in(shop_id=shop_id, orders=[order], now=now - timedelta(hours=20))
        scan = (now - timedelta(hours=at - 16), "【杭州市】 快件已由【杭州余杭】揽收", "103")
        take_in(shop_id=shop_id, reports=[make_report(number, scan)] if at % 2 else [], now=now)
    rest = make_order(
        f"{6900000000009000 + len(prefix)}",
        lines=[make_line(f"{prefix}rest-1", title=GOODS[0])],
        promise_hours=72,
        ship_by=now + timedelta(hours=5),
    )
    take_in(
        shop_id=shop_id,
        orders=[rest],
        after_sales=[
            make_ticket(f"{prefix}7001", rest.number, status=6, reason="少了一件", deadline=now + timedelta(hours=20))
        ],
        now=now,
    )
    inbox.keep(shop_id, "kuaidi100", "track", "x1", b"{}", now, call=False)
    (stored,) = inbox.peek_new(shop_id, sources=["kuaidi100"])
    inbox.park(shop_id, stored.message_id, code=inbox.NO_SUCH_PARCEL, params={"numbers": ["7300000000"]}, now=now)


def _choose(sample: Sample, name: str, measure: Measure) -> None:
    who = sample.actor()
    ids = {"shop_id": sample.shop_id, "case_id": sample.ids[name]}
    cases.act(**ids, action=Action.CONFIRM_VERDICT, by=who, claim=Claim.LOST)
    cases.act(**ids, action=Action.CHOOSE_MEASURE, by=who, measure=measure)


def _walk(sample: Sample) -> None:
    """Take each case to the step that it is named for."""
    who, shop_id = sample.actor(), sample.shop_id
    cases.add_statement(
        shop_id=shop_id,
        case_id=sample.ids["fresh"],
        source=Source.CUSTOMER,
        claim=Claim.STALLED,
        words="显示武汉好几天了，周四要用",
        said_at=sample.now - timedelta(hours=3),
        by=who,
    )
    _choose(sample, "asking", Measure.CHASE)
    contact = negotiations_contact(shop_id)
    negotiations.ask_carrier(shop_id=shop_id, case_id=sample.ids["asking"], contact_id=contact, by=who)
    for name in ("numbering", "submitting", "unknown", "telling", "following"):
        _choose(sample, name, Measure.REISSUE)
        negotiations.go_without_consent(shop_id=shop_id, case_id=sample.ids[name], reason="客户急用", by=who)
    for at, name in enumerate(("submitting", "unknown", "telling", "following")):
        effect_id = _submit(sample, name, f"75{sample.shop_id:04d}0000{at:04d}")
        if name == "unknown":
            _finish(shop_id, effect_id, Result.UNKNOWN)
        elif name != "submitting":
            _finish(shop_id, effect_id, Result.ACCEPTED)
    notices.send(shop_id=shop_id, case_id=sample.ids["telling"], channel=Channel.PHONE, by=who)
    told = notices.send(shop_id=shop_id, case_id=sample.ids["following"], channel=Channel.PHONE, by=who)
    notices.finish_call(shop_id=shop_id, notice_id=told, outcome="reached", note="好的，等着", by=who)
    cases.act(shop_id=shop_id, case_id=sample.ids["closed"], action=Action.CLOSE, by=who, reason="客户说收到了")


def negotiations_contact(shop_id: int) -> int:
    from bufa.apps.negotiations import queries

    return queries.contacts([shop_id], "zhongtong")[0].contact_id


def _submit(sample: Sample, name: str, number: str) -> int:
    case_id = sample.ids[name]
    draft = open_draft(sample.shop_id, case_id, sample.now)
    form = ReissueForm(
        "yuantong", number, draft.form.items, shop_queries.pickup_addresses([sample.shop_id])[0].pickup_id
    )
    delay = timedelta(seconds=10) if name == "submitting" else timedelta(0)
    done = reissues.submit(
        shop_id=sample.shop_id,
        case_id=case_id,
        form=form,
        by=sample.actor(),
        override_reason="客户急用，先发",
        delay=delay,
    )
    assert done.effect_id is not None
    return done.effect_id


def _finish(shop_id: int, effect_id: int, result: Result) -> None:
    begun = effects.begin(shop_id=shop_id, effect_id=effect_id)
    assert begun is not None
    with for_shops([shop_id]):
        settled: Settled | None = effects.finish(
            shop_id=shop_id, effect_id=effect_id, attempt=begun.attempt, result=result
        )
        assert settled is not None
        reissues.on_effect(settled)
