/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp-gen NAME LIST OUT.h [CALL...] - turns a readable list into a seccomp program, at build
 * time.
 *
 * Calls named at the end are left out of the list.
 *
 * The list is deny-by-default.  '#' starts a comment.  A line is one of:
 *
 *     allow NAME ...              these system calls may be made
 *     allow NAME if CONDITION     ... only with such arguments; else EPERM
 *     allow NAME if CONDITION and CONDITION ...
 *     errno ERRNO NAME ...        refused with this error (ENOSYS makes a libc fall back)
 *     kill NAME ...               the process is killed
 *
 *     CONDITION:  argN in V ...           argument N is one of the values
 *                 argN not in V ...       argument N is none of them
 *                 argN mask M is V        argument N & M equals V
 *
 * Values are numbers (decimal or 0x) or names from the table below.  An argument is compared as 32
 * bits, which is what the kernel reads of an int; every use in our lists is one.
 *
 * A known call that the list does not name is EPERM.  A number newer than this tool's tables is
 * ENOSYS, so that programs fall back as they do on an older kernel.  A name that an architecture
 * does not have is skipped for it; a name that no architecture has is an error, as is a call
 * listed twice.  Any other architecture (i386, x32) is killed.
 *
 * OUT.h defines `static const struct sock_filter seccomp_NAME[]` for x86_64 and arm64.  The calls
 * are sorted into ranges and found by binary search: fewer than ten steps, and a short program that
 * the kernel checks and compiles quickly at every start.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define ENTRIES_MAX 512
#define VALUES_MAX 16
#define CONDITIONS_MAX 2
#define NUMBERS_MAX 1024
#define PROGRAM_MAX 4096 /* the kernel's own limit, BPF_MAXINSNS */
#define X32_BIT 0x40000000u
/* Between one table's last number and the next generation of calls; far above every real one. */
#define NR_LIMIT 0x3fffffffu

struct condition {
	enum { ONE_OF, NONE_OF, MASKED } kind;
	unsigned arg;
	unsigned values[VALUES_MAX];
	unsigned nvalues;
	unsigned mask;
};

struct entry {
	char name[48];
	unsigned action; /* SECCOMP_RET_... when all conditions hold */
	struct condition conditions[CONDITIONS_MAX];
	unsigned nconditions; /* 0: always */
};

static struct entry entries[ENTRIES_MAX];
static unsigned nentries;
static const char *list_name;
static unsigned line_number;

static const struct {
	const char *name;
	unsigned value;
} names[] = {
	{ "AF_UNIX", AF_UNIX },	  { "AF_INET", AF_INET },      { "AF_INET6", AF_INET6 },
	{ "TIOCSTI", TIOCSTI },	  { "TIOCLINUX", 0x541C },     { "TIOCSETD", TIOCSETD },
	{ "TIOCCONS", TIOCCONS }, { "ENOSYS", ENOSYS },	       { "EPERM", EPERM },
	{ "EACCES", EACCES },	  { "CLONE_NEW", 0x7e020000 }, { "CLONE_THREAD", CLONE_THREAD },
};

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%u: ", list_name, line_number);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static unsigned value_of(const char *word)
{
	char *end;
	unsigned long v;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, word))
			return names[i].value;
	errno = 0;
	v = strtoul(word, &end, 0);
	if (*end || end == word || errno || v > 0xffffffffu)
		die("'%s' is neither a number nor a known name", word);
	return (unsigned)v;
}

/* ---- reading the list ---- */

static char *next_word(void)
{
	return strtok(NULL, " \t\n");
}

static char *need_word(const char *what)
{
	char *w = next_word();

	if (!w)
		die("%s is missing", what);
	return w;
}

static struct entry *add_entry(const char *name, unsigned action)
{
	struct entry *en = &entries[nentries];

	if (nentries == ENTRIES_MAX)
		die("more than %d calls", ENTRIES_MAX);
	for (unsigned i = 0; i < nentries; i++)
		if (!strcmp(entries[i].name, name))
			die("'%s' is listed twice", name);
	if (strlen(name) >= sizeof(en->name))
		die("'%s' is too long", name);
	if (seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name) < 0 &&
	    seccomp_syscall_resolve_name_arch(SCMP_ARCH_AARCH64, name) < 0)
		die("'%s' is no system call", name);
	strcpy(en->name, name);
	en->action = action;
	nentries++;
	return en;
}

