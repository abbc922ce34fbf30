"""Small steps from an SDK's objects to plain JSON."""

from __future__ import annotations

import json
from typing import Any


def plain(answer: Any) -> dict[str, Any]:
    """Return an SDK's object as plain JSON, only with the fields that were sent.

    Raises:
        json.JSONDecodeError: the SDK handed a body through that is no object (another content type).
    """
    if not hasattr(answer, "to_dict"):
        raise json.JSONDecodeError("the reply is no JSON object", str(answer)[:200], 0)
    fields: dict[str, Any] = answer.to_dict(mode="json")
    return fields


def decoded(arguments: Any) -> Any:
    """Return arguments that were sent as JSON text as their value; as text where that is no JSON."""
    if not isinstance(arguments, str):
        return arguments
    try:
        return json.loads(arguments)
    except json.JSONDecodeError:
        return arguments
