/* SPDX-License-Identifier: MIT */
/* newlib's, which needs off_t. */
#include <sys/types.h>

#include_next <regex.h>
