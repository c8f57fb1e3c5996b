"""Words about incidents: what many parcels share, what is done with all of them, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

Words = Mapping[str, Any]

CAUSE: Words = {
    "hub": _("转运中心"),
    "branch": _("网点"),
    "lane": _("线路"),
    "carrier": _("承运商"),
}
TROUBLE: Words = {
    "pickup": _("没有揽收"),
    "dispatch": _("揽收后没有发运"),
    "transit": _("中途停滞"),
    "delivery": _("派送出问题"),
    "return": _("被退回"),
}
LEFT_HOW: Words = {
    "moved": _("有了新动静"),
    "arrived": _("已送达"),
    "returned": _("退回"),
    "dismissed": _("说明不是异常"),
}
DEED: Words = {
    "take": _("立案并交给一个人"),
    "ask": _("一封信问承运商"),
    "snooze": _("全部先放下"),
}
TOGETHER: Words = {
    "todo": _("排队中"),
    "done": _("已办"),
    "refused": _("没有办"),
    "undo": _("撤销中"),
    "undone": _("已撤销"),
}
EXPECTED: Words = {
    "open": _("先立案"),
    "take": _("认领"),
    "hand_over": _("换人"),
    "ask": _("写进信里"),
    "put_off": _("放下"),
}
WHOM: Words = {
    "owner": _("办案的人；没有人办时是主管"),
    "leads": _("主管和店主"),
    "everybody": _("所有客服和主管"),
    "nobody": _("不告诉谁"),
}
GROUPS: Mapping[str, Words] = {
    "cause": CAUSE,
    "trouble": TROUBLE,
    "left_how": LEFT_HOW,
    "deed": DEED,
    "together": TOGETHER,
    "expected": EXPECTED,
    "whom": WHOM,
}


def where(cause: str, key: str, carrier: str, place: str) -> str:
    """What its parcels share: 圆通 成都转运中心, 中通 浙江 → 广东, 中通各地. `place`: the key in words."""
    if cause == "lane":
        return f"{carrier} {key.replace('>', ' → ')}"
    return f"{carrier} {place}".strip() if key else _now("%(carrier)s各地") % {"carrier": carrier}
