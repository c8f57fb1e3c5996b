"""What the desk asks of the outside world: facts that come in, abilities that a provider may have.

A provider implements only the protocols it can keep; nothing here raises "not supported". Facts are plain values:
ids are text (platform ids exceed 2**53), money is integer fen, instants are aware UTC datetimes or None, carriers are
Doudian's `company_code`. A field that the provider left out holds its empty value ("" / 0 / None / ()).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class ProviderError(Exception):
    """A provider did not do what it was asked.

    why        short machine word: `timeout cut refused_connection http limited unavailable busy partial denied
               signature token code_expired code_invalid input business not_found phone unsupported no_credit malformed
               too_late`; of messages to customers also `bad_phone template opted_out quiet_hours`
    retryable  the same call may be made again later (after `wait`, when given)
    unknown    the request may have had its effect: it left, and no trustworthy answer came back. Never repeat such a
               call blindly; read back first
    code, sub_code, log_id, text   what the provider said, for the log and for people
    raw        the answer's bytes as they came (b"" if none)
    """

    def __init__(
        self,
        why: str,
        *,
        retryable: bool = False,
        wait: timedelta | None = None,
        unknown: bool = False,
        code: str = "",
        sub_code: str = "",
        log_id: str = "",
        text: str = "",
        raw: bytes = b"",
    ) -> None:
        super().__init__(f"{why} {code} {sub_code}".strip())
        self.why = why
        self.retryable = retryable
        self.wait = wait
        self.unknown = unknown
        self.code = code
        self.sub_code = sub_code
        self.log_id = log_id
        self.text = text
        self.raw = raw


class PushRefused(Exception):
    """A push that must not be believed or cannot be understood. `why`: `unsigned signature malformed`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


# ── tracking ────────────────────────────────────────────────────────────────────────────────────────────────────────


class RawScan(NamedTuple):
    """One line of a provider's track, unread. `code` is the provider's finest code of this line, `state` its coarse
    word or state, both "" when absent. `scanned_at` is None when the provider gave no readable time."""

    scanned_at: datetime | None
    text: str
    code: str = ""
    state: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class TrackReport:
    """All a provider says about one waybill now. `scans` are oldest first; empty scans mean "no trace", whatever the
    state says. `ended`: "" still followed, "signed" no more pushes will come, "aborted" the provider gave up (`note`
    says why). `state` is the parcel's state or sub-state in the provider's own numbers. `carrier_was`: the code
    that was asked for, where the provider found that the parcel travels with another carrier ("" otherwise)."""

    provider: str
    carrier: str
    number: str
    scans: tuple[RawScan, ...] = ()
    ended: Literal["", "signed", "aborted"] = ""
    note: str = ""
    state: str = ""
    carrier_was: str = ""


class CanQueryTrack(Protocol):
    def query(self, carrier: str, number: str, phone_tail: str = "") -> TrackReport:
        """Ask once. `phone_tail`: last four digits, needed by SF and ZTO. No trace is an empty report, not an error."""
        ...


class CanSubscribeTrack(Protocol):
    def subscribe(self, carrier: str, number: str, callback_url: str, salt: str, phone_tail: str = "") -> None:
        """Ask for pushes. A number that is subscribed already counts as success."""
        ...


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class LineFact:
    """One sub-order: product, how many, what the buyer paid for it."""

    line_id: str
    product_id: str
    sku_id: str
    title: str
    spec: str
    quantity: int
    paid_fen: int


@dataclass(frozen=True, slots=True)
class RecipientFact:
    """Who receives. The platform gives ciphers and masks; the plain fields are filled by imports only."""

    name_cipher: str = ""
    name_mask: str = ""
    phone_cipher: str = ""
    phone_mask: str = ""
    address_cipher: str = ""
    address_mask: str = ""
    province: str = ""
    city: str = ""
    district: str = ""
    town: str = ""
    open_address_id: str = ""
    name: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    email: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class PackageFact:
    """One parcel the platform knows of an order. `lines` are (sub-order id, quantity). `is_extra`: the platform marks
    it as a parcel sent again; never settle a submission by this flag, settle it by `number`."""

    package_id: str
    carrier: str
    number: str
    shipped_at: datetime | None = None
    lines: tuple[tuple[str, int], ...] = ()
    is_extra: bool = False


@dataclass(frozen=True, slots=True)
class OrderFact:
    """One parent order. `status` and `main_status` are the platform's codes (1 unpaid, 105 risk, 2 to ship, 101 partly,
    3 shipped, 4 cancelled, 5 finished). `promise_hours`: hours from payment to `ship_by`, None if either is unknown."""

    number: str
    status: int
    main_status: int
    created_at: datetime | None
    paid_at: datetime | None
    ship_by: datetime | None
    promise_hours: int | None
    paid_fen: int
    updated_at: datetime | None
    finished_at: datetime | None
    lines: tuple[LineFact, ...]
    recipient: RecipientFact
    packages: tuple[PackageFact, ...]


