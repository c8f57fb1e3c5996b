"""Forms of the case page. They check shape only; whether something may be done is the trade's to say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import Truncator
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from bufa.domain.carrier_cases import COVERS
from bufa.domain.case_facts import Claim, Outcome, Payer, Purpose
from bufa.domain.kinds import Measure
from bufa.domain.notices import Language
from bufa.lib import clock
from bufa.web.forms import Choices
from bufa.web.words import carrier, carrier_choices, label, word

Upload: TypeAlias = "UploadedFile[bytes]"

_LINES = forms.Textarea(attrs={"rows": 2})


def _when() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local", "step": 60}, format="%Y-%m-%dT%H:%M")


class ClaimForm(Choices):
    """What is wrong with the parcel, as a person says it."""

    claim = forms.ChoiceField(label=_("判定为"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("claim", [(each.value, label("claim", each.value)) for each in Claim])


class MeasureForm(ClaimForm):
    """Verdict and measure in one go. `hours`: how long to wait, for waiting only."""

    measure = forms.ChoiceField(choices=[(each.value, each.value) for each in Measure])
    hours = forms.IntegerField(label=_("等多少小时"), required=False, min_value=1, max_value=240, initial=24)
    reason = forms.CharField(label=_("原因"), required=False, max_length=300)
    amount = forms.DecimalField(
        label=_("退多少、赔多少（元）"),
        required=False,
        min_value=Decimal("0.01"),
        max_digits=9,
        decimal_places=2,
        help_text=_("只用于退款和赔付；空着按表里的金额"),
    )
    payer = forms.ChoiceField(label=_("最后谁承担"), required=False)
    accept_penalty = forms.BooleanField(label=_("客户没有要求拦截，接受轨迹异常赔付"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["claim"].required = False
        self.choose("payer", [(each.value, label("payer", each.value)) for each in Payer], blank=_now("按判定"))

    def more(self, measure: Measure) -> dict[str, Any]:
        """What the chosen measure needs besides its name."""
        said = self.cleaned_data
        more: dict[str, Any] = {}
        if measure is Measure.WAIT:
            more["until"] = self.until()
        if measure in (Measure.REFUND, Measure.COMPENSATE) and said.get("amount") is not None:
            more["amount_fen"] = int(said["amount"] * 100)
        if measure in (Measure.REFUND, Measure.COMPENSATE) and said.get("payer"):
            more["payer"] = said["payer"]
        if measure is Measure.REISSUE and said.get("payer"):
            more["carrier_pays"] = said["payer"] == Payer.CARRIER
        if measure is Measure.INTERCEPT:
            more["accept_penalty"] = said.get("accept_penalty", False)
        return more

    def until(self) -> datetime:
        return clock.now() + timedelta(hours=self.cleaned_data.get("hours") or 24)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("原因"), max_length=300, widget=_LINES)


class CloseForm(Choices, ReasonForm):
    outcome = forms.ChoiceField(label=_("结果"))

    field_order = ("outcome", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose(
            "outcome", [(each.value, label("outcome", each.value)) for each in Outcome if each != Outcome.DISMISSED]
        )


class NoteForm(forms.Form):
    text = forms.CharField(label=_("备注（只给同事看）"), max_length=2000, widget=_LINES)


class TakeForm(Choices):
    owner = forms.ChoiceField(label=_("交给"))

    def __init__(self, *args: Any, people: Iterable[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("owner", [(str(key), name) for key, name in people], blank=_now("没有人"))
        self.fields["owner"].required = False


class ManyFiles(forms.FileField):
    """Several files in one field; what is in them is the action's to judge."""

    widget = type("ManyFilesInput", (forms.ClearableFileInput,), {"allow_multiple_selected": True})

    def clean(self, data: Any, initial: Any = None) -> list[Upload]:
        given = data if isinstance(data, (list, tuple)) else [data] if data else []
        return [each for each in given if each]


_PHOTOS = {"accept": "image/jpeg,image/png,image/webp,image/gif,application/pdf"}


