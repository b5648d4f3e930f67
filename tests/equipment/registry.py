#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A package registry with one package, and a git server, over TLS: test equipment.

  GET /tiny-package                     npm metadata of tiny-package 1.0.0
  GET /tiny-package/-/…tgz              its tarball
  /git/…                                smart HTTP by `git http-backend` over --git-root
  GET /hello                            "hello from the origin"
"""
import argparse
import base64
import hashlib
import io
import json
import os
import ssl
import subprocess
import tarfile
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def tarball():
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, text in (("package.json", json.dumps({"name": "tiny-package", "version": "1.0.0",
                                                         "main": "index.js"})),
                           ("index.js", "module.exports = 'tiny and well';\n")):
            info = tarfile.TarInfo("package/" + name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return data.getvalue()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    opt = None
    tar = tarball()

    def log_message(self, *args):
        pass

    def note(self):
        with open(self.opt.log, "a", encoding="utf-8") as out:
            out.write(json.dumps({"method": self.command, "path": self.path,
                                  "host": self.headers.get("host")}) + "\n")

    def reply(self, data, kind="application/json", status=200):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def metadata(self):
        digest = hashlib.sha512(self.tar).digest()
        base = f"https://{self.headers['host']}"
        version = {"name": "tiny-package", "version": "1.0.0", "main": "index.js",
                   "dist": {"tarball": f"{base}/tiny-package/-/tiny-package-1.0.0.tgz",
                            "integrity": "sha512-" + base64.b64encode(digest).decode(),
                            "shasum": hashlib.sha1(self.tar).hexdigest()}}
        return json.dumps({"name": "tiny-package", "dist-tags": {"latest": "1.0.0"},
                           "versions": {"1.0.0": version}}).encode()

    def body(self):
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            data = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                data += self.rfile.read(size)
                self.rfile.readline()
                if not size:
                    return data
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def git(self, url):
        env = dict(os.environ, GIT_PROJECT_ROOT=self.opt.git_root, GIT_HTTP_EXPORT_ALL="1",
                   PATH_INFO=url.path.removeprefix("/git"), QUERY_STRING=url.query,
                   REQUEST_METHOD=self.command, REMOTE_ADDR="127.0.0.1", REMOTE_USER="test",
                   CONTENT_TYPE=self.headers.get("content-type", ""),
                   HTTP_CONTENT_ENCODING=self.headers.get("content-encoding", ""),
                   GIT_PROTOCOL=self.headers.get("git-protocol", ""),
                   GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")
        done = subprocess.run(["git", "http-backend"], input=self.body(), env=env,
                              stdout=subprocess.PIPE, check=False)
        head, _, data = done.stdout.partition(b"\r\n\r\n")
        status, kind = 200, "text/plain"
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = int(value.split()[0])
            elif name.lower() == "content-type":
                kind = value
        self.reply(data, kind, status)

    def do_GET(self):
        self.note()
        url = urllib.parse.urlsplit(self.path)
        if url.path.startswith("/git/"):
            self.git(url)
        elif url.path == "/tiny-package":
            self.reply(self.metadata())
        elif url.path.endswith(".tgz"):
            self.reply(self.tar, "application/octet-stream")
        elif url.path == "/hello":
            self.reply(b"hello from the origin\n", "text/plain")
        else:
            self.reply(b"{}", status=404)

    do_HEAD = do_POST = do_GET


arg = argparse.ArgumentParser()
arg.add_argument("--cert", required=True)
arg.add_argument("--log", required=True)
arg.add_argument("--git-root", default="/nonexistent")
arg.add_argument("--port-file", required=True)
opt = Handler.opt = arg.parse_args()


class Server(ThreadingHTTPServer):
    def shutdown_request(self, request):
        """Ends TLS as it should be ended: else a careful client reports a truncated answer."""
        try:
            request.settimeout(2)
            request.unwrap()
        except (OSError, ValueError):
            pass
        super().shutdown_request(request)


server = Server(("127.0.0.1", 0), Handler)
server.daemon_threads = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(opt.cert)
context.set_alpn_protocols(["http/1.1"])
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
with open(opt.port_file + ".new", "w", encoding="utf-8") as out:
    out.write(f"{server.server_address[1]}\n")
os.rename(opt.port_file + ".new", opt.port_file)
server.serve_forever()
