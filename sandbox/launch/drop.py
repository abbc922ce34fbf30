"""Become an ordinary user for good, then run the command: `drop.py UID COMMAND...`.

Root is exempt from the limit on processes and owns the host's files even inside a user namespace, so a sandbox that
root starts is built by a uid that nobody uses. The mounts that this uid could not reach are staged before.
"""

import os
import sys


def main(arguments: list[str]) -> None:
    """Drop and replace this process."""
    uid = int(arguments[0])
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.execv(arguments[1], arguments[1:])  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    main(sys.argv[1:])
