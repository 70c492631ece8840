/* SPDX-License-Identifier: MIT */
/* newlib's, and what it leaves out of C11, and timegm(). */
#include_next <time.h> /* outside of the guard: it may come here once more */

#ifndef THIN_TIME_H
#define THIN_TIME_H

#define TIME_UTC 1

int timespec_get(struct timespec *now, int base);
time_t timegm(struct tm *tm);

#endif /* THIN_TIME_H */