@dataclass(frozen=True, slots=True)
class AfterSaleFact:
    """One after-sale ticket. `type` 7 is 补寄; `status` 6 to answer, 8 to ship, 13 shipped, 14 received, 27 refused, 28
    closed. `update_time` is the raw value that `agree_resend`/`refuse_resend` must send back (optimistic lock).
    `refund_fen` is what the buyer asks back. `resend_number` is the waybill the platform has for the resend, "" if
    none. `recipient` comes with the detail only."""

    number: str
    order_number: str
    type: int
    status: int
    deadline: datetime | None
    applied_at: datetime | None
    updated_at: datetime | None
    update_time: int
    reason: str = ""
    refund_fen: int = 0
    resend_carrier: str = ""
    resend_number: str = ""
    recipient: RecipientFact | None = None


@dataclass(frozen=True, slots=True)
class PickupAddressFact:
    """A ship-from address of the shop; `platform_id` is the `send_address_id` of a submission."""

    platform_id: str
    name: str
    phone: str = field(repr=False)
    province: str
    city: str
    district: str
    street: str
    detail: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class CarrierFact:
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page. `total` counts the whole window, or is -1 when the provider does not say."""

    items: tuple[T, ...]
    total: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class Walk(Generic[T]):
    """One stretch of a walk over a window: fresh `items`, `done` of about `total` so far, and `through`: every change
    up to this instant has been handed out, so a broken walk goes on from here."""

    items: tuple[T, ...]
    done: int
    total: int
    through: datetime


@dataclass(frozen=True, slots=True)
class RejectReason:
    """A reason the platform allows for refusing a ticket; `needs_proof`: pictures must go with it."""

    code: int
    text: str
    needs_proof: bool


@dataclass(frozen=True, slots=True)
class InterceptFact:
    """What the platform said of one parcel to be intercepted. `accepted` is not "intercepted": the track will tell."""

    carrier: str
    number: str
    can: bool
    accepted: bool
    cost_fen: int
    code: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class PushEvent:
    """One platform message. `order_number` / `after_sale_number` are "" where the message names none. `tag` 0 is the
    probe that the platform sends when the address is saved."""

    tag: int
    message_id: str
    data: Mapping[str, Any]
    order_number: str = ""
    after_sale_number: str = ""


class CanListOrders(Protocol):
    def list_orders(self, since: datetime, until: datetime, page: int = 0) -> Page[OrderFact]:
        """Orders whose status changed in [since, until], oldest change first; pages count from 0, 100 a page."""
        ...


class CanWalkOrders(Protocol):
    def walk_orders(self, since: datetime, until: datetime) -> Iterator[Walk[OrderFact]]:
        """The whole window, however many pages; nothing is skipped when orders change under the walk."""
        ...


class CanReadOrder(Protocol):
    def order(self, number: str) -> OrderFact:
        """Raises ProviderError(why="not_found") when the platform does not know it, or not as this shop's."""
        ...


class CanListAfterSales(Protocol):
    def list_after_sales(self, since: datetime, until: datetime, page: int = 0) -> Page[AfterSaleFact]: ...


class CanWalkAfterSales(Protocol):
    def walk_after_sales(self, since: datetime, until: datetime) -> Iterator[Walk[AfterSaleFact]]: ...


class CanReadAfterSale(Protocol):
    def after_sale(self, number: str) -> AfterSaleFact: ...

    def reject_reasons(self, number: str) -> tuple[RejectReason, ...]: ...


class CanListAddresses(Protocol):
    def addresses(self) -> tuple[PickupAddressFact, ...]: ...


class CanListCarriers(Protocol):
    def carriers(self) -> tuple[CarrierFact, ...]: ...


class CanReadPackages(Protocol):
    def packages(self, order_number: str) -> tuple[PackageFact, ...]: ...


# ── things that change the world; every one may raise ProviderError with `unknown=True` ─────────────────────────────


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider accepted. `request_id` is its log id, `message_id` its name for what was made ("" if none), `raw`
    the answer's bytes, `details` what else it gave that is worth keeping, never buyers' data,
    `cost_fen` what it charges for it."""

    request_id: str
    message_id: str
    raw: bytes = field(default=b"", repr=False)
    details: Mapping[str, str] = field(default_factory=dict)
    cost_fen: int = 0


class CanOperateAfterSale(Protocol):
    def agree_refund(self, number: str, kind: int, update_time: int) -> Sent:
        """Pay the buyer back through an open after-sale. `kind`: the platform's own number of the step. Settled by
        `after_sale(…).status` 12 (success)."""
        ...

    def agree_resend(self, number: str, update_time: int) -> Sent: ...

    def refuse_resend(self, number: str, update_time: int, reason: str, reason_code: int) -> Sent: ...


class CanIntercept(Protocol):
    """Not idempotent, and no read-back: the parcel's track tells."""

    def intercept(self, after_sale_number: str, carrier: str, number: str) -> InterceptFact: ...


