/* SPDX-License-Identifier: Apache-2.0 */
/* manual - a tool of the build: reads a manual page with a line ".\" @COMMANDS@" and writes it with
 * the commands and options of the tables in that line's place, in mdoc(7).  Not installed; the
 * input is ours. */
#include "base/buf.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#define MANUAL_LINE_MAX 4096

/* Running text: a backslash and a dash have a meaning in roff, and so has a control character at
 * the start of a line; mdoc wants every sentence on a line of its own. */
static void put_text(const char *text, size_t len)
{
	bool start = true;

	for (size_t i = 0; i < len; i++) {
		bool stop = i > 0 && text[i] == ' ' && strchr(".?!", text[i - 1]) != NULL;

		if (start && (text[i] == '.' || text[i] == '\''))
			fputs("\\&", stdout);
		start = stop;
		if (stop)
			putchar('\n');
		else if (text[i] == '\\')
			fputs("\\e", stdout);
		else if (text[i] == '-')
			fputs("\\-", stdout);
		else
			putchar(text[i]);
	}
	putchar('\n');
}

static void put_paragraphs(const char *text)
{
	struct str rest = str_from(text), line;
	bool literal = false;

	while (str_next(&rest, '\n', &line)) {
		bool code = line.len > 0 && line.p[0] == ' ';

		if (code != literal)
			puts(code ? ".Bd -literal" : ".Ed");
		literal = code;
		if (line.len > 0)
			put_text(line.p, line.len);
		else if (rest.len > 0 && rest.p[0] != ' ')
			puts(".Pp");
	}
	if (literal)
		puts(".Ed");
}

static void put_option(const struct opt_spec *s)
{
	printf(".It ");
	if (s->letter)
		printf("Fl %c , ", s->letter);
	printf("Fl \\-");
	for (const char *p = s->name; *p; p++)
		printf(*p == '-' ? "\\-" : "%c", *p);
	if (s->value)
		printf(" Ar %s", s->value);
	printf("\n%s.\n", s->help);
}

static void put_options(const struct opt_spec *s)
{
	if (!s || !s->name)
		return;
	puts(".Bl -tag -width Ds");
	for (; s->name; s++)
		put_option(s);
	puts(".El");
}

static void put_command(const struct command *c)
{
	printf(".It Nm Cm %s%s", c->name, c->options ? " Oo Ar options Oc" : "");
	if (*c->operands)
		printf(" No \"%s\"", c->operands);
	putchar('\n');
	printf("%s.\n", c->summary);
	puts(".Pp");
	put_paragraphs(c->about);
	put_options(c->options);
}

static void put_commands(void)
{
	puts(".Bl -tag -width Ds");
	for (size_t i = 0; commands[i]; i++)
		put_command(commands[i]);
	puts(".El");
}

static void put_examples(void)
{
	puts(".Bd -literal");
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->examples)
			put_text(commands[i]->examples, strlen(commands[i]->examples));
	puts(".Ed");
}

int main(int argc, char **argv)
{
	char line[MANUAL_LINE_MAX];
	FILE *in = argc == 2 ? fopen(argv[1], "re") : NULL;

	if (!in) {
		fputs("usage: stockade-manual PAGE\n", stderr);
		return 2;
	}
	while (fgets(line, sizeof line, in)) {
		if (strcmp(line, ".\\\" @COMMANDS@\n") == 0)
			put_commands();
		else if (strcmp(line, ".\\\" @EXAMPLES@\n") == 0)
			put_examples();
		else
			fputs(line, stdout);
	}
	fclose(in);
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