/* True when another condition follows. */
static bool read_values(struct condition *c)
{
	for (char *w = need_word("a value"); w; w = next_word()) {
		if (!strcmp(w, "and") && c->nvalues)
			return true;
		if (c->nvalues == VALUES_MAX)
			die("more than %d values", VALUES_MAX);
		c->values[c->nvalues++] = value_of(w);
	}
	return false;
}

static bool read_mask(struct condition *c)
{
	const char *after;

	c->mask = value_of(need_word("the mask"));
	if (strcmp(need_word("is"), "is"))
		die("the mask is followed by 'is'");
	c->values[c->nvalues++] = value_of(need_word("a value"));
	after = next_word();
	if (after && strcmp(after, "and"))
		die("text after the condition");
	return after != NULL;
}

static bool read_condition(struct condition *c)
{
	const char *arg = need_word("argN"), *how = need_word("in, not or mask");

	if (strncmp(arg, "arg", 3) || arg[3] < '0' || arg[3] > '5' || arg[4])
		die("'%s' is not arg0 .. arg5", arg);
	c->arg = (unsigned)(arg[3] - '0');
	if (!strcmp(how, "in")) {
		c->kind = ONE_OF;
		return read_values(c);
	}
	if (!strcmp(how, "not")) {
		if (strcmp(need_word("in"), "in"))
			die("'not' is followed by 'in'");
		c->kind = NONE_OF;
		return read_values(c);
	}
	if (strcmp(how, "mask"))
		die("'%s' is not in, not or mask", how);
	c->kind = MASKED;
	return read_mask(c);
}

static void read_conditions(struct entry *en)
{
	do {
		if (en->nconditions == CONDITIONS_MAX)
			die("more than %d conditions", CONDITIONS_MAX);
	} while (read_condition(&en->conditions[en->nconditions++]));
}

static void read_calls(unsigned action)
{
	struct entry *en = NULL;
	unsigned n = 0;

	for (char *w = need_word("a call"); w; w = next_word()) {
		if (!strcmp(w, "if")) {
			if (n != 1)
				die("'if' follows exactly one call");
			read_conditions(en);
			return;
		}
		en = add_entry(w, action);
		n++;
	}
}

static void read_line(char *line)
{
	char *w;

	line[strcspn(line, "#")] = 0;
	w = strtok(line, " \t\n");
	if (!w)
		return;
	if (!strcmp(w, "allow"))
		read_calls(SECCOMP_RET_ALLOW);
	else if (!strcmp(w, "kill"))
		read_calls(SECCOMP_RET_KILL_PROCESS);
	else if (!strcmp(w, "errno"))
		read_calls(SECCOMP_RET_ERRNO | (value_of(need_word("an errno")) & 0xffff));
	else
		die("'%s' is not allow, errno or kill", w);
}

static void read_list(const char *path)
{
	char line[1024];
	FILE *f = fopen(path, "re");

	list_name = path;
	if (!f)
		die("%s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		line_number++;
		if (!strchr(line, '\n') && !feof(f))
			die("line is too long");
		read_line(line);
	}
	fclose(f);
	if (!nentries)
		die("no call is listed");
}

static void leave_out(const char *name)
{
	for (unsigned i = 0; i < nentries; i++)
		if (!strcmp(entries[i].name, name)) {
			entries[i] = entries[--nentries];
			return;
		}
	die("'%s' is to be left out but is not listed", name);
}

/* ---- numbers to ranges ---- */

struct range {
	unsigned first; /* up to the next range's first */
	unsigned action;
	const struct entry *conditional; /* NULL: action holds always */
};

static struct range ranges[NUMBERS_MAX * 2 + 4];
static unsigned nranges;

static unsigned highest_known(unsigned arch)
{
	unsigned top = 0;

	for (unsigned nr = 0; nr < NUMBERS_MAX; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(arch, (int)nr);

		if (name)
			top = nr;
		free(name);
	}
	return top;
}

static void add_range(unsigned first, unsigned action, const struct entry *conditional)
{
	struct range *last = nranges ? &ranges[nranges - 1] : NULL;

	if (last && !last->conditional && !conditional && last->action == action)
		return;
	ranges[nranges++] = (struct range){ first, action, conditional };
}

