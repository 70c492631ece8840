/* SPDX-License-Identifier: MIT */
/*
 * VCPUs that move between nodes. Who gains a VCPU gets ready while it still runs elsewhere; its node lets go of
 * it between two slices; who gains it takes it up. Each step is one node's, and no lock is held:
 *
 *   step      it is on          becomes   when (who)                                        then
 *   STAYS     its node          ASKED     vcpu_move (any node)                              the target is asked
 *   ASKED     its node          PREPARED  the target has a view of the VM and a seat for    its node is asked
 *                                         it (target)
 *                               STAYS     the target has no room, or has it (target)        vcpu_move may be told
 *   PREPARED  its node          LEFT      its node looks around, and it is not BUSY         the target is asked
 *                                         (its node)
 *   LEFT      no run queue      STAYS     the target looks around: in its run queue,        the target chooses
 *                                         v->node is the target (target)
 *
 * A *seat* is what a VCPU needs in the memory of the node that it is on: L2TLB, and map of ASIDs. On the node
 * where it was made it has one for good, elsewhere it gets one for its stay. Its registers and its special page
 * stay where they are: they are few, and in the processor's cache while it runs.
 *
 *   while it is LEFT ...                        nothing is lost, because
 *   its state is                                MOVING if it was READY or WAITING, which it is again when it
 *                                               arrives; OFFLINE, CLAIMED and STARTING as they are
 *   a line is raised (vcpu_post_irq)            irq_lines keep it; who takes it up looks at them after it has
 *                                               set the state; an interrupt of its old node harms nobody
 *   its timer falls due                         who takes it up raises what is due (vtimer_expire)
 *   it is started (vcpu_start)                  who takes it up serves STARTING, in that same look
 *   pages move, the guest flushes               it has no translation, of any kind: it has an empty seat, and
 *                                               no pointer to tables. It walks them as they are by then; the
 *                                               fences are vcpu_post_irq's
 *   the VM ends (kill, reset, stop)             it is counted in vm->live; who takes it up retires it
 *   it is to come home for loading              home asks again when it has arrived (life.c)
 *   a VCPU yields to it                         it is not on that node: nothing
 *
 * Time: it pays until it has LEFT and from when it is entered again; a VCPU that was READY has been waiting.
 * The moves themselves are paid by nobody. A guest cannot ask for one.
 */
#ifndef KERNEL_VM_MOVE_H
#define KERNEL_VM_MOVE_H

#include "kernel/vm/vcpu.h"

enum move_step { MOVE_STAYS, MOVE_ASKED, MOVE_PREPARED, MOVE_LEFT };

/* struct vcpu's move: a step, whether it's told what goes wrong, and the target's number. */
#define MOVE_STEP(word)	  ((enum move_step)((word)&3))
#define MOVE_TOLD	  BIT(2)
#define MOVE_TARGET_SHIFT 8
#define MOVE_NEVER	  (~3u) /* STAYS, and is not to be moved any more */

#define SEAT_PAGES 18 /* of a seat: the L2TLB, then the map */
#define SEAT_ALIGN 16

/*
 * The VCPU is to be on that node, soon; from any node, in any state. told: if that cannot be, the log says why.
 * -EBUSY: it is on its way somewhere; 0 also if it is there.
 */
int vcpu_move(struct vcpu *v, struct node *to, bool told);

/* It is in that node's run queue. Of the caller's own node: until that looks around. */
static inline bool vcpu_is_on(const struct vcpu *v, const struct node *n)
{
	u32 move = __atomic_load_n(&v->move, __ATOMIC_ACQUIRE);

	return v->node == n && MOVE_STEP(move) != MOVE_LEFT;
}

void move_ask_to_give(struct node *n); /* a VCPU to the node in its wanted_by; from any node */
/* False: it is about to move. Else vcpu_move refuses from now on, for good. */
bool move_never(struct vcpu *v);
void move_return_seat(
	struct seat seat);	 /* that of a VCPU that is nowhere any more, unless it is its own */
void moves_left(struct node *n); /* a VM has left that node, the caller's */
void moves_start(struct node *n); /* before the node looks around for the first time */
void moves_serve(struct node *n); /* the node's errands, at a look around; holds no lock */
void moves_tick(struct node *n);  /* views of VMs that have left go, part by part */

#endif /* KERNEL_VM_MOVE_H */
