/* SPDX-License-Identifier: MIT */
/* Assertions and the verdict: see check.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "guests/lib/check.h"
#include "guests/lib/guest.h"

static char why[200];
static unsigned checks, failures;

#define FAILURES_MAX 100 /* a test that went wild need not fill the disk */

static void failed(const char *reason)
{
	if (failures == FAILURES_MAX)
		platform_off(verdict());
	if (!failures++)
		snprintf(why, sizeof(why), "%s", reason);
	print("check failed: %s\n", reason);
}

bool check(bool ok, const char *fmt, ...)
{
	char reason[200];
	va_list ap;

	checks++;
	if (ok)
		return true;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	failed(reason);
	return false;
}

bool check_eq(const char *what, u64 found, u64 wanted)
{
	return check(found == wanted, "%s: found %lx, wanted %lx", what, (unsigned long)found,
		     (unsigned long)wanted);
}

const char *text(const char *fmt, ...)
{
	static char buf[4][100];
	static unsigned next;
	char *s = buf[next++ % 4];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s, sizeof(buf[0]), fmt, ap);
	va_end(ap);
	return s;
}

void skip(const char *reason)
{
	print("SKIP %s: %s\n", guest_name, reason);
	platform_off(0);
}

void need_monitor(void)
{
	if (platform_is_native)
		skip("a rule of the monitor");
}

int verdict(void)
{
	if (!checks)
		failed("nothing was checked");
	if (failures)
		print("FAIL %s: %s\n", guest_name, why);
	else
		print("PASS %s\n", guest_name);
	return failures != 0;
}

static bool is_tlb(unsigned exc)
{
	return exc == EXC_MOD || exc == EXC_TLBL || exc == EXC_TLBS || exc == EXC_TLBRI ||
	       exc == EXC_TLBXI;
}

static u32 word_at(const void *p)
{
	u32 w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* Context and XContext of a failing address: Table 9.20 and 9.63 of MD00090, SEGBITS = 48. */
static u64 context_badvpn2(u64 va) { return ((va >> 13) & 0x7ffff) << 4; }
static u64 xcontext_of(u64 va)
{
	u64 vpn2 = (va >> 13) & ((1ull << 35) - 1), r = va >> 62;

	return r << 39 | vpn2 << 4;
}

static bool expect_va(const char *what, const struct trap *t, const struct want *w)
{
	bool ok = check(t->f.badvaddr == w->va, "%s: BadVAddr %lx, wanted %lx", what,
			(unsigned long)t->f.badvaddr, (unsigned long)w->va);

	if (!is_tlb(t->exc))
		return ok;
	ok &= check(HI_VPN(t->f.entryhi) == HI_VPN(w->va), "%s: EntryHi %lx", what,
		    (unsigned long)t->f.entryhi);
	ok &= check((t->f.context & 0x7ffff0) == context_badvpn2(w->va), "%s: Context %lx", what,
		    (unsigned long)t->f.context);
	ok &= check((t->f.xcontext & 0x1fffffffff0) == xcontext_of(w->va), "%s: XContext %lx", what,
		    (unsigned long)t->f.xcontext);
	return ok;
}

bool expect(const char *what, const struct trap *t, const struct want *w)
{
	u32 vector = w->vector ? w->vector : 0x180;
	bool bd = (t->f.cause & CAUSE_BD) != 0, ok = true;
	unsigned ce = CAUSE_CE((u32)t->f.cause);

	if (!t->taken)
		return check(false, "%s: no exception, wanted %s", what, trap_name(w->exc));
	print("%s: %s%s%s", what, trap_name(t->exc), bd ? " BD" : "",
	      t->f.vector == 0x180 ? "" : " refill");
	if (t->exc == EXC_CPU)
		print(" CE=%u", ce);
	if (w->has_va)
		print(" at %lx", (unsigned long)t->f.badvaddr);
	print("\n");
	ok &= check(t->exc == w->exc, "%s: %s, wanted %s", what, trap_name(t->exc),
		    trap_name(w->exc));
	ok &= check(bd == w->bd, "%s: BD=%d", what, bd);
	ok &= check(t->f.vector == vector, "%s: vector %x, wanted %x", what, (u32)t->f.vector,
		    vector);
	ok &= check(t->f.epc == (u64)w->at, "%s: EPC is off by %ld", what,
		    (long)(t->f.epc - (u64)w->at));
	ok &= check((t->f.status & (ST_EXL | ST_ERL)) == ST_EXL, "%s: Status %x", what,
		    (u32)t->f.status);
	if (w->exc == EXC_CPU)
		ok &= check(ce == w->ce, "%s: CE=%u, wanted %u", what, ce, w->ce);
	if (!w->no_insn)
		ok &= check((u32)t->f.badinstr == word_at((const char *)w->at + (w->bd ? 4 : 0)),
			    "%s: BadInstr %x", what, (u32)t->f.badinstr);
	if (!w->no_insn && w->bd)
		ok &= check((u32)t->f.badinstrp == word_at(w->at), "%s: BadInstrP %x", what,
			    (u32)t->f.badinstrp);
	if (w->has_va)
		ok &= expect_va(what, t, w);
	return ok;
}

bool expect_none(const char *what, const struct trap *t)
{
	print("%s: %s\n", what, t->taken ? trap_name(t->exc) : "no exception");
	return check(!t->taken, "%s: %s", what, trap_name(t->exc));
}
