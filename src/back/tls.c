/* SPDX-License-Identifier: Apache-2.0 */
/* tls - see tls.h.  Runs in back alone.  The peer is whoever answers at the address that was
 * dialled and is not believed before its certificate is verified. */
#include "back/tls.h"

#include "base/own.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Sessions kept for resumption: as many hosts as one policy's rules with credentials really name.
 */
#define SESSIONS_MAX 32u

/* Where distributions keep their store as one file. The hashed directories are no use: they are
 * read at verification, and by then the jail is shut. */
static const char *const store_files[] = {
	"/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu, Arch, Alpine */
	"/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
	"/etc/ssl/ca-bundle.pem",	      /* openSUSE */
	"/etc/ssl/cert.pem",		      /* Alpine, BSD */
};

struct session {
	char host[HOST_NAME_MAX_LEN + 1];
	SSL_SESSION *session;
};

struct tls_client {
	SSL_CTX *ctx;
	struct session sessions[SESSIONS_MAX];
	unsigned next; /* to be overwritten */
};

struct tls {
	struct tls_client *client;
	SSL *ssl;
	uint32_t wants;
	bool verified;
	bool broken; /* no goodbye: OpenSSL forbids it after a fatal error */
	struct host host;
};

static const char *reason_text(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = ERR_reason_error_string(code);

	return text ? text : "no reason given";
}

static void forget_session(struct tls_client *c, const char *host)
{
	for (unsigned i = 0; i < SESSIONS_MAX; i++) {
		struct session *s = &c->sessions[i];

		if (!s->session || strcmp(s->host, host) != 0)
			continue;
		SSL_SESSION_free(s->session);
		s->session = NULL;
	}
}

static SSL_SESSION *find_session(const struct tls_client *c, const char *host)
{
	for (unsigned i = 0; i < SESSIONS_MAX; i++)
		if (c->sessions[i].session && strcmp(c->sessions[i].host, host) == 0)
			return c->sessions[i].session;
	return NULL;
}

/* OpenSSL's callback: 1 keeps the reference that comes with it. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls *t = SSL_get_app_data(ssl);
	struct session *s;

	if (!t->verified) /* TLS 1.2 gives it before we looked */
		if (SSL_get_verify_result(ssl) != X509_V_OK)
			return 0;
	forget_session(t->client, t->host.text);
	s = &t->client->sessions[t->client->next++ % SESSIONS_MAX];
	SSL_SESSION_free(s->session);
	s->session = session;
	snprintf(s->host, sizeof s->host, "%s", t->host.text);
	return 1;
}

static int load_store(SSL_CTX *ctx, struct err *e)
{
	const char *own = getenv("SSL_CERT_FILE");
	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(store_files) && !any; i++)
		any = access(store_files[i], R_OK) == 0 &&
		      SSL_CTX_load_verify_file(ctx, store_files[i]) == 1;
	if (own && *own && SSL_CTX_load_verify_file(ctx, own) != 1)
		return err_set(e, -EINVAL,
			       "SSL_CERT_FILE=%s cannot be read as certificates (%s): correct or "
			       "unset it",
			       own, reason_text());
	/* An empty store is no failure: it verifies nothing, and says so to each request. */
	ERR_clear_error();
	return 0;
}

