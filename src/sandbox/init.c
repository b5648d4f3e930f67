/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init - pid 1 of the sandbox and its one child, the agent's process up to exec.
 *
 * Init reaps, forwards signals, and ends when the agent ends, when the launcher closes its end of
 * the socket pair, or when the launcher dies in any way; the kernel then kills all else inside.
 * What runs inside is hostile: it may send init any signal, and nothing else.
 */
#include "sandbox/inside.h"

#include "os/clock.h"
#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Used when the plan's environment has no PATH. */
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"
#define DYING 137 /* 128 + SIGKILL: the launcher is gone */
/* How long the agent's process looks for the launcher's word before it sleeps. */
#define GO_SPIN_NS 100000u
/* A path, a report and the wrappers' frames; with room for sanitizers. */
#define AGENT_STACK 131072

static const int forwarded[] = { SIGHUP,  SIGINT,  SIGQUIT,  SIGTERM, SIGUSR1,
				 SIGUSR2, SIGALRM, SIGWINCH, SIGCONT, SIGTSTP };

/* ---- the agent's process ---- */

static const char *env_get(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env && *env; env++)
		if (!strncmp(*env, name, n) && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

/* As execvpe(3), without a shell for files that no loader knows.  Returns the errno. */
static int exec_program(char *const *argv, char *const *env)
{
	const char *path = env_get(env, "PATH");
	char full[PATH_MAX];
	int found = ENOENT;

	if (strchr(argv[0], '/')) {
		execve(argv[0], argv, env);
		return errno;
	}
	for (path = path ? path : DEFAULT_PATH; *path; path += strspn(path, ":")) {
		size_t n = strcspn(path, ":");

		if (snprintf(full, sizeof(full), "%.*s/%s", (int)n, path, argv[0]) <
		    (int)sizeof(full)) {
			execve(full, argv, env);
			if (errno == EACCES)
				found = EACCES; /* as a shell: "cannot execute" beats "not found" */
			else if (errno != ENOENT && errno != ENOTDIR)
				return errno;
		}
		path += n;
	}
	return found;
}

/* Each of 0, 1 and 2 that is a terminal outside becomes the agent's own. */
static int take_terminal(struct inside *in)
{
	if (in->agent_tty < 0)
		return 0;
	if (ioctl(in->agent_tty, TIOCSCTTY, 0) < 0)
		return -errno;
	for (int fd = 0; fd < 3; fd++) {
		struct winsize w;

		if (ioctl(fd, TIOCGWINSZ, &w) == 0 && dup2(in->agent_tty, fd) < 0)
			return -errno;
	}
	return 0;
}

static int agent_set_up(struct inside *in, struct err *e)
{
	int r;

	*in->stage = "setting up the agent's session";
	if (setsid() < 0)
		return err_sys(e, -errno, "session");
	r = take_terminal(in);
	if (r < 0)
		return err_sys(e, r, "controlling terminal");
	if (chdir(in->plan->cwd ? in->plan->cwd : "/") < 0)
		return err_sys(e, -errno, "working directory %s", in->plan->cwd);
	*in->stage = "trying what must be refused";
	return probe_bites(in, e);
}

static int hand_out(struct inside *in)
{
	int fds[SANDBOX_LISTENERS_MAX + 1];
	unsigned n = 0;

	if (in->terminal >= 0)
		fds[n++] = in->terminal;
	for (unsigned i = 0; i < in->report.nlisteners; i++)
		fds[n++] = in->listeners[i];
	in->report.kind = REPORT_READY;
	return report_send(in->sync, &in->report, fds, n);
}

/* What the launcher's process had of signals and descriptors; done while it takes the report.  Only
 * 0, 1 and 2 stay open, and until exec the socket for the report of a failed one. */
static int shed(struct inside *in, struct err *e)
{
	const struct sigaction dfl = { .sa_handler = SIG_DFL };

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &dfl, NULL);
	if (fcntl(in->sync, F_SETFD, FD_CLOEXEC) < 0 || fd_close_from(in->sync + 1) < 0)
		return err_sys(e, -errno, "closing descriptors before the program starts");
	return 0;
}

