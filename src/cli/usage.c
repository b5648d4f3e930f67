/* SPDX-License-Identifier: Apache-2.0 */
/* usage - see usage.h.  Called by cli/commands.c in the process the user started; the input is
 * our own tables. */
#include "cli/usage.h"

#include "base/str.h"
#include "cli/commands.h"

#include <errno.h>
#include <string.h>

#define USAGE_WIDTH 79u	      /* a terminal's 80 columns, less the one that wraps */
#define USAGE_HELP_COLUMN 26u /* where the sentences of options and commands start */
#define USAGE_LABEL_MAX 128u  /* "  -p, --policy FILE" */

/* Words of one paragraph, each line indented and at most USAGE_WIDTH long; the first starts at
 * `column`, which is where the cursor stands. */
static int put_words(struct buf *out, struct str text, size_t column, size_t indent)
{
	struct str word;
	int r = 0;

	while (!r && str_next(&text, ' ', &word)) {
		if (column > indent && column + 1 + word.len > USAGE_WIDTH) {
			r = buf_printf(out, "\n%*s%.*s", (int)indent, "", STR_FMT(word));
			column = indent + word.len;
		} else {
			r = buf_printf(out, "%s%.*s", column > indent ? " " : "", STR_FMT(word));
			column += word.len + (column > indent);
		}
	}
	return r ? r : buf_append_c(out, '\n');
}

/* Lines are paragraphs; lines that start with a space stay as they are. */
static int put_text(struct buf *out, const char *text, size_t indent)
{
	struct str rest = str_from(text), line;
	int r = 0;

	while (!r && str_next(&rest, '\n', &line)) {
		if (line.len == 0)
			r = buf_append_c(out, '\n');
		else if (indent || line.p[0] == ' ')
			r = buf_printf(out, "%*s%.*s\n", (int)indent, "", STR_FMT(line));
		else
			r = put_words(out, line, 0, 0);
	}
	return r;
}

/* A label and its sentence, in two columns. */
static int put_entry(struct buf *out, const char *label, const char *sentence)
{
	size_t len = strlen(label);
	int r;

	if (len + 2 > USAGE_HELP_COLUMN)
		r = buf_printf(out, "%s\n%*s", label, (int)USAGE_HELP_COLUMN, "");
	else
		r = buf_printf(out, "%-*s", (int)USAGE_HELP_COLUMN, label);
	return r ? r : put_words(out, str_from(sentence), USAGE_HELP_COLUMN, USAGE_HELP_COLUMN);
}

static int put_option(struct buf *out, const struct opt_spec *s)
{
	struct buf label = BUF_INIT(USAGE_LABEL_MAX);
	int r;

	r = s->letter ? buf_printf(&label, "  -%c, ", s->letter) : buf_printf(&label, "      ");
	if (!r)
		r = buf_printf(&label, "--%s%s%s", s->name, s->value ? " " : "",
			       s->value ? s->value : "");
	if (!r)
		r = put_entry(out, buf_cstr(&label), s->help);
	buf_done(&label);
	return r;
}

static int put_options(struct buf *out, const struct opt_spec *specs)
{
	static const struct opt_spec help = { .name = "help", .letter = 'h', .help = "Show this" };
	int r = buf_printf(out, "\nOptions:\n");

	for (; !r && specs && specs->name; specs++)
		r = put_option(out, specs);
	return r ? r : put_option(out, &help);
}

int usage_line(const struct command *c, struct buf *out)
{
	return buf_printf(out, "stockade %s%s%s%s", c->name, c->options ? " [OPTIONS]" : "",
			  *c->operands ? " " : "", c->operands);
}

int usage_command(const struct command *c, struct buf *out)
{
	int r = buf_printf(out, "Usage: ");

	if (!r)
		r = usage_line(c, out);
	if (!r)
		r = buf_printf(out, "\n\n");
	if (!r)
		r = put_text(out, c->about, 0);
	if (!r)
		r = put_options(out, c->options);
	if (!r && c->examples)
		r = buf_printf(out, "\nExamples:\n");
	if (!r && c->examples)
		r = put_text(out, c->examples, 2);
	return r;
}

static bool in_group(const struct command *c, const char *group)
{
	size_t len;

	if (!group)
		return true;
	len = strlen(group);
	return strncmp(c->name, group, len) == 0 && c->name[len] == ' ';
}

int usage_commands(const char *group, struct buf *out)
{
	int r = group
		    ? buf_printf(out, "Usage: stockade %s COMMAND [ARG...]\n\n", group)
		    : buf_printf(out, "stockade runs an AI agent in a sandbox with one way out.\n\n"
				      "Usage: stockade COMMAND [ARG...]\n\nCommands:\n");

	for (size_t i = 0; !r && commands[i]; i++) {
		struct buf label = BUF_INIT(USAGE_LABEL_MAX);

		if (!in_group(commands[i], group))
			continue;
		r = buf_printf(&label, "  %s", commands[i]->name);
		if (!r)
			r = put_entry(out, buf_cstr(&label), commands[i]->summary);
		buf_done(&label);
	}
	if (!r)
		r = buf_printf(out, "\n'stockade help COMMAND' tells about one of them.\n");
	return r;
}
