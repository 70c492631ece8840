/* SPDX-License-Identifier: MIT */
/*
 * Reads newc archives (cpio(5)): a header of "070701" and 13 fields of eight hexadecimal digits,
 * the name with its NUL padded to 4 bytes, the data padded to 4 bytes, and a last entry
 * "TRAILER!!!".
 */
#include "kernel/vm/cpio.h"

#include <string.h>

#include "kernel/errno.h"
#include "kernel/log.h"

#define HEADER_BYTES   110
#define FIELD_MODE     1
#define FIELD_FILESIZE 6
#define FIELD_NAMESIZE 11
#define NAME_MAX_BYTES 256

#define FAIL(...) (ksnprintf(why, why_size, __VA_ARGS__), -EINVAL)

static int hex_field(const u8 *header, unsigned int field, u32 *value)
{
	const u8 *p = header + 6 + 8 * field;
	unsigned int i;

	*value = 0;
	for (i = 0; i < 8; i++) {
		u8 c = p[i];

		if (c >= '0' && c <= '9')
			c -= '0';
		else if (c >= 'a' && c <= 'f')
			c -= 'a' - 10;
		else if (c >= 'A' && c <= 'F')
			c -= 'A' - 10;
		else
			return -EINVAL;
		*value = *value << 4 | c;
	}
	return 0;
}

void cpio_start(struct cpio_iter *it, const void *archive, size_t size)
{
	it->archive = archive;
	it->size = size;
	it->offset = 0;
}

/* Name and data of the entry whose header is at it->offset; moves it->offset behind them. All sums
 * fit in 64 bits. */
static int read_body(struct cpio_iter *it, struct cpio_entry *out, u32 namesize, u32 filesize,
		     char *why, size_t why_size)
{
	u64 at = it->offset;
	u64 name = at + HEADER_BYTES;
	u64 data = ROUND_UP(name + namesize, (u64)4);

	if (namesize < 2 || namesize > NAME_MAX_BYTES)
		return FAIL("archive offset 0x%llx: name size: found %u, allowed 2..%u",
			    (unsigned long long)at, (unsigned int)namesize, NAME_MAX_BYTES);
	if (data > it->size || it->size - data < filesize)
		return FAIL("archive offset 0x%llx: file size: found %u, archive ends at 0x%llx",
			    (unsigned long long)at, (unsigned int)filesize,
			    (unsigned long long)it->size);
	if (memchr(it->archive + name, 0, namesize) != it->archive + name + namesize - 1)
		return FAIL("archive offset 0x%llx: name: found no NUL at its end or one inside",
			    (unsigned long long)at);
	out->name = (const char *)it->archive + name;
	out->data = it->archive + data;
	out->size = filesize;
	it->offset = MIN(ROUND_UP(data + filesize, (u64)4), (u64)it->size);
	return 0;
}

int cpio_next(struct cpio_iter *it, struct cpio_entry *out, char *why, size_t why_size)
{
	const u8 *h = it->archive + it->offset;
	unsigned long long at = it->offset;
	u32 namesize, filesize;
	int err;

	if (it->size - it->offset < HEADER_BYTES)
		return FAIL("archive offset 0x%llx: found %llu bytes left, allowed a header of %u "
			    "(the archive has no trailer)",
			    at, (unsigned long long)(it->size - it->offset), HEADER_BYTES);
	if (memcmp(h, "070701", 6) != 0)
		return FAIL(
			"archive offset 0x%llx: found no \"070701\", allowed cpio format newc only",
			at);
	if (hex_field(h, FIELD_MODE, &out->mode) || hex_field(h, FIELD_FILESIZE, &filesize) ||
	    hex_field(h, FIELD_NAMESIZE, &namesize))
		return FAIL("archive offset 0x%llx: found a header field that is not hexadecimal",
			    at);
	err = read_body(it, out, namesize, filesize, why, why_size);
	if (err)
		return err;
	return strcmp(out->name, "TRAILER!!!") != 0;
}

int cpio_check(const void *archive, size_t size, char *why, size_t why_size)
{
	struct cpio_iter it;
	struct cpio_entry entry;
	int count = 0;
	int more;

	cpio_start(&it, archive, size);
	while ((more = cpio_next(&it, &entry, why, why_size)) > 0)
		count++;
	return more < 0 ? more : count;
}

int cpio_find(const void *archive, size_t size, const char *name, const void **data, size_t *len)
{
	struct cpio_iter it;
	struct cpio_entry entry;
	int more;

	cpio_start(&it, archive, size);
	while ((more = cpio_next(&it, &entry, NULL, 0)) > 0) {
		const char *found = strncmp(entry.name, "./", 2) == 0 ? entry.name + 2 : entry.name;

		if (strcmp(found, name) == 0) {
			*data = entry.data;
			*len = entry.size;
			return 0;
		}
	}
	return more < 0 ? more : -ENOENT;
}
