"""Every error that BotArmy raises on purpose.

BotArmyError
├── InputError               what the user gave cannot be used (exit 2)
│   ├── BriefError           the brief is empty, binary, too large, not UTF-8, unreadable
│   ├── SettingsError        an environment variable or option is wrong or missing
│   ├── DefinitionError      a .bmad-core file is wrong or refers to something absent
│   ├── UnknownName          no such project, artifact, workflow, gate
│   └── Stale                the decision was about artifact versions that are no longer current
├── StorageError             Postgres cannot be reached or refused
│   ├── Unavailable          no connection (infrastructure: a retry can help)
│   ├── Duplicate            a unique key exists already
│   ├── Held                 another live run holds this project; this one must not begin
│   ├── Fenced               another run has taken this project over; nothing was written
│   └── TooLarge             a configured size limit was passed
├── ProviderError            a model did not give a usable answer
│   ├── ProviderUnavailable  a retry can help
│   │   ├── RateLimited      too many requests or tokens a minute
│   │   ├── QuotaExhausted   no credit or no daily quota left: not for long (not retryable here, another provider may do)
│   │   ├── Overloaded       the vendor has no capacity now
│   │   ├── ServerFault      the vendor failed, or sent what is no valid reply
│   │   ├── ProviderTimeout  no answer in time
│   │   └── ConnectionFailed no connection, or it was lost
│   │       └── StreamCut    a stream ended without a stop reason; the partial answer is discarded
│   ├── ProviderRefused      the same request will be refused again
│   │   ├── AuthenticationFailed
│   │   ├── PermissionDenied
│   │   ├── NotFound         no such model or address
│   │   ├── BadRequest
│   │   │   └── ContextTooLong
│   │   └── RecordingMissing the replayed folder does not hold this request
│   ├── InvalidOutput        the answer does not fit the schema (`text`, `problems`)
│   │   ├── Refused          the model declined
│   │   ├── Filtered         a safety filter withheld the answer
│   │   ├── Truncated        the answer reached the limit of its length
│   │   ├── EmptyAnswer      no text at all
│   │   └── ToolCallsOnly    tool calls where an answer was wanted
│   └── UnknownFailure       a failure that fits nothing above
├── SandboxError             generated code cannot be run safely here
│   ├── IsolationMissing     no bubblewrap, and --unsafe-no-sandbox was not given
│   └── UnsafePath           a generated path leaves its tree or is otherwise refused
├── ExportError              the repository cannot be written (git, permission, space)
├── LimitReached             attempts, budget or time are used up (exit 4)
│   └── BudgetExceeded       the next call could pass a spending limit: a person decides
├── PrefectLost              the Prefect API was lost in the middle of a run
├── RunsBreakOff             run after run broke off without a step forward; upkeep begins no more
└── Unexpected               a defect, as it is written down for the project that it ended
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botarmy.completion import Usage


class BotArmyError(Exception):
    """Base of all: what happened and why (the message), and how to mend it (`hint`).

    Attributes:
        code: stable kebab-case word for scripts, also in `--json` output.
        hint: one sentence that tells the user what to do next; may be empty.
        exit_code: what the CLI exits with.
        retryable: whether the same call may succeed later without any change.
    """

    code = "error"
    exit_code = 1
    retryable = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling: Prefect carries exceptions between processes."""
        return (_rebuild, (type(self), self.message, self.hint))


def _rebuild(kind: type[BotArmyError], message: str, hint: str) -> BotArmyError:
    return kind(message, hint=hint)


class InputError(BotArmyError):
    """What the user gave cannot be used."""

    code = "bad-input"
    exit_code = 2


class BriefError(InputError):
    """The brief cannot be read as text."""

    code = "bad-brief"


class SettingsError(InputError):
    """A setting is wrong or missing."""

    code = "bad-settings"


class DefinitionError(InputError):
    """A .bmad-core file is wrong."""

    code = "bad-definition"


class UnknownName(InputError):
    """Nothing has that name."""

    code = "unknown-name"


class Stale(InputError):
    """The decision was about artifact versions that are no longer current; the gate is asked again."""

    code = "stale"


class StorageError(BotArmyError):
    """Postgres refused or failed."""

    code = "storage"


class Unavailable(StorageError):
    """Postgres cannot be reached."""

    code = "storage-unavailable"
    retryable = True


class Duplicate(StorageError):
    """A row with that unique key exists."""

    code = "duplicate"


class TakenByAnother(StorageError):
    """The project is another run's.

    Attributes:
        holder: who has it, as it called itself when it took the project.
    """

    def __init__(self, message: str, *, hint: str = "", holder: str = "") -> None:
        super().__init__(message, hint=hint)
        self.holder = holder

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling with the holder."""
        return (_rebuild_with, (type(self), self.message, {"hint": self.hint, "holder": self.holder}))


class Held(TakenByAnother):
    """Another live run holds the project. Not retryable: a run can take hours."""

    code = "held"


class Fenced(TakenByAnother):
    """Another run has taken the project over since this one began."""

    code = "fenced"


class PrefectLost(BotArmyError):
    """The Prefect API was lost in the middle of a run."""

    code = "prefect-lost"
    retryable = True


class RunsBreakOff(BotArmyError):
    """Run after run of a project broke off without a step forward."""

    code = "runs-break-off"


class Unexpected(BotArmyError):
    """An error that nobody foresaw, as it is written down for the project that it ended."""

    code = "unexpected"


class TooLarge(StorageError):
    """A size limit was passed."""

    code = "too-large"


class ProviderError(BotArmyError):
    """A model gave no usable answer.

    Attributes:
        provider: the adapter's name, e.g. "openai".
        model: the model that was asked.
        status: HTTP status of the reply; None when there was none.
        request_id: the vendor's id of the exchange; empty when unknown.
        retry_after: seconds that the vendor asks to wait; None when it does not say.
        usage: tokens that the failed exchange used, where the vendor reported them: they are paid for.
    """

    code = "provider"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        provider: str = "",
        model: str = "",
        status: int | None = None,
        request_id: str = "",
        retry_after: float | None = None,
        usage: Usage | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.provider = provider
        self.model = model
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        self.usage = usage

    def details(self) -> dict[str, Any]:
        """Return what the constructor takes beside the message."""
        names = ("hint", "provider", "model", "status", "request_id", "retry_after", "usage")
        return {name: getattr(self, name) for name in names}

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling with all details."""
        return (_rebuild_with, (type(self), self.message, self.details()))


