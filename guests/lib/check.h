/* SPDX-License-Identifier: MIT */
/*
 * Assertions of test programs. The first one that fails decides the verdict; all that fail are
 * printed. The last line a test prints is its verdict: `PASS name`, `FAIL name: why` or `SKIP name:
 * why`.
 */
#ifndef GUESTS_LIB_CHECK_H
#define GUESTS_LIB_CHECK_H

#include "guests/lib/cp0.h"
#include "guests/lib/probe.h"

/* Counts, and prints the message when ok is false. Returns ok. */
bool check(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* check, with the values printed (hex). */
bool check_eq(const char *what, u64 found, u64 wanted);

/* A formatted label that lives for the next few calls. */
const char *text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The test cannot run here: prints the verdict and ends. */
_Noreturn void skip(const char *why);

/* Skips on the bare machine, for rules that are the monitor's. */
void need_monitor(void);

/* Prints the verdict; the exit code. */
int verdict(void);

/* What an exception should have been. Zero means: vector 0x180, no BD, CE 0. */
struct want {
	enum exc exc;
	const void *at; /* EPC: the instruction, or the branch before it when bd */
	bool bd;
	u32 vector;
	unsigned ce;  /* for CpU */
	bool no_insn; /* a failed fetch or a bus error: BadInstr and BadInstrP are not kept up */
	/* BadVAddr, and for TLB exceptions EntryHi, Context and XContext, must show va */
	bool has_va;
	u64 va;
};

/*
 * Checks a probe's end against w - ExcCode, EPC, BD, vector, BadInstr, BadInstrP, CE, Status.EXL,
 * KSU, BadVAddr and what derives from it - and prints one line that is the same on every platform.
 */
bool expect(const char *what, const struct trap *t, const struct want *w);
#define EXPECT(what, t, ...) expect(what, t, &(struct want){ __VA_ARGS__ })

/* The probe came to its end without any exception; prints a line. */
bool expect_none(const char *what, const struct trap *t);

/* All three positions of a PROBE3 in one mode. */
#define EXPECT3(mode, what, p, a0, a1, ...)                                                       \
	do {                                                                                      \
		EXPECT(what, probe_in(mode, p, a0, a1, 0), .at = p##_at, __VA_ARGS__);            \
		EXPECT(what " in a delay slot", probe_in(mode, p##_d, a0, a1, 0), .at = p##_d_at, \
		       .bd = true, __VA_ARGS__);                                                  \
		EXPECT(what " in a forbidden slot", probe_in(mode, p##_f, a0, a1, 0),             \
		       .at = p##_f_at, .bd = true, __VA_ARGS__);                                  \
	} while (0)

#endif /* GUESTS_LIB_CHECK_H */
