"""Whether the recorded answers keep what the OpenAPI document promises."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.api.document import Document, Operation, is_json

Exchanged = Mapping[str, Any]
MAX_SHOWN = 160  # characters of an answer in a reason
EXAMPLES = 3  # reasons for the same kind of fault of one operation


@dataclass
class Verdict:
    """What the answers show.

    Attributes:
        failures: sentences: an answer that the document does not allow.
        doubts: sentences: what could not be shown.
        called: operations that were answered at all.
        documented: of these, the ones all of whose answers fit.
        succeeded: of these, the ones that answered a valid request with success.
    """

    failures: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    called: set[str] = field(default_factory=set)
    documented: set[str] = field(default_factory=set)
    succeeded: set[str] = field(default_factory=set)


def judge(document: Document, records: Sequence[Exchanged]) -> Verdict:
    """Judge all answers."""
    verdict = Verdict()
    by_id = {operation.id: operation for operation in document.operations}
    faulty: set[str] = set()
    counts: Counter[tuple[str, str]] = Counter()
    for record in records:
        operation = by_id[record["op"]]
        if "unmet" in record:
            continue
        verdict.called.add(operation.id)
        if record["intent"] == "valid" and 200 <= record.get("status", 0) < 400:  # noqa: PLR2004
            verdict.succeeded.add(operation.id)
        for kind, fault in faults(document, operation, record):
            faulty.add(operation.id)
            counts[operation.id, kind] += 1
            if counts[operation.id, kind] <= EXAMPLES:
                verdict.failures.append(f"{_asked(record)}: {fault}")
    verdict.documented = verdict.called - faulty
    verdict.doubts = list(_doubts(document.operations, records, verdict))
    verdict.failures += _other_document(document, records)
    return verdict


def _other_document(document: Document, records: Sequence[Exchanged]) -> Iterable[str]:
    """Yield how the document that the service serves itself differs from the one that it is judged by."""
    for record in records:
        if record["path"] != "/openapi.json" or record.get("status") != 200 or record.get("cut"):  # noqa: PLR2004
            continue
        try:
            served = {operation.name for operation in Document(json.loads(record["text"])).operations}
        except (ValueError, TypeError, AttributeError) as error:
            yield f"GET /openapi.json serves no OpenAPI document: {error}"
            return
        agreed = {operation.name for operation in document.operations}
        differing = ", ".join(sorted(served ^ agreed))
        if differing:
            yield f"GET /openapi.json serves other operations than the agreed document; these are in one only: {differing}"
        return


def faults(document: Document, operation: Operation, record: Exchanged) -> Iterable[tuple[str, str]]:
    """Yield (kind, sentence) for what is wrong with one answer."""
    if "error" in record:
        yield "error", f"no answer ({record['error']}){_logged(record)}"
        return
    status = record["status"]
    if status >= 500:  # noqa: PLR2004
        yield "server", f"answered {status}: the service failed: {_shown(record)}{_logged(record)}"
        return
    if record["intent"] in {"invalid", "missing"} and status < 400:  # noqa: PLR2004
        yield "accepted", f"answered {status}, although the document forbids the request; 4xx was expected"
    media = operation.documented(status)
    if media is None:
        known = ", ".join(operation.responses) or "none"
        yield "status", f"answered {status}, which {operation.name} does not document (documented: {known})"
        return
    yield from (("body", fault) for fault in body_faults(document, media, record))


def body_faults(document: Document, media: Mapping[str, Any], record: Exchanged) -> Iterable[str]:
    """Yield what is wrong with the body of an answer whose status is documented."""
    text, status = record.get("text", ""), record["status"]
    if not media:
        if text and record["method"] != "HEAD":
            yield f"answered {status} with a body, but none is documented: {_shown(record)}"
        return
    if record["method"] == "HEAD" or record.get("cut"):
        return
    kind = str(record.get("type", "")).split(";")[0].strip().lower()
    wanted = {name.split(";")[0].strip().lower(): schema for name, schema in media.items()}
    if kind not in wanted and not any("*" in name for name in wanted):
        yield f"answered {status} as {kind or 'no content type'}, but {' or '.join(wanted)} is documented"
        return
    if is_json(kind):
        yield from _json_faults(document, wanted.get(kind, next(iter(wanted.values()))), record)


def _json_faults(document: Document, schema: Any, record: Exchanged) -> Iterable[str]:
    try:
        value = json.loads(record["text"])
    except (ValueError, RecursionError):
        yield f"answered {record['status']} with a body that is no JSON: {_shown(record)}"
        return
    if schema is None:
        return
    for error in list(document.validator(schema).iter_errors(value))[:EXAMPLES]:
        place = "/".join(str(part) for part in error.absolute_path) or "the body"
        yield f"answered {record['status']}, but {place} does not fit its schema: {error.message[:MAX_SHOWN]}"


def _doubts(operations: Iterable[Operation], records: Sequence[Exchanged], verdict: Verdict) -> Iterable[str]:
    for operation in operations:
        if operation.id in verdict.succeeded:
            continue
        mine = [record for record in records if record["op"] == operation.id and record["intent"] == "valid"]
        answered = [record for record in mine if "status" in record]
        if answered:
            last = answered[-1]
            yield f"{operation.name} never answered with success; the last answer was {last['status']}: {_shown(last)}"
        else:
            yield f"{operation.name} could not be called: nothing gave the row that it needs"
    for name in sorted({f"{record['method']} {record['path']}" for record in records if record.get("cut")}):
        yield f"{name} gave an answer too long to be judged"


def _asked(record: Exchanged) -> str:
    about = f" with {record['about']}" if record.get("about") else ""
    sent = f" (sent {record['sent'][:MAX_SHOWN]})" if record.get("sent") else ""
    return f"{record['method']} {record['path']}{about}{sent}"


def _logged(record: Exchanged) -> str:
    """Return the end of what the service wrote about it: the place and the exception of a traceback."""
    lines = [line.strip() for line in str(record.get("log", "")).splitlines() if line.strip(" ~^-")]
    places = [line for line in lines if line.startswith('File "')]
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Exit|Interrupt)\b", line)]
    said = [part for part in (places[-1:] + errors[-1:]) if part]
    return f"; the service wrote: {' '.join(said)[: 2 * MAX_SHOWN]}" if said else ""


def _shown(record: Exchanged) -> str:
    text = " ".join(str(record.get("text", "")).split())
    return text[:MAX_SHOWN] or "an empty body"
