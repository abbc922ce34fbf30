"""An amount of money as an option of a command: a project's budget."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import click

from botarmy.records import Project, Status
from cli.failures import warn


class UsdAmount(click.ParamType[Decimal]):
    """An amount of money on the command line: a finite number, 0 or more."""

    name = "USD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return the amount; a usage error where it is none."""
        try:
            amount = Decimal(value)
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or amount < 0:
            self.fail(f"{value!r} is no amount of USD, such as 5 or 0.50", param, ctx)
        return amount


def warn_of_late_budget(project: Project, budget: Decimal | None) -> None:
    """Say that a budget does nothing for a project that is completed."""
    if budget is not None and project.status is Status.completed:
        warn(f"--budget does nothing now: {project.slug} is completed. Give it again after `botarmy rerun`.")
