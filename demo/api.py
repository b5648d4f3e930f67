#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for an API: answers only to the real key.  Started outside the sandbox by run.sh."""
import http.server
import os
import sys

KEY = os.environ["DEMO_API_KEY"]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        good = self.headers.get("x-api-key") == KEY
        body = b"hello from the API: your key is good\n" if good else b"no key, no answer\n"
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
