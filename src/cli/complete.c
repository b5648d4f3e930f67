/* SPDX-License-Identifier: Apache-2.0 */
/* complete - see complete.h.  Called by cli/completion.c in the process the user started; the
 * input is our own tables.
 *
 * Each script asks three questions, answered by lists that are written out of the tables: which
 * command do the words name, which options has it, and what follows an option. */
#include "cli/complete.h"

#include "base/own.h"
#include "base/str.h"
#include "cli/commands.h"

/* Which characters a shell's quoting needs escaped, and with what. */
struct escape {
	const char *chars, *with;
};

static int put_escaped(struct buf *out, const char *text, const struct escape *how)
{
	int r = 0;

	for (; *text && !r; text++) {
		if (*text == '\'')
			r = buf_printf(out, "%s", "'\\''"); /* works in all three shells */
		else if (strchr(how->chars, *text))
			r = buf_printf(out, "%s%c", how->with, *text);
		else
			r = buf_append_c(out, *text);
	}
	return r;
}

static const struct escape plain = { "", "" };
static const struct escape zsh_spec = { "[]:\\", "\\" };

/* "run|'policy check'": the pattern of a case. */
static int put_case(struct buf *out, const struct command *c, const char *option)
{
	return buf_printf(out, "\t'%s%s%s')", c->name, option ? " --" : "", option ? option : "");
}

/* --- bash --- */

static const char bash_head[] =
    "# bash completion for stockade\n"
    "_stockade_command() { # the words -> the command they name, longest first\n"
    "\tcase \"$1 $2\" in\n";

