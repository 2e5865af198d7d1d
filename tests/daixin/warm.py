"""Runs commands of `daixin` in forks of one process that has imported the house already.

Importing takes seconds, and the tests type fifty commands. Each is still a process of its own, with its own
environment, folder, standard streams and exit status. Reads one JSON object a line, answers with one.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

import tests.warm
from daixin import actions, doctor, serve, talk
from daixin.cli import app
from daixin.demo import stage

IMPORTED = (actions, doctor, serve, stage, talk, tests.warm)


def start(job: dict[str, Any]) -> int:
    """The process id of a command; what it prints goes to the files `out` and `err`."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        for name, number in (("out", 1), ("err", 2)):
            os.dup2(os.open(job[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        os.chdir(job["folder"])
        os.environ.clear()
        os.environ.update(job["environment"])
        sys.argv = ["daixin", *job["words"]]
        app()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def status_of(child: int) -> int | None:
    """How the command ended; None while it runs."""
    ended, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        answer = status_of(asked["of"]) if "of" in asked else start(asked)
        print(json.dumps(answer), flush=True)
