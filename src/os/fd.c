/* SPDX-License-Identifier: Apache-2.0 */
/* fd - see fd.h.  Every process. */
#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* One read: large enough for any policy file in one call. */
#define READ_STEP 16384

void close_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int fd_read_all(int fd, struct buf *b)
{
	for (;;) {
		size_t room = b->max - buf_len(b), step = room < READ_STEP ? room : READ_STEP;
		char probe;
		ssize_t n;
		int r = buf_reserve(b, step);

		if (r < 0)
			return r;
		n = step ? read(fd, buf_space(b), step) : read(fd, &probe, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		if (step == 0)
			return -EFBIG;
		buf_commit(b, (size_t)n);
	}
}

int fd_read_file(int dirfd, const char *path, struct buf *b)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	_cleanup_(close_fd) int fd =
	    openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return fd_read_all(fd, b);
}

int fd_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t wrote = write(fd, at, n);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return -errno;
		at += wrote;
		n -= (size_t)wrote;
	}
	return 0;
}

int fd_sealed_memfd(const char *name, struct str content)
{
	_cleanup_(close_fd) int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, content.p, content.len);
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int set_flag(int fd, int get, int set, int flag, bool on)
{
	int flags = fcntl(fd, get);

	if (flags < 0)
		return -errno;
	if (fcntl(fd, set, on ? flags | flag : flags & ~flag) < 0)
		return -errno;
	return 0;
}

int fd_set_nonblock(int fd, bool on)
{
	return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int fd_set_cloexec(int fd, bool on)
{
	return set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

int fd_close_from(int low)
{
	if (syscall(SYS_close_range, (unsigned)low, ~0u, 0u) < 0)
		return -errno;
	return 0;
}
