# SPDX-License-Identifier: Apache-2.0
"""Runs inside the sandbox: where connections arrive. Arguments: who, redirect or ports, host port."""
import errno, fcntl, os, socket, struct, sys

who, mode, host_port = sys.argv[1], sys.argv[2], int(sys.argv[3])


def says(what, expected, f):
    try:
        got = f()
    except OSError as e:
        got = errno.errorcode.get(e.errno, str(e))
    print(f"{'ok' if got == expected else 'not ok'} - {who}: {what}" + ("" if got == expected else f" (expected {expected!r}, got {got!r})"))


def tcp(host, port):
    def f():
        s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        s.settimeout(3)
        s.connect((host, port))
        return s.recv(200).decode().strip()
    return f


def udp(host, port, family=socket.AF_INET):
    def f():
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.settimeout(1)
        s.connect((host, port)) if port != 53 else None
        s.sendto(b"query", (host, port)) if port == 53 else s.send(b"query")
        return s.recvfrom(100)[0].decode()
    return f


def unix():
    s = socket.socket(socket.AF_UNIX)
    s.connect("/run/stockade/gateway.sock")
    return s.recv(200).decode().split(" to ")[0]


if mode == "none":
    says("without network: no route", "ENETUNREACH", tcp("192.0.2.7", 443))
    says("... nor for UDP", "ENETUNREACH", udp("192.0.2.7", 53))
    says("... nor IPv6", "ENETUNREACH", tcp("2001:db8::1", 443))
    says("N36 the host's loopback is another one", "ECONNREFUSED", tcp("127.0.0.1", host_port))
    sys.exit()
says("any IPv4 address, port 443", "kind 0 to 192.0.2.7 port 443", tcp("192.0.2.7", 443))
says("any IPv6 address, port 443", "kind 1 to 2001:db8::1 port 443", tcp("2001:db8::1", 443))
if mode == "redirect":
    says("any port", "kind 0 to 192.0.2.7 port 61234", tcp("192.0.2.7", 61234))
    says("N13 another host's proxy port", "kind 0 to 192.0.2.7 port 3128", tcp("192.0.2.7", 3128))
else:
    says("a port that is not listed", "ECONNREFUSED", tcp("192.0.2.7", 61234))
says("the proxy", "kind 2 to 198.18.0.1 port 3128", tcp("198.18.0.1", 3128))
says("SOCKS", "kind 3 to 198.18.0.1 port 1080", tcp("198.18.0.1", 1080))
says("another port of the gateway's address",
     "ECONNREFUSED" if mode == "redirect" else "kind 0 to 198.18.0.1 port 443",
     tcp("198.18.0.1", 81 if mode == "redirect" else 443))
says("the Unix socket", "kind 4", unix)
says("DNS at 198.18.0.2", "query", udp("198.18.0.2", 53))
says("DNS at 8.8.8.8", "query", udp("8.8.8.8", 53))
says("DNS over IPv6", "query", udp("2001:4860:4860::8888", 53, socket.AF_INET6))
says("N11 QUIC", "ECONNREFUSED", udp("192.0.2.7", 443))
says("N10 NTP", "ECONNREFUSED", udp("192.0.2.7", 123))
says("N36 the host's loopback is another one", "ECONNREFUSED", tcp("127.0.0.1", host_port))
says("metadata goes to the gateway, as all else", "kind 0 to 169.254.169.254 port 80" if mode == "redirect" else
     "ECONNREFUSED", tcp("169.254.169.254", 80))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
says("take lo down", "EPERM", lambda: fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0)))
says("give lo an address", "EPERM", lambda: fcntl.ioctl(
    s, 0x8916, struct.pack("16sHH4s8x", b"lo", socket.AF_INET, 0, socket.inet_aton("10.0.0.1"))))
says("add a route", "EPERM", lambda: fcntl.ioctl(s, 0x890B, b"\0" * 120))
says("iptables", "EPERM", lambda: s.setsockopt(socket.SOL_IP, 64, b"\0" * 120))
