#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plays the person at a terminal: starts $STOCKADE_ARGV (one argument a line) on a pty of 24x80,
waits for READY, then does what argv[1] says: size | interrupt | line | hangup | none.
Prints what the terminal showed, on one line, and "STATUS n"."""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

argv = os.environ.pop("STOCKADE_ARGV").split("\n")
what = sys.argv[1]
pid, master = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.execvp(argv[0], argv)
seen, acted, end = b"", False, time.time() + 20
while time.time() < end:
    if select.select([master], [], [], 0.1)[0]:
        try:
            more = os.read(master, 4096)
        except OSError:
            break
        if not more:
            break
        seen += more
    if b"READY" in seen and not acted:
        acted = True
        time.sleep(0.3)
        if what == "size":
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 41, 133, 0, 0))
        elif what == "interrupt":
            os.write(master, b"\x03")
        elif what == "line":
            os.write(master, b"typed line\n")
        elif what == "hangup":
            os.close(master)
            break
else:
    os.kill(pid, signal.SIGKILL)
    print("TIMEOUT", end=" ")
for _ in range(100):  # a program that ignores the hangup is an answer too
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        break
    time.sleep(0.1)
else:
    os.kill(pid, signal.SIGKILL)
    status = 1 << 8
    print("HUNG", end=" ")
code = os.waitstatus_to_exitcode(status)
print(seen.decode("utf-8", "replace").replace("\r\n", " ").replace("\n", " "),
      "STATUS", code if code >= 0 else 128 - code)
