# SPDX-License-Identifier: Apache-2.0
"""Attempts on files, sockets, secrets and processes, run INSIDE the sandbox (outside: control).

Prints "VERDICT DENIED|ESCAPED|ERROR why" last.  Text that must not be found is matched by a
pattern, so that neither this program's arguments nor its memory hold it.

  write PATH | read PATH | list PATH     one of them works: ESCAPED
  write-open PATH...                     opened for writing (nothing is written)
  through PATH                           the host file PATH by way of /proc/*/root, cwd and fd
  scan                                   the canary, anywhere that can be read
  fds                                    descriptors past 2
  unix PATH...  |  abstract NAME...      a Unix socket of the host answers ("$VAR" is expanded)
  shm KEY NAME MQ                        System V, POSIX shared memory and message queue
  daemon TAG                             leaves a process behind (the runner looks for it)
  wrapped ARGS...                        net.py ARGS by way of many wrappers; one escape is enough
  caps                                   any capability, or no_new_privs unset
  suid PATH                              gains by a set-user-ID file
"""
import ctypes
import os
import re
import socket
import stat
import subprocess
import sys

CANARY = re.compile(b"CANARY" + b"KEY-[0-9a-f]{32}")
MARKER = b"WORLD-" + b"REACHED"
SKIP = re.compile(r"^/(sys|proc)(/|$)")
FILE_MAX = 4 << 20


def verdict(word, why=""):
    print("VERDICT", word, str(why).replace("\n", " ")[:300], flush=True)
    os._exit(0)


def attempt(what, action):
    """Runs action; its OSError is the refusal."""
    try:
        result = action()
    except OSError as error:
        return None, f"{what}: {error.strerror}"
    return result, what


def cmd_write(args):
    path = os.path.expandvars(args[0])

    def action():
        with open(path, "ab") as file:
            file.write(b"touched\n")
        return True
    done, why = attempt(path, action)
    verdict("ESCAPED" if done else "DENIED", why)


def cmd_create(args):
    """In an empty private place a new file is harmless: whether the host sees it, the runner says."""
    cmd_write(args)


def cmd_read(args):
    path = os.path.expandvars(args[0])

    def action():
        with open(path, "rb") as file:
            return file.read(64) or b"empty"
    data, why = attempt(path, action)
    verdict("ESCAPED" if data else "DENIED", why)


def cmd_list(args):
    names, why = attempt(args[0], lambda: os.listdir(args[0]))
    verdict("ESCAPED" if names else "DENIED", f"{why} {names}")


def cmd_write_open(args):
    for path in args:
        done, why = attempt(path, lambda: os.close(os.open(path, os.O_WRONLY)) or True)
        if done:
            verdict("ESCAPED", why)
    verdict("DENIED", why)


def cmd_through(args):
    path = args[0]
    ways = [path]
    for pid in [entry for entry in os.listdir("/proc") if entry.isdigit()] + ["self"]:
        ways += [f"/proc/{pid}/root{path}", f"/proc/{pid}/cwd/" + "../" * 12 + path]
        fds, _ = attempt("fd", lambda: os.listdir(f"/proc/{pid}/fd"))
        for number in fds or []:
            ways.append(f"/proc/{pid}/fd/{number}/" + "../" * 12 + path)
    for way in ways:
        data, why = attempt(way, lambda: open(way, "rb").read(16))
        if data:
            verdict("ESCAPED", why)
    verdict("DENIED", f"{len(ways)} ways")


# --- secrets

def hit(data, where):
    if CANARY.search(data):
        verdict("ESCAPED", where)


def scan_file(path):
    def action():
        info = os.lstat(path)
        if stat.S_ISLNK(info.st_mode):
            hit(os.readlink(path).encode("utf-8", "surrogateescape"), path)
        elif stat.S_ISREG(info.st_mode):
            with open(path, "rb") as file:
                hit(file.read(FILE_MAX), path)
        return True
    return attempt(path, action)[0]


def scan_memory(pid):
    """Every readable map of one process."""
    try:
        with open(f"/proc/{pid}/maps", encoding="latin-1") as maps, \
                open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                span, mode = line.split()[:2]
                if mode[0] != "r" or "[v" in line:
                    continue
                at, end = (int(part, 16) for part in span.split("-"))
                while at < end:
                    size = min(end - at, 1 << 20)
                    try:
                        memory.seek(at)
                        hit(memory.read(size), f"/proc/{pid}/mem {line.strip()}")
                    except (OSError, ValueError):
                        pass
                    at += size
    except OSError:
        return False
    return True


def scan_tree(top):
    device = os.stat(top).st_dev
    count = 0
    for base, dirs, files in os.walk(top):
        dirs[:] = [name for name in dirs if not SKIP.match(os.path.join(base, name)) and
                   (base, name) != ("/", "usr")]
        for name in files:
            hit(name.encode("utf-8", "surrogateescape"), base)
            count += bool(scan_file(os.path.join(base, name)))
    return count, device


def scan_keyring():
    attempt("keys", lambda: hit(open("/proc/keys", "rb").read(), "/proc/keys"))


