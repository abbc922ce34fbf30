"""The checks of botarmy.checks.CheckName, carried out for real."""

from sandbox.checks.board import SandboxChecks

__all__ = ["SandboxChecks"]
