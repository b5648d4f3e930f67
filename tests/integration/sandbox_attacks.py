# SPDX-License-Identifier: Apache-2.0
"""Runs inside the sandbox as the agent would: each attempt names its row and what must refuse it."""
import ctypes, errno, os, socket, struct, fcntl, stat, sys, termios

libc = ctypes.CDLL(None, use_errno=True)
who = sys.argv[1]
work = sys.argv[2]  # a writable tree of the host


def call(nr, *args):
    ctypes.set_errno(0)
    r = libc.syscall(ctypes.c_long(nr), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    if r < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return r


def attempt(row, what, f, *expect):
    try:
        got = f()
        print(f"not ok - {who}: {row} {what} (it succeeded: {got!r})")
    except OSError as e:
        if e.errno in expect:
            print(f"ok - {who}: {row} {what}")
        else:
            print(f"not ok - {who}: {row} {what} (got {errno.errorcode.get(e.errno)})")


def works(row, what, f):
    try:
        r = f()
        print(f"{'ok' if r is None or r else 'not ok'} - {who}: {row} {what}")
    except Exception as e:
        print(f"not ok - {who}: {row} {what} ({e})")


def write(path, flags=0):
    def f():
        fd = os.open(path, os.O_WRONLY | flags, 0o600)
        os.write(fd, b"x")
    return f


def child(f):
    """Runs f in a child; the signal that killed it, or -exit code."""
    pid = os.fork()
    if pid == 0:
        try:
            f()
        except OSError as e:
            os._exit(min(e.errno, 255))
        os._exit(0)
    st = os.waitpid(pid, 0)[1]
    return os.WTERMSIG(st) if os.WIFSIGNALED(st) else -os.WEXITSTATUS(st)


P, A, R, N = errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOENT
buf = ctypes.create_string_buffer(4096)
x86 = os.uname().machine == "x86_64"

# F: files
attempt("F02", "write through a symlink in the workspace", write(work + "/out"), N, A, R)
attempt("F02", "create through a symlink in the workspace", write(work + "/out", os.O_CREAT), N, A, R)
attempt("F13", "mknod block", lambda: os.mknod("/tmp/b", stat.S_IFBLK | 0o600, os.makedev(8, 0)), P, A)
attempt("F13", "mknod char", lambda: os.mknod("/tmp/c", stat.S_IFCHR | 0o600, os.makedev(1, 1)), P, A)
for d in ("/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda", "/dev/kvm", "/dev/net/tun", "/dev/fuse"):
    attempt("F13", "open " + d, lambda: os.open(d, os.O_RDONLY), N, A, P)
attempt("F14", "/proc/1/root", lambda: os.listdir("/proc/1/root"), A, P)
attempt("F14", "/proc/1/cwd", lambda: os.readlink("/proc/1/cwd"), A, P)
attempt("F14", "/proc/1/fd/3", lambda: os.readlink("/proc/1/fd/3"), A, P)
attempt("F14", "open /proc/1/fd/3", lambda: os.open("/proc/1/fd/3", os.O_RDONLY), A, P, errno.ENXIO)
works("F14", "no inherited descriptor", lambda: sorted(os.listdir("/proc/self/fd")) == ["0", "1", "2", "3"])
for f in ("sys/kernel/core_pattern", "sysrq-trigger", "sys/kernel/hostname", "sys/vm/drop_caches",
          "sys/user/max_user_namespaces", "sys/net/ipv4/ip_forward", "1/oom_score_adj", "self/mem"):
    attempt("F15", "write /proc/" + f, write("/proc/" + f), A, P, R, N)
attempt("F15", "/sys is not there", lambda: os.listdir("/sys"), N, A)
attempt("F15", "write to the root", write("/x", os.O_CREAT), R, A)
attempt("F15", "write to /usr", write("/usr/x", os.O_CREAT), R, A)
attempt("F15", "write to /etc/passwd", write("/etc/passwd"), R, A)
attempt("F15", "write to /dev", write("/dev/x", os.O_CREAT), R, A)
MOUNT, UMOUNT, PIVOT, CHROOT = (165, 166, 155, 161) if x86 else (40, 39, 41, 51)
attempt("F16", "remount", lambda: call(MOUNT, b"none", b"/usr", None, 32 | 4096, None), P)
attempt("F16", "mount tmpfs", lambda: call(MOUNT, b"t", b"/tmp", b"tmpfs", 0, None), P)
attempt("F16", "umount", lambda: call(UMOUNT, b"/proc", 2), P)
attempt("F16", "pivot_root", lambda: call(PIVOT, b"/tmp", b"/tmp"), P)
attempt("F16", "chroot", lambda: call(CHROOT, b"/tmp"), P)
for name, nr in (("open_tree", 428), ("move_mount", 429), ("fsopen", 430), ("fsconfig", 431),
                 ("fsmount", 432), ("fspick", 433), ("mount_setattr", 442)):
    attempt("F16", name, lambda: call(nr, -100, b"/", 1, 0, 0), P)
attempt("F27", "open_by_handle_at", lambda: call(304 if x86 else 265, -100, buf, 0), P)
attempt("F27", "name_to_handle_at", lambda: call(303 if x86 else 264, -100, b"/usr", buf, buf, 0), P)

# P: processes
for s in ("/run/docker.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket"):
    attempt("P01", "connect " + s, lambda: socket.socket(socket.AF_UNIX).connect(s), N, A)
for s in ("\0/tmp/.X11-unix/X0", "\0stockade-test"):
    attempt("P04", "abstract socket " + s[1:], lambda: socket.socket(socket.AF_UNIX).connect(s),
            errno.ECONNREFUSED, P)
# Either our list refuses (EPERM), or there is no terminal to ask (ENOTTY never: the list is first).
attempt("P08", "TIOCSTI", lambda: fcntl.ioctl(0, termios.TIOCSTI, b"x"), P)
attempt("P08", "TIOCLINUX", lambda: fcntl.ioctl(0, 0x541C, b"\x02"), P)
attempt("P08", "TIOCSETD", lambda: fcntl.ioctl(0, 0x5423, struct.pack("i", 0)), P)
if x86:
    works("P09", "x32 is killed", lambda: child(lambda: call(0x40000000 | 39)) == 31)
attempt("P10", "io_uring_setup", lambda: call(425, 8, buf), P)
attempt("P10", "io_uring_enter", lambda: call(426, 0, 0, 0, 0, None, 0), P)
UNSHARE, SETNS, CLONE = (272, 308, 56) if x86 else (97, 268, 220)
for name, flag in (("user", 0x10000000), ("mount", 0x20000), ("pid", 0x20000000), ("net", 0x40000000)):
    attempt("P11", "unshare " + name, lambda: call(UNSHARE, flag), P)
    attempt("P11", "clone " + name, lambda: call(CLONE, flag | 17, 0, 0, 0, 0), P)
attempt("P11", "clone3", lambda: call(435, buf, 88), errno.ENOSYS)
attempt("P11", "setns", lambda: call(SETNS, os.open("/proc/self/ns/net", 0), 0), P)
PTRACE, READV, WRITEV, KCMP = (101, 310, 311, 312) if x86 else (117, 270, 271, 272)
attempt("P14", "ptrace attach to init", lambda: call(PTRACE, 16, 1, 0, 0), P)
attempt("P14", "process_vm_readv", lambda: call(READV, 1, buf, 1, buf, 1, 0), P)
attempt("P14", "process_vm_writev", lambda: call(WRITEV, 1, buf, 1, buf, 1, 0), P)
attempt("P14", "pidfd_getfd", lambda: call(438, os.pidfd_open(1), 0, 0), P)
attempt("P14", "kcmp", lambda: call(KCMP, 1, os.getpid(), 0, 0, 0), P)
for f in ("environ", "mem", "maps", "auxv"):
    attempt("C15", "/proc/1/" + f, lambda: open("/proc/1/" + f, "rb").read(1), A, P)
works("P14", "the host's processes are not there", lambda: len([p for p in os.listdir("/proc") if p.isdigit()]) < 8)
works("P14", "init survives SIGKILL from inside", lambda: os.kill(1, 9))
attempt("P19", "become root", lambda: os.setuid(0 if os.getuid() else 1), P, errno.EINVAL)
works("P19", "no_new_privs, no capabilities", lambda: [l.split()[1] for l in open("/proc/self/status")
      if l.startswith(("Cap", "NoNew"))] == ["0" * 16] * 5 + ["1"])
for name, fam in (("VSOCK", 40), ("PACKET", 17), ("NETLINK", 16), ("ALG", 38), ("KEY", 15), ("XDP", 44),
                  ("BLUETOOTH", 31), ("CAN", 29), ("TIPC", 30), ("IB", 27), ("QIPCRTR", 42)):
    attempt("P20", "AF_" + name, lambda: socket.socket(fam, socket.SOCK_RAW, 0), P)
attempt("P20", "raw IPv4", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1), P)
attempt("P20", "raw IPv6", lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58), P)
calls = {"bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "add_key": 248, "request_key": 249,
         "keyctl": 250, "kexec_load": 246, "kexec_file_load": 320, "init_module": 175, "finit_module": 313,
         "delete_module": 176, "swapon": 167, "swapoff": 168, "reboot": 169, "quotactl": 179,
         "acct": 163, "syslog": 103, "settimeofday": 164, "clock_settime": 227, "adjtimex": 159,
         "iopl": 172, "ioperm": 173, "modify_ldt": 154, "sethostname": 170, "setdomainname": 171,
         "vhangup": 153, "fanotify_init": 300, "lookup_dcookie": 212, "move_pages": 279,
         "migrate_pages": 256, "vmsplice": 278, "uselib": 134, "ustat": 136, "sysfs": 139,
         "nfsservctl": 180, "quotactl_fd": 443, "process_mrelease": 448} if x86 else {
         "bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "add_key": 217, "keyctl": 219,
         "kexec_load": 104, "init_module": 105, "swapon": 224, "reboot": 142, "quotactl": 60}