int tls_client_new(struct tls_client **ret, struct err *e)
{
	static const unsigned char alpn[] = "\x08http/1.1";
	struct tls_client *c;
	int r;

	/* No configuration file: it could switch verification's strength or load engines. */
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
		return err_set(e, -ENOMEM, "OpenSSL does not start: %s", reason_text());
	c = calloc(1, sizeof *c);
	if (!c)
		return -ENOMEM;
	c->ctx = SSL_CTX_new(TLS_client_method());
	if (!c->ctx || SSL_CTX_set_min_proto_version(c->ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_alpn_protos(c->ctx, alpn, sizeof alpn - 1) != 0) {
		tls_client_free(c);
		return err_set(e, -ENOMEM, "OpenSSL does not start: %s", reason_text());
	}
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_options(c->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(c->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				     SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(c->ctx, keep_session);
	r = load_store(c->ctx, e);
	if (r < 0) {
		tls_client_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void tls_client_free(struct tls_client *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < SESSIONS_MAX; i++)
		SSL_SESSION_free(c->sessions[i].session);
	SSL_CTX_free(c->ctx);
	free(c);
}

/* The name to send and to verify; an address is verified as an address and sends no SNI. */
static bool set_peer(SSL *ssl, const struct host *host)
{
	if (host->addr.family)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host->text) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
				   X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return SSL_set1_host(ssl, host->text) == 1 &&
	       SSL_set_tlsext_host_name(ssl, host->text) == 1;
}

struct tls *tls_new(struct tls_client *c, int fd, const struct host *host)
{
	struct tls *t = calloc(1, sizeof *t);
	SSL_SESSION *session = find_session(c, host->text);

	if (!t)
		return NULL;
	t->client = c;
	t->host = *host;
	t->ssl = SSL_new(c->ctx);
	if (!t->ssl || !set_peer(t->ssl, host) || SSL_set_fd(t->ssl, fd) != 1 ||
	    (session && SSL_set_session(t->ssl, session) != 1)) {
		SSL_free(t->ssl);
		free(t);
		return NULL;
	}
	SSL_set_app_data(t->ssl, t);
	SSL_set_connect_state(t->ssl);
	return t;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	if (t->verified && !t->broken)
		SSL_shutdown(t->ssl);
	ERR_clear_error();
	SSL_free(t->ssl);
	free(t);
}

/* What a verification failure means, in words that say what to do about it. */
static const char *verify_text(long code)
{
	static const struct {
		long code;
		const char *text;
	} texts[] = {
		{ X509_V_ERR_CERT_HAS_EXPIRED, "its certificate has expired" },
		{ X509_V_ERR_CERT_NOT_YET_VALID, "its certificate is not valid yet" },
		{ X509_V_ERR_HOSTNAME_MISMATCH, "its certificate is for another name" },
		{ X509_V_ERR_IP_ADDRESS_MISMATCH, "its certificate is for another address" },
		{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
		  "its certificate is self-signed, so its issuer is unknown" },
		{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
		  "its issuer is unknown (self-signed root)" },
		{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "its issuer is unknown" },
		{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "its issuer is unknown" },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].code == code)
			return texts[i].text;
	return X509_verify_cert_error_string(code);
}

/* -EAGAIN, or what went wrong, in words. `done` is the call's own word for a proper end. */
static int outcome(struct tls *t, int result, const char *doing, struct err *e)
{
	int saved = errno, kind = SSL_get_error(t->ssl, result);

	t->wants = kind == SSL_ERROR_WANT_WRITE ? EPOLLOUT : EPOLLIN;
	if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
		return -EAGAIN;
	if (kind == SSL_ERROR_ZERO_RETURN)
		return 0;
	t->broken = true;
	if (kind == SSL_ERROR_SSL &&
	    ERR_GET_REASON(ERR_peek_last_error()) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return err_set(e, -EPROTO, "TLS with %s: %s: %s", t->host.text, doing,
			       reason_text());
	if (kind == SSL_ERROR_SSL || saved == 0)
		return err_set(e, -ECONNABORTED, "TLS with %s: %s: the connection ended early",
			       t->host.text, doing);
	return err_sys(e, -saved, "TLS with %s: %s", t->host.text, doing);
}

int tls_handshake(struct tls *t, struct err *e)
{
	long verify;
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_connect(t->ssl);
	if (r == 1) {
		/* SSL_VERIFY_PEER has seen to it; believed only when read here. */
		verify = SSL_get_verify_result(t->ssl);
		if (verify == X509_V_OK && SSL_get0_peer_certificate(t->ssl)) {
			t->verified = true;
			return 0;
		}
		t->broken = true;
		return err_set(e, -EACCES, "%s is not verified: %s", t->host.text,
			       verify_text(verify));
	}
	verify = SSL_get_verify_result(t->ssl);
	r = outcome(t, r, "handshake", e);
	if (r == -EAGAIN)
		return r;
	/* A stale session must not fail twice. */
	forget_session(t->client, t->host.text);
	if (verify != X509_V_OK)
		return err_set(e, -EACCES, "%s is not verified: %s", t->host.text,
			       verify_text(verify));
	return r < 0 ? r : err_set(e, -ECONNABORTED, "TLS with %s was refused", t->host.text);
}

ssize_t tls_read(struct tls *t, void *p, size_t n, struct err *e)
{
	size_t got = 0;

	if (!t->verified)
		return -EPERM;
	ERR_clear_error();
	errno = 0;
	if (SSL_read_ex(t->ssl, p, n, &got) == 1)
		return (ssize_t)got;
	return outcome(t, 0, "reading", e);
}

ssize_t tls_write(struct tls *t, const void *p, size_t n, struct err *e)
{
	size_t put = 0;
	int r;

	if (!t->verified)
		return -EPERM;
	ERR_clear_error();
	errno = 0;
	if (SSL_write_ex(t->ssl, p, n, &put) == 1)
		return (ssize_t)put;
	r = outcome(t, 0, "writing", e);
	return r == 0 ? err_set(e, -EPIPE, "TLS with %s: the peer closed", t->host.text) : r;
}

uint32_t tls_wants(const struct tls *t)
{
	return t->wants;
}
