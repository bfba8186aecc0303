"""Become a command whose life is bound to the launcher's: a script that runs alone, before the command itself.

    python -I -S bound.py SIGNAL LAUNCHER_PID UID GID COMMAND [ARGUMENT ...]

It changes to the account (-1: stays), asks the kernel for SIGNAL at the launcher's death, and replaces itself by the
command: same process, same id. A script, and not `preexec_fn`, because code between fork and exec may deadlock
in a process that has threads.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1  # Source: <linux/prctl.h>


def main(arguments: list[str]) -> None:
    """Change account, bind, and become the command."""
    death_signal, launcher, uid, gid = (int(argument) for argument in arguments[:4])
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After the change of account, which clears it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != launcher:
        sys.exit("the launcher is gone")
    os.execv(arguments[4], arguments[4:])  # noqa: S606  # no shell is meant


if __name__ == "__main__":
    main(sys.argv[1:])
