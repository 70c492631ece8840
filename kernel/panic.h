/* SPDX-License-Identifier: MIT */
/*
 * Fatal errors: bugs of the monitor, never anything a guest can do (that is vm_kill). Prints cause,
 * registers, TLB and a back trace, then makes every other node that can print where it was.
 */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

#include "kernel/types.h"

struct node;

_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void panic_stop(void); /* another node panicked */

/*
 * After a panic one node at a time may print: the one that panicked, and each other once it has been
 * told to stop. Whoever else comes to print stops here instead, when it is told to.
 */
void panic_wait_for_word(const struct node *n);

#endif /* KERNEL_PANIC_H */
