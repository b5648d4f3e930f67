/* SPDX-License-Identifier: Apache-2.0 */
/* Raw datagrams into a channel: first bytes choose the ends and the phase, then each message is a
 * flag byte (1: with a descriptor), a length (2 bytes) and the bytes.  What comes out is what the
 * table gives to that sender; a broken channel stays broken; a request that is taken is written
 * back as the same bytes and as one head without a line too many. */
#include "fuzz.h"

#include "ipc/channel.h"
#include "net/request.h"
#include "os/fd.h"

#include <sys/socket.h>

static void send_raw(int fd, struct str bytes, bool with_fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { (void *)(uintptr_t)bytes.p, bytes.len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	int sent = STDERR_FILENO;

	if (with_fd) {
		m.msg_control = control;
		m.msg_controllen = sizeof control;
		CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &sent, sizeof sent);
	}
	MUST(sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)bytes.len);
}

static void check_request(struct str payload)
{
	static struct request r;
	struct buf again = BUF_INIT(CHANNEL_MSG_MAX), head = BUF_INIT(2 * CHANNEL_MSG_MAX);
	size_t lines = 0;

	if (request_unpack(payload, &r) == 0) {
		MUST(request_pack(&r, &again) == 0 && str_eq(buf_str(&again), payload));
		MUST(request_format(&r, NULL, &head) == 0);
		for (size_t i = 0; i < buf_len(&head); i++)
			lines += buf_cstr(&head)[i] == '\n';
		/* request line, Host, fields, perhaps framing, blank line */
		MUST(lines == 3 + r.nheaders + (r.body != 0));
		MUST(str_has_suffix(buf_str(&head), STR_LIT("\r\n\r\n")));
	}
	buf_done(&again);
	buf_done(&head);
}

static bool take_one(struct channel *c, uint64_t *seen)
{
	static const uint64_t once = 1ull << MSG_CONFIG | 1ull << MSG_LOG | 1ull << MSG_GO |
				     1ull << MSG_READY | 1ull << MSG_FATAL | 1ull << MSG_STOP |
				     1ull << MSG_SUMMARY;
	struct msg m = { .fd = -1 };
	int r = channel_recv(c, &m);

	if (r < 0) {
		MUST(c->broken && channel_recv(c, &m) < 0);
		return false;
	}
	if (r == 0)
		return false;
	MUST(m.type < MSG_TYPES && m.payload.len <= CHANNEL_MSG_MAX - 8);
	MUST(!(once & (1ull << m.type)) || !(*seen & (1ull << m.type)));
	MUST(m.type != MSG_SECRET || (c->peer == ROLE_LAUNCH && c->self == ROLE_KEEPER));
	MUST(m.type != MSG_CRED || (c->peer == ROLE_KEEPER && c->self == ROLE_BACK));
	MUST(m.type != MSG_OPENED || m.fd >= 0);
	*seen |= 1ull << m.type;
	if (m.type == MSG_REQUEST)
		check_request(m.payload);
	close_fd(&m.fd);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = fuzz_str(data, size);
	struct channel c;
	uint64_t seen = 0;
	int fds[2];

	if (size < 3)
		return 0;
	MUST(channel_pair(fds) == 0);
	channel_init(&c, fds[0], (enum role)(data[0] % ROLE_MAX), (enum role)(data[1] % ROLE_MAX));
	if (data[2] & 1)
		channel_set_running(&c);
	in = (struct str){ in.p + 3, in.len - 3 };
	while (in.len >= 3) {
		size_t n = (unsigned char)in.p[1] | (size_t)(unsigned char)in.p[2] << 8;
		bool with_fd = in.p[0] & 1;

		in = (struct str){ in.p + 3, in.len - 3 };
		n = n < in.len ? n : in.len;
		if (n == 0)
			break; /* an empty datagram reads as the end */
		send_raw(fds[1], (struct str){ in.p, n }, with_fd);
		if (!take_one(&c, &seen))
			break;
		in = (struct str){ in.p + n, in.len - n };
	}
	close(fds[1]);
	channel_done(&c);
	return 0;
}
