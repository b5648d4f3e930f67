#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The whole outside world, on the loopback of a network namespace made for one test.

lib.sh gives that namespace a route that makes every address local, so this one process answers at
any address: it is origin, canary and DNS server at once, and writes every contact to --log as one
JSON line.  Nothing leaves the namespace.

  {"kind": "tcp",  "addr": ADDRESS REACHED, "port": N}                 a connection was accepted
  {"kind": "http", "addr", "port", "tls", "sni", "method", "target", "headers": {name: [values]}}
  {"kind": "udp",  "addr", "port", "hex"}                              a datagram arrived
  {"kind": "dns",  "name", "type", "via": "udp"|"tcp"}                 a question arrived

Every HTTP answer carries the marker WORLD-REACHED, every datagram is answered with it: an attempt
that reads the marker has escaped.  Addresses of NAMES are the good origins; a contact with any
other address from inside a sandbox is a leak, which the attack runner looks for.
"""
import argparse
import asyncio
import ipaddress
import json
import os
import socket
import ssl
import struct
import time

MARKER = "WORLD-REACHED"
TCP_PORTS = [21, 22, 25, 53, 80, 443, 853, 2375, 3128, 6379, 8080, 8443, 9229]
TLS_PORTS = [443, 853, 8443]
UDP_PORTS = [53, 123, 443, 853, 5353, 5355, 9999]
HEAD_MAX = 256 * 1024

# name -> addresses.  Public ones stand for the Internet; "ssrf" names answer what they should not.
NAMES = {
    "allowed.test": ["45.33.32.10"],
    "second.test": ["45.33.32.11"],
    "paths.test": ["45.33.32.12"],
    "methods.test": ["45.33.32.13"],
    "a.suffix.test": ["45.33.32.14"],
    "tunnel.test": ["45.33.32.15"],
    "api.test": ["45.33.32.30"],
    "other-api.test": ["45.33.32.31"],
    "expired.test": ["45.33.32.20"],
    "selfsigned.test": ["45.33.32.21"],
    "wrongname.test": ["45.33.32.22"],
    "evil.test": ["45.33.32.66"],
    "notsuffix.test": ["45.33.32.67"],
    "suffix.test.evil.test": ["45.33.32.68"],
    "dual.test": ["45.33.32.10", "2606:4700::10"],
    "ok.ssrf.test": ["45.33.32.16"],
    "mixed.ssrf.test": ["45.33.32.10", "10.0.0.5"],
    "mixed6.ssrf.test": ["45.33.32.10", "fd00:ec2::254"],
    "loop.ssrf.test": ["127.0.0.1"],
    "loop6.ssrf.test": ["::1"],
    "zero.ssrf.test": ["0.0.0.0"],
    "private.ssrf.test": ["10.0.0.5"],
    "private172.ssrf.test": ["172.16.5.5"],
    "private192.ssrf.test": ["192.168.1.1"],
    "link.ssrf.test": ["169.254.169.254"],
    "ecs.ssrf.test": ["169.254.170.2"],
    "cgnat.ssrf.test": ["100.64.0.9"],
    "alibaba.ssrf.test": ["100.100.100.200"],
    "bench.ssrf.test": ["198.18.0.9"],
    "ietf.ssrf.test": ["192.0.0.8"],
    "multicast.ssrf.test": ["224.0.0.9"],
    "reserved.ssrf.test": ["240.0.0.9"],
    "broadcast.ssrf.test": ["255.255.255.255"],
    "ula.ssrf.test": ["fd12::1"],
    "ec2v6.ssrf.test": ["fd00:ec2::254"],
    "linklocal6.ssrf.test": ["fe80::1"],
    "mapped.ssrf.test": ["::ffff:169.254.169.254"],
    "nat64.ssrf.test": ["64:ff9b::a9fe:a9fe"],
    "sixtofour.ssrf.test": ["2002:a9fe:a9fe::"],
    "metadata.google.internal": ["169.254.169.254"],
}
# Answers by turns, TTL 0: ANY-rebind.ssrf.test is harmless at the first look-up, then it is not.
REBIND, TURNS = "-rebind.ssrf.test", [["45.33.32.10"], ["127.0.0.1"]]


class World:
    def __init__(self, opt):
        self.opt = opt
        self.out = open(opt.log, "a", buffering=1, encoding="utf-8")
        self.turn = {}
        self.sni = {}

    def note(self, **entry):
        entry["time"] = time.time()
        self.out.write(json.dumps(entry) + "\n")

    # --- DNS

    def answer(self, query, via):
        if len(query) < 17:
            return None
        labels, at = [], 12
        while at < len(query) and query[at]:
            length = query[at]
            labels.append(query[at + 1:at + 1 + length].decode("latin-1"))
            at += length + 1
        question = query[12:at + 5]
        kind = struct.unpack(">H", query[at + 1:at + 3])[0]
        name = ".".join(labels).lower()
        self.note(kind="dns", name=name, type=kind, via=via)
        if name.endswith(REBIND):
            turn = self.turn.get((name, kind), 0)
            self.turn[(name, kind)] = turn + 1
            addresses = TURNS[min(turn, len(TURNS) - 1)]
        elif name in NAMES:
            addresses = NAMES[name]
        elif name.endswith(".evil.test"):
            addresses = NAMES["evil.test"]
        else:
            return query[:2] + b"\x81\x83" + query[4:6] + b"\0\0\0\0\0\0" + question
        records = b""
        count = 0
        for text in addresses:
            packed = ipaddress.ip_address(text).packed
            if kind == (1 if len(packed) == 4 else 28):
                records += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(packed)) + packed
                count += 1
        return (query[:2] + b"\x81\x80\0\1" + struct.pack(">H", count) + b"\0\0\0\0" +
                question + records)

    # --- HTTP

    async def stream(self, reader, writer):
        addr, port = writer.get_extra_info("sockname")[:2]
        tls = writer.get_extra_info("ssl_object")
        self.note(kind="tcp", addr=addr, port=port)
        try:
            if port == 53:
                await self.dns_stream(reader, writer)
                return
            while await self.exchange(reader, writer, addr, port, tls):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass
        finally:
            writer.close()

    async def dns_stream(self, reader, writer):
        size = struct.unpack(">H", await reader.readexactly(2))[0]
        reply = self.answer(await reader.readexactly(size), "tcp")
        writer.write(struct.pack(">H", len(reply)) + reply)
        await writer.drain()

    async def exchange(self, reader, writer, addr, port, tls):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.split("\r\n")
        method, target, _ = line.split(" ", 2)
        headers = {}
        for field in rest:
            if ":" in field:
                name, value = field.split(":", 1)
                headers.setdefault(name.strip().lower(), []).append(value.strip())
        self.note(kind="http", addr=addr, port=port, tls=bool(tls),
                  sni=self.sni.get(tls) if tls else None, method=method, target=target,
                  headers=headers)
        length = int(headers.get("content-length", ["0"])[0])
        if "transfer-encoding" in headers:
            while True:
                size = int((await reader.readline()).split(b";")[0], 16)
                await reader.readexactly(size + 2)
                if size == 0:
                    break
        elif length:
            await reader.readexactly(length)
        path = target.split("?", 1)[0]
        if path == "/redirect":
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: " +
                         target.split("to=", 1)[1].encode() + b"\r\nContent-Length: 0\r\n\r\n")
        elif path == "/upgrade":
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                         b"Connection: upgrade\r\n\r\n" + MARKER.encode() + b"-101\n")
            self.note(kind="after-101", hex=(await reader.read(4096)).hex())
            return False
        elif path == "/endless":
            await self.endless(writer)
        else:
            body = json.dumps({"marker": MARKER, "addr": addr, "port": port, "target": target,
                               "headers": headers}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                         b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        return headers.get("connection", [""])[0].lower() != "close"

    async def endless(self, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            data = b"data: " + b"x" * 65000 + b"\n\n"
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()

    # --- listeners

    def contexts(self):
        """One context a host, chosen by SNI; a name that is not ours gets the good one."""
        made = {}
        for name in ("good", "expired", "selfsigned", "wrongname"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(os.path.join(self.opt.certs, name + ".pem"))
            context.set_alpn_protocols(["http/1.1"])
            made[name] = context

        def choose(tls, name, _):
            self.sni[tls] = name
            first = (name or "").split(".")[0]
            tls.context = made.get(first, made["good"])

        made["good"].sni_callback = choose
        return made["good"]

    async def main(self):
        context = self.contexts()
        for family, anywhere in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            for port in TCP_PORTS + self.opt.tcp:
                sock = socket.socket(family, socket.SOCK_STREAM)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.bind((anywhere, port))
                sock.listen(4096)
                sock.setblocking(False)
                await asyncio.start_server(self.stream, sock=sock, limit=HEAD_MAX,
                                           ssl=context if port in TLS_PORTS else None)
            for port in UDP_PORTS:
                sock = socket.socket(family, socket.SOCK_DGRAM)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
                    sock.setsockopt(socket.IPPROTO_IPV6, 78, 1)  # IPV6_FREEBIND, for the answer
                else:
                    sock.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO
                sock.bind((anywhere, port))
                sock.setblocking(False)
                asyncio.get_running_loop().add_reader(sock, self.datagram, sock, family, port)
        if self.opt.ready:
            with open(self.opt.ready, "w", encoding="utf-8") as out:
                out.write("ready\n")
        await asyncio.Event().wait()

    def datagram(self, sock, family, port):
        """Answers from the address that was asked, as a client expects."""
        data, info, _, peer = sock.recvmsg(4096, 256)
        local = "?"
        for level, kind, value in info:
            if family == socket.AF_INET and kind == 8:
                local = socket.inet_ntop(family, value[8:12])
                info = [(level, kind, struct.pack("=i4s4s", 0, value[8:12], b"\0" * 4))]
            elif family == socket.AF_INET6 and kind == socket.IPV6_PKTINFO:
                local = socket.inet_ntop(family, value[:16])
                info = [(level, kind, value[:16] + b"\0" * 4)]
        if port == 53:
            reply = self.answer(data, "udp")
        else:
            self.note(kind="udp", addr=local, port=port, hex=data[:64].hex())
            reply = MARKER.encode()
        if reply:
            try:
                sock.sendmsg([reply], info, 0, peer)
            except OSError:
                pass


arg = argparse.ArgumentParser()
arg.add_argument("--log", required=True)
arg.add_argument("--certs", required=True, help="directory with good/expired/... .pem")
arg.add_argument("--ready", help="file written once everything listens")
arg.add_argument("--tcp", type=int, action="append", default=[], help="one more TCP port")
asyncio.run(World(arg.parse_args()).main())
