"""The product's README: what it is, how to start it, every address, every rule, and what it does not do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from botarmy.artifacts import ProjectPlan, Requirement, UserRequirements
from providers.offline.service_contract import Lists
from providers.offline.service_coverage import missing
from providers.offline.service_examples import ADDRESS, Examples, adding, address, curl, examples
from providers.offline.service_model import Entity, Field, Model, State
from providers.offline.service_tests import ACCEPTANCE, FOLDER, UNIT_TESTS
from providers.offline.service_text import code, markdown

ORIGIN = (
    "Made by BotArmy's scaffold generator from a product brief; **no model was involved**. It enforces the rules that "
    "the generator understood, and nothing else: see [Not implemented](#not-implemented)."
)

START = """\
Python 3.11 or later is all it needs; there is nothing to install.

```sh
python -m app serve
```

Then, in another terminal:

```sh
{health}
```

SIGTERM or Ctrl-C stops it; running requests are answered first. Data are kept in `DATA_DIR`.
"""

CONFIGURATION = """\
Environment variables, checked at the start. A wrong value ends the start with a sentence that names it (exit code 2).

| variable | default | meaning |
|---|---|---|
| `HOST` | `127.0.0.1` | address to listen on; `0.0.0.0` for all |
| `PORT` | `8080` | port to listen on; `0` picks a free one |
| `DATA_DIR` | `data` | folder of the database, made when absent |
| `LOG_LEVEL` | `INFO` | `DEBUG`, `INFO`, `WARNING` or `ERROR` |
"""

ANSWERS = """\
Bodies are JSON (`Content-Type: application/json`). A refusal has the form
`{"error": {"code": "…", "message": "…", "fields": {"name": "why"}}}`.

| status | when |
|---|---|
| 200, 201, 204 | done; created; deleted |
| 400 | the body is not JSON, or the request cannot be read |
| 404 | no such address or record |
| 405 | the address exists, the method does not (`Allow` names those that do) |
| 409 | a unique value is taken, an action is not allowed in this state, a record is still referred to |
| 413, 415 | the body is larger than 1 MB; the body is declared as something other than JSON |
| 422 | a value breaks a rule; `fields` names each |
| 503 | too many connections, or the storage does not answer |

Every answer has an `X-Request-Id` (yours, if the request had one); the log names it too.
"""

OPERATION = """\
```sh
python -m app check                  # configuration and stored data: exit code 0 when sound
python -m app list {collection} --limit 10
{adding}
python -m app backup copy-of-the-data.db   # also while the service runs
```

The log on standard error has one JSON object a line: time, level, event, and for requests method, path, status,
duration in ms and request id. There is no authentication: keep the service behind a proxy that has it.

A change of `app/models.py` takes effect at the next start: tables are rebuilt around the stored records. A start that
would lose values, or whose rules a stored record breaks, is refused and leaves the data as they are.
"""

TESTS = f"""\
The software's own tests need nothing but Python:

```sh
{UNIT_TESTS}
```

The acceptance tests in `{FOLDER}` show the rules of the brief from outside: they call the service that `BASE_URL` names.
Start it with an empty `DATA_DIR`; what they store they delete again.

