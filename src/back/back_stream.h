/* SPDX-License-Identifier: Apache-2.0 */
/*
 * back_stream - mediated requests: each is decided on, checked for credentials, and written anew
 * for the server; the response goes to front as it came.  Private to back_stream.c (the connection,
 * the way down), back_request.c (the way up) and back_report.c (what is logged and told).
 *
 * Theory of operation.  A stream is one channel to front and at most one connection to a server,
 * kept from request to request while both ends allow it.  Requests go one after the other.  Flow is
 * held back both ways: no body is taken from front while the server has not taken what is there,
 * and nothing is read from the server while front has not.
 */
#ifndef STOCKADE_BACK_BACK_STREAM_H
#define STOCKADE_BACK_BACK_STREAM_H

#include "back/back_state.h"

enum stream_state {
	STREAM_IDLE,	  /* no request; the connection may be open */
	STREAM_DIALLING,  /* request decided on; resolving or connecting */
	STREAM_HANDSHAKE, /* connected; TLS is being agreed on */
	STREAM_KEY,	  /* connection stands and is verified; keeper was asked */
	STREAM_ACTIVE,	  /* head written; body goes up, response comes down */
	STREAM_SKIP,	  /* request is over; what front still sends of it is dropped */
	STREAM_DEAD,	  /* freed after this turn */
	STREAM_STATES
};

struct pending_request {
	struct request r; /* slices into bytes */
	char bytes[];
};

struct stream {
	struct id_node key; /* in back.keys while state is STREAM_KEY; first member */
	struct back *back;
	struct stream *next_dead;
	enum stream_state state;
	enum listener_kind via;
	struct host host;
	uint16_t port;
	struct channel channel;
	struct watch watch;
	struct dial dial;
	struct remote remote;
	struct timer timer;

	struct pending_request *request; /* while one is under way, and until it is recorded */
	const struct net_rule *rule;	 /* that allowed it */
	bool tls;			 /* this request wants TLS */
	uint16_t dial_port;
	uint64_t body_left; /* of a body with a length */
	bool body_over;	    /* all of it was queued */
	bool deaf;	    /* the server takes no more; its answer may still come */
	bool recorded;	    /* the allowed request is in the log: its end belongs there too */
	unsigned status;    /* of the response, 0 unknown */
	uint64_t up, down;

	bool remote_tls; /* how the open connection is */
	uint16_t remote_port;
	struct addr remote_addr;
};

/* back_stream.c */
void stream_enter(struct stream *s, enum stream_state to);
void stream_close_remote(struct stream *s);
/* Logs how the request ended, and frees it. */
void stream_forget_request(struct stream *s);
/* No answer of resolver, server or keeper, and no timer, is waited for any more. */
void stream_stop_waiting(struct stream *s);
void stream_kill(struct stream *s);
/* After anything happened: moves what can move, and waits for what can happen next. */
void stream_update(struct stream *s);
void stream_on_remote(struct watch *w, uint32_t events);

/* back_request.c */
/* A message of front; negative ends the stream: front broke the protocol. */
int stream_take(struct stream *s, const struct msg *m);
void stream_handshake(struct stream *s);

/* back_report.c; each of the last three ends the request and tells front why */
/* Fills in who, where and which rule. On failure the role ends. */
int stream_record(struct stream *s, struct audit_record *rec, const struct net_rule *rule);
/* An allowed request is over: how it ended, once. */
void stream_record_end(struct stream *s);
void stream_bad_request(struct stream *s);
void stream_deny(struct stream *s, const struct net_rule *rule, unsigned reason, const char *token,
		 const char *text);
/* Dialling, TLS, the server or the keeper failed. */
void stream_fail(struct stream *s, unsigned status, const char *text);

#endif
