/* SPDX-License-Identifier: MIT */
/*
 * Rule: a call with a wrong number or wrong arguments fails with a negative error in v0 and does
 * nothing else. kernel/abi/disco.h.
 *
 * Method: numbers that don't exist; addresses outside memory, at its end and that wrap around;
 * VCPUs, lines and counters that don't exist.
 */
#include "tests/guest/test.h"

static void fails(const char *what, s64 found, s64 wanted)
{
	print("%s: %ld\n", what, (long)found);
	check(found == wanted, "%s: found %ld, wanted %ld", what, (long)found, (long)wanted);
}

static void refused(const char *what, s64 found)
{
	print("%s: %s\n", what, found < 0 ? "refused" : "done");
	check(found < 0, "%s: found %ld", what, (long)found);
}

int main(void)
{
	static const char text[] = "text\n";

	need_monitor();
	fails("the first that is none", hypercall(DISCO_HC_COUNT_, 0, 0), -DISCO_ENOSYS);
	fails("number 1000", hypercall(1000, 0, 0), -DISCO_ENOSYS);
	fails("number -1", hypercall(-1ul, 0, 0), -DISCO_ENOSYS);
	fails("number 2^32", hypercall(1ul << 32, 0, 0), -DISCO_ENOSYS);
	fails("number 2^63", hypercall(1ul << 63, 0, 0), -DISCO_ENOSYS);
	refused("write from 16 GB", hypercall(DISCO_HC_CONSOLE_WRITE, 16ul << 30, 10));
	refused("write from -1", hypercall(DISCO_HC_CONSOLE_WRITE, -1ul, 10));
	refused("write that wraps", hypercall(DISCO_HC_CONSOLE_WRITE, -4096ul, 8192));
	refused("write from a csseg address", hypercall(DISCO_HC_CONSOLE_WRITE, (u64)text, 5));
	refused("write from a KSEG0 address",
		hypercall(DISCO_HC_CONSOLE_WRITE, 0xffffffff80100000, 5));
	fails("write of nothing", hypercall(DISCO_HC_CONSOLE_WRITE, guest_pa(text), 0), 0);
	refused("start of VCPU 0 (running)", hypercall(DISCO_HC_VCPU_START, 0, guest_pa(text)));
	fails("start of VCPU 7", hypercall(DISCO_HC_VCPU_START, 7, guest_pa(text)), -DISCO_EINVAL);
	fails("start of VCPU -1", hypercall(DISCO_HC_VCPU_START, -1ul, guest_pa(text)),
	      -DISCO_EINVAL);
	fails("start of VCPU 2^32", hypercall(DISCO_HC_VCPU_START, 1ul << 32, guest_pa(text)),
	      -DISCO_EINVAL);
	refused("IPI line 2", hypercall(DISCO_HC_IPI, 1, 2));
	refused("IPI line -1", hypercall(DISCO_HC_IPI, 1, -1ul));
	refused("clear of line 7", hypercall(DISCO_HC_IPI_CLEAR, 7, 0));
	refused("counter 7", hypercall(DISCO_HC_STAT, 7, 0));
	refused("counter -1", hypercall(DISCO_HC_STAT, -1ul, 0));
	check_eq("Cause.IP after all", cp0_read_cause() & (CAUSE_IP(0) | CAUSE_IP(1)), 0);
	return verdict();
}