class FilesForm(forms.Form):
    """Files for a case, by slot."""

    photos = ManyFiles(
        label=_("照片、PDF"),
        required=False,
        help_text=_("可以拖进来，或在这里粘贴截图；照片会去掉拍摄信息后加密保存"),
    )
    camera = ManyFiles(label=_("现在拍一张"), required=False)
    weight = ManyFiles(label=_("称重照片"), required=False)
    video = ManyFiles(label=_("打包视频"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["photos"].widget.attrs |= _PHOTOS
        self.fields["camera"].widget.attrs |= {"accept": "image/*", "capture": "environment"}
        self.fields["weight"].widget.attrs |= {"accept": "image/*", "capture": "environment"}
        self.fields["video"].widget.attrs |= {"accept": "video/mp4,video/webm,video/quicktime"}

    @property
    def file_fields(self) -> list[Any]:
        return [self[name] for name in ("photos", "camera", "weight", "video")]

    def uploads(self) -> list[tuple[str, Upload]]:
        slots = {"photos": "photo", "camera": "photo", "weight": "weight", "video": "video"}
        return [(slot, each) for name, slot in slots.items() for each in self.cleaned_data.get(name) or []]


class StatementForm(FilesForm, ClaimForm):
    """What somebody says about the parcel. `item_<n>` fields come with the order: which items it is about."""

    source = forms.ChoiceField(label=_("谁说的"))
    said_at = forms.DateTimeField(label=_("什么时候说的"), widget=_when())
    wish = forms.ChoiceField(label=_("客户想要"), required=False)
    words = forms.CharField(label=_("原话"), max_length=2000, required=False, widget=_LINES)

    def __init__(self, *args: Any, lines: Iterable[Any] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = list(lines)
        wishes = (Measure.REISSUE, Measure.REFUND, Measure.COMPENSATE, Measure.WAIT, Measure.INTERCEPT)
        self.choose("source", [(each, label("source", each)) for each in ("customer", "carrier")])
        self.choose("wish", [(each.value, label("wish", each.value)) for each in wishes], blank=_now("没有说"))
        self.fields["claim"].label = _now("说的是")
        self.fields["said_at"].initial = clock.now()
        for at, line in enumerate(self.lines):
            self.fields[f"item_{at}"] = forms.IntegerField(
                label=f"{line.title} {line.spec}".strip(),
                required=False,
                min_value=0,
                max_value=line.quantity,
                help_text=_now("买了 %(n)d 件") % {"n": line.quantity},
            )

    @property
    def said_fields(self) -> list[Any]:
        return [self[name] for name in ("source", "claim", "said_at", "wish")]

    @property
    def item_fields(self) -> list[Any]:
        return [self[f"item_{at}"] for at in range(len(self.lines))]

    @property
    def names_items(self) -> bool:
        """Something was typed there: show it open."""
        return any(self[f"item_{at}"].value() not in (None, "", 0) for at in range(len(self.lines)))

    def items(self) -> list[tuple[str, int]]:
        counted = [(line.line_id, self.cleaned_data.get(f"item_{at}") or 0) for at, line in enumerate(self.lines)]
        return [(line_id, count) for line_id, count in counted if count]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("wish") and said.get("source") == "carrier":
            self.add_error("wish", _now("这是客户的意愿；承运商的话请写在原话里"))
        return said


class PasteForm(forms.Form):
    """A trace copied from a carrier's page."""

    trace = forms.CharField(
        label=_("粘贴承运商页面上的轨迹"),
        max_length=40_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text=_("整页复制即可：日期写在前面、后面、单独一行都能读；读不出的会列出来"),
    )


class RemedyForm(forms.Form):
    """A person did by hand what the measure wants."""

    reference = forms.CharField(label=_("流水号或凭据"), max_length=80, required=False)
    amount = forms.DecimalField(
        label=_("实际金额（元）"), required=False, min_value=Decimal("0.01"), max_digits=9, decimal_places=2
    )

    def amount_fen(self) -> int | None:
        amount = self.cleaned_data.get("amount")
        return None if amount is None else int(amount * 100)


class AskForm(Choices):
    """A mail to the carrier: to whom, until when, and what to add."""

    contact = forms.ChoiceField(label=_("写给"))
    hours = forms.IntegerField(label=_("多少小时内答复"), min_value=1, max_value=240, initial=24)
    extra = forms.CharField(label=_("另外要说的"), required=False, max_length=1000, widget=_LINES)

    def __init__(self, *args: Any, contacts: Iterable[Any] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("contact", [(str(each.contact_id), contact_name(each)) for each in contacts])

    def due(self) -> datetime:
        return clock.now() + timedelta(hours=self.cleaned_data["hours"])


def contact_name(contact: Any) -> str:
    """Carrier, level or branch, name, and how it is reached."""
    where = contact.branch or word("level", contact.level)
    ends = (
        "→".join(part or "…" for part in (contact.origin, contact.destination))
        if contact.origin or contact.destination
        else ""
    )
    reach = f"<{contact.email}>" if contact.channel == "email" else contact.address or word("reach", contact.channel)
    parts = (carrier(contact.carrier), where, ends, contact.name, reach)
    return " ".join(part for part in parts if part) + (_now("（退信）") if contact.bounced_at else "")


class ConsentForm(Choices):
    """What the carrier answered."""

    given = forms.TypedChoiceField(label=_("答复"), coerce=lambda value: value == "1", widget=forms.RadioSelect)
    covers = forms.ChoiceField(label=_("同意什么"), required=False)
    person = forms.CharField(label=_("谁答复的"), max_length=60)
    position = forms.CharField(label=_("职务或网点"), max_length=60, required=False)
    claim = forms.ChoiceField(label=_("承运商说包裹怎么了"), required=False)
    said_at = forms.DateTimeField(label=_("什么时候"), widget=_when())
    amount = forms.DecimalField(label=_("答应赔付（元）"), required=False, min_value=0, max_digits=9, decimal_places=2)
    freight_by = forms.ChoiceField(label=_("补发运费谁付"), required=False)
    valid_until = forms.DateTimeField(label=_("有效到"), required=False, widget=_when())
    rule_id = forms.ChoiceField(label=_("依据哪条规则"), required=False)
    terms = forms.CharField(label=_("条件，或不同意的原因"), max_length=1000, required=False, widget=_LINES)
    proof = forms.CharField(
        label=_("凭据"), max_length=200, required=False, help_text=_("邮件标题、通话时间，或工单号")
    )

    def __init__(self, *args: Any, rules: Iterable[Any] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("given", [("1", _now("同意")), ("0", _now("不同意"))])
        self.choose("covers", [(each, label("covers", each)) for each in COVERS])
        language = Language.EN if (get_language() or "").startswith("en") else Language.ZH
        named = [(each.rule_id, Truncator(each.text(language)).chars(60)) for each in rules]
        self.choose("rule_id", named, blank=_now("没有说"))
        claims = [(each.value, label("claim", each.value)) for each in Claim]
        self.choose("claim", claims, blank=_now("没有说"))
        self.choose("freight_by", [(each, label("freight", each)) for each in ("", "carrier", "shop", "customer")])
        self.fields["said_at"].initial = clock.now()

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("given") is False and not said.get("terms"):
            self.add_error("terms", _now("不同意的话，请写下原因"))
        return said

    def amount_fen(self) -> int | None:
        amount = self.cleaned_data.get("amount")
        return None if amount is None else int(amount * 100)


class AddressForm(Choices):
    """The new address as the customer wrote it, and how we know."""

    text = forms.CharField(
        label=_("客户发来的新地址"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_("整段粘贴：姓名、电话、地址都可以；没写姓名电话就沿用订单的。加密保存"),
    )
    said_at = forms.DateTimeField(
        label=_("客户什么时候说的"),
        widget=_when(),
    )
    proof_kind = forms.ChoiceField(label=_("凭证"), required=False)
    proof = forms.CharField(
        label=_("凭证在哪里"), max_length=300, required=False, help_text=_("例如：飞鸽 11 月 20 日 12:03 的对话")
    )
    photo = forms.FileField(label=_("截图"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["said_at"].initial = clock.now()
        self.fields["photo"].widget.attrs |= {"accept": "image/*"}
        kinds = [(each, label("proof_kind", each)) for each in ("chat", "call", "file")]
        self.choose("proof_kind", kinds, blank=_now("没有凭证"))


class ReissueForm(Choices):
    """The reissue: carrier, waybill, where from, and how many of each line. `line_<n>` fields come with the order."""

    carrier = forms.ChoiceField(label=_("补发承运商"))
    number = forms.CharField(
        label=_("补发运单号"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    pickup = forms.ChoiceField(label=_("取件地址"))
    delivery = forms.ChoiceField(label=_("收货地址"), required=False)
    override_reason = forms.CharField(
        label=_("越过预检的原因"), required=False, max_length=200, help_text=_("只有主管能用；会记在案件里")
    )

    def __init__(
        self,
        *args: Any,
        pickups: Iterable[Any] = (),
        lines: Iterable[Any] = (),
        changes: Iterable[Any] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lines = list(lines)
        asked = [each for each in changes if each.source == "customer" and not each.taken_back]
        self.has_changes = bool(asked)
        self.choose(
            "delivery",
            [("order", _now("订单的地址")), *((f"change:{each.change_id}", change_name(each)) for each in asked)],
        )
        self.choose("carrier", carrier_choices(), blank=_now("请选择"))
        self.choose("pickup", [(str(each.pickup_id), pickup_name(each)) for each in pickups])
        for at, line in enumerate(self.lines):
            self.fields[f"line_{at}"] = forms.IntegerField(
                label=f"{line.title} {line.spec}".strip(),
                min_value=0,
                max_value=line.quantity,
                initial=line.quantity,
                help_text=_now("买了 %(n)d 件") % {"n": line.quantity},
            )

    @property
    def line_fields(self) -> list[Any]:
        return [self[f"line_{at}"] for at in range(len(self.lines))]

    def contents(self) -> list[tuple[str, int]]:
        counted = [(line.line_id, self.cleaned_data.get(f"line_{at}") or 0) for at, line in enumerate(self.lines)]
        return [(line_id, count) for line_id, count in counted if count]


class CorrectForm(Choices):
    """The right carrier and number of a parcel whose number was typed wrong."""

    parcel = forms.IntegerField(widget=forms.HiddenInput)
    carrier = forms.ChoiceField(label=_("正确的承运商"))
    number = forms.CharField(
        label=_("正确的运单号"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    reason = forms.CharField(label=_("为什么要改"), max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("carrier", carrier_choices(), blank=_now("请选择"))


def change_name(each: Any) -> str:
    said = localtime(each.said_at).strftime("%m-%d")
    return _now("客户 %(day)s 要求改为 %(place)s %(rest)s") % {
        "day": said, "place": each.place, "rest": f"{each.address_mask} {each.name_mask}".strip()
    }  # fmt: skip


def pickup_name(each: Any) -> str:
    return f"{each.province}{each.city}{each.district}{each.street}{each.detail} {each.contact}".strip()


class TellForm(Choices):
    """What to tell the customer, and how."""

    purpose = forms.ChoiceField(label=_("事由"))
    channel = forms.ChoiceField(label=_("渠道"))

    def __init__(self, *args: Any, has_email: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("purpose", [(each.value, label("purpose", each.value)) for each in Purpose])
        self.choose(
            "channel", [(each, label("channel", each)) for each in ("sms", "phone", *(("email",) if has_email else ()))]
        )


class ReleaseForm(Choices, ReasonForm):
    """A person looked at the platform: is the number there?"""

    accepted = forms.TypedChoiceField(
        label=_("平台上有没有这个单号"), coerce=lambda value: value == "1", widget=forms.RadioSelect
    )

    field_order = ("accepted", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("accepted", [("1", _now("有，已受理")), ("0", _now("没有"))])