def cmd_scan(_):
    seen = memories = 0
    for pid in [entry for entry in os.listdir("/proc") if entry.isdigit()]:
        for name in ("environ", "cmdline", "comm", "status", "limits"):
            where = f"/proc/{pid}/{name}"
            data, _ = attempt(where, lambda: open(where, "rb").read())
            if data:
                hit(data, where)
                seen += 1
        fds, _ = attempt("fd", lambda: os.listdir(f"/proc/{pid}/fd"))
        for number in fds or []:
            where = f"/proc/{pid}/fd/{number}"
            link, _ = attempt(where, lambda: os.readlink(where))
            hit((link or "").encode(), where)
            if link and link.startswith("/") and not link.startswith("/dev/"):
                scan_file(link)
        memories += scan_memory(pid)
    hit(b"\0".join(b"%s=%s" % pair for pair in os.environb.items()), "environment")
    scan_keyring()
    files, _ = scan_tree("/")
    if not seen or not memories or not files:
        verdict("ERROR", f"scanned nothing: {seen} of /proc, {memories} memories, {files} files")
    verdict("DENIED", f"{seen} of /proc, {memories} memories, {files} files")


def cmd_fds(_):
    mine = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)
    found = []
    for name in os.listdir(mine):
        if int(name) > 2 and int(name) != mine:
            link, _ = attempt(name, lambda: os.readlink(f"/proc/self/fd/{name}"))
            if link and "/proc/" not in link:
                found.append(f"{name}={link}")
    verdict("ESCAPED" if found else "DENIED", found)


# --- other processes

def try_unix(address):
    def action():
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(3)
        sock.connect(address)
        sock.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        return MARKER in sock.recv(4096)
    done, why = attempt(address, action)
    if done:
        verdict("ESCAPED", why)
    return why


def cmd_unix(args):
    tried = [try_unix(os.path.expandvars(path)) for path in args]
    verdict("DENIED", "; ".join(tried))


def cmd_abstract(args):
    tried = [try_unix("\0" + name) for name in args]
    verdict("DENIED", f"{len(tried)} names")


def cmd_shm(args):
    key, name, queue = int(args[0]), args[1], args[2]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.shmget(key, 0, 0) >= 0:
        verdict("ESCAPED", "System V segment")
    if os.path.exists(f"/dev/shm/{name}"):
        verdict("ESCAPED", "POSIX shared memory")
    libc.mq_open.restype = ctypes.c_int
    if libc.mq_open(queue.encode(), os.O_RDONLY) >= 0:
        verdict("ESCAPED", "POSIX message queue")
    verdict("DENIED")


def cmd_daemon(args):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            null = os.open("/dev/null", os.O_RDWR)
            for number in range(3):
                os.dup2(null, number)
            os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(300)",
                                      args[0]])
        os._exit(0)
    os.wait()
    verdict("DENIED", "left a process; the runner looks whether it lives")


def cmd_wrapped(args):
    net = os.path.join(os.path.dirname(os.path.abspath(__file__)), "net.py")
    line = " ".join([sys.executable, net] + args)
    ways = {
        "sh -c": ["sh", "-c", line],
        "env": ["env", "-i", "PATH=/usr/bin:/bin"] + line.split(),
        "xargs": ["sh", "-c", f"echo {' '.join(line.split()[1:])} | xargs {sys.executable}"],
        "find": ["find", "/etc/passwd", "-exec"] + line.split() + [";"],
        "subst": ["sh", "-c", f'x=$({line}); echo "$x"'],
        "background": ["sh", "-c", f"{line} & wait"],
        "heredoc": ["sh", "-c", f"sh <<X\n{line}\nX\n"],
        "setsid": ["setsid", "-w"] + line.split(),
        "alias": ["bash", "-O", "expand_aliases", "-c", f"alias q='{line}'\nq"],
        "argv0": ["bash", "-c", f"exec -a git {line}"],
    }
    for name, argv in ways.items():
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
        if "VERDICT ESCAPED" in done.stdout:
            verdict("ESCAPED", name)
        if "VERDICT DENIED" not in done.stdout:
            verdict("ERROR", f"{name}: {done.stdout} {done.stderr}")
    verdict("DENIED", f"{len(ways)} wrappers")


def status_field(name):
    with open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(name + ":"):
                return line.split()[1]
    verdict("ERROR", f"no {name}")


def cmd_caps(_):
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        if int(status_field(name), 16):
            verdict("ESCAPED", f"{name} {status_field(name)}")
    if status_field("NoNewPrivs") != "1" or status_field("Seccomp") != "2":
        verdict("ESCAPED", "no_new_privs or seccomp is off")
    verdict("DENIED")


def cmd_suid(args):
    """Runs a set-user-ID root copy of the probe, which prints its effective uid and CapEff."""
    done = subprocess.run([os.path.expandvars(args[0]), "whoami"], capture_output=True, text=True,
                          check=False)
    words = done.stdout.split()
    if len(words) != 2:
        verdict("DENIED" if done.returncode in (126, 127) else "ERROR",
                f"{done.returncode} {done.stdout} {done.stderr}")
    gained = int(words[0]) != os.geteuid() or int(words[1], 16) != 0
    verdict("ESCAPED" if gained else "DENIED", done.stdout)


try:
    globals()["cmd_" + sys.argv[1].replace("-", "_")](sys.argv[2:])
except PermissionError as refused:
    verdict("DENIED", refused)
except Exception as bug:
    verdict("ERROR", repr(bug))
