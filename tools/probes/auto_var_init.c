/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auto_var_init - does the compiler keep -ftrivial-auto-var-init=zero right?
 *
 * gcc 12 clears the padding of an initialised struct at the wrong place when the struct holds an
 * array of structs with padding: the copy below loses the middle of its text.  Exit 0: right.
 */
#include <stdint.h>
#include <string.h>

struct inner {
	uint64_t before[3];
	struct {
		char text[256];
		uint16_t two; /* six bytes of padding follow */
		uint64_t eight;
	} items[64];
	unsigned n;
};

struct outer {
	struct inner inner;
	const char *a, *b;
	int c;
};

static __attribute__((noinline)) int text_kept(const struct outer *o)
{
	return strcmp(o->inner.items[0].text, "0123456789") == 0;
}

static __attribute__((noinline)) int copy_keeps_text(const struct inner *in)
{
	struct outer o = { .inner = *in, .a = "a", .b = "b", .c = 1 };

	return text_kept(&o);
}

int main(void)
{
	static struct inner in;

	memcpy(in.items[0].text, "0123456789", 11);
	return copy_keeps_text(&in) ? 0 : 1;
}
