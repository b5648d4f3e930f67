/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tunnel_load - a load client for CONNECT tunnels (and for direct connections, as the yardstick).
 *
 *   tunnel_load [-p PROXY:PORT] -t HOST:PORT [-u PATH] MODE
 *     rate CONCURRENCY SECONDS   tunnel + request + close, again and again: tunnels/s, p50, p99
 *     bulk                       one request through one tunnel: MB/s of its body
 *     idle COUNT                 opens COUNT tunnels, prints READY, holds them until input ends
 *
 * Addresses are IPv4 literals; without -p HOST must be one.  Each worker is a thread.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES_MAX (1u << 20) /* latencies kept for a worker */

static struct sockaddr_in peer;
static char hello[512], request[1024];
static double deadline;

struct worker {
	pthread_t thread;
	uint32_t *micros;
	size_t done, failed;
};

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int send_all(int fd, const char *text)
{
	size_t len = strlen(text);
	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -1;
}

/* Reads one head; the bytes behind it stay in buf.  Returns their number or -1. */
static ssize_t read_head(int fd, char *buf, size_t size, char **ret_body)
{
	size_t have = 0;
	while (have < size - 1) {
		ssize_t n = recv(fd, buf + have, size - 1 - have, 0);
		if (n <= 0)
			return -1;
		have += (size_t)n;
		buf[have] = 0;
		char *end = strstr(buf, "\r\n\r\n");
		if (end) {
			*ret_body = end + 4;
			return (ssize_t)(have - (size_t)(end + 4 - buf));
		}
	}
	return -1;
}

/* A tunnel that is open, or -1. */
static int open_tunnel(void)
{
	char buf[2048], *body;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)) < 0)
		goto fail;
	if (hello[0]) {
		if (send_all(fd, hello) < 0 || read_head(fd, buf, sizeof(buf), &body) < 0 ||
		    strncmp(buf + 8, " 200", 4) != 0)
			goto fail;
	}
	return fd;
fail:
	close(fd);
	return -1;
}

/* Sends the request and reads the whole answer: bytes of the body, or -1. */
static int64_t exchange(int fd)
{
	static __thread char buf[256 * 1024];
	char *body;
	if (send_all(fd, request) < 0)
		return -1;
	ssize_t have = read_head(fd, buf, sizeof(buf), &body);
	char *length = have < 0 ? NULL : strcasestr(buf, "\r\ncontent-length:");
	if (!length)
		return -1;
	int64_t want = strtoll(length + 17, NULL, 10), got = have;
	while (got < want) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);
		if (n <= 0)
			return -1;
		got += n;
	}
	return got;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	while (now() < deadline) {
		double start = now();
		int fd = open_tunnel();
		int64_t got = fd < 0 ? -1 : exchange(fd);
		if (fd >= 0)
			close(fd);
		if (got < 0) {
			w->failed++;
			usleep(1000);
		} else if (w->done < SAMPLES_MAX) {
			w->micros[w->done++] = (uint32_t)((now() - start) * 1e6);
		}
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static int mode_rate(int workers, double seconds)
{
	struct worker *all = calloc((size_t)workers, sizeof(*all));
	size_t done = 0, failed = 0, at = 0;
	double start = now();
	deadline = start + seconds;
	for (int i = 0; all && i < workers; i++) {
		all[i].micros = malloc(SAMPLES_MAX * sizeof(uint32_t));
		if (!all[i].micros || pthread_create(&all[i].thread, NULL, work, &all[i]) != 0)
			return 1;
	}
	for (int i = 0; all && i < workers; i++) {
		pthread_join(all[i].thread, NULL);
		done += all[i].done;
		failed += all[i].failed;
	}
	double took = now() - start;
	uint32_t *merged = malloc((done + 1) * sizeof(*merged));
	if (!merged || !all)
		return 1;
	for (int i = 0; i < workers; i++) {
		memcpy(merged + at, all[i].micros, all[i].done * sizeof(*merged));
		at += all[i].done;
	}
	qsort(merged, done, sizeof(*merged), compare);
	printf("rate %.0f p50 %u p99 %u failed %zu\n", (double)done / took,
	       done ? merged[done / 2] : 0, done ? merged[done * 99 / 100] : 0, failed);
	return done == 0;
}

static int mode_bulk(void)
{
	int fd = open_tunnel();
	double start = now();
	int64_t got = fd < 0 ? -1 : exchange(fd);
	if (got < 0) {
		fprintf(stderr, "tunnel_load: the tunnel failed\n");
		return 1;
	}
	printf("bulk %.0f\n", (double)got / 1e6 / (now() - start));
	return 0;
}

static int mode_idle(int count)
{
	int made = 0;
	char c;
	for (int i = 0; i < count; i++) {
		if (open_tunnel() < 0)
			break;
		made++;
	}
	printf("READY %d\n", made);
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return made != count;
}

static int parse_address(const char *text, struct sockaddr_in *ret)
{
	char host[256];
	const char *colon = strrchr(text, ':');
	if (!colon || (size_t)(colon - text) >= sizeof(host))
		return -1;
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = 0;
	ret->sin_family = AF_INET;
	ret->sin_port = htons((uint16_t)atoi(colon + 1));
	return inet_pton(AF_INET, host, &ret->sin_addr) == 1 ? 0 : -1;
}

int main(int argc, char **argv)
{
	const char *proxy = NULL, *target = NULL, *path = "/1k";
	struct rlimit files;
	int opt;
	while ((opt = getopt(argc, argv, "+p:t:u:")) != -1) {
		if (opt == 'p')
			proxy = optarg;
		else if (opt == 't')
			target = optarg;
		else if (opt == 'u')
			path = optarg;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (!target || optind >= argc || parse_address(proxy ? proxy : target, &peer) < 0) {
		fprintf(stderr, "usage: tunnel_load [-p ADDR:PORT] -t HOST:PORT [-u PATH] "
				"rate C SECONDS | bulk | idle N\n");
		return 2;
	}
	if (proxy)
		snprintf(hello, sizeof(hello), "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target,
			 target);
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, target);
	const char *mode = argv[optind];
	if (strcmp(mode, "rate") == 0 && argc - optind == 3)
		return mode_rate(atoi(argv[optind + 1]), atof(argv[optind + 2]));
	if (strcmp(mode, "bulk") == 0)
		return mode_bulk();
	if (strcmp(mode, "idle") == 0 && argc - optind == 2)
		return mode_idle(atoi(argv[optind + 1]));
	fprintf(stderr, "tunnel_load: unknown mode %s\n", mode);
	return 2;
}
