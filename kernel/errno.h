/* SPDX-License-Identifier: MIT */
/* The monitor's internal errors: functions return 0 (or a count) or one of these, negated. */
#ifndef KERNEL_ERRNO_H
#define KERNEL_ERRNO_H

#define EPERM	1
#define ENOENT	2
#define EIO	5
#define E2BIG	7
#define ENOEXEC 8
#define EAGAIN	11
#define ENOMEM	12
#define EFAULT	14
#define EBUSY	16
#define EEXIST	17
#define EINVAL	22
#define ENOSPC	28
#define ERANGE	34
#define ENOSYS	38

#endif /* KERNEL_ERRNO_H */
