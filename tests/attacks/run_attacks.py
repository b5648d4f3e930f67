#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a table of attempts against `stockade run` and says, in TAP, whether each was stopped.

A table row: row id, title, policy, attempt, expected verdict, log condition, control.
  attempt   net|files|probe ARGS (a program of attempts/, in shell syntax), sh SCRIPT; pty: in front
            gives it a terminal
  expected  DENIED, ESCAPED (what must still work) or REFUSED (no session at all), or A|B
  log       "-" or KEY=VALUE...: at least one record of the session's log has them all
  control   the proof that the attempt itself is sound, which must ESCAPE: `outside` (the same, on
            the host), `outside ATTEMPT`, `outside-user`, or `inside POLICY ATTEMPT`

Besides its verdict every attempt is judged by what it did: no contact with any address but the
good origins, no DNS question for the attacker's zone, the canary neither in the world's log (but at
the one host it is bound to) nor in our own files, the outside directory unchanged, no process left.
"""
import argparse
import ctypes
import hashlib
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"
LIMIT = 90
GOOD = {"45.33.32.%d" % n for n in (10, 11, 12, 13, 14, 15, 16, 20, 21, 22, 30, 31, 53)}
GOOD |= {"2606:4700::10"}
BOUND = {"45.33.32.30"}
VERDICT = re.compile(r"VERDICT (DENIED|ESCAPED|ERROR) ?([^\r\n]*)")
CURL_REFUSED = {5, 6, 7, 22, 35, 52, 56, 97}
PLANTED = [".config/gh/hosts.yml", ".aws/credentials", ".config/gcloud/credentials.db",
           ".azure/msal_token_cache.json", ".ssh/id_ed25519", ".netrc", ".npmrc",
           ".docker/config.json", ".kube/config", ".gnupg/private-keys-v1.d/key",
           ".git-credentials", ".bash_history"]
LISTENERS = ["/run/docker.sock", "/run/dbus/system_bus_socket", "/run/systemd/private",
             "/run/user/0/bus", "/run/user/20917/bus", "/run/containerd/containerd.sock",
             "/run/podman/podman.sock", "/run/libvirt/libvirt-sock", "/run/user/0/wayland-0",
             "/run/user/0/pulse/native", "/run/stockade-attack.sock"]


class Bed:
    """What stands outside: planted files, sockets, segments; and how a command is run."""

    def __init__(self, opt):
        self.opt = opt
        self.user = opt.user
        self.uid, self.gid = (20917, 20917) if self.user == "user" else (0, 0)
        self.base = os.path.join(opt.dir, "attacks-" + self.user)
        self.out = os.path.join(self.base, "outside")
        self.home = os.path.join(self.base, "home")
        self.canary = "CANARYKEY-" + os.urandom(16).hex()
        self.count = 0
        self.tmpfile = f"/tmp/stockade-attack-{os.getpid()}"
        os.makedirs(self.out)
        os.chmod(self.base, 0o755)
        self.plant()
        self.probe = os.path.join(self.base, "probe")
        subprocess.run([os.environ.get("CC", "cc"), "-O1", "-o", self.probe,
                        os.path.join(HERE, "attempts/probe.c")], check=True)
        self.sockets()
        self.segments()
        self.own(self.base)

    def write(self, path, data, mode=0o644):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, mode)

    def own(self, top):
        if not self.uid:
            return
        for base, dirs, files in os.walk(top):
            for name in ["."] + dirs + files:
                os.chown(os.path.join(base, name), self.uid, self.gid, follow_symlinks=False)

    def plant(self):
        for name in PLANTED:
            self.write(os.path.join(self.home, name), self.canary.encode() + b"\n", 0o600)
        self.write(os.path.join(self.out, "file"), b"outside\n")
        self.write(os.path.join(self.out, "masked-victim"), b"victim\n")
        self.write(os.path.join(self.out, "nul-key"), b"a\0b")
        self.write(self.tmpfile, b"outside\n")
        os.symlink("loop", os.path.join(self.out, "loop"))

    def serve(self, sock):
        while True:
            peer, _ = sock.accept()
            try:
                peer.settimeout(2)
                peer.recv(100)
                peer.sendall(b"HTTP/1.0 200 OK\r\n\r\nWORLD-REACHED\n")
            except OSError:
                pass
            peer.close()

    def sockets(self):
        names = LISTENERS + [os.path.join(self.out, name) for name in
                             ("allowed.sock", "bus.sock", "ssh-agent.sock")]
        for name in names + ["\0/tmp/.X11-unix/X0", "\0stockade-attack-bus"]:
            sock = socket.socket(socket.AF_UNIX)
            if name[0] != "\0":
                os.makedirs(os.path.dirname(name), exist_ok=True)
                if os.path.exists(name):
                    os.unlink(name)
            sock.bind(name)
            if name[0] != "\0":
                os.chmod(name, 0o666)
            sock.listen(50)
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def segments(self):
        libc = ctypes.CDLL(None)
        self.segment = libc.shmget(20917, 4096, 0o1666)
        self.write("/dev/shm/stockade-attack-shm", b"x", 0o666)
        libc.mq_open(b"/stockade-attack-mq", os.O_CREAT | os.O_RDWR, 0o666, None)

    def done(self):
        libc = ctypes.CDLL(None)
        libc.shmctl(self.segment, 0, None)
        libc.mq_unlink(b"/stockade-attack-mq")
        for name in ("/dev/shm/stockade-attack-shm", self.tmpfile):
            os.unlink(name)

    def outside_state(self):
        digest = hashlib.sha256()
        for base, dirs, files in sorted(os.walk(self.out)):
            for name in sorted(dirs + files):
                path = os.path.join(base, name)
                digest.update(path.encode())
                if os.path.isfile(path) and not os.path.islink(path):
                    with open(path, "rb") as file:
                        digest.update(file.read())
        return digest.hexdigest()


class Session:
    """One run: its own workspace, state and policy."""

    def __init__(self, bed, policy):
        bed.count += 1
        self.bed = bed
        self.leaves_process = False
        self.tag = f"attack{os.getpid()}x{bed.count}{bed.user}"
        self.dir = os.path.join(bed.base, f"s{bed.count}")
        self.work = os.path.join(self.dir, "work")
        self.state = os.path.join(self.dir, "state")
        # In the workspace, two directories deep: the hardest place to keep it safe (row P27).
        self.policy = os.path.join(self.work, "conf/deep/policy.yaml")
        shutil.copytree(os.path.join(HERE, "attempts"), os.path.join(self.work, "attempts"),
                        ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(bed.probe, os.path.join(self.work, "attempts/probe"))
        bed.write(os.path.join(self.state, "stockade/planted"), b"x")
        os.makedirs(os.path.join(self.dir, "config"))
        os.symlink(bed.out, os.path.join(self.work, ".claude"))
        with open(os.path.join(HERE, "policies", policy + ".yaml"), encoding="utf-8") as file:
            bed.write(self.policy, self.fill(file.read()).encode())
        shutil.copy(self.policy, self.policy + ".copy")
        self.policy_text = self.policy_now()
        bed.own(self.dir)
        suid = os.path.join(self.work, "suid-probe")
        shutil.copy(bed.probe, suid)
        os.chmod(suid, 0o4755)

    def policy_now(self):
        with open(self.policy, encoding="utf-8") as file:
            return file.read()

    def fill(self, text):
        for name, value in (("W", self.work), ("OUT", self.bed.out), ("HOME", self.bed.home),
                            ("TAG", self.tag), ("STATE", self.state + "/stockade"),
                            ("POLICY", self.policy), ("POLICYCOPY", self.policy + ".copy"),
                            ("TMPFILE", self.bed.tmpfile), ("STOCKADE", self.bed.opt.stockade),
                            ("BIG", "x" * 70000)):
            text = text.replace(f"@{name}@", value)
        return text

    def script(self, attempt):
        kind, _, rest = self.fill(attempt).partition(" ")
        attempts = os.path.join(self.work, "attempts")
        rest = rest.replace("$PYTHON", PYTHON).replace("$ATTEMPTS", attempts)
        if kind == "sh":
            return rest
        if kind == "probe":
            return f"exec {attempts}/probe {rest}"
        return f"exec {PYTHON} {attempts}/{kind}.py {rest}"

    def environment(self, home):
        return {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": home, "LANG": "C.UTF-8",
                "TERM": "dumb", "USER": "stockade-test" if self.bed.uid else "root",
                "XDG_STATE_HOME": self.state,
                "XDG_CONFIG_HOME": os.path.join(self.dir, "config"),
                "SSL_CERT_FILE": self.bed.opt.ca, "CANARY_KEY": self.bed.canary,
                "OTHER_KEY": "other-" + self.bed.canary[10:], "CRLF_KEY": "a\r\nX-Evil: b",
                "SSH_AUTH_SOCK": self.bed.out + "/ssh-agent.sock",
                "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.bed.out}/bus.sock",
                "DISPLAY": ":0", "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, argv, as_user, terminal):
        if as_user:
            argv = ["setpriv", "--reuid", "20917", "--regid", "20917", "--clear-groups",
                    "--inh-caps=-all"] + argv
        environment = self.environment(self.bed.home)
        leak = os.open(self.bed.out, os.O_RDONLY | os.O_DIRECTORY)  # must not get inside
        os.set_inheritable(leak, True)
        try:
            if terminal:
                return run_terminal(argv, environment, self.work)
            done = subprocess.run(argv, env=environment, cwd=self.work, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT,
                                  close_fds=False, check=False)
            return done.returncode, decode(done.stdout), decode(done.stderr)
        except subprocess.TimeoutExpired:
            return -1, "VERDICT ERROR the session did not end", ""
        finally:
            os.close(leak)

    def inside(self, attempt):
        terminal = attempt.startswith("pty:")
        script = self.script(attempt.removeprefix("pty:"))
        argv = [self.bed.opt.stockade, "run", "--quiet", "--policy", self.policy, "--",
                "/bin/sh", "-c", script]
        return judge(attempt, *self.run(argv, self.bed.uid != 0, terminal))

    def outside(self, attempt, as_user=False):
        terminal = attempt.startswith("pty:")
        script = self.script(attempt.removeprefix("pty:"))
        argv = ["/bin/sh", "-c", script]
        if "probe" in attempt.split(" ")[0]:
            argv = ["unshare", "-m"] + argv
        return judge(attempt, *self.run(argv, as_user, terminal))

    def records(self):
        found = []
        for base, _, files in os.walk(os.path.join(self.state, "stockade")):
            for name in files:
                with open(os.path.join(base, name), encoding="utf-8", errors="replace") as file:
                    found += [json.loads(line) for line in file if line.startswith("{")]
        return found


def decode(data):
    return data.decode("utf-8", "replace")


def run_terminal(argv, environment, cwd):
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execvpe(argv[0], argv, environment)
    data, end = b"", time.time() + LIMIT
    while time.time() < end:
        if not select.select([master], [], [], 1)[0]:
            continue
        try:
            more = os.read(master, 4096)
        except OSError:
            break
        if not more:
            break
        data += more
    else:
        os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    os.close(master)
    return os.waitstatus_to_exitcode(status), decode(data), ""


def judge(attempt, code, out, err):
    """(verdict, why, exit code)."""
    found = VERDICT.findall(out)
    if found:
        return found[-1][0], found[-1][1], code
    why = f"exit {code}: {out[-300:]} {err[-300:]}".replace("\n", " ")
    if code in (122, 123, 125) and err.strip():
        return ("REFUSED" if len(err.strip().splitlines()) == 1 else "ERROR"), why, code
    if attempt.startswith("sh ") and "curl" in attempt:
        if "WORLD-REACHED" in out:
            return "ESCAPED", why, code
        if code in CURL_REFUSED or "stockade" in out:
            return "DENIED", why, code
    return "ERROR", why, code


class World:
    """The world's log since a moment."""

    def __init__(self, path):
        self.path = path
        self.mark()

    def mark(self):
        self.at = os.path.getsize(self.path)

    def since(self):
        time.sleep(0.02)
        with open(self.path, encoding="utf-8") as file:
            file.seek(self.at)
            return [json.loads(line) for line in file if line.endswith("\n")]


