"""What the service refuses, with the HTTP status that says so."""

from __future__ import annotations


class Refusal(Exception):
    """A request that cannot be served; `fields` says why for each field that is at fault."""

    status = 400
    code = "bad_request"

    def __init__(self, message: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields or {}


class Malformed(Refusal):
    """The request cannot be read."""


class NotFound(Refusal):
    """There is no such path or record."""

    status = 404
    code = "not_found"


class MethodNotAllowed(Refusal):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{method} is not possible here; possible: {', '.join(allowed)}")
        self.allowed = allowed


class Conflict(Refusal):
    """The request is valid but contradicts what is stored."""

    status = 409
    code = "conflict"


class LengthRequired(Refusal):
    """The body has no declared length."""

    status = 411
    code = "length_required"


class TooLarge(Refusal):
    """The body is larger than the limit."""

    status = 413
    code = "too_large"


class UnsupportedType(Refusal):
    """The body is declared as something other than JSON."""

    status = 415
    code = "unsupported_type"


class Invalid(Refusal):
    """The values break a rule."""

    status = 422
    code = "invalid"


class Overloaded(Refusal):
    """Too many connections are open, or the storage does not answer."""

    status = 503
    code = "unavailable"


class Failure(Refusal):
    """The service itself failed."""

    status = 500
    code = "internal"


class ConfigError(Exception):
    """The environment holds a value that cannot be used."""


class StorageError(Exception):
    """The data directory cannot be used."""
