/* SPDX-License-Identifier: Apache-2.0 */
/* back_state - what the files of back share: the role, its questions under way, its streams. */
#ifndef STOCKADE_BACK_BACK_STATE_H
#define STOCKADE_BACK_BACK_STATE_H

#include "audit/record.h"
#include "back/back.h"
#include "back/dial.h"
#include "back/idmap.h"
#include "back/remote.h"
#include "net/loop.h"
#include "net/request.h"
#include "policy/decide.h"

/* OPENs being answered. As many as front has connections waiting; more are refused, not queued. */
#define BACK_OPENS_MAX 4096u
/* Streams of mediated requests: two descriptors each. */
#define BACK_STREAMS_MAX 2048u
/* Response bytes read at once. */
#define BACK_READ_MAX (32u * 1024)
/* Text for a person in REFUSED and FAILED. */
#define BACK_TEXT_MAX 512u

struct back;
struct stream;

struct back_peer {
	struct channel *channel;
	struct watch watch;
	struct back *back;
	int (*take)(struct back *b, struct msg *m);
};

enum { PEER_LAUNCH, PEER_FRONT, PEER_KEEPER, PEER_RESOLVER, PEER_AUDIT, PEER_MAX };

struct back {
	struct loop loop;
	const struct back_setup *setup;
	struct back_peer peers[PEER_MAX];
	struct resolve_client resolver;
	struct dial_context dialling;
	struct idmap opens; /* struct opening */
	struct idmap keys;  /* struct stream, waiting for keeper */
	uint32_t next_key;
	size_t nstreams;
	struct stream *dead; /* freed after the turn */
	struct buf message;
	char *scratch; /* BACK_READ_MAX bytes */
	int status;
	bool ended;
};

/* Ends the role: the first call's code is what back_run() returns. */
void back_end(struct back *b, int code);
/* Tells audit; on failure the role ends and -errno comes back: nothing may be let out then. */
int back_record(struct back *b, const struct audit_record *r);
/* "file:line" of a rule, or "default". */
struct str back_rule_text(const struct net_rule *r, char *room, size_t size);
uint32_t back_rule_index(const struct back *b, const struct net_rule *r);
/* Did the agent itself name the port? */
bool back_explicit_port(enum listener_kind k);
/* What front's reader can tell a person: "no rule allows evil.test:443". */
void back_denial_text(const struct verdict *v, const struct host *h, uint16_t port, char *room,
		      size_t size);

/* back_open.c */
int back_take_open(struct back *b, struct msg *m);
int back_take_cancel(struct back *b, struct msg *m);

/* back_stream.c and back_request.c */
/* A stream for one host and port; the descriptor is for front.  -errno. */
int back_stream_new(struct back *b, enum listener_kind via, const struct host *host, uint16_t port,
		    int *ret_fd);
int back_take_key(struct back *b, struct msg *m);
void back_free_dead(struct back *b);

#endif
