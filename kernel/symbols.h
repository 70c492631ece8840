/* SPDX-License-Identifier: MIT */
/*
 * Names of the monitor's functions, for back traces. The table is made by the build
 * (tools/symbols.sh) from the linked monitor and linked in again.
 */
#ifndef KERNEL_SYMBOLS_H
#define KERNEL_SYMBOLS_H

#include "kernel/types.h"

const char *symbol_name(u64 pc); /* "?" if there is none */
u64 symbol_start(u64 pc);	 /* address of the function pc is in; 0: none */

#endif /* KERNEL_SYMBOLS_H */
