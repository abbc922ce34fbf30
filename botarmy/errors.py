"""Every error that BotArmy raises on purpose.

BotArmyError
├── InputError               what the user gave cannot be used (exit 2)
│   ├── BriefError           the brief is empty, binary, too large, not UTF-8, unreadable
│   ├── SettingsError        an environment variable or option is wrong or missing
│   ├── DefinitionError      a .bmad-core file is wrong or refers to something absent
│   └── UnknownName          no such project, artifact, workflow, gate
├── StorageError             Postgres cannot be reached or refused
│   ├── Unavailable          no connection (infrastructure: a retry can help)
│   ├── Duplicate            a unique key exists already
│   ├── Fenced               another run holds this project; nothing was written
│   └── TooLarge             a configured size limit was passed
├── ProviderError            a model did not give a usable answer
│   ├── ProviderUnavailable  overloaded, rate limited, timeout, connection (a retry can help)
│   ├── ProviderRefused      authentication, permission, bad request, not found
│   └── InvalidOutput        the answer does not fit the schema, or was cut short
├── SandboxError             generated code cannot be run safely here
│   ├── IsolationMissing     no bubblewrap, and --unsafe-no-sandbox was not given
│   └── UnsafePath           a generated path leaves its tree or is otherwise refused
└── LimitReached             attempts, budget or time are used up (exit 4)
"""

from __future__ import annotations


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


class Fenced(StorageError):
    """Another run holds the project."""

    code = "fenced"


class TooLarge(StorageError):
    """A size limit was passed."""

    code = "too-large"


class ProviderError(BotArmyError):
    """A model gave no usable answer."""

    code = "provider"


class ProviderUnavailable(ProviderError):
    """The provider may answer later."""

    code = "provider-unavailable"
    retryable = True


class ProviderRefused(ProviderError):
    """The provider will not answer this request."""

    code = "provider-refused"


class InvalidOutput(ProviderError):
    """The answer does not fit the schema."""

    code = "invalid-output"


class SandboxError(BotArmyError):
    """Generated code cannot be run safely."""

    code = "sandbox"


class IsolationMissing(SandboxError):
    """There is no way to isolate generated code here."""

    code = "isolation-missing"


class UnsafePath(SandboxError):
    """A generated path is refused."""

    code = "unsafe-path"


class LimitReached(BotArmyError):
    """Attempts, budget or time are used up."""

    code = "limit-reached"
    exit_code = 4