```sh
BASE_URL=http://{ADDRESS} {ACCEPTANCE}
```
"""


def readme(plan: ProjectPlan, requirements: UserRequirements, model: Model, lists: Lists) -> str:
    """Return README.md."""
    shown = examples(model)
    health = "\n".join((curl("GET", "/health"), curl("GET", "/openapi.json")))
    collection = next((entity.collection for entity in model.ordered), model.entities[0].collection)
    parts = [
        f"# {markdown(plan.title) or 'Service'}\n\n{markdown(plan.purpose)}\n\n{ORIGIN}\n",
        f"## Start\n\n{START.format(health=health)}",
        f"## Addresses\n\nThe examples work in this order on an empty service at {ADDRESS}.\n",
        *(_entity(entity, shown) for entity in model.ordered),
        *(_impossible(entity) for entity in model.entities if not entity.possible),
        _lists(lists),
        _deletions(shown),
        f"## Answers\n\n{ANSWERS}",
        f"## Configuration\n\n{CONFIGURATION}",
        f"## Operation\n\n{OPERATION.format(collection=collection, adding=adding(model))}",
        f"## Tests\n\n{TESTS}",
        f"## Not implemented\n\n{''.join(_uncovered(requirements.requirements, model))}",
    ]
    return "\n".join(parts)


def _entity(entity: Entity, shown: Examples) -> str:
    lines = [f"### {markdown(entity.collection)}\n"]
    if entity.description:
        lines.append(f"{markdown(entity.description)}\n")
    lines += [
        "| field | type | rules | asked for by |",
        "|---|---|---|---|",
        "| `id` | integer | given by the service | |",
    ]
    lines += [_row(field) for field in entity.fields]
    if entity.state:
        lines += [_state_row(entity.state), "", *_transitions(entity, entity.state, shown)]
    lines += ["", "```sh", *shown.of_entity[entity.name], "```", ""]
    return "\n".join(lines)


def _row(field: Field) -> str:
    kind = "reference" if field.references else field.type
    asked = ", ".join(markdown(name) for name in field.requirement_ids)
    return f"| {code(field.name)} | {kind} | {'; '.join(_rules(field)) or 'optional'} | {asked} |"


def _rules(field: Field) -> Iterator[str]:
    if field.required:
        yield "required"
    if field.unique:
        yield "unique"
    unit = " characters"
    yield from _span(field.minimum, field.maximum, "")
    yield from _span(field.min_length, field.max_length, unit)
    if field.values:
        yield "one of " + ", ".join(code(str(value)) for value in field.values)
    if field.references:
        yield f"id of an existing {markdown(field.references)}"


def _span(low: float | None, high: float | None, unit: str) -> Iterator[str]:
    if low is not None:
        yield f"at least {low}{unit}"
    if high is not None:
        yield f"at most {high}{unit}"


def _state_row(state: State) -> str:
    states = ", ".join(code(name) for name in state.states)
    return f"| {code(state.field)} | state | one of {states}; changed only by actions | |"


def _transitions(entity: Entity, state: State, shown: Examples) -> Iterator[str]:
    yield "| action | from | to |"
    yield "|---|---|---|"
    for step in state.steps:
        before = ", ".join(code(name) for name in step.from_states) or "any"
        note = shown.unshown.get((entity.name, step.action), "")
        place = code(f"POST {address(entity)}/{{id}}/{step.action}") + (f" (no example: {note})" if note else "")
        yield f"| {place} | {before} | {code(step.to_state)} |"


def _impossible(entity: Entity) -> str:
    return (
        f"### {markdown(entity.collection)}\n\n**No record can be stored here**: a required field of "
        f"{markdown(entity.name)} allows no value, or needs a record that needs this one first. "
        "The brief contradicts itself; make such a field optional.\n"
    )


def _lists(lists: Lists) -> str:
    form = '`{"items": […], "total": n, "limit": n, "offset": n}`' if lists.envelope else "an array"
    text = f"### Lists\n\nA list comes as {form}, in the order of the ids; `X-Total-Count` is the number of all."
    if lists.paged:
        text += " `limit` (1 to 1000, 100 unless told) and `offset` choose a page."
    if lists.filtered:
        text += " `field=value`, also of several fields, keeps the records that equal it."
    return text + "\n"


def _deletions(shown: Examples) -> str:
    lines = ["### Deleting", "", "A record that others refer to is not deleted (409).", ""]
    return "\n".join([*lines, "```sh", *shown.deletions, "```", ""]) if shown.deletions else ""


def _uncovered(requirements: Iterable[Requirement], model: Model) -> Iterator[str]:
    found = list(missing(requirements, model))
    if not found:
        yield "Nothing that the generator found in the brief: each requirement was understood, each rule is enforced.\n"
        return
    yield "This software does **not** implement these requirements:\n\n"
    for one, reason in found:
        yield f"- {markdown(one.id)} ({one.priority}): {markdown(one.text)} *Why: {markdown(reason)}.*\n"
