"""How long a vendor asks to wait, in each of the forms that vendors use. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)s$")


def retry_after_seconds(headers: Mapping[str, str], body: Any, now: datetime) -> float | None:
    """Return the seconds to wait, or None where the reply does not say.

    Understands `retry-after-ms` (OpenAI), `retry-after` in seconds or as an HTTP date, and a Google RetryInfo detail
    ("retryDelay": "17s") in the body. Times in the past are 0; nonsense counts as not said.

    Args:
        headers: the reply's headers, names in any case.
        body: the decoded body of the error.
        now: the present time, aware.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    milliseconds = _number(lowered.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    header = lowered.get("retry-after")
    seconds = _number(header)
    if seconds is not None:
        return seconds
    if header:
        # A date is meant by the vendor's clock, which its reply tells; ours may be wrong.
        return _until(header, _date(lowered.get("date", "")) or now)
    return _retry_info(body)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def _until(header: str, now: datetime) -> float | None:
    moment = _date(header)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def _date(header: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo is not None else None


def _retry_info(body: Any) -> float | None:
    """Find Google's RetryInfo: error.details[], with or without the outer "error"; a list holds one error."""
    if isinstance(body, list):
        body = body[0] if body else None
    if not isinstance(body, dict):
        return None
    error = body.get("error")
    details = (error if isinstance(error, dict) else body).get("details")
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        match = _DURATION.match(delay) if isinstance(delay, str) else None
        if match:
            return float(match[1])
    return None
