/* SPDX-License-Identifier: MIT */
/* newlib's, and what it declares for other systems alone. */
#include_next <sys/stat.h> /* outside of the guard: it may come here once more */

#ifndef THIN_SYS_STAT_H
#define THIN_SYS_STAT_H

int lstat(const char *__restrict name, struct stat *__restrict s);

#endif /* THIN_SYS_STAT_H */
