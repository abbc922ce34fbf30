"""A Prefect automation that calls a webhook when a gate opens: a run of `sdlc` was suspended."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from botarmy.errors import InputError, UnknownName
from flows.api import call
from flows.server import PrefectApi

AUTOMATION = "BotArmy: a gate opens"
BLOCK = "botarmy-gates"
EVENT = "prefect.flow-run.Suspended"


def payload(api: PrefectApi) -> str:
    """Return the template of what is sent: JSON that chat services show (`text`) and programs read.

    Prefect fills it in when the automation fires. `tojson` keeps names that people chose from ending a string.
    """
    before, after = api.run_url("|").split("|")
    page = f'("{before}" ~ flow_run.id ~ "{after}")'
    fields = {
        "text": f'("A gate waits for a decision: " ~ flow_run.name ~ " " ~ {page})',
        "flow_run_id": "flow_run.id | string",
        "flow_run_name": "flow_run.name",
        "url": page,
    }
    return "{" + ", ".join(f'"{name}": {{{{ {words} | tojson }}}}' for name, words in fields.items()) + "}"


def notify_at(api: PrefectApi, url: str) -> str:
    """Make the automation, or point the one that is there at another address.

    Args:
        api: the Prefect server that runs it.
        url: http or https address that takes a POST of JSON. It is kept in a Prefect block, encrypted as a secret.

    Returns:
        The automation's id.

    Raises:
        InputError: no such address can be called.
        PrefectRefused: Prefect did not take the automation.
        Unavailable: the API does not answer.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"{url!r} is no web address.", hint="Give one that starts with http:// or https://.")
    body = _automation(api, _block(api, url))
    found = find_notification(api)
    if found is not None:
        call(api, "PUT", f"/automations/{found['id']}", body)
        return str(found["id"])
    return str(call(api, "POST", "/automations/", body)["id"])


def stop_notifying(api: PrefectApi) -> bool:
    """Remove automation and block; return whether there was one."""
    found = find_notification(api)
    if found is not None:
        call(api, "DELETE", f"/automations/{found['id']}")
    block = _find_block(api)
    if block is not None:
        call(api, "DELETE", f"/block_documents/{block['id']}")
    return found is not None


def find_notification(api: PrefectApi) -> dict[str, Any] | None:
    """Return the automation as Prefect keeps it, or None."""
    wanted = {"automations": {"name": {"any_": [AUTOMATION]}}}
    found: list[dict[str, Any]] = call(api, "POST", "/automations/filter", wanted)
    return found[0] if found else None


def _automation(api: PrefectApi, block_id: str) -> dict[str, Any]:
    trigger = {
        "type": "event",
        "posture": "Reactive",
        "expect": [EVENT],
        "match": {"prefect.resource.id": "prefect.flow-run.*"},
        "match_related": {"prefect.resource.role": "flow", "prefect.resource.name": "sdlc"},
        "for_each": ["prefect.resource.id"],
        "threshold": 1,
        "within": 0,
    }
    action = {"type": "call-webhook", "block_document_id": block_id, "payload": payload(api)}
    return {
        "name": AUTOMATION,
        "description": "Calls a webhook when a run of sdlc is suspended at a gate. Made by botarmy notify.",
        "enabled": True,
        "trigger": trigger,
        "actions": [action],
    }


def _block(api: PrefectApi, url: str) -> str:
    """Keep the address in a webhook block and return the block's id."""
    data = {"method": "POST", "url": url, "headers": {"content-type": "application/json"}}
    kind = call(api, "GET", "/block_types/slug/webhook")
    schemas = call(api, "POST", "/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}})
    found = _find_block(api)
    if found is not None:
        change = {"data": data, "block_schema_id": schemas[0]["id"], "merge_existing_data": False}
        call(api, "PATCH", f"/block_documents/{found['id']}", change)
        return str(found["id"])
    body = {"name": BLOCK, "data": data, "block_type_id": kind["id"], "block_schema_id": schemas[0]["id"]}
    return str(call(api, "POST", "/block_documents/", body)["id"])


def _find_block(api: PrefectApi) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = call(api, "GET", f"/block_types/slug/webhook/block_documents/name/{quote(BLOCK)}")
    except UnknownName:
        return None
    return found
