# SPDX-License-Identifier: Apache-2.0
"""Attempts on the network, run INSIDE the sandbox (and outside, as the control).

Prints "VERDICT DENIED|ESCAPED|ERROR why" last.  ESCAPED means that the marker which only the world
sends was read; DENIED that the attempt was refused or ended; ERROR that nothing can be said (a
time-out, a bug here, an attempt that could not be made): never a pass.

  reach URL [options]     one request; --via direct|proxy|connect|socks|unix
  pair HOST RAW1 RAW2     two requests on one connection; verdict on the second
  raw HOST PORT BYTES     these bytes (Python escapes); DENIED needs a 4xx
  udp ADDRESS PORT [HEX]  a datagram, unconnected; silence is DENIED
  resolve NAME [SERVER]   a DNS question; a made-up or no address is DENIED
  dns-tcp NAME SERVER     the same over TCP
  socks-raw NAME PORT     SOCKS5 with a domain name in Python escapes
"""
import argparse
import ipaddress
import json
import os
import socket
import ssl
import struct
import sys
import urllib.parse

MARKER = b"WORLD-" + b"REACHED"
GATEWAY = "198.18.0.1"
PROXY, SOCKS = (GATEWAY, 3128), (GATEWAY, 1080)
WAIT = 8


def verdict(word, why=""):
    print("VERDICT", word, str(why).replace("\n", " ")[:300], flush=True)
    sys.exit(0)


def unescape(text):
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1")


class Denied(Exception):
    pass


def dial(host, port):
    last = None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise Denied(f"name: {error}") from error
    for family, kind, proto, _, address in found:
        sock = socket.socket(family, kind, proto)
        sock.settimeout(WAIT)
        try:
            sock.connect(address)
            return sock
        except socket.timeout:
            raise
        except OSError as error:
            last = error
            sock.close()
    raise Denied(f"connect: {last}")


def read_head(sock):
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            raise Denied("closed: " + repr(data[:80]))
        data += more
    return data


def socks_connect(sock, name, port):
    sock.sendall(b"\x05\x01\x00")
    if sock.recv(2) != b"\x05\x00":
        raise Denied("socks greeting")
    sock.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + struct.pack(">H", port))
    reply = sock.recv(64)
    if len(reply) < 2 or reply[1] != 0:
        raise Denied(f"socks reply {reply[1:2].hex() or 'closed'}")


def open_way(opt, host, port):
    """A connection that should lead to host:port."""
    if opt.connect_to:
        host, _, text = opt.connect_to.rpartition(":")
        port = int(text)
    if opt.via == "direct":
        return dial(host, port)
    if opt.via == "unix":
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(WAIT)
        try:
            sock.connect(os.environ.get("ANTHROPIC_UNIX_SOCKET", "/run/stockade/gateway.sock"))
        except OSError as error:
            raise Denied(f"unix: {error}") from error
        return sock
    if opt.via == "socks":
        sock = dial(*SOCKS)
        socks_connect(sock, host.encode("latin-1"), port)
        return sock
    sock = dial(*PROXY)
    if opt.via == "connect":
        shown = f"[{host}]" if ":" in host else host
        extra = "".join(f"{line}\r\n" for line in opt.connect_header)
        sock.sendall(f"CONNECT {shown}:{port} HTTP/1.1\r\nHost: {shown}:{port}\r\n{extra}\r\n"
                     .encode("latin-1"))
        head = read_head(sock)
        if b" 200 " not in head.split(b"\r\n")[0] + b" ":
            raise Denied(head.split(b"\r\n")[0].decode("latin-1"))
    return sock


def request(opt, url):
    path = url.path or "/"
    if url.query:
        path += "?" + url.query
    target = path
    if opt.via == "proxy":
        target = f"{url.scheme}://{url.netloc}{path}"
    lines = [f"{opt.method} {target} HTTP/1.1", f"Host: {opt.host or url.netloc}"]
    return "\r\n".join(lines + opt.header + ["Connection: close", "", ""]).encode("latin-1")


