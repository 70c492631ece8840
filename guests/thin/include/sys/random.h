/* SPDX-License-Identifier: MIT */
/* Random bytes of the machine, which are always there: flags say nothing. */
#ifndef THIN_SYS_RANDOM_H
#define THIN_SYS_RANDOM_H

#include <sys/types.h>

#define GRND_NONBLOCK 1
#define GRND_RANDOM   2

/* n, or -1 with errno EIO: the VM has no source of them, or EINVAL: other flags. */
ssize_t getrandom(void *to, size_t n, unsigned flags);
int getentropy(void *to, size_t n); /* at most 256 */

#endif /* THIN_SYS_RANDOM_H */
