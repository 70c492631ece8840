/* SPDX-License-Identifier: MIT */
/* What every host unit test includes: cmocka with the headers it wants, and the monitor's basic
 * types. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/types.h"

/*
 * A copy of exactly n bytes in its own allocation, so that the address sanitizer sees the first
 * byte read beyond. The caller frees it.
 */
static inline void *exact_copy(const void *bytes, size_t n)
{
	void *copy = malloc(n ? n : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	return copy;
}

#endif /* TESTS_UNIT_UNIT_H */
