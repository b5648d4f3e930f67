/* SPDX-License-Identifier: Apache-2.0 */
/*
 * micro_http1 - nanoseconds a request head costs to read.  Run by hand, never as a test:
 *
 *     ninja -C build bench/micro_http1 && build/bench/micro_http1
 *
 * Best of several rounds: a shared machine only ever adds to the time.
 */
#include "net/http1.h"

#include "base/own.h"
#include "os/clock.h"

#include <stdio.h>

#define ROUNDS 20
#define HEADS 50000

static struct http1_request req;
static struct http1_response resp;

static const struct {
	const char *name;
	struct str head;
} cases[] = {
	{ "curl GET (4 fields)", STR_LIT("GET /1k HTTP/1.1\r\nHost: api.allowed.test\r\n"
					 "User-Agent: curl/7.88.1\r\nAccept: */*\r\n"
					 "Proxy-Connection: Keep-Alive\r\n\r\n") },
	{ "curl GET, absolute form",
	  STR_LIT("GET http://api.allowed.test:8080/1k HTTP/1.1\r\nHost: api.allowed.test:8080\r\n"
		  "User-Agent: curl/7.88.1\r\nAccept: */*\r\nProxy-Connection: Keep-Alive\r\n"
		  "\r\n") },
	{ "browser-like GET (20 fields)",
	  STR_LIT(
	      "GET /repos/acme/app/pulls?state=open&per_page=100 HTTP/1.1\r\n"
	      "Host: api.allowed.test\r\nConnection: keep-alive\r\n"
	      "Cache-Control: max-age=0\r\n"
	      "sec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\n"
	      "sec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\n"
	      "Upgrade-Insecure-Requests: 1\r\n"
	      "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like "
	      "Gecko) Chrome/130.0.0.0 Safari/537.36\r\n"
	      "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,"
	      "image/webp,image/apng,*/*;q=0.8\r\n"
	      "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\n"
	      "Sec-Fetch-Dest: document\r\nReferer: http://api.allowed.test/repos/acme/app\r\n"
	      "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n"
	      "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; tz=Europe%2FParis"
	      "\r\nIf-None-Match: W/\"0123456789abcdef0123456789abcdef\"\r\n"
	      "If-Modified-Since: Sat, 01 Nov 2025 10:00:00 GMT\r\nPriority: u=0, i\r\n\r\n") },
};

static const struct str answer =
    STR_LIT("HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 01 Nov 2025 10:00:00 GMT\r\n"
	    "Content-Type: application/octet-stream\r\nContent-Length: 1024\r\n"
	    "Last-Modified: Sat, 01 Nov 2025 09:00:00 GMT\r\nConnection: keep-alive\r\n"
	    "ETag: \"6905d2a0-400\"\r\nAccept-Ranges: bytes\r\n\r\n");

static int read_one(struct str head, bool response)
{
	return response ? http1_response_parse(head, false, false, &resp, NULL)
			: http1_request_parse(head, &req, NULL);
}

static void measure(const char *name, struct str head, bool response)
{
	uint64_t best = UINT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t begin = clock_ns(CLOCK_MONOTONIC), took;
		int bad = 0;

		for (int i = 0; i < HEADS; i++)
			bad += read_one(head, response) != 1;
		took = clock_ns(CLOCK_MONOTONIC) - begin;
		if (bad)
			printf("%s: was not read\n", name);
		if (took < best)
			best = took;
	}
	printf("%-32s %5zu bytes  %6.1f ns a head\n", name, head.len, (double)best / HEADS);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		measure(cases[i].name, cases[i].head, false);
	measure("nginx answer (8 fields)", answer, true);
	return 0;
}
