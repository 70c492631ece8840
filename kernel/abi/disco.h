/* SPDX-License-Identifier: MIT */
/*
 * The guest ABI: everything a guest may know about the monitor. Included by the monitor, by
 * guests/, by tests/guest and (copied by name) by guest-patches. C and assembly; includes nothing.
 * docs/guest-abi.md is the prose. This file does not describe the machine, only what a guest sees.
 */
#ifndef KERNEL_ABI_DISCO_H
#define KERNEL_ABI_DISCO_H

#define DISCO_ABI_VERSION 1

/*
 * A monitor call is the architecture's own HYPCALL instruction (MD00847, COP0 CO function 0x28),
 * executed in guest kernel (machine supervisor) mode. Number in v0, up to four arguments in a0, a1,
 * a2, a3, result in v0: zero or positive on success, -DISCO_E... on failure. No other register
 * changes. From guest user mode it is an ordinary Coprocessor Unusable exception.
 */
#define DISCO_HYPCALL_INSN 0x42000028

/* ---- calls ---- */
#define DISCO_HC_VERSION       0  /* () -> DISCO_ABI_VERSION */
#define DISCO_HC_CONSOLE_WRITE 1  /* (physical address, bytes) -> bytes taken, up to 256 */
#define DISCO_HC_CONSOLE_PUTC  2  /* (character) -> 0 */
#define DISCO_HC_CONSOLE_GETC  3  /* () -> character 0..255, or -DISCO_EAGAIN */
#define DISCO_HC_SET_TIMER     4  /* (32-bit Count) -> 0: as mtc0 Compare, but the past is now */
#define DISCO_HC_VCPU_START    5  /* (vcpu, physical address of a start block) -> 0: see below */
#define DISCO_HC_VCPU_STOP     6  /* () stops the calling VCPU until started again */
#define DISCO_HC_IPI	       7  /* (vcpu bit mask, line 0..1) raises Cause.IP0/IP1 there -> 0 */
#define DISCO_HC_IPI_CLEAR     8  /* (line 0..1) drops the caller's own line -> 0 */
#define DISCO_HC_YIELD	       9  /* () gives the rest of the time slice away -> 0 */
#define DISCO_HC_POWEROFF      10 /* (code) ends the VM; code 0 is success, printed by the monitor */
#define DISCO_HC_RESET	       11 /* () loads and starts the VM afresh */
#define DISCO_HC_VCPU_ID       12 /* () -> this VCPU's number in its VM */
#define DISCO_HC_STAT	       13 /* (DISCO_STAT_...) -> that counter of the calling VCPU */
#define DISCO_HC_MMU_SETUP     14 /* (physical address of a DISCO_MMU_ block; 0: off) -> 0 */
#define DISCO_HC_MMU_SWITCH    15 /* (EntryHi, page table root VA) -> 0: another address space */
#define DISCO_HC_MMU_FLUSH     16 /* (VA, bytes, vcpu bit mask, ASID or DISCO_ALL_ASIDS) -> 0 */
#define DISCO_HC_YIELD_TO      17 /* (vcpu) the rest of the slice to that one, if it can run -> 0 */
#define DISCO_HC_TIME	       18 /* () -> the time of day: ns since 1970-01-01 00:00 UTC */
#define DISCO_HC_CONSOLE_SIZE  19 /* () -> rows << 16 | columns of the terminal, 0: not known */
#define DISCO_HC_REMAP	       20 /* (page, page that it is to equal: physical addresses) -> 0 */
#define DISCO_HC_COUNT_	       21 /* how many there are; not a call */

/*
 * DISCO_HC_VCPU_START: a0 = vcpu, a1 = physical address of a struct of four 64-bit words
 * { entry pc, sp, gp, argument }: the VCPU starts at pc in kernel mode, interrupts off, Status as
 * after VM start, with those registers and a0 = argument. Fails with -DISCO_EINVAL for a VCPU that
 * does not exist or a bad address, -DISCO_EBUSY for one that runs.
 */
#define DISCO_START_PC	  0
#define DISCO_START_SP	  8
#define DISCO_START_GP	  16
#define DISCO_START_ARG	  24
#define DISCO_START_BYTES 32

#define DISCO_STAT_EXITS      0 /* entries to the monitor but refills from the L2TLB */
#define DISCO_STAT_TLB	      1 /* of these: TLB misses that the L2TLB did not hold */
#define DISCO_STAT_PRIV	      2 /* of these: instructions emulated, calls too */
#define DISCO_STAT_HYPCALL    3 /* of these: monitor calls */
#define DISCO_STAT_IRQ	      4 /* of these: machine interrupts */
#define DISCO_STAT_CHARGED    5 /* injected delays of remote memory */
#define DISCO_STAT_CHARGED_NS 6 /* their sum */

/* ---- errors, negated in v0 ---- */
#define DISCO_EPERM  1
#define DISCO_EAGAIN 11
#define DISCO_EFAULT 14
#define DISCO_EBUSY  16
#define DISCO_EINVAL 22
#define DISCO_ENOSYS 38

/*
 * ---- guest kernel address space ----
 * "Physical" memory starts at 0 and is contiguous. Guest kernel mode sees it, without any TLB entry
 * of its own, in two windows:
 *
 *   csseg [0xffffffffc0000000, 0xffffffffd0000000)   its first 256 MB   in place of KSEG0
 *   xsseg [0x4000000000000000, + memory size)        all of it          in place of XKPHYS
 *
 * The rest of csseg, [0xffffffffd0000000, 0xffffffffdffff000), and the rest of xsseg are mapped by
 * the guest's TLB. The last page of csseg is the monitor's. KSEG0, KSEG1, kseg3, XKPHYS and xkseg
 * give address errors.
 */
