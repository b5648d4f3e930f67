/* SPDX-License-Identifier: Apache-2.0 */
/* secret - see secret.h.  Checks run in launch and in keeper; memory is held by keeper only. */
#include "keeper/secret.h"

#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447 /* Linux 5.14, the same number everywhere */
#endif

int secret_check(struct str value, const char *what, struct err *e)
{
	if (value.len == 0)
		return err_set(e, -EINVAL, "credential %s is empty", what);
	if (value.len > SECRET_VALUE_MAX)
		return err_set(e, -EINVAL, "credential %s is longer than %u bytes", what,
			       SECRET_VALUE_MAX);
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (c == '\r' || c == '\n')
			return err_set(e, -EINVAL,
				       "credential %s has a line break in it: it must be one line",
				       what);
		if (c < 0x20 || c >= 0x7f)
			return err_set(
			    e, -EINVAL,
			    "credential %s has a byte that no header may carry (0x%02x%s)", what,
			    c < 0x20 || c == 0x7f ? c : 0x80,
			    c < 0x20 || c == 0x7f ? "" : " or above");
	}
	if (value.p[0] == ' ' || value.p[value.len - 1] == ' ')
		return err_set(e, -EINVAL, "credential %s begins or ends with a space", what);
	return 0;
}

static void *secret_pages(size_t size)
{
	_cleanup_(close_fd) int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
	void *p = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, (off_t)size) == 0)
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return p;
}

static void *locked_pages(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* Best effort where the limit on locked memory is tiny: the process is undumpable anyway.
	 */
	if (p != MAP_FAILED)
		(void)!mlock(p, size);
	return p;
}

int secret_keep(struct str value, struct secret *ret)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (value.len + page - 1) / page * page;
	void *p = secret_pages(size);

	if (p == MAP_FAILED)
		p = locked_pages(size);
	if (p == MAP_FAILED)
		return -ENOMEM;
	madvise(p, size, MADV_DONTDUMP);
	madvise(p, size, MADV_DONTFORK);
	memcpy(p, value.p, value.len);
	*ret = (struct secret){ p, size, value.len };
	return 0;
}

void secret_drop(struct secret *s)
{
	if (!s->pages)
		return;
	explicit_bzero(s->pages, s->size);
	munmap(s->pages, s->size);
	*s = (struct secret){ 0 };
}
