"""What may be done to parcels, in one place: boxes of an order, scans in, the clocks, tracking."""

from __future__ import annotations

from bufa.apps.parcels.asking import refresh_tracking
from bufa.apps.parcels.boxes import Ensured, add_reissue, ensure
from bufa.apps.parcels.numbers import clean_number, is_used, remember_numbers
from bufa.apps.parcels.recording import Heard, Moved, ScansRecorded, record_scans
from bufa.apps.parcels.taking import Due, take_due
from bufa.apps.parcels.templates import take_back as take_back_reading
from bufa.apps.parcels.templates import teach as teach_template
from bufa.apps.parcels.templates import teach_text

__all__ = [
    "Due",
    "Ensured",
    "Heard",
    "Moved",
    "ScansRecorded",
    "add_reissue",
    "clean_number",
    "ensure",
    "is_used",
    "record_scans",
    "refresh_tracking",
    "remember_numbers",
    "take_back_reading",
    "take_due",
    "teach_template",
    "teach_text",
]
