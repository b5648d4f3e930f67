/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - the writing end of the audit log.  Runs in launch until the audit role has it, then there.
 * Records are hostile (they come from roles that read hostile bytes); the file is ours alone.
 *
 * Whoever lets bytes out has written the record first, so space is taken from the disk ahead of
 * need: a disk that is full is met before a record is lost.
 */
#include "audit/log.h"

#include "os/clock.h"
#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* Blocks taken from the disk at a time: some 3,000 records. */
#define RESERVE_STEP (1024u * 1024)
/* `reserved` when the file system has no fallocate. */
#define RESERVE_NONE UINT64_MAX

static const char zero_hash[HASH_HEX_LEN + 1] =
    "0000000000000000000000000000000000000000000000000000000000000000";

void audit_log_init(struct audit_log *log)
{
	*log = (struct audit_log){ .fd = -1, .batch = BUF_INIT(AUDIT_BATCH_MAX) };
	memcpy(log->prev, zero_hash, sizeof log->prev);
}

int audit_log_create(struct audit_log *log, int dirfd, const char *name, struct err *e)
{
	int fd = openat(dirfd, name,
			O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY,
			0600);

	if (fd < 0)
		return err_sys(e, -errno, "cannot create the audit log '%s'", name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int r = -errno;

		close(fd);
		return err_sys(e, r, "cannot lock the audit log '%s'", name);
	}
	audit_log_init(log);
	log->fd = fd;
	/* Launch's two lines are written before and after everything: nothing waits on them, and
	 * taking a megabyte and giving it back is a tenth of a run's cost.  The role reserves. */
	log->reserved = RESERVE_NONE;
	return 0;
}

static bool hash_text_ok(struct str s)
{
	if (s.len != HASH_HEX_LEN)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
			return false;
	return true;
}

int audit_log_adopt(struct audit_log *log, int fd, uint64_t seq, struct str prev, struct err *e)
{
	struct stat st;

	if (!hash_text_ok(prev))
		return err_set(e, -EBADMSG, "audit log: the hash handed over is malformed");
	if (fstat(fd, &st) < 0)
		return err_sys(e, -errno, "audit log: fstat");
	audit_log_init(log);
	log->fd = fd;
	log->seq = seq;
	log->size = (uint64_t)st.st_size;
	memcpy(log->prev, prev.p, HASH_HEX_LEN);
	return 0;
}

int audit_log_add(struct audit_log *log, const struct audit_record *r, struct err *e)
{
	struct audit_record stamped = *r;
	size_t from = buf_len(&log->batch);
	uint8_t hash[HASH_LEN];
	struct str line;
	int ret;

	if (stamped.time_ns == 0)
		stamped.time_ns = clock_real_ns();
	ret = record_format(&stamped, log->seq, log->prev, &log->batch);
	if (ret < 0)
		return err_sys(e, ret, "audit log: a record could not be formatted");
	line = buf_str(&log->batch);
	line.p += from;
	line.len -= from;
	hash_sha256(line, hash);
	hash_hex(hash, log->prev);
	log->seq++;
	ret = buf_append_c(&log->batch, '\n');
	return ret < 0 ? err_sys(e, ret, "audit log") : 0;
}

static int reserve(struct audit_log *log, uint64_t end)
{
	uint64_t to;

	if (end <= log->reserved)
		return 0;
	to = (end / RESERVE_STEP + 1) * RESERVE_STEP;
	while (fallocate(log->fd, FALLOC_FL_KEEP_SIZE, (off_t)log->size, (off_t)(to - log->size)) <
	       0) {
		if (errno == EINTR)
			continue;
		if (errno != EOPNOTSUPP && errno != ENOSYS)
			return -errno;
		log->reserved = RESERVE_NONE;
		return 0;
	}
	log->reserved = to;
	return 0;
}

int audit_log_flush(struct audit_log *log, struct err *e)
{
	struct str batch = buf_str(&log->batch);
	ssize_t n;
	int r;

	if (batch.len == 0)
		return 0;
	r = reserve(log, log->size + batch.len);
	if (r < 0)
		return err_sys(e, r, "cannot reserve space for the audit log");
	do
		n = write(log->fd, batch.p, batch.len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, -errno, "cannot write the audit log");
	if ((size_t)n != batch.len) {
		/* Half a line would look like tampering; and there is no second try, because
		 * what is not on disk must not have been let out. */
		if (ftruncate(log->fd, (off_t)log->size) < 0)
			return err_sys(e, -errno, "the audit log was cut by a full disk");
		return err_set(e, -ENOSPC, "cannot write the audit log: no space left");
	}
	log->size += batch.len;
	buf_clear(&log->batch);
	return 0;
}

int audit_log_append(struct audit_log *log, const struct audit_record *r, struct err *e)
{
	int ret = audit_log_add(log, r, e);

	return ret < 0 ? ret : audit_log_flush(log, e);
}

void audit_log_close(struct audit_log *log)
{
	struct stat st;

	/* Gives back what was reserved and not used.  The size is asked for, not remembered: bytes
	 * that somebody else appended meanwhile must survive. */
	if (log->fd >= 0 && log->reserved && log->reserved != RESERVE_NONE &&
	    (fstat(log->fd, &st) < 0 || ftruncate(log->fd, st.st_size) < 0))
		log->reserved = 0;
	audit_log_release(log);
}

void audit_log_release(struct audit_log *log)
{
	close_fd(&log->fd);
	buf_done(&log->batch);
}
