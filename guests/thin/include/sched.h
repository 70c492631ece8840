/* SPDX-License-Identifier: MIT */
/* newlib's, with sets of VCPUs. */
#ifndef THIN_SCHED_H
#define THIN_SCHED_H

#include <sys/cpuset.h>
#include_next <sched.h>

#endif /* THIN_SCHED_H */
