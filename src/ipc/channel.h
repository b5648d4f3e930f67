/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel - messages between processes of one session, over a SOCK_SEQPACKET pair.
 *
 * Each end knows who it is and who it talks to; a message that the table (msgs.def) does not give
 * to that sender, in that phase, of that length, with exactly that many descriptors, is -EPROTO,
 * and the caller ends the session.  A channel never blocks unless told to, and one that failed
 * stays failed.  One thread of a process reads channels.
 */
#ifndef STOCKADE_IPC_CHANNEL_H
#define STOCKADE_IPC_CHANNEL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum role {
	ROLE_LAUNCH,
	ROLE_FRONT,
	ROLE_BACK,
	ROLE_KEEPER,
	ROLE_RESOLVER,
	ROLE_AUDIT,
	ROLE_MAX,
	ROLE_ANY = 254, /* only in msgs.def: any role */
	ROLE_ROLE = 255 /* only in msgs.def: any role but launch */
};

enum msg_type {
#define MSG(name, from, to, max, fds, phase, times) MSG_##name,
#include "ipc/msgs.def"
#undef MSG
	MSG_TYPES
};

/* Addresses of one MSG_RESOLVED: what its table row holds, with room to spare. */
#define RESOLVE_ADDRS_MAX 32u

enum listener_kind {
	LISTENER_TRANSPARENT4, /* TCP, SO_ORIGINAL_DST or getsockname() */
	LISTENER_TRANSPARENT6,
	LISTENER_PROXY, /* HTTP proxy: absolute form and CONNECT */
	LISTENER_SOCKS,
	LISTENER_UNIX, /* plain HTTP or proxy requests over a Unix socket */
	LISTENER_DNS4, /* UDP */
	LISTENER_DNS6,
	LISTENER_MAX
};

/* Largest message of the table plus its header. */
#define CHANNEL_MSG_MAX (66560u + 8u)

struct channel {
	int fd; /* owned; -1 when closed */
	enum role self, peer;
	bool running;  /* GO was seen: phase RUN */
	uint64_t seen; /* bit per ONCE message received */
	uint64_t sent;
	struct buf out; /* what the socket would not take yet, as whole messages */
	bool broken;
};

struct msg {
	enum msg_type type;
	struct str payload; /* valid until the next channel_recv() of this process */
	int fd;		    /* received descriptor, or -1; TAKE_FD it to keep it */
};

const char *role_name(enum role r);
/* How the log calls what came in there: "transparent", "proxy", "socks", "unix", "dns". */
const char *listener_name(enum listener_kind k);
/* Who talks to whom besides launch, as a bit set of enum role: launch makes these channels, a role
 * expects exactly these. */
unsigned role_peers(enum role r);
const char *msg_name(enum msg_type t);

void channel_init(struct channel *c, int fd, enum role self, enum role peer);
void channel_done(struct channel *c);
/* Zeroes the receive buffer: after a message that held a secret was used. */
void channel_scrub(void);
/* A close-on-exec, non-blocking pair. */
int channel_pair(int ret_fds[static 2]);
/* Sending or receiving GO does this by itself; channels between roles are told when GO came. */
void channel_set_running(struct channel *c);

/* Sends now or queues.  `fd` (or -1) is not closed.  A message with a descriptor is never queued:
 * it waits (poll) for room, at most one second.  -EPIPE when the peer is gone, -EPROTO when the
 * table forbids it, -ENOBUFS when the queue is full (slow peer). */
int channel_send(struct channel *c, enum msg_type t, struct str payload, int fd);
/* Writes what is queued; 1 when some is left (ask for EPOLLOUT), 0 when empty. */
int channel_flush(struct channel *c);
static inline bool channel_pending(const struct channel *c)
{
	return buf_len(&c->out) > 0;
}
/* 1 a message, 0 nothing now (EAGAIN), -ECONNRESET peer closed, -EPROTO table broken.  With a
 * payload of MSG_BODY/MSG_DATA the slice points into a static buffer of CHANNEL_MSG_MAX bytes. */
int channel_recv(struct channel *c, struct msg *m);
/* Waits up to `ms` (-1: for ever) for one message. */
int channel_recv_wait(struct channel *c, struct msg *m, int ms);
/* For a role whose peer went away: did launch say STOP, or does it within `ms`?  Then the peer's
 * end was an orderly one. */
bool channel_wait_stop(struct channel *launch, int ms);

#endif