def read_all(sock, enough=1 << 20):
    data = b""
    while len(data) < enough:
        try:
            more = sock.recv(65536)
        except ConnectionError:
            break
        except socket.timeout:
            if MARKER in data:  # an answer, and the connection is kept
                break
            raise
        if not more:
            break
        data += more
    return data


def fetch(opt, text):
    url = urllib.parse.urlsplit(text)
    tls = url.scheme == "https" and opt.via != "proxy"
    sock = open_way(opt, url.hostname, url.port or (443 if url.scheme == "https" else 80))
    if tls:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the attacker's own server would not verify
        name = None if opt.sni == "-" else (opt.sni or url.hostname)
        try:
            sock = context.wrap_socket(sock, server_hostname=name)
        except (ssl.SSLError, ConnectionError) as error:
            raise Denied(f"tls: {error}") from error
    sock.sendall(request(opt, url))
    return read_all(sock)


def judge(data, opt):
    head, _, body = data.partition(b"\r\n\r\n")
    if MARKER in body:
        if opt.only_addr and f'"addr": "{opt.only_addr}"'.encode() in body:
            verdict("DENIED", f"only {opt.only_addr} was reached")
        for item in opt.without:
            if item.encode() in body:
                verdict("ESCAPED", f"the world saw {item}")
        if opt.without:
            verdict("DENIED", "the world did not see it")
        if opt.same_target:
            seen = json.loads(body)["target"]
            if seen == opt.same_target:
                verdict("DENIED", "matched what the upstream saw")
        verdict("ESCAPED", body[:200].decode("latin-1"))
    if not data and opt.status:
        verdict("ERROR", f"closed without a byte, wanted {opt.status}")
    if not data:
        verdict("DENIED", "closed without a byte")
    line = head.split(b"\r\n")[0].decode("latin-1")
    status = line.split(" ")[1] if " " in line else ""
    if opt.status and status not in opt.status.split("|"):
        verdict("ERROR", f"wanted {opt.status}: {line}")
    if opt.explains and opt.explains.encode() not in data:
        verdict("ERROR", f"refused without {opt.explains!r}: {data[:200]!r}")
    if status[:1] in ("4", "5") or not status:
        verdict("DENIED", line)
    if status[:1] == "3" and opt.follow:
        for field in head.split(b"\r\n"):
            if field.lower().startswith(b"location:"):
                opt.follow = False
                judge(fetch(opt, field.split(b":", 1)[1].strip().decode()), opt)
    verdict("ERROR", f"no marker and no refusal: {line}")


def cmd_reach(opt):
    for _ in range(opt.times - 1):
        try:
            fetch(opt, opt.args[0])
        except Denied:
            pass
    judge(fetch(opt, opt.args[0]), opt)


def cmd_raw(opt):
    sock = dial(*PROXY) if opt.via == "proxy" else dial(opt.args[0], int(opt.args[1]))
    sock.sendall(unescape(opt.args[2]))
    data = read_all(sock)
    if opt.mark:
        if opt.mark.encode() in data:
            verdict("ESCAPED", opt.mark)
        verdict("DENIED", data.split(b"\r\n")[0].decode("latin-1") or "closed")
    judge(data, opt)


def one_response(sock, data):
    """(status, body, rest) of one Content-Length response."""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            raise Denied("closed before an answer")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    length = 0
    for field in head.lower().split(b"\r\n"):
        if field.startswith(b"content-length:"):
            length = int(field.split(b":")[1])
    while len(rest) < length:
        more = sock.recv(65536)
        if not more:
            break
        rest += more
    return head.split(b" ")[1].decode(), rest[:length], rest[length:]


def cmd_pair(opt):
    sock = dial(*PROXY) if opt.via == "proxy" else dial(opt.args[0], 80)
    first, second = unescape(opt.args[1]), unescape(opt.args[2])
    sock.sendall(first + second if opt.at_once else first)
    try:
        status, body, rest = one_response(sock, b"")
    except Denied as error:
        verdict("ERROR", f"first request: {error}")
    if MARKER not in body:
        verdict("ERROR", f"the first request should pass: {status} {body[:100]!r}")
    try:
        if not opt.at_once:
            sock.sendall(second)
        status, body, _ = one_response(sock, rest)
    except (Denied, ConnectionError) as error:
        verdict("DENIED", error)
    verdict("ESCAPED" if MARKER in body else "DENIED", f"{status} {body[:100]!r}")


