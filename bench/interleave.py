#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""interleave.py RUNS RESULT NAME=COMMAND... - times whole commands in turns.

A command after the other would give each its own minute of a machine that is never equally quiet; in turns
all see the same. Writes {name: median milliseconds} as JSON. A command that fails ends the benchmark."""
import json
import os
import random
import shlex
import statistics
import sys
import time

WARM_UP = 10
# The kernel takes a network namespace down after its last process is gone: not at the next one's expense.
PAUSE = 0.01


def main():
    runs, result = int(sys.argv[1]), sys.argv[2]
    commands = {name: shlex.split(command) for name, command in (a.split("=", 1) for a in sys.argv[3:])}
    null = os.open("/dev/null", os.O_RDWR)
    files = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in range(3)]
    times = {name: [] for name in commands}
    for turn in range(runs + WARM_UP):
        order = list(commands.items())
        random.shuffle(order)  # so that no command always has the same one before it
        for name, argv in order:
            time.sleep(PAUSE)
            start = time.perf_counter()
            pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=files)
            status = os.waitpid(pid, 0)[1]
            took = time.perf_counter() - start
            if status:
                sys.exit(f"interleave: {name} ended with status {status}")
            if turn >= WARM_UP:
                times[name].append(took * 1e3)
    with open(result, "w", encoding="utf-8") as file:
        json.dump({name: statistics.median(all_) for name, all_ in times.items()}, file)


main()