def _rebuild_with(kind: type[BotArmyError], message: str, details: dict[str, Any]) -> BotArmyError:
    return kind(message, **details)


class ProviderUnavailable(ProviderError):
    """The provider may answer later."""

    code = "provider-unavailable"
    retryable = True


class RateLimited(ProviderUnavailable):
    """Too many requests or tokens in a minute."""

    code = "rate-limited"


class QuotaExhausted(ProviderUnavailable):
    """No credit or no quota left; waiting a minute does not help."""

    code = "quota-exhausted"
    retryable = False


class Overloaded(ProviderUnavailable):
    """The vendor has no capacity at the moment."""

    code = "overloaded"


class ServerFault(ProviderUnavailable):
    """The vendor's side failed, or what it sent is no valid reply."""

    code = "server-fault"


class ProviderTimeout(ProviderUnavailable):
    """No answer in time."""

    code = "provider-timeout"


class ConnectionFailed(ProviderUnavailable):
    """No connection, or it was lost before the answer was complete."""

    code = "connection-failed"


class StreamCut(ConnectionFailed):
    """A stream ended without a stop reason; what had come is no answer and is discarded."""

    code = "stream-cut"


class ProviderRefused(ProviderError):
    """The provider will not answer this request."""

    code = "provider-refused"


class AuthenticationFailed(ProviderRefused):
    """The key is missing, wrong or revoked."""

    code = "authentication-failed"


class PermissionDenied(ProviderRefused):
    """The key may not use this model or address."""

    code = "permission-denied"


class NotFound(ProviderRefused):
    """The vendor knows no such model or address."""

    code = "provider-not-found"


class BadRequest(ProviderRefused):
    """The vendor finds the request itself wrong."""

    code = "bad-request"


class ContextTooLong(BadRequest):
    """The request is longer than the model's context, or than the vendor takes."""

    code = "context-too-long"


class RecordingMissing(ProviderRefused):
    """The folder that is replayed does not hold this request."""

    code = "recording-missing"


class InvalidOutput(ProviderError):
    """The answer does not fit the schema.

    Attributes:
        text: what the model wrote, for the turn that asks it to repair the answer.
        problems: one sentence for each thing that is wrong.
    """

    code = "invalid-output"

    def __init__(self, message: str, *, text: str = "", problems: tuple[str, ...] = (), **details: Any) -> None:
        super().__init__(message, **details)
        self.text = text
        self.problems = problems

    def details(self) -> dict[str, Any]:
        """Return what the constructor takes beside the message."""
        return {**super().details(), "text": self.text, "problems": self.problems}


class Refused(InvalidOutput):
    """The model declined to answer."""

    code = "refused"


class Filtered(InvalidOutput):
    """A safety filter of the vendor withheld the answer."""

    code = "filtered"


class Truncated(InvalidOutput):
    """The answer reached the limit of its length."""

    code = "truncated"


class EmptyAnswer(InvalidOutput):
    """The answer has no text."""

    code = "empty-answer"


class ToolCallsOnly(InvalidOutput):
    """The model called tools where an answer was wanted."""

    code = "tool-calls-only"


class UnknownFailure(ProviderError):
    """A failure that fits no other class."""

    code = "unknown-failure"


class SandboxError(BotArmyError):
    """Generated code cannot be run safely."""

    code = "sandbox"


class IsolationMissing(SandboxError):
    """There is no way to isolate generated code here."""

    code = "isolation-missing"


class UnsafePath(SandboxError):
    """A generated path is refused."""

    code = "unsafe-path"


class ExportError(BotArmyError):
    """A project cannot be written to a directory."""

    code = "export"


class LimitReached(BotArmyError):
    """Attempts, budget or time are used up."""

    code = "limit-reached"
    exit_code = 4


class BudgetExceeded(LimitReached):
    """The next call could pass a spending limit; it was not made. A person decides: raise the limit, or stop.

    Attributes:
        scope: which limit, e.g. "project", "phase Build", "role coder".
        limit: the limit in USD.
        committed: USD spent and reserved so far.
        wanted: USD that the next call could cost.
    """

    code = "budget-exceeded"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        scope: str = "project",
        limit: Decimal = Decimal(0),
        committed: Decimal = Decimal(0),
        wanted: Decimal = Decimal(0),
    ) -> None:
        super().__init__(message, hint=hint)
        self.scope = scope
        self.limit = limit
        self.committed = committed
        self.wanted = wanted

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling with the figures."""
        names = ("hint", "scope", "limit", "committed", "wanted")
        return (_rebuild_with, (type(self), self.message, {name: getattr(self, name) for name in names}))
