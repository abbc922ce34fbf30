"""`botarmy notify`: a webhook is called when a gate opens."""

from __future__ import annotations

import os

import click

from cli.terminal import one_line, say


@click.command()
@click.argument("url", required=False)
@click.option("--stop", is_flag=True, help="Remove the automation.")
def notify(url: str | None, stop: bool) -> None:
    """Have Prefect call URL, a webhook, whenever a gate opens; without URL, say whether it does.

    The webhook gets a POST of JSON: "text" (what chat services show), "flow_run_id", "flow_run_name", "url".
    It is an automation of the Prefect server, which therefore must be running: `botarmy up`.
    """
    from botarmy.settings import load_settings
    from flows.api import find_api
    from flows.notify import AUTOMATION, find_notification, notify_at, stop_notifying

    if url and stop:
        raise click.UsageError("URL and --stop cannot be used together")
    api = find_api(load_settings().botarmy_home, dict(os.environ))
    if stop:
        say("Nobody is notified any more." if stop_notifying(api) else "Nobody was notified.")
    elif url:
        say(
            f"Prefect calls {one_line(url)} when a gate opens: {api.ui_url}/automations/automation/{notify_at(api, url)}"
        )
    elif found := find_notification(api):
        say(f'The automation "{AUTOMATION}" is {"on" if found["enabled"] else "switched off"}.')
    else:
        say("Nobody is notified. `botarmy notify URL` has Prefect call a webhook when a gate opens.")