def leaks(entries, canary):
    for entry in entries:
        kind = entry["kind"]
        if kind == "dns":
            if entry["name"].endswith(("evil.test", ".allowed.test")):
                yield f"DNS question {entry['name']}"
        elif kind != "after-101" and entry.get("addr", "").removeprefix("::ffff:") not in GOOD:
            yield f"{kind} {entry.get('addr')}:{entry.get('port')}"
        elif canary in json.dumps(entry) and entry.get("addr") not in BOUND:
            yield f"the canary at {entry.get('addr')}"


def holds(top, needle):
    for base, _, files in os.walk(top):
        for name in files:
            path = os.path.join(base, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    if needle in file.read():
                        return path
    return None


def alive(tag, wait=0):
    """A process that has the tag among its arguments; looks again for `wait` seconds."""
    end = time.time() + wait
    while True:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if tag.encode() in file.read().split(b"\0"):
                        return int(pid)
            except OSError:
                continue
        if time.time() >= end:
            return None
        time.sleep(0.05)


def log_matches(records, condition):
    if condition == "-":
        return True
    want = [item.split("=", 1) for item in condition.split()]
    return any(all(str(record.get(key, "")) == value for key, value in want)
               for record in records)


class Runner:
    def __init__(self, opt):
        self.bed = Bed(opt)
        self.world = World(opt.world)
        self.controls = {}
        self.number = opt.start
        self.failed = 0

    def control(self, text, attempt):
        """(verdict, why) of the control; each is run once."""
        word, _, rest = text.partition(" ")
        key = text if rest else (text, attempt)
        if key in self.controls:
            return self.controls[key]
        if word == "inside":
            policy, _, rest = rest.partition(" ")
            result = Session(self.bed, policy).inside(rest)
        else:
            session = Session(self.bed, "none")
            result = session.outside(rest or attempt, word == "outside-user")
            pid = alive(session.tag, 2 if "@TAG@" in attempt else 0)
            if pid:
                os.kill(pid, signal.SIGKILL)
                result = ("ESCAPED", "a process was left, as it should", 0)
        self.controls[key] = result
        return result

    def problems(self, session, entries, before, expect, got, condition):
        verdict, why, _ = got
        if verdict not in expect.split("|"):
            yield f"verdict {verdict} ({why}), expected {expect}"
        if "ESCAPED" not in expect:
            for leak in leaks(entries, self.bed.canary):
                yield f"LEAK: {leak}"
        if self.bed.outside_state() != before:
            yield "the outside directory was changed"
        if session.policy_now() != session.policy_text:
            yield "the policy was changed"
        path = holds(session.state, self.bed.canary.encode())
        if path:
            yield f"the canary is in {path}"
        if alive(session.tag, 0.3 if session.leaves_process else 0):
            yield "a process outlived the session"
        records = session.records()
        if not log_matches(records, condition):
            seen = [{k: r.get(k) for k in ("event", "verdict", "host", "port", "reason")}
                    for r in records]
            yield f"no log record with {condition}; there are: {seen}"[:1500]

    def row(self, row, title, policy, attempt, expect, condition, control):
        self.number += 1
        name = f"{self.number} - {row} {title} [{self.bed.user}]"
        session = Session(self.bed, policy)
        session.leaves_process = " daemon " in attempt
        before = self.bed.outside_state()
        self.world.mark()
        got = session.inside(attempt)
        found = list(self.problems(session, self.world.since(), before, expect, got, condition))
        proof, why, _ = self.control(control, attempt)
        if proof != "ESCAPED" and not found:
            # Refused outside too: then only an answer that the kernel did not give proves anything.
            if proof == "DENIED" and why != got[1] and control == "outside":
                proof = "ESCAPED"
            elif proof == "DENIED" and control.startswith("outside"):
                print(f"ok {name} # SKIP the control is refused on this host: {why}", flush=True)
                return
        if proof != "ESCAPED":
            found.append(f"control `{control}` should escape: {proof} {why}")
        print(("not ok " if found else "ok ") + name, flush=True)
        for problem in found:
            print(f"#   {problem}", flush=True)
        self.failed += bool(found)
        if not found:
            shutil.rmtree(session.dir, ignore_errors=True)


def rows_of(path, only):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                fields = line.rstrip("\n").split("\t")
                if len(fields) != 7:
                    sys.exit(f"{path}: {len(fields)} fields: {line}")
                if not only or re.match(only, fields[0]):
                    yield fields


def main():
    arg = argparse.ArgumentParser()
    arg.add_argument("table", help="a .tsv file")
    arg.add_argument("--stockade", required=True)
    arg.add_argument("--world", required=True, help="world.py's log")
    arg.add_argument("--ca", required=True)
    arg.add_argument("--dir", required=True)
    arg.add_argument("--user", choices=["root", "user"], default="root")
    arg.add_argument("--only", help="rows whose id matches this expression")
    arg.add_argument("--start", type=int, default=0, help="number of the last test printed")
    opt = arg.parse_args()
    os.umask(0o022)
    rows = list(rows_of(opt.table, opt.only))
    runner = Runner(opt)
    try:
        for row in rows:
            runner.row(*row)
    finally:
        runner.bed.done()
    sys.exit(runner.failed > 0)


main()
