/* SPDX-License-Identifier: Apache-2.0 */
/* main - the `stockade` command: looks the subcommand up in a table, runs it, and prints its one
 * line of error.  The process the user started; the input is the user's own command line. */
#include "cli/commands.h"
#include "os/fd.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A caller may have closed 0, 1 or 2: the next file opened would then get our output. */
static void standard_fds_open(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			_exit(EXIT_STOCKADE);
	} while (fd <= STDERR_FILENO);
	close(fd);
}

static bool colour_wanted(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(STDERR_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static void error_print(const struct err *e)
{
	bool colour = colour_wanted();

	fprintf(stderr, "%sstockade:%s %s\n", colour ? "\033[1;31m" : "", colour ? "\033[0m" : "",
		e->text);
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	int code;

	standard_fds_open();
	code = commands_main(argc > 0 ? argc - 1 : 0, argv + 1, &e);
	if ((fflush(stdout) || ferror(stdout)) && code == 0) {
		code = EXIT_STOCKADE;
		err_sys(&e, -errno, "cannot write to standard output");
	}
	if (e.text[0])
		error_print(&e);
	return code;
}