class CanSubmitResend(Protocol):
    def fill_resend(self, after_sale_number: str, carrier: str, number: str) -> Sent:
        """Not idempotent. Settled by `after_sale(…).resend_number` equal to `number`."""
        ...


class CanAddPackage(Protocol):
    def add_extra_package(
        self,
        order_number: str,
        lines: tuple[tuple[str, int], ...],
        carrier: str,
        number: str,
        send_address_id: str = "",
    ) -> Sent:
        """Not idempotent: a blind repeat adds a second parcel. Settled by `packages(order_number)` holding `number`."""
        ...


class CanShipFirst(Protocol):
    """Ship an order that never was. Idempotent by `request_id`: a repeat gets the first answer and ships nothing."""

    def add_first_package(
        self,
        order_number: str,
        lines: tuple[tuple[str, int], ...],
        carrier: str,
        number: str,
        request_id: str,
        send_address_id: str = "",
    ) -> Sent: ...

    def add_joint_package(
        self,
        order_numbers: tuple[str, ...],
        lines: tuple[tuple[str, int], ...],
        carrier: str,
        number: str,
        request_id: str,
        send_address_id: str = "",
    ) -> Sent:
        """One box for several orders of the same recipient."""
        ...


class CanEditNumber(Protocol):
    """Put a wrongly typed number right. Settled by `order(…).packages` holding the new one."""

    def edit_whole(self, order_number: str, carrier: str, number: str) -> Sent:
        """Of an order shipped whole; otherwise refused with 70011: use `edit_package`."""
        ...

    def edit_package(self, order_number: str, package_id: str, carrier: str, number: str) -> Sent: ...


@dataclass(frozen=True, slots=True)
class SmsReceipt:
    """What became of one SMS. `status`: "waiting", "failed" or "delivered"; `code` and `text` say why it failed."""

    message_id: str
    status: Literal["waiting", "failed", "delivered"]
    sent_at: datetime | None
    code: str = ""
    text: str = ""
    tag: str = ""


class CanSendPlatformSms(Protocol):
    def send_sms(self, phone_cipher: str, template_id: str, params: Mapping[str, str], tag: str = "") -> Sent:
        """One SMS from the shop's template to the platform's cipher of a phone. `tag` comes back in the receipt."""
        ...

    def sms_receipts(self, since: datetime, until: datetime, page: int = 0) -> Page[SmsReceipt]: ...


@dataclass(frozen=True, slots=True)
class MailOut:
    """A plain-text mail. `message_id` (with angle brackets) is made before the call, so that the mail can be found
    again whatever happens to the connection. `is_automatic`: no machine should answer it (RFC 3834)."""

    message_id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str = field(repr=False)
    reply_to: str = ""
    in_reply_to: str = ""
    sent_at: datetime | None = None
    is_automatic: bool = False


class CanSendMail(Protocol):
    def send(self, mail: MailOut) -> Sent: ...


class CanSpeakInGroup(Protocol):
    """A robot of one chat group. Not idempotent, and nothing can be read back."""

    def say(self, text: str) -> Sent: ...


# ── pushes and tokens ───────────────────────────────────────────────────────────────────────────────────────────────


class CanReceivePush(Protocol[T_co]):
    """An inbound hook: `verify` then `parse` raise PushRefused; answer with `accepted` once stored, else `refused`."""

    def verify(self, headers: Mapping[str, str], body: bytes) -> None: ...

    def parse(self, body: bytes) -> tuple[T_co, ...]: ...

    def accepted(self, now: datetime) -> bytes: ...

    def refused(self, now: datetime, why: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Tokens:
    """A shop's access. `expires_at` is real (wall) time."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime
    shop_id: str
    shop_name: str = ""


class CanAuthorize(Protocol):
    def authorize_url(self, state: str) -> str: ...

    def connect(self, code: str = "") -> Tokens:
        """Get the first tokens: by the code of a consent (10 minutes), or with "" for an own-use app."""
        ...


class TokenKeeper(Protocol):
    """Where a shop's tokens live, so that two workers never refresh at once."""

    def current(self) -> Tokens | None: ...

    def renew(self, seen: Tokens | None, fetch: Callable[[Tokens | None], Tokens], *, wait: bool = True) -> Tokens:
        """Under one lock per shop: when the stored tokens are no longer `seen`, return them; else store and return
        `fetch(stored)`. Without `wait`, where another holds the lock, `seen` (which still lives) is given back."""
        ...