/* The launcher mostly answers within some 50 us: less than a sleep and its wake-up cost. */
static bool await_go(int sync)
{
	const uint64_t end = clock_ns(CLOCK_MONOTONIC) + GO_SPIN_NS;
	char go;
	ssize_t n;

	do
		n = recv(sync, &go, 1, MSG_DONTWAIT);
	while (n < 0 && errno == EAGAIN && clock_ns(CLOCK_MONOTONIC) < end);
	if (n < 0 && errno == EAGAIN)
		n = read(sync, &go, 1);
	return n == 1; /* else the launcher has given up: nobody listens */
}

static int agent_main(void *arg)
{
	struct inside *in = arg;
	struct err e = ERR_INIT;
	sigset_t none;
	int r = agent_set_up(in, &e);

	if (r < 0)
		inside_fail(in, &e);
	*in->stage = "handing out its listeners";
	r = hand_out(in);
	if (r < 0) {
		err_sys(&e, r, "handing out the listeners");
		inside_fail(in, &e);
	}
	*in->stage = "starting the program";
	if (shed(in, &e) < 0)
		inside_fail(in, &e);
	if (!await_go(in->sync))
		_exit(EXIT_SANDBOX);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	r = exec_program(in->argv, in->plan->env);
	in->report = (struct report){ .kind = REPORT_EXEC_FAILED, .code = r };
	report_send(in->sync, &in->report, NULL, 0);
	_exit(r == ENOENT || r == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* ---- init ---- */

/* The kernel kills what else is in our pid namespace. */
static _Noreturn void end(const struct inside *in, int code)
{
	if (in->degraded)
		degraded_kill_all();
	_exit(code);
}

/* Ends with the agent's status when it is among the dead. */
static void reap(const struct inside *in, pid_t agent)
{
	int status;

	for (;;) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid <= 0)
			return;
		if (pid == agent && WIFEXITED(status))
			end(in, WEXITSTATUS(status));
		if (pid == agent)
			end(in, EXIT_SIGNAL_BASE + WTERMSIG(status));
	}
}

static void forward(pid_t agent, int sig)
{
	if (kill(-agent, sig) < 0)
		kill(agent, sig);
}

static _Noreturn void watch_agent(struct inside *in, pid_t agent, int signals)
{
	struct pollfd fds[] = { { .fd = signals, .events = POLLIN }, { .fd = in->sync } };
	struct signalfd_siginfo si;

	for (;;) {
		if (ppoll(fds, ARRAY_LEN(fds), NULL, NULL) < 0 && errno != EINTR)
			end(in, EXIT_SANDBOX);
		if (fds[1].revents)
			end(in, DYING);
		if (!(fds[0].revents & POLLIN) || read(signals, &si, sizeof(si)) != sizeof(si))
			continue;
		if (si.ssi_signo == SIGCHLD)
			reap(in, agent);
		else
			forward(agent, (int)si.ssi_signo);
	}
}

static void close_inherited(struct inside *in)
{
	close_fd(&in->terminal);
	close_fd(&in->agent_tty);
	for (unsigned i = 0; i < in->report.nlisteners; i++)
		close_fd(&in->listeners[i]);
	/* The caller's ends of pipes must close when the agent closes its own. */
	for (int fd = 0; fd < 3; fd++)
		close(fd);
}

/*
 * The agent borrows our memory until it execs (CLONE_VM | CLONE_VFORK), which saves copying page
 * tables twice at every start.  We sleep meanwhile; the launcher's death still kills us, and with
 * us the agent.
 */
_Noreturn void init_main(struct inside *in)
{
	static _Alignas(64) char stack[AGENT_STACK];
	struct err e = ERR_INIT;
	sigset_t set;
	pid_t agent;
	int signals;

	*in->stage = "starting the agent's process";
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (unsigned i = 0; i < ARRAY_LEN(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0) {
		err_sys(&e, -errno, "signals of init");
		inside_fail(in, &e);
	}
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	agent = signals < 0 ? -1
			    : clone(agent_main, stack + sizeof(stack),
				    CLONE_VM | CLONE_VFORK | SIGCHLD, in);
	if (agent < 0) {
		err_sys(&e, -errno, "starting the agent's process");
		inside_fail(in, &e);
	}
	close_inherited(in);
	watch_agent(in, agent, signals);
}
