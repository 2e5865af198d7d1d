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

from daixin import actions, doctor, talk
from daixin.cli import app

IMPORTED = (actions, doctor, talk)


def run(job: dict[str, Any]) -> int:
    """The exit status of one command; what it prints goes to the files `out` and `err`."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
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


if __name__ == "__main__":
    for line in sys.stdin:
        answer = json.dumps({"status": run(json.loads(line))})
        print(answer, flush=True)
