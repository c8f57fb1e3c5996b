"""The sample shop: opened once, through the same actions as the desk's settings pages."""

from __future__ import annotations

from dataclasses import dataclass

from bufa.apps.cases.actors import SYSTEM, Actor
from bufa.apps.negotiations import contacts
from bufa.apps.negotiations.contacts import NewContact
from bufa.apps.shops import actions, queries, trying
from bufa.demo.world import World
from bufa.domain.chasing import Hours, Level
from bufa.domain.kinds import Role
from bufa.lib.tenancy import for_shops

NAME = "青禾鲜果旗舰店"
PASSWORD = "bufa-demo"  # noqa: S105 - printed at every start, good for the sample shop only
SENDER = "kefu@qinghe.example"
OWNER = ("boss", "老板")
PEOPLE: tuple[tuple[str, str, Role], ...] = (
    ("lin", "林小满", Role.AGENT),
    ("zhou", "周远", Role.LEAD),
    ("chen", "陈仓", Role.WAREHOUSE),
    ("wu", "吴静", Role.FINANCE),
)
TEMPLATES = {
    "reissue_sent": ("ST_7a1reissue", ("order", "reason", "measure", "carrier", "number", "eta")),
    "ask_open_ticket": ("ST_7a2ticket", ("order",)),
    "reissue_delivered": ("ST_7a3arrived", ("order", "number")),
}
"""Purpose → the platform's template and its fields; theirs are named like ours, but for the order."""


@dataclass(frozen=True, slots=True)
class Shop:
    """The sample shop with those who work its cases."""

    shop_id: int
    agent: Actor
    lead: Actor


def find() -> int | None:
    """The sample shop's id, if it was opened before."""
    found = [each.shop_id for each in queries.shop_infos(queries.all_shop_ids()) if each.is_demo]
    return found[0] if found else None


def open_shop(world: World) -> Shop:
    """Open the shop with its people, connections and contacts, all of it or nothing; or find it as it is."""
    shop_id = find() or _open(world)
    people = {each.login: each for each in queries.members([shop_id])}

    def actor(login: str) -> Actor:
        one = people[login]
        return Actor(one.operator_id, one.display_name, one.role)

    return Shop(shop_id, actor("lin"), actor("zhou"))


def _open(world: World) -> int:
    login, name = OWNER
    shop_id = actions.create_shop(
        NAME,
        owner_login=login,
        owner_password=PASSWORD,
        owner_name=name,
        platform_shop_id=world.said["doudian"]["shop_id"],
        is_demo=True,
    )
    with for_shops([shop_id]):
        for login, name, role in PEOPLE:
            person = actions.add_operator(login, PASSWORD, display_name=name, check_password=False)
            actions.add_member(shop_id=shop_id, operator_id=person, role=role, by="system")
        for carrier, about in world.said["carriers"].items():
            _contacts(shop_id, carrier, about["name"], about["email"])
    return shop_id


def _contacts(shop_id: int, carrier: str, name: str, email: str) -> None:
    """A carrier's customer service, by day, and whom the chase ladder turns to when that stays silent."""
    domain = email.partition("@")[2]
    for level, who, address in (
        (Level.HEAD_OFFICE, f"{name}客服部", email),
        (Level.PLATFORM, "平台物流督办", f"platform@{domain}"),
    ):
        new = NewContact(
            carrier, level, name=who, email=address, hours=Hours(8 * 60, 20 * 60, rests_on_festivals=False)
        )
        contacts.save_contact(shop_id=shop_id, new=new, by=SYSTEM)


def connect(shop_id: int, world: World) -> None:
    """Connect everything to the world where it is now, and tell the platform where to push. A second time is safe:
    what did not change stays connected."""
    doudian, sms = world.said["doudian"], world.said["sms"]
    templates = {
        purpose: {"id": theirs, "params": {name: "order_tail" if name == "order" else name for name in fields}}
        for purpose, (theirs, fields) in TEMPLATES.items()
        if theirs in sms["templates"]
    }
    tracking, other, smtp = world.said["kuaidi100"], world.said["kdniao"], world.said["smtp"]
    imap = world.said["imap"]
    given: dict[str, dict[str, object]] = {
        "doudian": {
            **{name: doudian[name] for name in ("base_url", "app_key", "app_secret", "shop_id")},
            "app_kind": "self",
            "sms_account": sms["account"],
            "sms_sign": sms["sign"],
            "sms_templates": templates,
        },
        "kuaidi100": {name: tracking[name] for name in ("base_url", "customer", "key")},
        "kdniao": {name: other[name] for name in ("base_url", "business_id", "app_key")},
        "smtp": {"host": smtp["host"], "port": smtp["port"], "security": "none", "sender": SENDER, **_mailbox(imap)},
    }
    for kind, settings in given.items():
        known = queries.connection(shop_id, kind)
        if known is None or any(known.settings.get(name) != value for name, value in _plain(kind, settings).items()):
            actions.connect(shop_id=shop_id, kind=kind, settings=settings)
            trying.try_connection(shop_id=shop_id, kind=kind, by="system")
    world.push_to(queries.hook_url(shop_id, "doudian"))


def _mailbox(imap: dict[str, object]) -> dict[str, object]:
    return {
        "imap_host": imap["host"],
        "imap_port": imap["port"],
        "imap_security": "none",
        "imap_username": SENDER,
        "imap_password": imap["password"],
        "authserv": imap["authserv"],
        "reply_tags": True,
    }


def _plain(kind: str, settings: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in settings.items() if name not in actions.SECRET_SETTINGS[kind]}
