/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay - runs one fuzz target over every file of the directories named, so that a corpus is also
 * an ordinary test, with any compiler.  Fails when there is no file: a test that reads nothing
 * proves nothing.
 */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

#define FILE_MAX_LEN (1u << 20) /* no seed is near */

static int replay_file(const char *path)
{
	struct stat st;
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	size_t n;

	if (!f || fstat(fileno(f), &st) < 0 || st.st_size > FILE_MAX_LEN) {
		fprintf(stderr, "replay: %s cannot be read\n", path);
		exit(1);
	}
	if (!S_ISREG(st.st_mode)) {
		fclose(f);
		return 0;
	}
	/* Exactly as long as the input: a sanitizer sees one byte too far. */
	data = malloc((size_t)st.st_size + (st.st_size == 0));
	n = data ? fread(data, 1, (size_t)st.st_size, f) : 0;
	fclose(f);
	if (!data || n != (size_t)st.st_size) {
		fprintf(stderr, "replay: %s cannot be read\n", path);
		exit(1);
	}
	LLVMFuzzerTestOneInput(data, n);
	free(data);
	return 1;
}

static int replay_dir(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[4096];
	int n = 0;

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		n += replay_file(path);
	}
	if (d)
		closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	int n = 0;

	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		n += replay_dir(argv[i]);
	printf("%d inputs\n", n);
	return n > 0 ? 0 : 1;
}
