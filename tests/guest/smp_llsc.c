/* SPDX-License-Identifier: MIT */
/*
 * Rule: LL and SC make atomic updates between VCPUs of different nodes; SC fails if another VCPU
 * has stored to the word since LL.
 *
 * Method: eight VCPUs add to one counter, millions of times: straight on, with a privileged
 * instruction between LL and SC, and, if SC still succeeds then, with a YIELD there, in which the
 * others add. No addition is lost, none is made by an SC that failed. A lock of LL and SC keeps two
 * plain counters equal.
 *
 * Needs: vcpus=8 nodes=8
 */
#include "tests/guest/smp.h"

/* Each adds a1 to the counter at a0, by one; the result is how many SC failed. */
#define ADDER(name, between)                                                                          \
	PROBE(name,                                                                                   \
	      "move $9, $0\n1:\tlld $8, 0($4)\n\t" between                                            \
	      "daddiu $8, $8, 1\n\tscd $8, 0($4)\n\tbnez $8, 2f\n\tnop\n\tb 1b\n\tdaddiu $9, $9, 1\n" \
	      "2:\tdaddiu $5, $5, -1\n\tbnez $5, 1b\n\tnop\n\tmove $2, $9")
ADDER(p_add, "");
ADDER(p_add_slow, "mfc0 $3, $12\n\t");
/* Once, with a YIELD (9): the result is whether SC succeeded. */
PROBE(p_add_yield,
      "lld $8, 0($4)\n\tli $2, 9\n\t.word 0x42000028\n\tdaddiu $8, $8, 1\n\tscd $8, 0($4)\n\tmove $2, $8");

#define ROUNDS 10
#define FAST   50000ul
#define SLOW   500ul
#define YIELDS 20ul
#define LOCKED 2000ul

static volatile u64 counter, by_yield, failed, lock, in_lock[2], unequal, done;

static void locked_add(void)
{
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		hypercall(DISCO_HC_YIELD, 0, 0);
	unequal += in_lock[0] != in_lock[1];
	in_lock[0]++;
	if (in_lock[0] % 16 == 0)
		hypercall(DISCO_HC_YIELD, 0, 0);
	in_lock[1]++;
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

static void adder(u64 id)
{
	u64 failures = 0, yielded = 0;

	(void)id;
	for (unsigned i = 0; i < ROUNDS; i++) {
		failures += probe(p_add, (u64)&counter, FAST, 0)->v0;
		failures += probe(p_add_slow, (u64)&counter, SLOW, 0)->v0;
		for (u64 n = 0; n < YIELDS; n++)
			yielded += probe(p_add_yield, (u64)&counter, 0, 0)->v0;
		for (u64 n = 0; n < LOCKED / ROUNDS; n++)
			locked_add();
	}
	smp_add(&failed, failures + ROUNDS * YIELDS - yielded);
	smp_add(&by_yield, yielded);
	smp_add(&done, 1);
}

int main(void)
{
	need_monitor();
	smp_start_all(adder);
	adder(0);
	check(smp_wait(&done, SMP), "%lu VCPUs came to an end", (unsigned long)done);
	check_eq("counter", counter, SMP * ROUNDS * (FAST + SLOW) + by_yield);
	check(failed > 0, "no SC failed");
	check_eq("counters under the lock", in_lock[0], SMP * LOCKED);
	check_eq("and", in_lock[1], SMP * LOCKED);
	check_eq("times that they were unequal", unequal, 0);
	return verdict();
}
