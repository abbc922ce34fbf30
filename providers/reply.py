"""What a vendor answered, in one form for all: before any judgement on whether it is a usable answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from botarmy.completion import Usage
from botarmy.records import Record


class Stop(StrEnum):
    """Why the model stopped."""

    end = "end"
    stop_sequence = "stop_sequence"
    length = "length"
    tool_calls = "tool_calls"
    refusal = "refusal"
    filtered = "filtered"
    other = "other"


class ToolCall(Record):
    """A tool call. `arguments` is the JSON that the model wrote, decoded where it is valid JSON, else the text."""

    id: str
    name: str
    arguments: Any


class Reply(Record):
    """One exchange with a vendor.

    Attributes:
        text: all text parts, joined.
        refusal: the vendor's separate refusal text, where it has one.
        tool_calls: what the caller is to run, in the order of the reply.
        hosted_calls: tools that the vendor ran by itself (search, code execution).
        stop: why the model stopped.
        finish: the vendor's own word for it.
        usage: inclusive buckets; all 0 where usage_known is False.
        model: as the vendor names what answered.
    """

    text: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    hosted_calls: tuple[ToolCall, ...] = ()
    stop: Stop
    finish: str = ""
    usage: Usage = Usage()
    usage_known: bool = True
    model: str = ""
    request_id: str = ""