static const char bash_tail[] =
    "_stockade() {\n"
    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd i\n"
    "\tCOMPREPLY=()\n"
    "\tcmd=$(_stockade_command \"${COMP_WORDS[1]}\" \"${COMP_WORDS[2]}\")\n"
    "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "\t\tCOMPREPLY=($(compgen -W \"$(_stockade_words '')\" -- \"$cur\"))\n"
    "\t\treturn\n"
    "\tfi\n"
    "\tif [ \"$cmd\" = run ]; then # behind its first operand the words are another program's\n"
    "\t\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
    "\t\t\tcase ${COMP_WORDS[i]} in\n"
    "\t\t\t--) i=$((i + 1)); break;;\n"
    "\t\t\t-*) [ -n \"$(_stockade_kind \"$cmd ${COMP_WORDS[i]}\")\" ] && i=$((i + 1));;\n"
    "\t\t\t*) break;;\n"
    "\t\t\tesac\n"
    "\t\tdone\n"
    "\t\tif [ \"$i\" -lt \"$COMP_CWORD\" ]; then\n"
    "\t\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
    "\t\t\treturn\n"
    "\t\tfi\n"
    "\tfi\n"
    "\tcase $(_stockade_kind \"$cmd $prev\") in\n"
    "\tfile) COMPREPLY=($(compgen -f -- \"$cur\")); return;;\n"
    "\tdir) COMPREPLY=($(compgen -d -- \"$cur\")); return;;\n"
    "\tcommand) COMPREPLY=($(compgen -c -- \"$cur\")); return;;\n"
    "\tnone) return;;\n"
    "\t?*) COMPREPLY=($(compgen -W \"$(_stockade_kind \"$cmd $prev\" | tr '|' ' ')\" -- "
    "\"$cur\")); return;;\n"
    "\tesac\n"
    "\tcase $cur in\n"
    "\t-*) COMPREPLY=($(compgen -W \"$(_stockade_options \"$cmd\")\" -- \"$cur\"));;\n"
    "\t*)\n"
    "\t\tCOMPREPLY=($(compgen -W \"$([ \"$COMP_CWORD\" -eq 2 ] && _stockade_words "
    "\"${COMP_WORDS[1]}\")\" -- \"$cur\"))\n"
    "\t\t[ \"$cmd\" = run ] && COMPREPLY+=($(compgen -c -- \"$cur\"))\n"
    "\t\t[ ${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- \"$cur\"));;\n"
    "\tesac\n"
    "}\n"
    "complete -F _stockade stockade\n";

/* First word, or second words of a group: "policy" -> "check show explain". */
static int bash_words(struct buf *out)
{
	int r =
	    buf_printf(out, "_stockade_words() { # a group, or nothing -> words that may follow\n"
			    "\tcase $1 in\n\t'') echo 'help");

	for (size_t i = 0; !r && commands[i]; i++) {
		struct str name = str_from(commands[i]->name);

		r = buf_printf(out, " %.*s", (int)str_index(name, ' '), name.p);
	}
	r = r ? r : buf_printf(out, "' | tr ' ' '\\n' | sort -u;;\n");
	for (size_t i = 0; !r && commands[i]; i++) {
		struct str name = str_from(commands[i]->name);
		size_t space = str_index(name, ' ');

		if (space < name.len)
			r = buf_printf(out, "\t%.*s) echo %s;;&\n", (int)space, name.p,
				       name.p + space + 1);
	}
	return r ? r : buf_printf(out, "\tesac\n}\n");
}

static int bash_options(struct buf *out)
{
	int r = buf_printf(out, "_stockade_options() { # a command -> its options\n\tcase $1 in\n");

	for (size_t i = 0; !r && commands[i]; i++) {
		r = put_case(out, commands[i], NULL);
		r = r ? r : buf_printf(out, " echo '--help");
		for (const struct opt_spec *s = commands[i]->options; !r && s && s->name; s++)
			r = buf_printf(out, " --%s", s->name);
		r = r ? r : buf_printf(out, "';;\n");
	}
	return r ? r : buf_printf(out, "\tesac\n}\n");
}

static int bash_kinds(struct buf *out)
{
	int r =
	    buf_printf(out, "_stockade_kind() { # a command and an option -> what its value is\n"
			    "\tcase $1 in\n");

	for (size_t i = 0; !r && commands[i]; i++)
		for (const struct opt_spec *s = commands[i]->options; !r && s && s->name; s++) {
			if (s->kind == OPT_FLAG)
				continue;
			r = put_case(out, commands[i], s->name);
			if (!r && s->letter) {
				out->end--; /* the ')' */
				r = buf_printf(out, "|'%s -%c')", commands[i]->name, s->letter);
			}
			r = r ? r
			      : buf_printf(out, " echo '%s';;\n",
					   s->complete ? s->complete : "none");
		}
	return r ? r : buf_printf(out, "\tesac\n}\n");
}

int complete_bash(struct buf *out)
{
	int r = buf_append_str(out, str_from(bash_head));

	for (int two = 1; two >= 0; two--) /* names of two words first */
		for (size_t i = 0; !r && commands[i]; i++)
			if ((strchr(commands[i]->name, ' ') != NULL) == two)
				r = buf_printf(out, "\t'%s'%s) echo '%s';;\n", commands[i]->name,
					       two ? "" : "' '*", commands[i]->name);
	r = r ? r : buf_printf(out, "\tesac\n}\n");
	r = r ? r : bash_words(out);
	r = r ? r : bash_options(out);
	r = r ? r : bash_kinds(out);
	return r ? r : buf_append_str(out, str_from(bash_tail));
}

/* --- zsh --- */

static int zsh_action(struct buf *out, const struct opt_spec *s)
{
	const char *kind = s->complete ? s->complete : "";
	int r = buf_printf(out, ":%s:", s->value);

	if (r || !*kind)
		return r;
	if (strcmp(kind, "file") == 0)
		return buf_printf(out, "_files");
	if (strcmp(kind, "dir") == 0)
		return buf_printf(out, "_files -/");
	if (strcmp(kind, "command") == 0)
		return buf_printf(out, "_command_names");
	r = buf_append_c(out, '(');
	for (; *kind && !r; kind++)
		r = buf_append_c(out, *kind == '|' ? ' ' : *kind);
	return r ? r : buf_append_c(out, ')');
}

static int zsh_option(struct buf *out, const struct opt_spec *s)
{
	int r = 0;

	/* A spec each for the letter and the name. */
	for (int letter = s->letter ? 1 : 0; letter >= 0 && !r; letter--) {
		r = buf_printf(out, " \\\n\t\t\t'%s", s->kind == OPT_LIST ? "*" : "");
		if (!r)
			r = letter ? buf_printf(out, "-%c%s", s->letter, s->value ? "+" : "")
				   : buf_printf(out, "--%s%s", s->name, s->value ? "=" : "");
		r = r ? r : buf_append_c(out, '[');
		r = r ? r : put_escaped(out, s->help, &zsh_spec);
		r = r ? r : buf_append_c(out, ']');
		if (!r && s->kind != OPT_FLAG)
			r = zsh_action(out, s);
		r = r ? r : buf_append_c(out, '\'');
	}
	return r;
}

static int zsh_command(struct buf *out, const struct command *c)
{
	bool two = strchr(c->name, ' ') != NULL;
	int r = buf_printf(out,
			   "\t'%s'%s) shift %d words; (( CURRENT -= %d ))\n"
			   "\t\t_arguments -s -S '--help[Show help]'",
			   c->name, two ? "" : "' '*", two ? 2 : 1, two ? 2 : 1);

	for (const struct opt_spec *s = c->options; !r && s && s->name; s++)
		r = zsh_option(out, s);
	if (!r)
		r = buf_printf(out, " \\\n\t\t\t%s;;\n",
			       c->stop_at_operand ? "'*:: :_normal'" : "'*: :_files'");
	return r;
}

int complete_zsh(struct buf *out)
{
	int r = buf_printf(out, "#compdef stockade\n_stockade() {\n\tlocal -a names\n\tnames=(\n");

	for (size_t i = 0; !r && commands[i]; i++) {
		r = buf_printf(out, "\t\t'%s:", commands[i]->name);
		r = r ? r : put_escaped(out, commands[i]->summary, &plain);
		r = r ? r : buf_printf(out, "'\n");
	}
	r = r ? r
	      : buf_printf(out, "\t)\n"
				"\tif (( CURRENT == 2 )); then\n"
				"\t\tlocal -aU first=(${${names%%%%:*}%%%% *} help)\n"
				"\t\tcompadd -- $first\n\t\treturn\n\tfi\n"
				"\tif (( CURRENT == 3 )); then\n"
				"\t\tlocal -a second=(${${(M)${names%%%%:*}:#${words[2]} *}#* })\n"
				"\t\tcompadd -- $second\n\tfi\n"
				"\tcase \"${words[2]} ${words[3]}\" in\n");
	for (int two = 1; two >= 0; two--)
		for (size_t i = 0; !r && commands[i]; i++)
			if ((strchr(commands[i]->name, ' ') != NULL) == two)
				r = zsh_command(out, commands[i]);
	return r ? r
		 : buf_printf(out,
			      "\tesac\n}\n"
			      "if [ \"$funcstack[1]\" = _stockade ]; then\n\t_stockade \"$@\"\n"
			      "else\n\tcompdef _stockade stockade\nfi\n");
}

/* --- fish --- */

static const char fish_head[] =
    "# fish completion for stockade\n"
    "function __stockade_is # the words so far begin with these\n"
    "\tset -l words (commandline -opc)\n"
    "\tset -l last (math 1 + (count $argv)) # fish expands no command inside quotes\n"
    "\ttest \"$words[2..$last]\" = \"$argv\"\n"
    "end\n"
    "complete -c stockade -n '__fish_use_subcommand' -f -a help -d 'Tell about a command'\n";

/* What may follow an option: words parted by '|', or what fish knows by itself. */
static int fish_values(struct buf *out, const char *kind)
{
	static const struct {
		const char *kind, *text;
	} known[] = {
		{ "file", "" },
		{ "dir", " -a '(__fish_complete_directories)'" },
		{ "command", " -a '(__fish_complete_command)'" },
	};
	int r;

	for (size_t i = 0; kind && i < ARRAY_LEN(known); i++)
		if (strcmp(kind, known[i].kind) == 0)
			return buf_append_str(out, str_from(known[i].text));
	if (!kind || !strchr(kind, '|'))
		return 0;
	r = buf_printf(out, " -a '");
	for (; *kind && !r; kind++)
		r = buf_append_c(out, *kind == '|' ? ' ' : *kind);
	return r ? r : buf_append_c(out, '\'');
}

static int fish_option(struct buf *out, const struct command *c, const struct opt_spec *s)
{
	const char *kind = s->complete;
	int r =
	    buf_printf(out, "complete -c stockade -n '__stockade_is %s' -l %s", c->name, s->name);

	if (!r && s->letter)
		r = buf_printf(out, " -s %c", s->letter);
	if (!r && s->kind != OPT_FLAG)
		r = buf_printf(out, " -r%s", kind && strcmp(kind, "file") == 0 ? " -F" : " -f");
	r = r ? r : fish_values(out, kind);
	r = r ? r : buf_printf(out, " -d '");
	r = r ? r : put_escaped(out, s->help, &plain);
	return r ? r : buf_printf(out, "'\n");
}

static int fish_command(struct buf *out, const struct command *c)
{
	struct str name = str_from(c->name);
	size_t space = str_index(name, ' ');
	int r = buf_printf(out, "complete -c stockade -n '");

	if (!r && space < name.len)
		r = buf_printf(out, "__stockade_is %.*s' -f -a %s -d '", (int)space, name.p,
			       name.p + space + 1);
	else if (!r)
		r = buf_printf(out, "__fish_use_subcommand' -f -a %s -d '", c->name);
	r = r ? r : put_escaped(out, c->summary, &plain);
	r = r ? r : buf_printf(out, "'\n");
	if (!r && space < name.len)
		r = buf_printf(out, "complete -c stockade -n '__fish_use_subcommand' -f -a %.*s\n",
			       (int)space, name.p);
	for (const struct opt_spec *s = c->options; !r && s && s->name; s++)
		r = fish_option(out, c, s);
	if (!r && c->stop_at_operand)
		r = buf_printf(out,
			       "complete -c stockade -n '__stockade_is %s' -x -a "
			       "'(__fish_complete_subcommand --fcs-skip=2)'\n",
			       c->name);
	return r;
}

int complete_fish(struct buf *out)
{
	int r = buf_append_str(out, str_from(fish_head));

	for (size_t i = 0; !r && commands[i]; i++)
		r = fish_command(out, commands[i]);
	return r;
}
