/* SPDX-License-Identifier: MIT */
/* What newlib's <utime.h> wants of a system. */
#ifndef THIN_SYS_UTIME_H
#define THIN_SYS_UTIME_H

#include <sys/types.h>

struct utimbuf {
	time_t actime, modtime;
};

int utime(const char *name, const struct utimbuf *times); /* NULL: now */

#endif /* THIN_SYS_UTIME_H */
