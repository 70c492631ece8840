/* SPDX-License-Identifier: MIT */
/*
 * engineering: what the paper's workload of that name does to memory. Each VCPU simulates a circuit
 * of its own: gate by gate, 64 test patterns at a time, with arrival times and a signature for each
 * gate, sweep after sweep. The netlist is shared and only read. The gates' state is private, but
 * VCPU 0 fills it in, so that static placement and first touch leave it at home. Not a logic
 * simulator for anybody's use: no events, no feedback.
 *
 * Bootargs: sweeps=N.
 */
#include "guests/numa/work.h"

const char guest_name[] = "engineering";

#define GATES  32768
#define INPUTS 256 /* the first gates have no gate before them: test patterns */
#define NEAR   512 /* most inputs come from so many gates back at most */

enum kind { KIND_AND, KIND_OR, KIND_XOR, KIND_NAND, KINDS };

struct gate { /* 512 KB of them */
	u32 in[2];
	u16 kind;
	u16 delay;
	u32 unused;
};

struct state { /* 1 MB of them for each worker */
	u64 value;
	u64 signature;
	u64 when;
	u32 toggles;
	u32 sweep;
};

static struct gate *gates;
static struct state *states[GUEST_VCPUS_MAX];
static u64 sweeps;

static void make_netlist(void)
{
	u64 seed = 1;

	gates = work_alloc(GATES * sizeof(*gates));
	for (u32 i = 0; i < GATES; i++) {
		u64 r = work_random(&seed);
		u32 back = MIN(i, r & 7 ? NEAR : GATES);

		gates[i].kind = r >> 8 & 3;
		gates[i].delay = (u16)(1 + (r >> 10 & 15));
		gates[i].in[0] = back ? i - 1 - (u32)(r >> 16) % MIN(back, NEAR) : 0;
		gates[i].in[1] = back ? i - 1 - (u32)(r >> 40) % back : 0;
	}
}

static void make_states(void)
{
	for (unsigned w = 0; w < work_cpus; w++) {
		u64 seed = 1000 + w;

		states[w] = work_alloc(GATES * sizeof(struct state));
		for (u32 i = 0; i < GATES; i++)
			states[w][i] = (struct state){ .signature = work_random(&seed) };
	}
}

static u64 evaluate(u32 kind, u64 a, u64 b)
{
	switch (kind) {
	case KIND_AND: return a & b;
	case KIND_OR: return a | b;
	case KIND_XOR: return a ^ b;
	default: return ~(a & b);
	}
}

static u32 ones(u64 x)
{
	x -= x >> 1 & 0x5555555555555555;
	x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (u32)(x * 0x0101010101010101 >> 56);
}

/* A linear feedback register that takes the patterns in, eight bits a step. */
static u64 signature(u64 s, u64 value)
{
	_Pragma("GCC unroll 8") for (unsigned i = 0; i < 8; i++)
	{
		s = s << 1 ^ (value & 0xff) ^ ((s >> 63) * 0x42f0e1eba9ea3693);
		value >>= 8;
	}
	return s;
}

static void sweep(struct state *state, u32 number, u64 *seed)
{
	for (u32 i = 0; i < GATES; i++) {
		const struct gate *g = &gates[i];
		const struct state *a = &state[g->in[0]], *b = &state[g->in[1]];
		u64 value = i < INPUTS ? work_random(seed) : evaluate(g->kind, a->value, b->value);
		struct state *s = &state[i];

		s->when = (a->when > b->when ? a->when : b->when) + g->delay;
		s->toggles += ones(value ^ s->value);
		s->signature = signature(s->signature, value);
		s->value = value;
		s->sweep = number;
	}
}

static void simulate(unsigned worker)
{
	u64 seed = worker, sum = 0;

	for (u32 n = 0; n < sweeps; n++)
		sweep(states[worker], n, &seed);
	for (u32 i = 0; i < GATES; i++)
		sum = sum * 31 + (states[worker][i].signature ^ states[worker][i].when ^
				  states[worker][i].toggles);
	work_result(worker, sum);
}

int main(void)
{
	sweeps = work_option("sweeps", 50);
	make_netlist();
	work_start();
	make_states();
	work_begin();
	work_all(simulate);
	work_end();
	return work_report();
}
