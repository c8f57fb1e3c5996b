"""The vocabulary of parcels: what a scan says, why it failed, and how far a parcel has come."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What one scan says happened. `note` says nothing about the parcel; `eta` is a promise."""

    LABEL_CREATED = "label_created"
    COLLECTED = "collected"
    ARRIVED_HUB = "arrived_hub"
    IN_TRANSIT = "in_transit"
    ARRIVED_DESTINATION = "arrived_destination"
    OUT_FOR_DELIVERY = "out_for_delivery"
    ATTEMPT_FAILED = "attempt_failed"
    READY_FOR_PICKUP = "ready_for_pickup"
    DELIVERED = "delivered"
    REFUSED = "refused"
    RETURNING = "returning"
    RETURNED = "returned"
    DAMAGED = "damaged"
    LOST = "lost"
    HELD = "held"
    INTERCEPTED = "intercepted"
    CANCELLED = "cancelled"
    FORWARDED = "forwarded"
    CUSTOMS = "customs"
    ETA = "eta"
    NOTE = "note"
    UNMAPPED = "unmapped"


class Reason(StrEnum):
    """Why an attempt failed or a parcel is held."""

    CONTACT_FAILED = "contact_failed"
    RECIPIENT_ABSENT = "recipient_absent"
    RESCHEDULED = "rescheduled"
    ADDRESS_PROBLEM = "address_problem"
    OUT_OF_AREA = "out_of_area"
    REFUSED = "refused"
    PICKUP_OVERDUE = "pickup_overdue"
    MISSORT = "missort"
    WEATHER = "weather"
    HOLIDAY = "holiday"
    REGULATION = "regulation"
    DAMAGED = "damaged"
    SECURITY = "security"
    OTHER = "other"


class Stage(StrEnum):
    """How far a parcel has come; computed from its scans, never set by hand."""

    UNSHIPPED = "unshipped"
    LABELLED = "labelled"
    COLLECTED = "collected"
    IN_TRANSIT = "in_transit"
    AT_DESTINATION = "at_destination"
    OUT_FOR_DELIVERY = "out_for_delivery"
    READY_FOR_PICKUP = "ready_for_pickup"
    DELIVERED = "delivered"
    RETURNING = "returning"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class Step(StrEnum):
    """The five steps of a case, in order."""

    DETERMINE = "determine"
    NEGOTIATE = "negotiate"
    NUMBER = "number"
    NOTIFY = "notify"
    FOLLOW = "follow"


class Measure(StrEnum):
    """What is done about a parcel that went wrong."""

    WAIT = "wait"
    CHASE = "chase"
    INTERCEPT = "intercept"
    REDELIVER = "redeliver"
    REISSUE = "reissue"
    REFUND = "refund"
    COMPENSATE = "compensate"


class Role(StrEnum):
    """What an operator is in a shop."""

    AGENT = "agent"
    LEAD = "lead"
    WAREHOUSE = "warehouse"
    FINANCE = "finance"
    OWNER = "owner"
