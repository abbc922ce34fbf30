"""What tests of the sandbox pass around."""

from collections.abc import Awaitable, Callable

from sandbox.runner import Execution

Run = Callable[..., Awaitable[Execution]]
"""Runs Python source inside; takes the options of `Sandbox.run`."""
