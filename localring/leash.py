"""Becomes the command it is given, tied to the life of its parent; run as a script.

``python -I -S leash.py PARENT_PID COMMAND [ARGUMENT...]``

The command gets SIGKILL from the kernel when its parent dies in whatever way, SIGKILL included
(``PR_SET_PDEATHSIG``, prctl(2)); it keeps the process id, so signals and exit codes are its
own.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
CAP_IPC_LOCK = 14


def main(parent: int, command: list[str]) -> None:
    """Set the bounds and become ``command``; never returns."""
    libc = ctypes.CDLL(None, use_errno=True)
    # Cassandra locks its whole heap into memory where it may (NativeLibrary.tryMlockall).  The
    # limit does not bind root, who keeps the capability over exec unless the bounding set lacks
    # it; whoever may not drop it does not have it either.
    libc.prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit(f"leash: prctl(PR_SET_PDEATHSIG): {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:  # it died before the signal was asked for
        sys.exit("leash: the parent is gone")
    try:
        os.execvp(command[0], command)  # noqa: S606 -- the whole point
    except OSError as error:
        sys.exit(f"leash: {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
