/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn - what front holds: itself, one agent connection, one upstream.
 *
 * Theory of operation.  One thread, one loop.  Bytes are received into one shared scratch buffer
 * and leave in the same callback; a connection owns memory only for what must wait (an unfinished
 * head, what a slow reader did not take), so an idle tunnel costs its two structs.  A direction
 * whose receiver is slow stops being read: its watch drops EPOLLIN, and only then, so that a busy
 * exchange never calls epoll_ctl.
 *
 * A decision is recorded before its bytes leave.  The requests decided on in one turn share one
 * message to audit: their heads are held (upstream_hold) until it is sent, at the end of the turn.
 *
 * Closing only marks: the struct is freed after the turn (front->dead), so that a caller further
 * up may still look at ->state.
 */
#ifndef STOCKADE_FRONT_CONN_H
#define STOCKADE_FRONT_CONN_H

#include "audit/record.h"
#include "base/own.h"
#include "front/front.h"
#include "net/dns.h"
#include "net/http1.h"
#include "net/loop.h"
#include "net/request.h"
#include "net/socks.h"
#include "policy/decide.h"

#include <sys/uio.h>

/* Connections at once: the row of 10,000 idle tunnels and some to spare. */
#define FRONT_CONNS_MAX 10240u
/* One receive: as much as a default socket buffer gives in one call. */
#define FRONT_SCRATCH (64u * 1024)
/* What may wait in a connection: one receive and a whole head with what we add to it. */
#define FRONT_WAIT_MAX (FRONT_SCRATCH + 2 * HTTP1_HEAD_MAX)
/* Pipelined requests read ahead while one is being answered. */
#define FRONT_AHEAD_MAX (16u * 1024)
/* A kept-alive connection keeps a buffer of this size between requests (no allocation each). */
#define FRONT_KEEP_BUF 2048u
/* A head, a ClientHello or a SOCKS greeting must be complete by then (slowloris). */
#define FRONT_HEAD_MS 30000u
/* No byte by then on a port of its own: the server speaks first. */
#define FRONT_FIRST_MS 200u
/* Between two requests of one connection. */
#define FRONT_KEEPALIVE_MS 60000u
/* Back's own time-outs are shorter; this is for a back that forgot. */
#define FRONT_OPENING_MS 120000u
/* A model may think for many minutes before its first byte. */
#define FRONT_EXCHANGE_MS (30u * 60 * 1000)
/* A silent tunnel: long enough for an idle shell, short enough to end. */
#define FRONT_TUNNEL_MS (2u * 60 * 60 * 1000)
/* After our last byte: time to read it before the reset that closing unread input would cause. */
#define FRONT_LINGER_MS 2000u
#define FRONT_LINGER_BYTES (256u * 1024)
/* Buckets of the tables of pending questions and of idle upstreams. */
#define FRONT_BUCKETS 256u

enum conn_state {
	CONN_FIRST,    /* the stream's protocol is not known; `up` may be there (CONNECT, SOCKS) */
	CONN_SOCKS,    /* handshake; `socks` holds its step */
	CONN_HEAD,     /* HTTP, between requests or in the middle of a head; no `up` */
	CONN_OPENING,  /* back was asked (open_id, opening); the head waits in `in` */
	CONN_TUNNEL,   /* bytes both ways with `up` */
	CONN_EXCHANGE, /* one request through `up` */
	CONN_CLOSING,  /* our last bytes go out, the agent's are dropped; no `up` */
	CONN_DEAD,     /* off every list and table; freed after this turn */
	CONN_STATES
};

enum opening {
	OPENING_CONNECT, /* answer 200 or a SOCKS reply, then look at the first bytes */
	OPENING_TUNNEL,	 /* first bytes were decided on: relay */
	OPENING_REQUEST, /* run the request in `in` */
};

struct front;
struct conn;

/* A connected socket, or a stream of mediated requests; keyed by what it was opened for. */
struct upstream {
	struct front *front;
	struct conn *owner;	       /* NULL: idle, in the pool */
	struct upstream *next, **prev; /* bucket of the pool while idle, then the dead */
	struct watch watch;
	struct timer timer; /* idle */
	bool mediated;
	bool reused;				 /* came out of the pool: may be stale */
	struct upstream *next_held, **prev_held; /* front->held; prev_held NULL: not there */
	int fd;					 /* plain: owned; mediated: stream.fd */
	struct channel stream;			 /* mediated only */
	struct buf in;				 /* unfinished response head */
	struct buf out;				 /* what the socket would not take yet */
	struct host host;
	uint16_t port;
};

