#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Stand-in for the Anthropic Messages API: test equipment, no part of the product.

It demands the real key (else 401 with the API's own error body), streams server-sent events and
plays one scripted turn: the first POST /v1/messages that offers a Bash tool is answered with a
tool_use of --command, the next one (which carries the tool_result) with a text.  Every request is
written to --log as one JSON line, headers with the key included: that is how a test learns what
reached the upstream.

Modes: normal; slow (one event every --ping-interval seconds, pings between); 401; 529.
Other paths: /echo (the request back as JSON), /redirect?to=URL, /big?bytes=N, anything else 404.
"""
import argparse
import json
import os
import socket
import ssl
import sys
import threading
import time
import urllib.parse
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_BODY = 64 << 20
LOCK = threading.Lock()


def error_body(kind, message):
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_standin"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "standin"
    opt = None

    def log_message(self, *args):
        pass

    def note(self, body, **more):
        entry = {
            "time": time.time(),
            "method": self.command,
            "path": self.path,
            "headers": {},
            "tls": isinstance(self.connection, ssl.SSLSocket),
            "length": len(body),
        }
        for name, value in self.headers.items():
            entry["headers"].setdefault(name.lower(), []).append(value)
        entry.update(more)
        if self.opt.log:
            with LOCK, open(self.opt.log, "a", encoding="utf-8") as out:
                out.write(json.dumps(entry) + "\n")

    def body(self):
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            parts, total = [], 0
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                total += size
                if total > MAX_BODY:
                    raise ValueError("body too long")
                parts.append(self.rfile.read(size))
                self.rfile.readline()
                if size == 0:
                    return b"".join(parts)
        return self.rfile.read(min(int(self.headers.get("content-length", 0)), MAX_BODY))

    def send_json(self, status, value, headers=()):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("request-id", "req_standin")
        for name, content in headers:
            self.send_header(name, content)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def authorized(self):
        keys = self.headers.get_all("x-api-key") or []
        return keys == [self.opt.key]

    # --- server-sent events, in chunks, each flushed at once

    def event(self, name, value):
        data = f"event: {name}\ndata: {json.dumps(value)}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def pause(self):
        if self.opt.mode == "slow":
            time.sleep(self.opt.ping_interval)
            self.event("ping", {"type": "ping"})

    def stream(self, block, deltas, stop):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("cache-control", "no-cache")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.event("message_start", {"type": "message_start", "message": {
            "id": "msg_standin", "type": "message", "role": "assistant", "content": [],
            "model": "claude-standin", "stop_reason": None, "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1}}})
        self.event("ping", {"type": "ping"})
        self.pause()
        self.event("content_block_start",
                   {"type": "content_block_start", "index": 0, "content_block": block})
        for delta in deltas:
            self.pause()
            self.event("content_block_delta",
                       {"type": "content_block_delta", "index": 0, "delta": delta})
        self.event("content_block_stop", {"type": "content_block_stop", "index": 0})
        self.event("message_delta", {"type": "message_delta",
                                     "delta": {"stop_reason": stop, "stop_sequence": None},
                                     "usage": {"output_tokens": 7}})
        self.event("message_stop", {"type": "message_stop"})
        self.wfile.write(b"0\r\n\r\n")

    def text(self, text, stream):
        if not stream:
            self.send_json(200, {
                "id": "msg_standin", "type": "message", "role": "assistant",
                "model": "claude-standin", "content": [{"type": "text", "text": text}],
                "stop_reason": "end_turn", "stop_sequence": None,
                "usage": {"input_tokens": 1, "output_tokens": 1}})
            return
        half = len(text) // 2
        self.stream({"type": "text", "text": ""},
                    [{"type": "text_delta", "text": part} for part in (text[:half], text[half:])],
                    "end_turn")

    def tool(self):
        whole = json.dumps({"command": self.opt.command, "description": "scripted"})
        half = len(whole) // 2
        self.stream({"type": "tool_use", "id": "toolu_standin", "name": "Bash", "input": {}},
                    [{"type": "input_json_delta", "partial_json": part}
                     for part in (whole[:half], whole[half:])], "tool_use")

    @staticmethod
    def tool_result(request):
        """The text of the last message's tool_result, or None."""
        messages = request.get("messages") or [{}]
        content = messages[-1].get("content")
        if not isinstance(content, list):
            return None
        for block in content:
            if block.get("type") == "tool_result":
                inner = block.get("content", "")
                if isinstance(inner, list):
                    inner = "".join(part.get("text", "") for part in inner)
                return inner
        return None

    def plain(self, raw):
        """The body as JSON text: the client gzips it when the URL names the API's own host."""
        if self.headers.get("content-encoding") != "gzip":
            return raw
        return zlib.decompressobj(wbits=31).decompress(raw, MAX_BODY)

    def messages(self, raw):
        try:
            request = json.loads(self.plain(raw))
        except (ValueError, zlib.error):
            self.note(raw)
            self.send_json(400, error_body("invalid_request_error", "not JSON"))
            return
        result = self.tool_result(request)
        self.note(raw, tool_result=result)
        if self.opt.mode == "529":
            self.send_json(529, error_body("overloaded_error", "Overloaded"))
        elif self.opt.mode == "401" or not self.authorized():
            self.send_json(401, error_body("authentication_error", "invalid x-api-key"))
        elif self.path.startswith("/v1/messages/count_tokens"):
            self.send_json(200, {"input_tokens": 1})
        elif result is not None:
            self.text(self.opt.answer, request.get("stream"))
        elif self.opt.command and any(tool.get("name") == "Bash"
                                      for tool in request.get("tools") or []):
            self.tool()
        else:
            self.text("ok", request.get("stream"))

    def dispatch(self):
        raw = self.body()
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        if url.path.startswith("/v1/messages") and self.command == "POST":
            self.messages(raw)
            return
        self.note(raw)
        if url.path == "/api/hello":
            self.send_json(200, {"message": "hello"})
        elif url.path == "/echo":
            self.send_json(200, {
                "method": self.command, "path": self.path,
                "headers": [[n, v] for n, v in self.headers.items()],
                "body": raw.decode("latin-1")})
        elif url.path == "/redirect":
            self.send_json(302, {}, [("location", query["to"][0])])
        elif url.path == "/big":
            self.send_big(int(query.get("bytes", ["1024"])[0]))
        elif not self.authorized():
            self.send_json(401, error_body("authentication_error", "invalid x-api-key"))
        elif url.path.startswith("/api/"):
            self.send_json(200, {})
        else:
            self.send_json(404, error_body("not_found_error", url.path))

    def send_big(self, count):
        self.send_response(200)
        self.send_header("content-length", str(count))
        self.end_headers()
        block = b"x" * 65536
        while count > 0:
            self.wfile.write(block[:count])
            count -= len(block)

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = dispatch


class Server(ThreadingHTTPServer):
    daemon_threads = True
    context = None

    def finish_request(self, request, client_address):
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.context:  # handshake in the connection's own thread
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except (OSError, ssl.SSLError):
                return
        try:
            self.RequestHandlerClass(request, client_address, self)
        except (OSError, ssl.SSLError):
            pass


def main():
    arg = argparse.ArgumentParser()
    arg.add_argument("--address", default="127.0.0.1")
    arg.add_argument("--port", type=int, default=0)
    arg.add_argument("--port-file", help="the port is written here once the server listens")
    arg.add_argument("--cert", help="PEM with certificate and key: speak TLS")
    arg.add_argument("--key", default=os.environ.get("STANDIN_KEY", ""),
                     help="the real key (better in STANDIN_KEY, which argv does not show)")
    arg.add_argument("--log")
    arg.add_argument("--command", default="", help="what the scripted Bash call runs")
    arg.add_argument("--command-file")
    arg.add_argument("--answer", default="scripted turn complete")
    arg.add_argument("--mode", choices=["normal", "slow", "401", "529"], default="normal")
    arg.add_argument("--ping-interval", type=float, default=0.2)
    opt = arg.parse_args()
    if not opt.key:
        sys.exit("messages_api: no key")
    if opt.command_file:
        with open(opt.command_file, encoding="utf-8") as file:
            opt.command = file.read()
    Handler.opt = opt
    server = Server((opt.address, opt.port), Handler)
    if opt.cert:
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(opt.cert)
        server.context.set_alpn_protocols(["http/1.1"])
    if opt.port_file:
        with open(opt.port_file + ".new", "w", encoding="utf-8") as out:
            out.write(f"{server.server_address[1]}\n")
        os.rename(opt.port_file + ".new", opt.port_file)
    server.serve_forever()


main()
