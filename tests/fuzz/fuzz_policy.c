/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_policy - a hostile policy file: it is read as managed, as the user's and as an untrusted
 * project's; what is accepted is shown, read again, packed, unpacked and asked.  Untrusted input
 * must not allow anything.  With -DREPLAY it is a program that runs each file named on its command
 * line.
 */
#include "policy/decide.h"
#include "policy/explain.h"
#include "policy/merge.h"
#include "policy/pack.h"
#include "policy/show.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static int load(struct str text, enum policy_source source, bool untrusted, struct policy *ret)
{
	struct err e = ERR_INIT;
	struct policy_stack s;
	int r = stack_init(&s, &e);

	if (r == 0)
		r = stack_add(&s, text, "f", source, untrusted, &e);
	if (r == 0)
		r = stack_merge(&s, ret, &e);
	stack_done(&s);
	check(r == 0 || e.text[0]);
	return r;
}

static void ask(const struct policy *p)
{
	struct buf b = BUF_INIT(1u << 20);
	struct intent in = { .kind = INTENT_REQUEST,
			     .port = 80,
			     .method = STR_LIT("GET"),
			     .path = STR_LIT("/a/b") };

	for (size_t i = 0; i < p->nrules && i < 16; i++) {
		in.host = p->rules[i].host.host;
		if (in.host.len == 0)
			continue;
		check(explain_text(p, &in, &b) == 0 && explain_json(p, &in, &b) == 0);
		buf_clear(&b);
	}
	buf_done(&b);
}

static void use(const struct policy *p)
{
	struct buf packed = BUF_INIT(POLICY_PACK_MAX), text = BUF_INIT(POLICY_PACK_MAX);
	struct policy copy;

	ask(p);
	check(policy_pack(p, &packed) == 0);
	check(policy_unpack(buf_str(&packed), &copy, NULL) == 0);
	ask(&copy);
	policy_done(&copy);
	check(show_json(p, &text) == 0);
	buf_clear(&text);
	check(show_yaml(p, &text) == 0);
	/* What is shown is itself a policy (unless origins made it longer than a file may be). */
	if (buf_len(&text) <= POLICY_FILE_MAX) {
		check(load(buf_str(&text), SOURCE_COMMAND, false, &copy) == 0);
		check(copy.nrules == p->nrules && copy.ncredentials == p->ncredentials);
		policy_done(&copy);
	}
	buf_done(&packed);
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct policy p;

	if (load(text, SOURCE_PROJECT, true, &p) == 0) {
		check(!p.network && p.ncredentials == 0 && p.nunix_sockets == 0 &&
		      p.workspace_mode != WORKSPACE_RW);
		for (size_t i = 0; i < p.nmounts; i++)
			check(p.mounts[i].mode == MOUNT_HIDE);
		policy_done(&p);
	}
	if (load(text, SOURCE_MANAGED, false, &p) == 0)
		policy_done(&p);
	if (load(text, SOURCE_USER, false, &p) == 0) {
		use(&p);
		policy_done(&p);
	}
	return 0;
}