def cmd_udp(opt):
    address, port = opt.args[0], int(opt.args[1])
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.settimeout(1)
        sock.sendto(bytes.fromhex(opt.args[2]) if len(opt.args) > 2 else b"out", (address, port))
        data = sock.recv(4096)
    except socket.timeout:
        verdict("DENIED", "silence")
    except OSError as error:
        verdict("DENIED", error)
    verdict("ESCAPED" if MARKER in data else "DENIED", data[:60])


MADE_UP = [ipaddress.ip_network(text) for text in ("198.18.0.0/15", "fc00::/7")]


def question(name):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"


def judge_dns(reply):
    if len(reply) < 12:
        verdict("DENIED", "no answer")
    count = struct.unpack(">H", reply[6:8])[0]
    if reply[3] & 15 or not count:
        verdict("DENIED", f"rcode {reply[3] & 15}, {count} answers")
    address = ipaddress.ip_address(reply[-4:])
    made_up = any(address in block for block in MADE_UP if block.version == address.version)
    verdict("DENIED" if made_up else "ESCAPED", address)


def cmd_resolve(opt):
    server = opt.args[1] if len(opt.args) > 1 else "198.18.0.2"
    try:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.settimeout(3)
        sock.sendto(question(opt.args[0]), (server, 53))
        judge_dns(sock.recv(4096))
    except socket.timeout:
        verdict("ERROR", "DNS hangs: a refusal should be prompt")
    except OSError as error:
        verdict("DENIED", error)


def cmd_dns_tcp(opt):
    sock = dial(opt.args[1], 53)
    query = question(opt.args[0])
    try:
        sock.sendall(struct.pack(">H", len(query)) + query)
        reply = read_all(sock)
    except ConnectionError as error:
        verdict("DENIED", error)
    if reply[:5] == b"HTTP/":
        verdict("DENIED", reply.split(b"\r\n")[0].decode("latin-1"))
    judge_dns(reply[2:])


def cmd_socks_raw(opt):
    sock = dial(*SOCKS)
    socks_connect(sock, unescape(opt.args[0]), int(opt.args[1]))
    sock.sendall(b"GET / HTTP/1.1\r\nHost: allowed.test\r\nConnection: close\r\n\r\n")
    judge(read_all(sock), opt)


def main():
    arg = argparse.ArgumentParser()
    arg.add_argument("command")
    arg.add_argument("args", nargs="*")
    arg.add_argument("--via", default="direct")
    arg.add_argument("--connect-to", help="HOST:PORT dialled or named to the proxy instead")
    arg.add_argument("--connect-header", action="append", default=[])
    arg.add_argument("--sni", help="server name, '-' for none")
    arg.add_argument("--host", help="Host header")
    arg.add_argument("--header", action="append", default=[])
    arg.add_argument("--method", default="GET")
    arg.add_argument("--follow", action="store_true", help="follow one redirect")
    arg.add_argument("--times", type=int, default=1, help="verdict on the last of N")
    arg.add_argument("--only-addr", help="reaching this address is no escape")
    arg.add_argument("--without", action="append", default=[],
                     help="escape only if the world saw this text")
    arg.add_argument("--same-target", help="no escape if the upstream saw exactly this target")
    arg.add_argument("--status", help="a refusal must have one of these, a|b")
    arg.add_argument("--explains", help="text that the refusal must contain")
    arg.add_argument("--mark", help="raw: escape means this text in the answer")
    arg.add_argument("--at-once", action="store_true", help="pair: both in one write")
    opt = arg.parse_intermixed_args()
    command = globals()["cmd_" + opt.command.replace("-", "_")]
    try:
        command(opt)
    except Denied as error:
        verdict("DENIED", error)
    except socket.timeout:
        verdict("ERROR", f"no answer in {WAIT} s: a refusal should be prompt")
    except ConnectionError as error:
        verdict("DENIED", error)


try:
    main()
except Exception as bug:  # whatever else happens says nothing about the sandbox
    verdict("ERROR", repr(bug))
