"""Peers that hand over many items at a time, beside this project: Python's
`Pool.map` with its default chunks, `xargs -n500` and `parallel -X`.

usage: peer_batches.py [ROUNDS]

Runs every side once in each round (default 7), so that all of them see the same
load of the machine, and prints a Markdown table of medians. The tasks do nothing:
a Python function that returns its argument, and `true`. All sides use two workers
and are timed from the start of the program to its end; for `Pool.map` the time
inside `map` alone is a row of its own. Sides whose program is missing are left out.
`COORDINATOR` names the coordinator (default: target/release/coordinator).
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
COORDINATOR = os.environ.get("COORDINATOR", str(HERE.parent / "target/release/coordinator"))
OURS = [COORDINATOR, "--quiet", "--log", "off", "--procs", "2"]
FUNCTION = f"{HERE / 'peer_chunk.py'}:same"
CALLS = 1_000_000  # items for a Python function
SINGLES = 2_000  # items for one process each
BATCHES = 200_000  # items for processes that take many


def sides():
    """What is measured: its name, its program, its count of items, its command."""
    pool = ["python3", str(HERE / "peer_pool.py"), FUNCTION, "2"]
    true = shutil.which("true")
    return [
        ("procession, `python`", COORDINATOR, CALLS, [*OURS, "--task", "python", "--", FUNCTION]),
        ("`Pool.map`, default chunks", "python3", CALLS, pool),
        ("procession, `command`", COORDINATOR, SINGLES, [*OURS, "--task", "command", "--", true, "{}"]),
        ("`xargs -P2 -n1`", "xargs", SINGLES, ["xargs", "-P2", "-n1", true]),
        ("procession, `pipe --chunk 500`", COORDINATOR, BATCHES, [*OURS, "--task", "pipe", "--chunk", "500", "--", true]),
        ("`xargs -P2 -n500`", "xargs", BATCHES, ["xargs", "-P2", "-n500", true]),
        ("`parallel -j2 -X`", "parallel", BATCHES, ["parallel", "-j2", "-X", true]),
    ]


def measure(command, items):
    """Seconds from start to end, and what the program wrote on standard error."""
    with open(items, "rb") as source, tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        done = subprocess.run(command, stdin=source, stdout=out, stderr=subprocess.PIPE, check=True)
        return time.perf_counter() - start, done.stderr


def per_item(seconds):
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-4 else f"{seconds * 1e6:.2f} µs"


def row(name, count, times):
    middle = statistics.median(times)
    print(f"| {name} | {count:,} | {middle:.3f} s | {per_item(middle / count)} |")


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for count in (CALLS, SINGLES, BATCHES):
            files[count] = pathlib.Path(folder, str(count))
            files[count].write_text("".join(f"{number}\n" for number in range(count)))
        found = [side for side in sides() if shutil.which(side[1])]
        times = {name: [] for name, *_ in found}
        inside = []
        for _ in range(rounds):
            for name, program, count, command in found:
                seconds, errors = measure(command, files[count])
                times[name].append(seconds)
                if program == "python3":
                    inside.append(float(errors))
    print("| 2 workers, a task that does nothing | items | time | per item |\n|---|---:|---:|---:|")
    for name, program, count, _ in found:
        row(name, count, times[name])
        if program == "python3":
            row(f"{name}, `Pool(2)` and `map` alone", count, inside)


if __name__ == "__main__":
    main()
