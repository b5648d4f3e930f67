/* SPDX-License-Identifier: Apache-2.0 */
/* channel - see channel.h.  Runs in launch and in every role; what it receives may be hostile (a
 * role that was taken over), so the table is enforced on both ends before anybody sees a byte. */
#include "ipc/channel.h"

#include "base/own.h"
#include "os/clock.h"
#include "os/fd.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

/* What a slow peer may leave unread beyond the socket's own buffer: sixteen of the largest
 * messages. A peer further behind than this is stuck, or attacks. */
#define CHANNEL_QUEUE_MAX (16u * CHANNEL_MSG_MAX)
/* A message with a descriptor waits this long for room. */
#define CHANNEL_FD_WAIT_MS 1000
/* Room for descriptors in a received message: more than the table ever allows, so that too many
 * are seen (and closed) as such. */
#define CHANNEL_FDS_ROOM 4

enum phase { PHASE_START, PHASE_RUN, PHASE_ANY };
enum times { TIMES_ONCE, TIMES_MANY };

static const struct rule {
	const char *name;
	enum role from, to;
	uint32_t max;
	unsigned fds;
	enum phase phase;
	enum times times;
} rules[MSG_TYPES] = {
#define MSG(name, from, to, max, fds, phase, times)                                                \
	[MSG_##name] = { #name, ROLE_##from, ROLE_##to, max, fds, PHASE_##phase, TIMES_##times },
#include "ipc/msgs.def"
#undef MSG
};

static const char *const role_names[ROLE_MAX] = {
	[ROLE_LAUNCH] = "launch", [ROLE_FRONT] = "front",	[ROLE_BACK] = "back",
	[ROLE_KEEPER] = "keeper", [ROLE_RESOLVER] = "resolver", [ROLE_AUDIT] = "audit",
};

_Static_assert(MSG_TYPES <= 64, "seen and sent are bit sets of 64");

struct header {
	uint32_t type;
	uint32_t len; /* of the payload */
};

_Static_assert(CHANNEL_MSG_MAX == 66560u + sizeof(struct header), "header is 8 bytes");
#define MSG(name, from, to, max, fds, phase, times)                                                \
	_Static_assert((max) + sizeof(struct header) <= CHANNEL_MSG_MAX && (fds) <= 1, #name);
#include "ipc/msgs.def"
#undef MSG

/* One for the process: channels are read by one thread. */
static char received[CHANNEL_MSG_MAX];

const char *role_name(enum role r)
{
	return (unsigned)r < ROLE_MAX ? role_names[r] : "unknown";
}

unsigned role_peers(enum role r)
{
#define WITH(x) (1u << ROLE_##x)
	static const unsigned peers[ROLE_MAX] = {
		[ROLE_FRONT] = WITH(BACK) | WITH(AUDIT),
		[ROLE_BACK] = WITH(FRONT) | WITH(KEEPER) | WITH(RESOLVER) | WITH(AUDIT),
		[ROLE_KEEPER] = WITH(BACK),
		[ROLE_RESOLVER] = WITH(BACK),
		[ROLE_AUDIT] = WITH(FRONT) | WITH(BACK),
	};

	return (unsigned)r < ROLE_MAX ? peers[r] : 0;
#undef WITH
}

const char *listener_name(enum listener_kind k)
{
	static const char *const names[LISTENER_MAX] = {
		[LISTENER_TRANSPARENT4] = "transparent",
		[LISTENER_TRANSPARENT6] = "transparent",
		[LISTENER_PROXY] = "proxy",
		[LISTENER_SOCKS] = "socks",
		[LISTENER_UNIX] = "unix",
		[LISTENER_DNS4] = "dns",
		[LISTENER_DNS6] = "dns",
	};

	return (unsigned)k < LISTENER_MAX ? names[k] : "unknown";
}

const char *msg_name(enum msg_type t)
{
	return (unsigned)t < MSG_TYPES ? rules[t].name : "unknown";
}

void channel_init(struct channel *c, int fd, enum role self, enum role peer)
{
	*c = (struct channel){ .fd = fd, .self = self, .peer = peer };
	c->out = BUF_INIT(CHANNEL_QUEUE_MAX);
}

void channel_done(struct channel *c)
{
	buf_wipe(&c->out);
	close_fd(&c->fd);
	c->broken = true;
}

void channel_scrub(void)
{
	explicit_bzero(received, sizeof received);
}

int channel_pair(int ret_fds[static 2])
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return 0;
}

void channel_set_running(struct channel *c)
{
	c->running = true;
}

static bool role_fits(enum role written, enum role actual)
{
	if (written == ROLE_ANY)
		return true;
	if (written == ROLE_ROLE)
		return actual != ROLE_LAUNCH;
	return written == actual;
}

/* The table's word on one message. */
static bool allowed(const struct channel *c, uint32_t type, enum role from, enum role to,
		    size_t len, unsigned nfds, uint64_t already)
{
	const struct rule *r;

	if (type >= MSG_TYPES)
		return false;
	r = &rules[type];
	if (!role_fits(r->from, from) || !role_fits(r->to, to))
		return false;
	if (r->phase == PHASE_START ? c->running : r->phase == PHASE_RUN && !c->running)
		return false;
	if (r->times == TIMES_ONCE && (already & (UINT64_C(1) << type)))
		return false;
	return len <= r->max && nfds == r->fds;
}

static int breaks(struct channel *c, int code)
{
	c->broken = true;
	return code;
}

/* One sendmsg of a whole message: 0, -EAGAIN, or what broke. */
static int send_one(struct channel *c, struct iovec *iov, size_t niov, int fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = niov };
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *h;

		memset(&control, 0, sizeof control);
		m.msg_control = control.room;
		m.msg_controllen = sizeof control.room;
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof fd);
	}
	do
		n = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	if (errno == EAGAIN)
		return -EAGAIN;
	return breaks(c,
		      errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN ? -EPIPE : -errno);
}

