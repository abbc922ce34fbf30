"""What a call can cost at most, reckoned before it is made. Pure."""

from __future__ import annotations

from decimal import Decimal
from math import ceil

from botarmy.completion import CompletionRequest, Usage
from botarmy.records import Spending, canonical_json

BYTES_PER_TOKEN = 2  # the tokenizers of all three vendors stay above it for prose, code and any script
OVERHEAD_TOKENS = 500  # what vendors add around messages and schemas
SOFT_LIMIT = Decimal("0.8")


def upper_bound(request: CompletionRequest) -> Usage:
    """Return more tokens than the call will use: its bytes generously counted, and the whole output limit."""
    texts = [message.content for message in request.messages]
    texts.append(canonical_json(request.output_schema))
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return Usage(input_tokens=ceil(size / BYTES_PER_TOKEN) + OVERHEAD_TOKENS, output_tokens=request.max_output_tokens)


def passes_soft_limit(spent: Spending, limit_usd: Decimal) -> bool:
    """Whether four fifths of a limit are spent or reserved, so that a person should be told."""
    return limit_usd > 0 and spent.counted_usd >= limit_usd * SOFT_LIMIT
