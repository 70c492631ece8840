/* SPDX-License-Identifier: MIT */
/* What boot/ hands to the monitor. */
#ifndef KERNEL_MAIN_H
#define KERNEL_MAIN_H

#include "kernel/types.h"

struct boot_info {
	const char *words;   /* command line; never NULL */
	char *seed;	     /* the boot loader's random digits, to be wiped; NULL: none */
	const void *archive; /* NULL: none given */
	size_t archive_size;
	u64 memory_bytes;
	maddr_t end; /* first byte above the monitor */
};

_Noreturn void monitor_main(const struct boot_info *boot);

#endif /* KERNEL_MAIN_H */
