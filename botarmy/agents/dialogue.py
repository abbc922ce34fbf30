"""Asking a model for one artifact after another: inputs by name, rendered messages, a validated answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from botarmy.agents.work import PhaseWork
from botarmy.artifacts import DRAFTS, KINDS, Sentence, schema_of
from botarmy.brief import comments, sentences
from botarmy.completion import Ask, Completion, CompletionRequest
from botarmy.definitions.purposes import PURPOSE_INPUTS
from botarmy.errors import DefinitionError, InvalidOutput
from botarmy.records import Record, canonical_json

R = TypeVar("R", bound=Record)

_SHOWN_PROBLEMS = 8
# JSON's escape of a NUL, not the six characters that a program text may hold (there the backslash is doubled).
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class Dialogue:
    """The requests of one attempt. Each answer becomes an input of the later ones.

    Attributes:
        sentences: the numbered sentences of the brief.
        comments: those of the people's comments that the attempt was given.
    """

    def __init__(self, work: PhaseWork, ask: Ask) -> None:
        self._work = work
        self._ask = ask
        self._known: dict[str, Record] = {}
        self._confidences: list[float | None] = []
        self.sentences: tuple[Sentence, ...] = sentences(work.brief)
        self.comments: tuple[Sentence, ...] = comments(work.feedback)

    @property
    def confidence(self) -> float | None:
        """The least confidence of all answers; None when nothing was asked or an answer came without one."""
        known = [value for value in self._confidences if value is not None]
        return min(known) if known and len(known) == len(self._confidences) else None

    def known(self, schema: type[R]) -> R:
        """Return the artifact of that type: asked in this attempt, or an input of the phase.

        Raises:
            DefinitionError: the workflow does not hand it to this phase.
            InvalidOutput: the stored input does not fit its schema.
        """
        record = self.find(_kind_of(schema))
        if not isinstance(record, schema):
            raise self._missing(_kind_of(schema))
        return record

    def find(self, kind: str) -> Record | None:
        """Return the artifact of that kind, or None if the phase does not have it."""
        if kind not in self._known and kind in self._work.artifacts:
            self._known[kind] = validated(schema_of(kind), kind, self._work.artifacts[kind])
        return self._known.get(kind)

    async def ask(self, schema: type[R]) -> R:
        """Ask for an artifact or a draft and validate the answer.

        Raises:
            InvalidOutput: the answer does not fit the schema.
            DefinitionError: an artifact that the request needs is not there.
            ProviderError: the model gave no usable answer.
        """
        purpose = _kind_of(schema)
        completion = await self._ask(self._request(purpose, schema))
        record = validated(schema, purpose, completion.parsed)
        self._note(purpose, record, completion)
        return record

    async def ask_all(self, purposes: Iterable[str]) -> dict[str, Record]:
        """Ask for several kinds, each after those that it needs, and return them by kind."""
        wanted = set(purposes)
        return {purpose: await self.ask(schema_of(purpose)) for purpose in PURPOSE_INPUTS if purpose in wanted}

    def _note(self, purpose: str, record: Record, completion: Completion) -> None:
        self._known[purpose] = record
        self._confidences.append(completion.confidence)

    def _request(self, purpose: str, schema: type[Record]) -> CompletionRequest:
        given: dict[str, Any] = {
            "brief": self._work.brief,
            "sentences": [sentence.model_dump(mode="json") for sentence in self.sentences],
            "feedback": list(self._work.feedback),
        }
        needed = {name: self._input(purpose, name) for name in PURPOSE_INPUTS[purpose] if name not in given}
        inputs = {**given, **needed}
        return CompletionRequest(
            role=self._work.phase.agent,
            purpose=purpose,
            inputs=inputs,
            messages=self._work.template.render(purpose, inputs),
            output_schema=schema.model_json_schema(),
            max_output_tokens=self._work.max_output_tokens,
        )

    def _input(self, purpose: str, kind: str) -> dict[str, Any]:
        record = self.find(kind)
        if record is None:
            raise self._missing(kind, purpose)
        return record.model_dump(mode="json")

    def _missing(self, kind: str, purpose: str = "") -> DefinitionError:
        use = f" to write {purpose}" if purpose else ""
        return DefinitionError(
            f"Phase {self._work.phase.name!r} needs the artifact {kind!r}{use}, but no phase before it hands it over.",
            hint=f"Add the phase that makes {kind!r} to the dependencies of {self._work.phase.name!r} in the workflow.",
        )


def validated(schema: type[R], purpose: str, content: Mapping[str, Any]) -> R:
    """Return content as a record of the schema.

    Raises:
        InvalidOutput: it does not fit; the message names the places. NUL and lone surrogates are refused as well,
            because no database could keep them.
    """
    try:
        record = schema.model_validate(dict(content))
        text = canonical_json(record.model_dump(mode="json"))
        text.encode("utf-8")
    except ValidationError as error:
        raise InvalidOutput(
            f"The answer for {purpose} does not fit its schema: {_places(error)}.",
            hint="Run the phase again, or use a model that follows JSON schemas.",
        ) from None
    except ValueError as error:
        raise InvalidOutput(
            f"The answer for {purpose} holds text or numbers that JSON cannot carry: {error}."
        ) from None
    if _NUL.search(text):
        raise InvalidOutput(f"The answer for {purpose} holds a NUL character.", hint="Run the phase again.")
    return record


def _places(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_input=False)
    shown = [f"{'.'.join(str(part) for part in detail['loc']) or 'answer'}: {detail['msg']}" for detail in details]
    more = f"; and {len(shown) - _SHOWN_PROBLEMS} more" if len(shown) > _SHOWN_PROBLEMS else ""
    return "; ".join(shown[:_SHOWN_PROBLEMS]) + more


def _kind_of(schema: type[Record]) -> str:
    return next(kind for kind, known in {**KINDS, **DRAFTS}.items() if known is schema)
