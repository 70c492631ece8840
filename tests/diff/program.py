# SPDX-License-Identifier: MIT
"""Random supervisor programs: program(seed) makes one, always the same. runner.c runs them; README.md says what they may do.

A program is a list of units. A unit is a list of words that only makes sense as a whole (a TLB write with all that it needs, a
branch with its slot and what it jumps over); everything between units is free, so that taking units away leaves a program.
A word is a number, or a function of the address of its unit.
"""
import random
import struct

# the same as in diff.h
CODE_VA, POOL_PA, X_PA, NOWHERE = 0x10000000, 0x210000, 0x204000, 0x400000000
FIRST_INDEX, X_INDEX = 2, 11
AREA = {2: 0x20000000, 3: 0x20100000, 4: 0x0000123456000000, 5: 0x0000FFFF00000000, 6: 0x4000000200000000,
        7: 0xFFFFFFFFD0200000, 8: 0xFFFFFFFFD0300000, 9: 0x4000FFFF00000000, 10: 0x40000000, 11: 0x50000000}
W_VA, W_CSSEG = 0x60000000, 0xFFFFFFFFD0400000
SYS_END, SYS_KERNEL, SYS_USER, SYS_TIMER, SYS_TLBINVF, SYS_PTE = range(0x100, 0x106)
START_USER, SOFT, START_CU1, WALK = 1, 2, 4, 8
MAGIC, VERBOSE = 0x6666696466666964, 1
NOP = 0

TLBR, TLBWI, TLBINV, TLBWR, TLBP, ERET, ERETNC, WAIT = (0x42000000 | f for f in (1, 2, 3, 6, 8, 0x18, 0x58, 0x20))
EHB = 0xC0
ST_BASE, ST_IE, ST_EXL, ST_USER, ST_CU0, ST_CU1 = 0xE0, 1, 2, 0x10, 1 << 28, 1 << 29
GPRS = range(1, 16)  # what programs compute in; 16..25 and 28 point to memory, 29 to W pages, 30 is where wild jumps come back
ASIDS = (1, 1, 1, 2, 3, 0x3FF)


def r_type(funct, rs, rt, rd, sa=0):
    return rs << 21 | rt << 16 | rd << 11 | sa << 6 | funct


def i_type(op, rs, rt, imm):
    return op << 26 | rs << 21 | rt << 16 | imm & 0xFFFF


def syscall(code):
    return code << 6 | 0xC


def mfc0(rt, reg, sel=0):
    return 0x40000000 | rt << 16 | reg << 11 | sel


def dmfc0(rt, reg, sel=0):
    return mfc0(rt, reg, sel) | 1 << 21


def mtc0(rt, reg, sel=0):
    return mfc0(rt, reg, sel) | 4 << 21


def dmtc0(rt, reg, sel=0):
    return mfc0(rt, reg, sel) | 5 << 21


def li(reg, value):
    """A 64-bit constant."""
    value &= (1 << 64) - 1
    signed = value - (1 << 64) if value >> 63 else value
    if -0x80000000 <= signed < 0x80000000:
        words = [i_type(0xF, 0, reg, value >> 16)]
    else:
        words = [i_type(0xF, 0, reg, value >> 48), i_type(0xD, reg, reg, value >> 32), r_type(0x38, 0, reg, reg, 16),
                 i_type(0xD, reg, reg, value >> 16), r_type(0x38, 0, reg, reg, 16), i_type(0xD, reg, reg, value)]
        return words
    return [*words, i_type(0xD, reg, reg, value)]


