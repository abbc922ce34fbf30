"""Keep secrets out of everything that is written down: errors, logs, the ledger, recordings."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "[secret]"
_LEAST_LENGTH = 6  # a shorter "secret" (a placeholder like "x") would mask ordinary words
_SHAPES = re.compile(
    r"sk-[A-Za-z0-9_*-]{8,}|AIza[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9._-]{10,}|(?i:bearer)\s+[A-Za-z0-9._~+/=-]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    re.DOTALL,
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` with the given secrets, and all that has the form of a vendor's key, masked."""
    for secret in secrets:
        if len(secret) >= _LEAST_LENGTH:
            text = text.replace(secret, MASK)
    return _SHAPES.sub(MASK, text)