static void make_ranges(unsigned arch)
{
	const struct entry *at[NUMBERS_MAX] = { NULL };
	unsigned top = highest_known(arch);

	nranges = 0;
	for (unsigned i = 0; i < nentries; i++) {
		int nr = seccomp_syscall_resolve_name_arch(arch, entries[i].name);

		if (nr >= 0 && nr < NUMBERS_MAX)
			at[nr] = &entries[i];
	}
	for (unsigned nr = 0; nr <= top; nr++) {
		if (!at[nr])
			add_range(nr, SECCOMP_RET_ERRNO | EPERM, NULL);
		else
			add_range(nr, at[nr]->action, at[nr]->nconditions ? at[nr] : NULL);
	}
	add_range(top + 1, SECCOMP_RET_ERRNO | ENOSYS, NULL);
	if (arch == SCMP_ARCH_X86_64) /* x32 calls carry a bit; -1 is what tracers use */
		add_range(X32_BIT, SECCOMP_RET_KILL_PROCESS, NULL);
}

/* ---- ranges to a program ---- */

static struct sock_filter program[PROGRAM_MAX];
static unsigned length;

static unsigned emit(struct sock_filter f)
{
	if (length == PROGRAM_MAX)
		die("the program is too long");
	program[length] = f;
	return length++;
}

static void emit_return(unsigned action)
{
	emit((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

static void emit_condition(const struct condition *c)
{
	emit((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					  (unsigned)offsetof(struct seccomp_data, args) +
					      c->arg * 8)); /* little-endian half */
	if (c->kind == MASKED)
		emit((struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, c->mask));
	/* A match jumps over the other tests and one instruction more. */
	for (unsigned i = 0; i < c->nvalues; i++)
		emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, c->values[i],
						  (unsigned char)(c->nvalues - i), 0));
	if (c->kind == NONE_OF)
		emit((struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1));
	emit_return(SECCOMP_RET_ERRNO | EPERM);
}

static void emit_conditional(const struct entry *en)
{
	for (unsigned i = 0; i < en->nconditions; i++)
		emit_condition(&en->conditions[i]);
	emit_return(en->action);
}

/* Binary search over ranges[low..high]; the accumulator holds the call's number. */
static void emit_search(unsigned low, unsigned high)
{
	unsigned middle = low + (high - low + 1) / 2, far;

	if (low == high) {
		if (ranges[low].conditional)
			emit_conditional(ranges[low].conditional);
		else
			emit_return(ranges[low].action);
		return;
	}
	emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, ranges[middle].first, 0, 1));
	far = emit((struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	emit_search(low, middle - 1);
	program[far].k = length - far - 1;
	if (program[far].k <= 254) { /* near enough for the conditional jump itself */
		program[far - 1].jt = (unsigned char)(program[far].k + 1);
		program[far - 1].jf = 1;
	}
	emit_search(middle, high);
}

static void make_program(unsigned arch, unsigned audit_arch)
{
	length = 0;
	make_ranges(arch);
	emit((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					  (unsigned)offsetof(struct seccomp_data, arch)));
	emit((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, audit_arch, 1, 0));
	emit_return(SECCOMP_RET_KILL_PROCESS);
	emit((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					  (unsigned)offsetof(struct seccomp_data, nr)));
	emit_search(0, nranges - 1);
}

static void write_program(FILE *f, const char *name)
{
	fprintf(f, "static const struct sock_filter seccomp_%s[] = {\n", name);
	for (unsigned i = 0; i < length; i++)
		fprintf(f, "\t{ 0x%02x, %u, %u, 0x%08x },\n", program[i].code, program[i].jt,
			program[i].jf, program[i].k);
	fprintf(f, "};\n");
}

int main(int argc, char **argv)
{
	FILE *f;

	if (argc < 4) {
		fprintf(stderr, "usage: seccomp-gen NAME LIST OUT.h [CALL...]\n");
		return 2;
	}
	read_list(argv[2]);
	for (int i = 4; i < argc; i++)
		leave_out(argv[i]);
	f = fopen(argv[3], "we");
	if (!f)
		die("%s: %s", argv[3], strerror(errno));
	fprintf(f,
		"/* Generated by tools/seccomp-gen from the %s list. */\n"
		"#include <linux/filter.h>\n\n#if defined(__x86_64__)\n",
		argv[1]);
	make_program(SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64);
	write_program(f, argv[1]);
	fprintf(f, "#elif defined(__aarch64__)\n");
	make_program(SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64);
	write_program(f, argv[1]);
	fprintf(f, "#else\n#error \"no seccomp list for this architecture\"\n#endif\n");
	if (fclose(f))
		die("%s: %s", argv[3], strerror(errno));
	return 0;
}
