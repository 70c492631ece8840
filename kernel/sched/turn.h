/* SPDX-License-Identifier: MIT */
/*
 * Turns. QEMU runs the machine's processors one after the other on one processor of the host, and
 * changes to the next when one waits, or after 100 ms (docs/machine.md). Threads of one guest that
 * spin until another has done its part would spin for so long. So a processor gives its turn away
 * itself, while others have something to do:
 *
 *   what other nodes run                     a turn is over
 *   another VCPU of the VM that runs here    after TURN_US
 *   VCPUs of other VMs only                  with the tick, if it began before that tick's time
 *   nothing                                  never
 *
 * Under the timing model processors run at once, as on a machine: there are no turns.
 */
#ifndef KERNEL_SCHED_TURN_H
#define KERNEL_SCHED_TURN_H

#include "kernel/node.h"

#define TURN_US 250

/*
 * At the timer's interrupt, after the tick: gives the turn away if it is over, and says in n->turn_end
 * when it is to be asked again. Nobody pays for the time until this processor's next turn.
 */
void turn_check(struct node *n);

#endif /* KERNEL_SCHED_TURN_H */
