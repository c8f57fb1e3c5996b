"""One JSON object a line on standard error. What a log line may carry is listed here; buyers' data is not on the list.

Records hold a message with codes and ids. Arguments beyond those go through `extra` and are written only when their
name is known to be harmless, so that a careless `extra={"phone": …}` never reaches a log.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

_HARMLESS = frozenset(
    {
        "shop_id", "case_id", "parcel_id", "order_id", "effect_id", "notice_id", "message_id", "reissue_id",
        "attempt", "code", "count", "duration_ms", "job_id", "kind", "provider", "state", "status_code", "task",
    }
)  # fmt: skip


class JsonLines(logging.Formatter):
    """Format a record as one JSON object; an exception gives its type and places, never its message.

    Database and validation errors quote the row that failed, and that row may be a buyer's.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name in _HARMLESS}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__qualname__
            frames = traceback.extract_tb(record.exc_info[2])
            line["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
        return json.dumps(line, ensure_ascii=False, default=str)


def logging_config(level: str) -> dict[str, Any]:
    """dictConfig for every process; `level` is a level's name in any case."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "bufa.config.logging.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "bufa": {"level": level.upper()},
            "django": {"level": "WARNING"},
            # httpx logs whole addresses at INFO, and providers put secrets into them.
            "httpx": {"level": "WARNING"},
        },
    }
