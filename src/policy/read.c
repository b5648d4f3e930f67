/* SPDX-License-Identifier: Apache-2.0 */
/* read - see read.h.  Pure; launcher and CLI; the file may be hostile (a cloned repository). */
#include "policy/read.h"

#include "base/own.h"
#include "policy/schema.h"

#include <errno.h>

static int read_extend(struct reader *r, const struct node *n, void *target)
{
	struct policy_layer *l = target;
	struct layer_name *name = &l->extends[l->nextends];
	int err = schema_text(r, n, &name->text);

	if (err < 0)
		return err;
	name->line = n->line;
	l->nextends++;
	return 0;
}

static int read_extends(struct reader *r, const struct node *n, void *target)
{
	if (n->kind == NODE_SCALAR)
		return read_extend(r, n, target);
	if (n->kind == NODE_LIST)
		return schema_list(r, n, LAYER_EXTENDS_MAX, false, read_extend, target);
	return schema_error(r, n->line, "'extends' must be a profile's name or a list of names");
}

static int read_isolation(struct reader *r, const struct node *n, void *target)
{
	static const char *const later[] = { "gvisor", "docker", "podman", "qemu", "firecracker" };
	static const char *const words[] = { "native" };
	size_t which;

	(void)target;
	for (size_t i = 0; i < ARRAY_LEN(later); i++)
		if (str_eq(n->text, str_from(later[i])) || str_has_prefix(n->text, STR_LIT("oci:")))
			return schema_error(
			    r, n->line, "isolation '%s' is not yet supported by this version",
			    str_has_prefix(n->text, STR_LIT("oci:")) ? "oci:" : later[i]);
	return schema_word(r, n, words, ARRAY_LEN(words), &which);
}

static const struct field top[] = {
	{ "extends", FIELD_ANY, read_extends },
	{ "isolation", FIELD_SCALAR, read_isolation },
	{ "workspace", FIELD_MAP, read_workspace },
	{ "filesystem", FIELD_MAP, read_filesystem },
	{ "environment", FIELD_MAP, read_environment },
	{ "network", FIELD_MAP, read_network },
	{ "credentials", FIELD_MAP, read_credentials },
	{ "sockets", FIELD_MAP, read_sockets },
	{ "limits", FIELD_MAP, read_limits },
	{ "permissions", FIELD_LATER, NULL },
	{ "git", FIELD_LATER, NULL },
};

int policy_read(struct arena *a, struct str text, const char *name, enum policy_source source,
		struct policy_layer *ret, struct err *e)
{
	struct policy_layer layer = { .source = source };
	struct reader r = { .arena = a, .layer = &layer, .e = e };
	struct node *root = NULL;
	int err;

	r.name = layer.name = arena_str(a, str_from(name));
	if (!r.name)
		return err_set(e, -ENOMEM, "%s: out of memory", name);
	if (text.len > POLICY_FILE_MAX)
		return err_set(e, -E2BIG, "%s: larger than %u bytes", name, POLICY_FILE_MAX);
	err = tree_read(a, text, r.name, &root, e);
	if (err < 0)
		return err;
	if (root && root->kind != NODE_MAP)
		return schema_error(&r, root->line, "a policy is a map of keys, not %s",
				    node_kind_name(root->kind));
	if (root)
		err = schema_map(&r, root, "", top, ARRAY_LEN(top), &layer);
	if (err < 0)
		return err;
	*ret = layer;
	return 0;
}