def la(reg, offset):
    """The address of the unit's word number offset."""
    return [lambda base: i_type(0xF, 0, reg, (base + 4 * offset) >> 16), lambda base: i_type(0xD, reg, reg, base + 4 * offset)]


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)
        kind = self.r.random()
        self.walk = kind < 0.25
        self.soft = kind < 0.5
        self.flags = (SOFT if self.soft else 0) | (WALK if self.walk else 0) | (START_USER if self.r.random() < 0.2 else 0)
        self.flags |= START_CU1 if self.r.random() < 0.3 else 0

    # ---- one instruction, good in any place ----

    def gpr(self):
        return self.r.choice(GPRS)

    def alu(self):
        r, d, s, t = self.r, self.gpr(), self.r.randrange(26), self.r.randrange(26)
        return r.choice([
            lambda: r_type(r.choice([0x21, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2A, 0x2B, 0x2D, 0x2F]), s, t, d),
            lambda: r_type(r.choice([0x14, 0x16, 0x17, 4, 6, 7]), s, t, d),
            lambda: r_type(r.choice([0, 2, 3, 0x38, 0x3A, 0x3B, 0x3C, 0x3E, 0x3F]), 0, t, d, r.randrange(32)),
            lambda: r_type(r.choice([0x18, 0x19, 0x1C, 0x1D]), s, t, d, r.choice([2, 3])),
            lambda: r_type(r.choice([0x35, 0x37]), s, t, d),  # SELEQZ, SELNEZ
            lambda: r_type(r.choice([5, 0x15]), s, t, d, r.randrange(4)),  # LSA, DLSA
            lambda: r_type(r.choice([0x10, 0x11, 0x12, 0x13]), s, 0, d, 1),  # CLZ, CLO, DCLZ, DCLO
            lambda: i_type(r.choice([9, 0xA, 0xB, 0xC, 0xD, 0xE, 0xF, 0x19, 0x1D]), s, d, r.getrandbits(16)),
            lambda: 0x7C000000 | t << 16 | d << 11 | r.choice([0x10, 0x18, 0x2]) << 6 | 0x20,  # SEB, SEH, WSBH
        ])()

    def memory(self, soft=True):
        r = self.r
        kind = r.random()
        if kind < 0.4:
            base, offset = 28, r.randrange(-0x1000, 0x1000)
        elif kind < 0.6 and soft and self.soft:
            base, offset = 29, r.randrange(-0x8000, 0x7F00)
        else:
            base, offset = r.choice(range(16, 25)), r.choice([r.randrange(-0x8000, 0x7F00), r.randrange(-0x1000, 0x3000)])
        if r.random() < 0.9:
            offset &= ~7
        rt = self.gpr()
        if r.random() < 0.12:
            near = offset % 256 - 128
            return 0x7C000000 | base << 21 | rt << 16 | (near & 0x1FF) << 7 | r.choice([0x36, 0x26, 0x37, 0x27])
        if r.random() < 0.06:
            return i_type(r.choice([0x35, 0x3D, 0x31, 0x39]), base, r.randrange(32), offset)  # LDC1, SDC1, LWC1, SWC1
        return i_type(r.choice([0x20, 0x21, 0x23, 0x24, 0x25, 0x27, 0x37, 0x28, 0x29, 0x2B, 0x3F, 0x3F]), base, rt, offset)

    def trap(self):
        r, s, t, d = self.r, self.r.randrange(26), self.r.randrange(26), self.gpr()
        return r.choice([
            lambda: syscall(r.randrange(0x100)),
            lambda: r.randrange(1 << 20) << 6 | 0xD,
            lambda: r_type(r.choice([0x30, 0x31, 0x32, 0x33, 0x34, 0x36]), s, t, 0, r.randrange(32)),
            lambda: r_type(r.choice([0x20, 0x22, 0x2C, 0x2E]), s, t, d),
            lambda: r.choice([0x70000000, 0x00850018, 0x48020000, 0x04170003, 0x7C82002F, 0x7C8000BD, 0x88820000, 0x42000015]),
            lambda: 0x7C000000 | d << 16 | r.choice([0, 1, 3, 29, 29, 9]) << 11 | 0x3B,  # RDHWR
            lambda: r_type(0xF, 0, 0, 0),  # SYNC
        ])()

    def fpu(self):
        r, f = self.r, lambda: self.r.randrange(32)
        return r.choice([
            lambda: 0x44000000 | r.choice([0, 1, 4, 5]) << 21 | self.gpr() << 16 | f() << 11,  # MFC1, DMFC1, MTC1, DMTC1
            lambda: 0x44000000 | r.choice([0x10, 0x11]) << 21 | f() << 16 | f() << 11 | f() << 6 | r.choice([0, 1, 2, 5, 6, 7]),
            lambda: 0x44400000 | self.gpr() << 16 | 31 << 11,  # CFC1 FCSR
        ])()

    def privileged(self):
        """Reads and writes that may stand anywhere."""
        r, t = self.r, self.gpr()
        readable = [(2, 0), (3, 0), (4, 2), (5, 0), (5, 1), (6, 0), (7, 0), (12, 0), (30, 0), (31, 2), (31, 4), (31, 7), (15, 0)]
        if not self.soft:
            readable += [(10, 0), (14, 0)]
        # MTC0 of 64-bit registers moves all 64 in QEMU, and sign-extends under the monitor
        # and DMTC0 of EntryLo more bits of the frame number than QEMU's processor has
        writable = [(5, 0), (8, 0), (15, 0), (16, 1)]
        wide = [(4, 0), (4, 2), (14, 0), (20, 0), (30, 0), (31, 2), (31, 3), (31, 4), (31, 5), (31, 6), (31, 7)]
        pick = r.random()
        if pick < 0.35:
            return r.choice([mfc0, dmfc0])(t, *r.choice(readable))
        if pick < 0.7:
            return r.choice([mtc0(t, *r.choice([(2, 0), (3, 0), *writable])), dmtc0(t, *r.choice(writable + wide))])
        if pick < 0.8:
            return 0x41606000 | t << 16 | r.choice([0, 0x20])  # DI, EI
        if pick < 0.88 and not self.soft:
            return TLBP
        if pick < 0.92:
            return TLBINV
        if pick < 0.95:
            return i_type(0x1F, 28, 0x15, 0) | 0x25  # CACHE, which kernels may
        return EHB  # not RDPGPR: QEMU's gives what the register held at the start of the block

    def one(self, soft=True):
        pick = self.r.random()
        if pick < 0.35:
            return self.alu()
        if pick < 0.62:
            return self.memory(soft)
        if pick < 0.74:
            return self.trap()
        if pick < 0.81:
            return self.fpu()
        return self.privileged()

    def some(self, low, high, soft=True):
        return [self.one(soft) for _ in range(self.r.randrange(low, high))]

    # ---- units ----

    def unit_plain(self):
        return self.some(1, 5)

    def target(self, body):
        """A branch's offset field: over its slot and the body."""
        return len(body) + 1

    def unit_branch(self):
        """A delay slot with anything in it."""
        r, s, t = self.r, self.r.randrange(26), self.r.randrange(26)
        body = self.some(0, 4)
        n = self.target(body)
        branch = r.choice([
            lambda: i_type(r.choice([4, 5]), s, t, n),  # BEQ, BNE
            lambda: i_type(r.choice([6, 7]), s, 0, n),  # BLEZ, BGTZ
            lambda: i_type(1, s, r.choice([0, 1]), n),  # BLTZ, BGEZ
            lambda: i_type(1, 0, r.choice([0x10, 0x11]), n),  # NAL, BAL
            lambda: 0x45000000 | r.choice([9, 13]) << 21 | r.randrange(32) << 16 | n,  # BC1EQZ, BC1NEZ
            lambda: 4 << 26 | n,  # B
        ])()
        return [branch, self.one(), *body]

    def unit_jump(self):
        """J, JAL, JALR, JR.HB with a slot."""
        r, body = self.r, self.some(0, 4)
        if r.random() < 0.5:
            op = r.choice([2, 3])
            end = 2 + len(body)
            return [lambda base: op << 26 | (base + 4 * end) >> 2 & 0x3FFFFFF, self.one(), *body]
        reg = self.gpr()
        link = r.choice([0, 31, 31, reg % 15 + 1])  # never reg itself: such a jump cannot be executed twice
        return [*la(reg, 4 + len(body)), r_type(9, reg, 0, link, r.choice([0, 16])), self.one(), *body]

    def unit_compact(self):
        """A forbidden slot with anything in it."""
        r, s, t = self.r, self.gpr(), self.gpr()
        body = self.some(0, 4)
        n = self.target(body)
        low, high = min(s, t), max(s, t)
        if low == high:
            high = low % 15 + 1
            low, high = min(low, high), max(low, high)
        branch = r.choice([
            lambda: i_type(r.choice([8, 0x18]), low, high, n),  # BEQC, BNEC
            lambda: i_type(r.choice([8, 0x18]), high, low, n),  # BOVC, BNVC
            lambda: i_type(r.choice([8, 0x18]), 0, t, n),  # BEQZALC, BNEZALC
            lambda: i_type(r.choice([0x16, 0x17, 6, 7]), 0, t, n),  # BLEZC, BGTZC, BLEZALC, BGTZALC
            lambda: i_type(r.choice([0x16, 0x17, 6, 7]), t, t, n),  # BGEZC, BLTZC, BGEZALC, BLTZALC
            lambda: i_type(r.choice([0x16, 0x17, 6, 7]), low, high, n),  # BGEC, BLTC, BGEUC, BLTUC
            lambda: r.choice([0x36, 0x3E]) << 26 | t << 21 | n,  # BEQZC, BNEZC
            lambda: r.choice([0x32, 0x3A]) << 26 | n,  # BC, BALC
        ])()
        return [branch, self.one(), *body]

    def unit_in_slot(self):
        """What a slot must not hold."""
        r = self.r
        body = self.some(0, 3)
        n = self.target(body)
        first = r.choice([4 << 26 | n, i_type(5, self.gpr(), 0, n), i_type(0x16, 0, self.gpr(), n), r.choice([0x36]) << 26 | 5 << 21 | n])
        slot = r.choice([ERET, ERETNC, WAIT, 4 << 26 | 1, 0x32 << 26 | 1, 2 << 26, i_type(0x16, 0, 3, 1), r_type(9, 3, 0, 0)])
        return [first, slot, *body]

    def unit_loop(self):
        """A few times round, with something in it that cannot change the counter."""
        reg, count = 15, self.r.randrange(2, 5)
        body = [w for w in self.some(1, 4) if not touches(w, reg)]
        return [i_type(0x19, 0, reg, count), *body, i_type(0x19, reg, reg, -1), i_type(5, reg, 0, -len(body) - 2), NOP]

    def unit_jic(self):
        r, reg = self.r, self.gpr()
        op, body = r.choice([0x36, 0x3E]), self.some(0, 3)
        return [*la(reg, 3 + len(body)), i_type(op, 0, reg, 0), *body]

    def entry_words(self, index, lo_bits=None):
        """Registers of a TLB write to index: 1, 2 are used."""
        r = self.r
        page = r.choice([0x10000, 0x10000, 0x12000, 0x14000, 0])  # few, so that old and new meet
        mask = r.choice([0, 0, 0, 0, 0x6000, 0x1E000, 0x2000])
        hi = (AREA[index] + page) & ~0x1FFF | r.choice(ASIDS) | (0x400 if r.random() < 0.06 else 0)
        words = []
        g = r.random() < 0.25
        for reg in (2, 3):
            lo = r.choice([6, 6, 6, 2, 4, 0]) | r.randrange(8) << 3 | (r.random() < 0.05) | g
            page = X_PA + 0x1000 * (reg - 2) if index == X_INDEX else POOL_PA + r.randrange(16) * 0x1000
            if r.random() < 0.05:
                page = NOWHERE + r.randrange(16) * 0x1000
            lo |= page >> 12 << 6 | (r.random() < 0.15) << 63 | (r.random() < 0.15) << 62
            if index == X_INDEX:
                mask = 0
            words += [*li(2, lo), dmtc0(2, reg)]
        words += [*li(2, mask), mtc0(2, 5), *li(2, hi), dmtc0(2, 10), *li(2, index), mtc0(2, 0)]
        return words

    def unit_tlbwi(self):
        r = self.r
        index = r.randrange(FIRST_INDEX, X_INDEX + 1)
        words = self.entry_words(index)
        if r.random() < 0.3:
            return [*words, i_type(r.choice([4, 5]), 1, 2, 1), TLBWI]
        words += [TLBWI]
        if r.random() < 0.6 and index != X_INDEX:
            words += [i_type(r.choice([0x37, 0x3F, 0x23]), 14 + index, self.gpr(), r.randrange(0, 0x6000) & ~7) for _ in range(r.randrange(1, 4))]
        return words

    def unit_tlbr(self):
        """EntryHi is written afterwards: QEMU may keep what it knows of the ASID when TLBR of an invalid entry makes it 0."""
        words = [*li(1, self.r.randrange(0, X_INDEX + 1)), mtc0(1, 0)]
        words += [4 << 26 | 1, TLBR] if self.r.random() < 0.3 else [TLBR]
        return [*words, dmfc0(2, 10), *self.unit_asid()]

    def unit_tlbp(self):
        index = self.r.randrange(FIRST_INDEX, X_INDEX + 1)
        words = [*li(1, AREA[index] + 0x10000 | self.r.choice(ASIDS)), dmtc0(1, 10), TLBP, mfc0(2, 0)]
        return words

    def unit_probe_and_change(self):
        """As a kernel does after a change of a page: TLBP, TLBR, TLBWI with other rights."""
        index = self.r.randrange(FIRST_INDEX, X_INDEX)
        words = [*li(1, AREA[index] + 0x10000 | self.r.choice(ASIDS)), dmtc0(1, 10), TLBP, mfc0(2, 0)]
        change = [TLBR, dmfc0(3, 2), i_type(0xE, 3, 3, self.r.choice([2, 4, 6, 0x40])), dmtc0(3, 2), TLBWI]
        return [*words, i_type(1, 2, 0, len(change) + 1), NOP, *change]

    def unit_asid(self):
        return [*li(1, AREA[self.r.randrange(2, 10)] | self.r.choice(ASIDS)), dmtc0(1, 10)]

    def unit_tlbwr(self):
        """Only W pages, each always with the same memory: what TLBWR replaces is nobody's business."""
        if not self.soft:
            return self.unit_tlbwi()
        va = self.r.choice([W_VA, W_CSSEG]) + self.r.randrange(0, 0x1FFFF) & ~0x1FFF
        words = []
        for half in (0, 1):
            words += [*li(2, (POOL_PA + (mix((va + half * 0x1000) >> 12) & 15) * 0x1000) >> 12 << 6 | 0x1E), dmtc0(2, 2 + half)]
        return [*words, mtc0(0, 5), *li(2, va | self.r.choice(ASIDS)), dmtc0(2, 10), TLBWR]

    def unit_status(self):
        """Interrupt masks, CU bits, in kernel mode with EXL clear; user mode gets CpU."""
        r = self.r
        status = ST_BASE | r.choice([0, ST_IE]) | r.choice([0, 0x100, 0x300, 0x8300]) | r.choice([0, ST_CU1]) | r.choice([0, 0, ST_CU0])
        return [*li(1, status), mtc0(1, 12)] if r.random() < 0.8 else [*li(1, status), 4 << 26 | 1, mtc0(1, 12)]

    def unit_soft_interrupt(self):
        r = self.r
        words = [*li(1, r.choice([0, 0x100, 0x200, 0x300]) | r.choice([0, 0x800000]))]
        write = mtc0(1, 13)
        words += [write] if r.random() < 0.7 else [r.choice([4 << 26 | 1, i_type(5, 1, 0, 1)]), write]
        if r.random() < 0.5:
            words += [0x41606020 | self.gpr() << 16]
        return words

    def unit_timer(self):
        words = [syscall(SYS_TIMER)]
        if self.r.random() < 0.5:
            return [*li(1, ST_BASE | ST_IE | 0x8000), *words, mtc0(1, 12)]
        return words

    def unit_wait(self):
        return [*li(1, ST_BASE | 0x8000), mtc0(1, 12), syscall(SYS_TIMER), WAIT]

    def unit_mode(self):
        return [syscall(self.r.choice([SYS_USER, SYS_USER, SYS_KERNEL, SYS_KERNEL, SYS_KERNEL]))]

    def unit_eret(self):
        """To user or kernel mode, as a kernel does it. User mode gets CpU for all of it and goes through."""
        r = self.r
        body = self.some(0, 3)
        status = ST_BASE | ST_EXL | r.choice([0, ST_USER, ST_USER]) | r.choice([0, ST_IE]) | r.choice([0, 0x300]) | r.choice([0, ST_CU1])
        words = [*li(1, status), mtc0(1, 12)]
        words += [*la(1, len(words) + 4 + len(body)), dmtc0(1, 14), r.choice([ERET, ERETNC]), *body]
        return words

    def unit_exl(self):
        """Exceptions with EXL set leave EPC alone: the handler goes on at EPC + 4 or + 8, or at EPC itself."""
        body = self.some(1, 3, soft=False)
        body = [w for w in body if w not in (TLBR, TLBP, TLBINV) and not is_cop0(w)]
        words = [*li(1, ST_BASE | ST_EXL), *la(2, 9 + len(body)), dmtc0(2, 14), mtc0(1, 12), *body, *li(1, ST_BASE)]
        return [*words, mtc0(1, 12), NOP, NOP, NOP]

    def unit_llsc(self):
        r = self.r
        load, store = r.choice([(0x36, 0x26), (0x37, 0x27)])
        # the walker's own atomic changes of entries break a reservation
        body = self.some(0, 4) if not self.walk else [self.alu() for _ in range(r.randrange(4))]
        far = r.choice([0, 0, 0, 8]) << 7
        return [0x7C000000 | 28 << 21 | 1 << 16 | load, *[w for w in body if not is_store(w)], i_type(0x19, 1, 2, 1),
                0x7C000000 | 28 << 21 | 2 << 16 | far | store]

    def unit_wild(self):
        """A jump out of the program; the handler comes back to where r30 points."""
        r = self.r
        kind = r.random()
        if kind < 0.4:
            where = li(1, r.choice([1 << 48, 0x4001000000000000, AREA[X_INDEX] + 0x10002]))
        else:
            where = [i_type(0x19, 25, 1, r.randrange(0, 0x2000) & ~3)]
        jump = r_type(9, 1, 0, r.choice([0, 31])) if r.random() < 0.7 else i_type(r.choice([0x36, 0x3E]), 0, 1, 0)
        return [*la(30, 4 + len(where)), *where, jump, NOP]

    def unit_bad_address(self):
        r = self.r
        return [*li(1, r.choice([1 << 48, 0x4001000000000000, 0x0001000000000000 - 8, 0xFFFFFFFFD02FFFFC, 1 << 47])),
                i_type(r.choice([0x37, 0x3F, 0x23, 0x2B, 0x20, 0x28]), 1, self.gpr(), r.choice([0, 0, 4, 7, -8]))]

    def unit_cause(self):
        """Without the lines that no VM has."""
        return [mfc0(1, 13), 0x7C000000 | 1 << 16 | 14 << 11 | 10 << 6 | 4] if not self.soft else self.unit_plain()  # INS 1, 0, 10, 5

    def unit_hwrena(self):
        return [*li(1, self.r.getrandbits(32) & 0x2000000F), mtc0(1, 7)]

    def unit_fcsr(self):
        return [*li(1, self.r.choice([0, 0xF80, 0x1000F80, 3])), 0x44C00000 | 1 << 16 | 31 << 11]

    def unit_tlbinvf(self):
        return [syscall(SYS_TLBINVF)]

    KINDS = {"plain": 20, "branch": 14, "jump": 6, "compact": 14, "in_slot": 4, "loop": 3, "jic": 3, "tlbwi": 12, "tlbr": 3, "tlbp": 3,
             "probe_and_change": 4, "asid": 3, "tlbwr": 3, "status": 5, "soft_interrupt": 6, "timer": 2, "wait": 1, "mode": 4,
             "eret": 6, "exl": 3, "llsc": 5, "wild": 3, "bad_address": 3, "fcsr": 1, "hwrena": 1, "cause": 2, "tlbinvf": 1}

    NOT_WALKED = ("tlbwi", "tlbr", "tlbp", "probe_and_change", "tlbwr", "exl")

    def unit_pte(self):
        return [syscall(SYS_PTE), *self.some(0, 2)]

    def units(self):
        kinds = self.KINDS
        if self.walk:
            kinds = {name: weight for name, weight in kinds.items() if name not in self.NOT_WALKED} | {"pte": 12}
        names, weights = list(kinds), list(kinds.values())
        count = self.r.randrange(4, 40)
        return [getattr(self, "unit_" + name)() for name in self.r.choices(names, weights, k=count)]


