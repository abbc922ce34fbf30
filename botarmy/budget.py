"""What a call can cost at most, reckoned before it is made. Pure."""

from __future__ import annotations

from decimal import Decimal
from math import ceil

from botarmy.completion import CompletionRequest, Usage
from botarmy.records import Spending, canonical_json

BYTES_PER_TOKEN = 2  # what all three vendors stay above for prose, code and most scripts; not for digits, say
OVERHEAD_TOKENS = 500  # what vendors add around messages and schemas
SOFT_LIMIT = Decimal("0.8")


def upper_bound(request: CompletionRequest) -> Usage:
    """Return more tokens than the call can use: a token for each byte, which no tokenizer falls below, and all output.

    The schema counts twice: a server that may not know schemas is told it in words as well.
    """
    return _usage(_bytes_of_messages(request) + 2 * _bytes_of_schema(request), request)


def likely_most(request: CompletionRequest) -> Usage:
    """Return what the call will rarely pass: what is booked of a rate limit, and put right after the answer."""
    return _usage(ceil((_bytes_of_messages(request) + _bytes_of_schema(request)) / BYTES_PER_TOKEN), request)


def _usage(tokens: int, request: CompletionRequest) -> Usage:
    return Usage(input_tokens=tokens + OVERHEAD_TOKENS, output_tokens=request.max_output_tokens)


def _bytes_of_messages(request: CompletionRequest) -> int:
    return sum(len(message.content.encode("utf-8", "surrogatepass")) for message in request.messages)


def _bytes_of_schema(request: CompletionRequest) -> int:
    return len(canonical_json(request.output_schema).encode("utf-8", "surrogatepass"))


def passes_soft_limit(spent: Spending, limit_usd: Decimal) -> bool:
    """Whether four fifths of a limit are spent or reserved, so that a person should be told."""
    return limit_usd > 0 and spent.counted_usd >= limit_usd * SOFT_LIMIT