#define DISCO_CSSEG_BASE   0xffffffffc0000000
#define DISCO_CSSEG_WINDOW 0x10000000
#define DISCO_CSSEG_MAPPED 0xffffffffd0000000
#define DISCO_SPECIAL_PAGE 0xffffffffdffff000
#define DISCO_XSSEG_BASE   0x4000000000000000

/*
 * ---- the special page ---- of each VCPU, mapped for its kernel at DISCO_SPECIAL_PAGE without the
 * guest's doing (the page below it is the monitor's too). It holds the virtual CP0 registers,
 * [register][select], 64 bits each: a load is MFC0 without a trap. Stores that count as MTC0:
 * Status (IE, EXL, KSU, CU1; a changed IM needs MTC0), EPC, ErrorEPC, KScratch, UserLocal (in force
 * at the next ERET to user mode), Context, XContext. Of Count, Random and Compare the page knows
 * nothing, of Cause the state at the last delivery. After setting Status.IE a guest that finds
 * DISCO_SP_PENDING non-zero executes EI: an interrupt waits. ERETNC looks itself.
 */
#define DISCO_SP_REG(reg, sel) ((reg)*64 + (sel)*8)
#define DISCO_SP_PENDING       0x800 /* 32 bits: an interrupt waits for IE */
#define DISCO_SP_STEAL	       0x808 /* 64 bits: Count ticks the VCPU wanted to run and did not */

/*
 * ---- the monitor's page walker ---- With DISCO_HC_MMU_SETUP a VCPU's TLB misses outside the
 * windows are served from the guest's page tables: three levels of 64-bit words, two of pointers to
 * the next (window addresses), then entries that become EntryLo by rotating right. The guest's TLB
 * is not asked then. The monitor sets ACCESSED and VALID on a read, MODIFIED and DIRTY too on a
 * write, where PRESENT and WRITE allow; everything else is one TLBL, TLBS, Mod, TLBRI or TLBXI at
 * the general vector. After taking rights or a page away the guest calls DISCO_HC_MMU_FLUSH for the
 * VCPUs that may have used them. The block is an array of 64-bit words:
 */
#define DISCO_MMU_KERNEL_ROOT 0 /* VA of the root for supervisor segments */
#define DISCO_MMU_SHIFTS      1 /* bytes: root's shift, its index bits, middle's two, last's two */
#define DISCO_MMU_ROTATE      2 /* entry -> EntryLo */
#define DISCO_MMU_PRESENT     3 /* masks within an entry, this and the following */
#define DISCO_MMU_WRITE	      4
#define DISCO_MMU_ACCESSED    5
#define DISCO_MMU_MODIFIED    6
#define DISCO_MMU_VALID	      7
#define DISCO_MMU_DIRTY	      8
#define DISCO_MMU_NO_READ     9
#define DISCO_MMU_WORDS	      10
#define DISCO_ALL_ASIDS	      0xffff

/*
 * ---- start of a VM ----
 * UHI boot (MD01069): VCPU 0 starts at the ELF entry with a0 = -2, a1 = csseg address of a
 * flattened device tree, all other registers 0; Status = BEV|FR|KX|SX|UX. The tree: /memory,
 * /chosen { bootargs, linux,initrd-start, linux,initrd-end }, /cpus, /interrupt-controller
 * "mti,cpu-interrupt-controller", /hypervisor "disco,monitor".
 */

/*
 * ---- devices with registers ---- lie in "physical" space above all memory, one in each block of
 * DISCO_DEVICE_BYTES; the device tree says which. Kernel mode sees them in the xsseg window without
 * a TLB entry, too.
 */
#define DISCO_DEVICE_BASE  0x100000000
#define DISCO_DEVICE_BYTES 0x1000

/*
 * ---- the identity device, "disco,identity" ---- offsets of its registers, 32 bits each unless it says
 * otherwise. Read only but for the last two.
 */
#define DISCO_IDENTITY_MAGIC	   0x00
#define DISCO_IDENTITY_MAGIC_VALUE 0x43534944 /* "DISC" */
#define DISCO_IDENTITY_VERSION	   0x04	      /* DISCO_ABI_VERSION */
#define DISCO_IDENTITY_VCPUS	   0x08
#define DISCO_IDENTITY_MEMORY_MB   0x0c
#define DISCO_IDENTITY_NAME	   0x10 /* the VM's label, 16 bytes, zeroes behind it */
#define DISCO_IDENTITY_SCRATCH	   0x20 /* 64 bits: keeps what is stored */
#define DISCO_IDENTITY_INTERRUPT   0x28 /* bit 0 raises, or drops, the device's interrupt */
#define DISCO_IDENTITY_BYTES	   0x30

/* ---- interrupt lines, Cause.IP numbers; IntCtl.IPTI is the timer's ---- */
#define DISCO_IRQ_IPI0	  0
#define DISCO_IRQ_IPI1	  1
#define DISCO_IRQ_CONSOLE 2
#define DISCO_IRQ_DEVICE  3 /* devices with registers that have no other; shared */
#define DISCO_IRQ_DISK	  4 /* disks with an even number; shared by those of one VM */
#define DISCO_IRQ_NET	  5 /* network devices; the same */
#define DISCO_IRQ_DISK2	  6 /* disks with an odd number; the same */
#define DISCO_IRQ_TIMER	  7

#endif /* KERNEL_ABI_DISCO_H */