/* One direction of a tunnel. */
struct flow {
	uint64_t bytes;
	int pipe[2];  /* borrowed from the pool while `piped` > 0; else -1 */
	size_t piped; /* bytes in the pipe */
	bool wide;    /* the pipe is one of front->nwide */
	bool eof;     /* source said end */
	bool shut;    /* and the destination was told */
};

/* One request and its response. */
struct exchange {
	struct http1_framer up, down;
	size_t head_kept; /* bytes of the head still in conn->in, for another try */
	bool is_head;	  /* HEAD */
	bool agent_10;	  /* agent speaks HTTP/1.0: no chunks for it */
	bool keep_agent, keep_up;
	bool chunk_up;	   /* request body leaves in chunks of our own */
	bool dechunk;	   /* response chunks are taken apart */
	bool head_done;	   /* final response head was forwarded */
	bool resumed;	   /* any response byte came: too late for another try */
	bool upstream_eof; /* response ended by close */
};

struct conn {
	struct front *front;
	struct conn *next, **prev; /* all connections, then the dead */
	struct conn *pending;	   /* next with the same bucket of open_id */
	struct watch agent;
	struct timer timer;
	struct upstream *up;
	struct buf in;	/* agent's bytes that wait for more, or for back */
	struct buf out; /* ours that the agent did not take yet */
	enum conn_state state;
	enum opening opening;
	enum listener_kind via;
	uint32_t open_id;
	bool fixed;	/* host and port are given: by the socket, CONNECT or SOCKS */
	bool inner;	/* inside CONNECT or SOCKS */
	bool timed_out; /* FRONT_FIRST_MS went by */
	bool agent_eof;
	bool retry; /* the request failed on a pooled upstream and was recorded: a fresh one */
	uint16_t port;
	struct host host;
	uint64_t active_ms; /* last byte of a tunnel */
	uint64_t drained;   /* dropped while closing */
	union {
		struct socks socks;
		struct flow flow[2]; /* FLOW_UP, FLOW_DOWN */
		struct exchange ex;
	};
};

enum { FLOW_UP, FLOW_DOWN };

/* Wide pipes at most, all kept once made; each holds kernel memory only while used. */
#define FRONT_PIPES_SPARE 32u

struct front {
	struct loop loop;
	const struct front_setup *setup;
	int failed; /* -errno that ends the role */
	struct watch back, audit, launch;
	struct conn *conns;
	struct conn *dead_conns;
	struct upstream *dead_upstreams;
	size_t nconns;
	struct conn *pending[FRONT_BUCKETS];
	uint32_t last_id;
	struct upstream *idle[FRONT_BUCKETS];
	size_t nidle;
	struct dns_names *names;
	struct listener *listeners; /* heap */
	struct timer accept_timer;
	bool accept_paused;
	int pipes[FRONT_PIPES_SPARE][2];
	size_t npipes;		      /* idle ones in `pipes` */
	size_t nwide;		      /* those, and the ones lent out */
	struct http1_request request; /* of the connection being run: valid within one callback */
	struct http1_response response;
	struct request fields;	     /* the same for a mediated one */
	char path[HTTP1_TARGET_MAX]; /* normalised path of `request` */
	struct buf head;	     /* being written */
	struct buf message;	     /* being packed */
	struct buf records;	     /* packed, not yet sent to audit: one message */
	struct upstream *held;	     /* their `out` waits for `records` to be sent */
	uint64_t dns_denied_seed;
	uint64_t dns_denied[4096]; /* hashes of names whose denial was recorded */
	size_t ndns_denied;
	char scratch[FRONT_SCRATCH];
};

/* conn.c: life of a connection. */
struct conn *conn_new(struct front *f, int fd, enum listener_kind via);
void conn_close(struct conn *c);
void conn_set_state(struct conn *c, enum conn_state s);
void conn_timer(struct conn *c, uint64_t ms);
/* Runs the waiting bytes as far as they go. */
void conn_step(struct conn *c);
/* Sends, or keeps what the agent does not take; closes the connection on failure. */
void conn_send(struct conn *c, struct iovec *iov, size_t n);
void conn_send_str(struct conn *c, struct str s);
/* No more from us: what is left goes out, then the connection ends. */
void conn_finish(struct conn *c);
/* The agent's bytes are wanted (again), or not for now. */
void conn_read_agent(struct conn *c, bool on);
void conn_read_upstream(struct conn *c, bool on);
/* Sets the events of `mask` on the agent's or the upstream's watch to `events`. */
void conn_want(struct conn *c, bool agent, uint32_t events, uint32_t mask);
void conn_on_upstream(struct watch *w, uint32_t events);
/* The role ends: nothing more is let out. */
void front_fail(struct front *f, int code);

/* Bytes to fd or into wait: 0, or -errno. */
int front_send(int fd, struct buf *wait, struct iovec *iov, size_t n);

#endif
