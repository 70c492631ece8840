/* SPDX-License-Identifier: MIT */
/* malloc and its relatives, in place of newlib's, whose own functions call those that end in _r. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "guests/thin/thin.h"

void *memalign(size_t align, size_t n)
{
	void *p = align & (align - 1) ? NULL : heap_alloc(n, align, NULL);

	if (!p)
		errno = align & (align - 1) ? EINVAL : ENOMEM;
	return p;
}

void *malloc(size_t n) { return memalign(16, n); }
void free(void *p) { heap_free(p); }

void *calloc(size_t n, size_t each)
{
	bool fresh;
	size_t bytes;
	void *p = NULL;

	if (!__builtin_mul_overflow(n, each, &bytes))
		p = heap_alloc(bytes, 16, &fresh);
	if (!p)
		errno = ENOMEM;
	else if (!fresh)
		memset(p, 0, bytes);
	return p;
}

void *realloc(void *p, size_t n)
{
	size_t has = p ? heap_bytes(p) : 0;
	void *larger;

	/* One that has shrunk to less than half moves, so that the rest can be used. */
	if (p && n <= has && n >= has / 2)
		return p;
	if (p && !n) {
		free(p);
		return NULL;
	}
	larger = malloc(n);
	if (!larger)
		return p && n <= has ? p : NULL;
	if (p) {
		memcpy(larger, p, MIN(has, n));
		free(p);
	}
	return larger;
}

void *reallocarray(void *p, size_t n, size_t each)
{
	size_t bytes;

	if (!__builtin_mul_overflow(n, each, &bytes))
		return realloc(p, bytes);
	errno = ENOMEM;
	return NULL;
}

void *aligned_alloc(size_t align, size_t n) { return memalign(align, n); }

int posix_memalign(void **p, size_t align, size_t n)
{
	if (align < sizeof(void *) || (align & (align - 1)))
		return EINVAL;
	*p = heap_alloc(n, align, NULL);
	return *p ? 0 : ENOMEM;
}

void *valloc(size_t n) { return memalign(PAGE_SIZE, n); }
size_t malloc_usable_size(void *p) { return p ? heap_bytes(p) : 0; }

void *_malloc_r(struct _reent *r, size_t n)
{
	(void)r;
	return malloc(n);
}

void _free_r(struct _reent *r, void *p)
{
	(void)r;
	free(p);
}

void *_calloc_r(struct _reent *r, size_t n, size_t each)
{
	(void)r;
	return calloc(n, each);
}

void *_realloc_r(struct _reent *r, void *p, size_t n)
{
	(void)r;
	return realloc(p, n);
}

void *_memalign_r(struct _reent *r, size_t align, size_t n)
{
	(void)r;
	return memalign(align, n);
}
