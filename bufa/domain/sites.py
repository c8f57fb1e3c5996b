"""Where a carrier's text puts a parcel: the hub or branch by name, for what many parcels have in common.

Providers give a place as province, city and district; the site itself stands only in the text, mostly in brackets.
"""

from __future__ import annotations

import re
from functools import lru_cache

from bufa.domain.lexicon import fold_width

_ONWARD = re.compile(r"下一(?:站|部门|网点|城市)|上一站|(?:已|准备|正)?发往|正?送往|前往")
_BRACKETED = re.compile(r"[【\[]\s*([^】\]\[【]{2,30}?)\s*[】\]]")
_SITE = (
    r"(?:转运中心|转运场|中转部|中转站|中转场|集散中心|集散点|集散|分拨中心|分拣中心|处理中心|枢纽中心|枢纽|中心"
    r"|营业部|营业点|营业厅|网点|分部|支局|公司)"
)
_BARE = re.compile(rf"(?:到达|抵达|离开|到|从|由|在)\s*([\u4e00-\u9fffA-Za-z0-9]{{2,20}}?{_SITE})")
_LEADING = re.compile(rf"^\s*([\u4e00-\u9fffA-Za-z0-9]{{2,20}}?{_SITE})")
_DIVISION = re.compile(
    r"^[\u4e00-\u9fff]{1,10}(?:省|市|自治区|自治州|地区|盟|特别行政区)$|^[\u4e00-\u9fff]{1,3}[区县]$"
)
_NO_SITE = re.compile(r"[<>]|^(?:到件|发件|收件|派件|签收|揽收|在途|转单|问题件|预计|温馨提示|.{0,3}快递|自提)$|\d{5,}")


@lru_cache(maxsize=16_384)
def site_of(text: str) -> str:
    """The site at which the text puts the parcel, as it is written there; "" when it names none.

    A site that is only announced (发往…, 下一站…) or a bare city is none; names that were cut out are none.
    """
    said = fold_width(text)
    cut = _ONWARD.search(said)
    here = said[: cut.start()] if cut else said
    for match in _BRACKETED.finditer(here):
        name = _plain(match.group(1))
        if name:
            return name
    outside = _BRACKETED.sub(" ", here)
    bare = _BARE.search(outside) or _LEADING.search(outside)
    return _plain(bare.group(1)) if bare else ""


def _plain(name: str) -> str:
    name = "".join(name.split())
    if _DIVISION.match(name) or _NO_SITE.search(name):
        return ""
    return name.removesuffix("公司") if name.endswith("中心公司") else name