def mix(v):
    """runner.c's."""
    mask = (1 << 64) - 1
    v = (v ^ v >> 31) * 0x9E3779B97F4A7C15 & mask
    return v ^ v >> 29


def is_cop0(word):
    return word >> 26 == 0x10


def is_store(word):
    return word >> 26 in (0x28, 0x29, 0x2B, 0x3F, 0x39, 0x3D) or (word >> 26 == 0x1F and word & 63 in (0x26, 0x27))


def touches(word, reg):
    """Whether the word may write reg; not exact."""
    return reg in (word >> 11 & 31, word >> 16 & 31)


def leads_away(word):
    """Whether the unit of this word might end anywhere, or never, without one of its others."""
    return callable(word) or word in (ERET, ERETNC, WAIT, TLBWI, TLBWR, TLBR) or (word >> 26 == 0 and word & 63 == 9)


class Program:
    """seed and units; words() is the code at CODE_VA."""

    def __init__(self, seed, flags, units):
        self.seed, self.flags, self.units = seed, flags, units

    def words(self):
        out = []
        for unit in self.units:
            base = CODE_VA + 4 * len(out)
            out += [word(base) if callable(word) else word for word in unit]
        return [*out, syscall(SYS_END)]

    def with_units(self, units):
        return Program(self.seed, self.flags, units)


def program(seed):
    g = Generator(seed)
    return Program(seed, g.flags, g.units())


def batch(programs, verbose=False):
    out = [struct.pack("<QII", MAGIC, len(programs), VERBOSE if verbose else 0)]
    for p in programs:
        words = p.words()
        out.append(struct.pack(f"<IIQ{len(words)}I", len(words), p.flags, p.seed, *words))
        if len(words) & 1:
            out.append(bytes(4))
    return b"".join(out)
