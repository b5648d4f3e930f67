/* SPDX-License-Identifier: Apache-2.0 */
/* remote - see remote.h.  Runs in back; what it reads is the server's and goes to front as it
 * came. */
#include "back/remote.h"

#include "os/fd.h"

#include <errno.h>
#include <sys/socket.h>

void remote_init(struct remote *u)
{
	*u = (struct remote){ .fd = -1, .out = BUF_INIT(REMOTE_OUT_MAX) };
}

int remote_open(struct remote *u, int fd, struct tls_client *client, const struct host *host)
{
	u->fd = fd;
	u->verified = u->read_wants_out = u->write_wants_in = false;
	if (!client)
		return 0;
	u->tls = tls_new(client, fd, host);
	if (u->tls)
		return 0;
	close_fd(&u->fd);
	return -ENOMEM;
}

void remote_close(struct remote *u)
{
	tls_free(TAKE_PTR(u->tls));
	close_fd(&u->fd);
	buf_wipe(&u->out);
	u->verified = false;
}

int remote_handshake(struct remote *u, struct err *e)
{
	int r = u->tls ? tls_handshake(u->tls, e) : 0;

	u->verified = r == 0 && u->tls;
	return r;
}

ssize_t remote_read(struct remote *u, void *p, size_t n, struct err *e)
{
	ssize_t r;

	if (u->tls) {
		r = tls_read(u->tls, p, n, e);
		u->read_wants_out = r == -EAGAIN && tls_wants(u->tls) == EPOLLOUT;
		return r;
	}
	do
		r = recv(u->fd, p, n, MSG_DONTWAIT);
	while (r < 0 && errno == EINTR);
	if (r >= 0)
		return r;
	return errno == EAGAIN ? -EAGAIN : err_sys(e, -errno, "reading from the server");
}

static ssize_t write_some(struct remote *u, struct str s, struct err *e)
{
	ssize_t r;

	if (u->tls) {
		r = tls_write(u->tls, s.p, s.len, e);
		u->write_wants_in = r == -EAGAIN && tls_wants(u->tls) == EPOLLIN;
		return r;
	}
	do
		r = send(u->fd, s.p, s.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r >= 0)
		return r;
	return errno == EAGAIN ? -EAGAIN : err_sys(e, -errno, "writing to the server");
}

int remote_flush(struct remote *u, struct err *e)
{
	while (buf_len(&u->out) > 0) {
		struct str s = buf_str(&u->out);
		ssize_t r = write_some(u, s, e);

		if (r == -EAGAIN)
			return 1;
		if (r < 0)
			return (int)r;
		/* What is sent is zeroed at once: the head holds a credential. */
		explicit_bzero(u->out.base + u->out.start, (size_t)r);
		buf_consume(&u->out, (size_t)r);
	}
	return 0;
}

uint32_t remote_events(const struct remote *u, bool want_read, bool handshake)
{
	uint32_t events = 0;

	if (handshake)
		return u->tls ? tls_wants(u->tls) : (uint32_t)EPOLLOUT;
	if (want_read)
		events |= EPOLLIN;
	if (want_read && u->read_wants_out)
		events |= EPOLLOUT;
	if (buf_len(&u->out))
		events |= u->write_wants_in ? EPOLLIN : EPOLLOUT;
	return events;
}