for name, nr in calls.items():
    attempt("P21", name, lambda: call(nr, 0, 0, 0, 0, 0), P)
works("P21", "a call too new for the list is ENOSYS", lambda: child(lambda: call(900)) == -errno.ENOSYS)
works("P22", "no core dump", lambda: __import__("resource").getrlimit(4) == (0, 0))

# What must go on working
works("ok", "write, rename, link, FIFO and socket in the workspace", lambda: [
    open(work + "/a", "w").write("x"), os.rename(work + "/a", work + "/b"), os.link(work + "/b", work + "/c"),
    os.mkfifo(work + "/f"), socket.socket(socket.AF_UNIX).bind(work + "/s"), os.truncate(work + "/b", 0)])
works("ok", "/tmp, /dev/shm, /dev/null, /dev/urandom", lambda: [
    open("/tmp/a", "w").write("x"), open("/dev/shm/a", "w").write("x"), open("/dev/null", "w").write("x"),
    len(open("/dev/urandom", "rb").read(8))])
works("ok", "threads, fork, exec", lambda: __import__("subprocess").check_output(["/bin/echo", "x"]) == b"x\n")
works("ok", "getaddrinfo without netlink", lambda: socket.getaddrinfo("127.0.0.1", 80))
server = socket.create_server(("127.0.0.1", 0))
works("ok", "localhost servers", lambda: [socket.create_connection(server.getsockname())])
