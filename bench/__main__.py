"""Measures speeds, one JSON line each: `python -m bench [names…]`, which is what `./dev bench` runs.

Each bench has a process of its own. The exit status is 1 if one missed its bound or could not be measured; what a
missing tool makes impossible is said in its line, with what to install, and is no miss.
"""

from __future__ import annotations

import json
import subprocess
import sys

from bench.report import Line

NAMES = (
    *("start", "convert", "redirect", "card", "rank", "memory", "vouchers", "settle", "verify"),
    *("lifecycle", "broadcast", "journey", "search", "ingest", "freshness", "dashboard"),
)


def main(wanted: list[str]) -> int:
    """Run the benches of these names (all if none is given)."""
    unknown = sorted(set(wanted) - set(NAMES))
    if unknown:
        print(f"bench: there is no {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    wrong: list[str] = []
    for name in wanted or NAMES:
        finished = subprocess.run([sys.executable, "-m", f"bench.{name}"], stdout=subprocess.PIPE, text=True)
        lines = [json.loads(text) for text in finished.stdout.splitlines() if text.startswith("{")]
        for line in lines:
            line["ok"] = _holds(line)
            print(json.dumps(line, ensure_ascii=False), flush=True)
            if line["ok"] is False:
                wrong.append(f"{line['name']} is {line['ratio']}, the bound is {line['bound']}")
        if finished.returncode or not lines:
            wrong.append(f"{name} could not be measured")
    for word in wrong:
        print(f"bench: missed: {word}", file=sys.stderr)
    return 1 if wrong else 0


def _holds(line: Line) -> bool | None:
    """Whether the ratio is within its bound; None for what was not measured."""
    if line["ratio"] is None:
        return None
    return bool(line["ratio"] >= line["bound"] if line["better"] == "higher" else line["ratio"] <= line["bound"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
