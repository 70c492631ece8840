/* SPDX-License-Identifier: MIT */
/* From guests/lib/start.S to the program's first thread: the table of contents of the thin OS. */
#include "guests/lib/guest.h"
#include "guests/thin/thin.h"

#define MEMORY_LEAST (1ul << 20) /* behind the image */

struct guest_boot guest_boot;
static struct vcpu first;

_Noreturn void guest_main(void);
void guest_secondary_done(void);

void guest_main(void)
{
	u64 begin = pa_of(__image_end);
	pthread_attr_t attr;
	struct thread *t;

	mark_begin(THIN_UNIT_RUN);
	mark_begin(THIN_UNIT_START);
	tree_read((const void *)guest_boot.a[1]);
	vcpu_count = MIN(tree.vcpus, THIN_VCPUS_MAX);
	sched_begin(&first, 0);
	clock_begin(tree.frequency);
	if (tree.memory < begin + MEMORY_LEAST) {
		say("found %u KB of memory, needed %u: raise memory-mb", (u32)(tree.memory >> 10),
		    (u32)((begin + MEMORY_LEAST) >> 10));
		end(128 + 6);
	}
	heap_begin(begin, tree.memory - begin);
	main_words();
	pthread_attr_init(&attr);
	attr.vcpu = 0;
	attr.stacksize *= 2; /* main() may be given more to do */
	if (thread_create(&t, &attr, main_begin, NULL)) {
		say("found no memory for a stack of %u KB: raise memory-mb, or a smaller STACK=",
		    (u32)(attr.stacksize >> 10));
		end(128 + 6);
	}
	sched_ready(t);
	sched_idle();
}

/* start.S calls it when a VCPU's loop ends, which it does not. */
void guest_secondary_done(void) { end(128 + 6); }