int channel_flush(struct channel *c)
{
	if (c->broken)
		return -EPIPE;
	for (struct str all; (all = buf_str(&c->out)).len > 0;) {
		struct header h;
		struct iovec iov;
		int r;

		memcpy(&h, all.p, sizeof h);
		iov = (struct iovec){ (void *)(uintptr_t)all.p, sizeof h + h.len };
		r = send_one(c, &iov, 1, -1);
		if (r == -EAGAIN)
			return 1;
		if (r < 0)
			return r;
		buf_consume(&c->out, sizeof h + h.len);
	}
	return 0;
}

/* Sends what is queued and then this one, waiting for room; never queues. */
static int send_with_fd(struct channel *c, struct iovec *iov, int fd)
{
	uint64_t end = clock_mono_ms() + CHANNEL_FD_WAIT_MS;

	for (;;) {
		struct pollfd p = { .fd = c->fd, .events = POLLOUT };
		int r = channel_flush(c);
		uint64_t now;

		if (r == 0)
			r = send_one(c, iov, 2, fd);
		else if (r == 1)
			r = -EAGAIN;
		if (r != -EAGAIN)
			return r;
		now = clock_mono_ms();
		if (now >= end)
			return breaks(c, -ENOBUFS);
		if (poll(&p, 1, (int)(end - now)) < 0 && errno != EINTR)
			return breaks(c, -errno);
	}
}

static int enqueue(struct channel *c, const struct header *h, struct str payload)
{
	/* Both or neither: a half message in the queue would be read as another. */
	if (buf_reserve(&c->out, sizeof *h + payload.len) < 0)
		return breaks(c, -ENOBUFS);
	if (buf_append(&c->out, h, sizeof *h) < 0 || buf_append_str(&c->out, payload) < 0)
		return breaks(c, -ENOBUFS);
	return 0;
}

int channel_send(struct channel *c, enum msg_type t, struct str payload, int fd)
{
	struct header h = { (uint32_t)t, (uint32_t)payload.len };
	struct iovec iov[2] = { { &h, sizeof h }, { (void *)(uintptr_t)payload.p, payload.len } };
	int r;

	if (c->broken)
		return -EPIPE;
	if (!allowed(c, h.type, c->self, c->peer, payload.len, fd >= 0, c->sent))
		return breaks(c, -EPROTO);
	if (fd >= 0) {
		r = send_with_fd(c, iov, fd);
	} else {
		r = channel_flush(c);
		if (r == 0)
			r = send_one(c, iov, 2, -1);
		if (r == 1 || r == -EAGAIN)
			r = enqueue(c, &h, payload);
	}
	if (r < 0)
		return r;
	c->sent |= UINT64_C(1) << h.type;
	if (t == MSG_GO)
		c->running = true;
	return 0;
}

/* Takes the descriptors out of a received message; returns how many there were, keeps the first. */
static unsigned take_fds(struct msghdr *m, int *ret_first)
{
	unsigned n = 0;

	*ret_first = -1;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		size_t count;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof fd);
			if (n++ == 0)
				*ret_first = fd;
			else
				close(fd);
		}
	}
	return n;
}

/* recvmsg into `received`: bytes, 0 at end, -errno. */
static ssize_t receive(struct channel *c, int *ret_fd, unsigned *ret_nfds, bool *ret_cut)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(CHANNEL_FDS_ROOM * sizeof(int))];
	} control;
	struct iovec iov = { received, sizeof received };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.room,
			    .msg_controllen = sizeof control.room };
	ssize_t n;

	do
		n = recvmsg(c->fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	*ret_nfds = take_fds(&m, ret_fd);
	*ret_cut = (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
	return n;
}

int channel_recv(struct channel *c, struct msg *m)
{
	_cleanup_(close_fd) int fd = -1;
	struct header h = { 0 };
	unsigned nfds = 0;
	bool cut = false;
	ssize_t n;

	if (c->broken)
		return -ECONNRESET;
	n = receive(c, &fd, &nfds, &cut);
	if (n == -EAGAIN)
		return 0;
	if (n <= 0)
		return breaks(c, n == 0 ? -ECONNRESET : (int)n);
	if (cut || (size_t)n < sizeof h)
		return breaks(c, -EPROTO);
	memcpy(&h, received, sizeof h);
	if (h.len != (size_t)n - sizeof h ||
	    !allowed(c, h.type, c->peer, c->self, h.len, nfds, c->seen))
		return breaks(c, -EPROTO);
	c->seen |= UINT64_C(1) << h.type;
	if (h.type == MSG_GO)
		c->running = true;
	*m = (struct msg){ .type = (enum msg_type)h.type,
			   .payload = { received + sizeof h, h.len },
			   .fd = TAKE_FD(fd) };
	return 1;
}

int channel_recv_wait(struct channel *c, struct msg *m, int ms)
{
	uint64_t end = clock_mono_ms() + (ms > 0 ? (uint64_t)ms : 0);

	for (;;) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN };
		int r = channel_recv(c, m);
		uint64_t now;

		if (r != 0)
			return r;
		now = clock_mono_ms();
		if (ms >= 0 && now >= end)
			return 0;
		if (poll(&p, 1, ms < 0 ? -1 : (int)(end - now)) < 0 && errno != EINTR)
			return breaks(c, -errno);
	}
}

bool channel_wait_stop(struct channel *launch, int ms)
{
	struct msg m = { 0 };

	return channel_recv_wait(launch, &m, ms) == 1 && m.type == MSG_STOP;
}
