/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table - see table.h.  Pure data; linked into launch.
 *
 * Deny by default holds for /etc too: what is world-readable there still names hosts, users,
 * proxies and now and then a password.  So this is a list of what programs need to start, not of
 * what is secret.  Every row costs one readlink(2) at start, and about 11 us when it is bound.
 */
#include "fs/table.h"

#include "base/own.h"

const char *const plan_system_paths[] = {
	"/usr",
	"/bin",
	"/sbin",
	"/lib",
	"/lib32",
	"/lib64",
	"/libx32",
	"/opt",
	/* The dynamic linker, and programs chosen among several. */
	"/etc/ld.so.cache",
	"/etc/ld-musl-x86_64.path",
	"/etc/alternatives",
	/* Trust anchors; never /etc/ssl/private. */
	"/etc/ssl/certs",
	"/etc/ssl/openssl.cnf",
	"/etc/ssl/cert.pem",
	"/etc/pki/tls/certs",
	"/etc/pki/tls/cert.pem",
	"/etc/pki/tls/openssl.cnf",
	"/etc/pki/ca-trust/extracted",
	"/etc/crypto-policies",
	"/etc/gnutls",
	/* Where and what this is. */
	"/etc/localtime",
	"/etc/os-release",
	"/etc/services",
	"/etc/protocols",
	/* Language run-times that keep a part of themselves in /etc. */
	"/etc/java-11-openjdk",
	"/etc/java-17-openjdk",
	"/etc/java-21-openjdk",
	"/etc/java-25-openjdk",
	"/etc/fonts",
	NULL,
};

const struct plan_fixed plan_fixed_steps[] = {
	{ PLAN_PROC, "/proc", NULL, 0555 },
	{ PLAN_DEV, "/dev", NULL, 0755 },
	{ PLAN_DIR, "/var", NULL, 0755 },
	{ PLAN_SYMLINK, "/var/tmp", "../tmp", 0 },
	{ PLAN_SYMLINK, "/var/run", "../run", 0 },
	{ PLAN_SYMLINK, "/var/lock", "../tmp", 0 },
	{ PLAN_DIR, "/etc", NULL, 0755 },
	{ PLAN_DIR, "/run", NULL, 0755 },
	{ PLAN_SYMLINK, "/etc/mtab", "../proc/self/mounts", 0 },
	{ PLAN_FILE, "/etc/hostname", "stockade\n", 0444 },
	{ PLAN_FILE, "/etc/hosts",
	  "127.0.0.1 localhost stockade\n"
	  "::1 localhost ip6-localhost ip6-loopback\n",
	  0444 },
	{ PLAN_FILE, "/etc/resolv.conf", "nameserver " PLAN_DNS_IP "\n", 0444 },
	{ PLAN_FILE, "/etc/nsswitch.conf",
	  "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"
	  "protocols: files\nservices: files\n",
	  0444 },
};
const size_t plan_nfixed = ARRAY_LEN(plan_fixed_steps);

/* Whole branches of a system: to work in one of them would be to grant it all. */
const char *const plan_never_roots[] = {
	"/",	"/home", "/mnt",     "/media",	 "/opt", "/srv",
	"/tmp", "/var",	 "/var/lib", "/var/tmp", NULL,
};

/* The kernel's files, and sockets of the host's daemons: connecting to one needs no write
 * permission on the mount. */
const char *const plan_never_trees[] = {
	"/proc", "/sys", "/dev", "/run", "/var/run", "/boot", NULL,
};

const char *const plan_never_write[] = {
	"/usr", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", NULL,
};

/* Where images of containers keep the project itself. */
const char *const plan_write_anyway[] = { "/usr/src", "/usr/local/src", NULL };
