# SPDX-License-Identifier: MIT
# Host unit tests: tests/unit/ROOM/test_NAME.c with the monitor's pure sources UNIT_SRCS_NAME -> build/host/unit/test_NAME, under
# the address and undefined-behaviour sanitizers. UNIT_LIBFDT names those that need libfdt.

HOST_CC := gcc
HOST_CFLAGS := $(WARN_CFLAGS) -g -O1 -Itests/unit/host -I. -isystem build/libfdt
HOST_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

UNIT_SRCS_format := kernel/format.c
UNIT_SRCS_elf := kernel/vm/elf.c kernel/format.c
UNIT_SRCS_table := kernel/reloc/table.c kernel/vm/elf.c kernel/format.c
UNIT_SRCS_cpio := kernel/vm/cpio.c kernel/format.c
UNIT_SRCS_vmdesc := kernel/vm/vmdesc.c kernel/vm/vmdesc_vm.c kernel/vm/vmdesc_disk.c kernel/vm/vmdesc_net.c kernel/reloc/patch.c kernel/reloc/tramp.c kernel/reloc/call.c kernel/reloc/jump.c kernel/reloc/cp0move.c kernel/vm/props.c kernel/format.c
UNIT_SRCS_vmdesc_disk := $(UNIT_SRCS_vmdesc)
UNIT_SRCS_vmdesc_net := $(UNIT_SRCS_vmdesc)
UNIT_SRCS_gdtb := kernel/vm/gdtb.c kernel/format.c
UNIT_SRCS_branch := arch/mips/branch.c
UNIT_SRCS_access := arch/mips/access.c
UNIT_SRCS_flush := arch/mips/flush.c
UNIT_SRCS_asid := arch/mips/asid.c
UNIT_SRCS_fresh :=
UNIT_SRCS_l2tlb := kernel/mem/l2tlb.c
UNIT_SRCS_nodemask :=
UNIT_SRCS_pmap_state := kernel/mem/pmap_state.c
UNIT_SRCS_memmap := kernel/mem/memmap.c
UNIT_NUMA_SRCS := tests/unit/numa_vm.c tests/unit/numa_kept.c kernel/mem/memmap.c kernel/mem/pmap.c kernel/mem/pmap_state.c kernel/mem/pmap_share.c kernel/mem/pmap_give.c kernel/mem/pmap_zero.c kernel/mem/pmap_place.c kernel/mem/pmap_view.c kernel/mem/hidden.c kernel/mem/share.c kernel/mem/pass.c kernel/mem/large.c numa/batch.c numa/migrate.c numa/replicate.c numa/shared.c numa/heat.c numa/ledger.c numa/placement.c
UNIT_SRCS_pmap := $(UNIT_NUMA_SRCS)
UNIT_SRCS_block := $(UNIT_NUMA_SRCS)
UNIT_SRCS_first_pages := $(UNIT_NUMA_SRCS)
UNIT_SRCS_pmap_view := $(UNIT_NUMA_SRCS)
UNIT_SRCS_dma := $(UNIT_NUMA_SRCS) drivers/dma.c kernel/vm/guest_memory.c
UNIT_SRCS_move := $(UNIT_NUMA_SRCS)
UNIT_SRCS_share := $(UNIT_NUMA_SRCS)
UNIT_SRCS_pass := $(UNIT_NUMA_SRCS)
UNIT_SRCS_share_many := $(UNIT_NUMA_SRCS)
UNIT_SRCS_share_random := $(UNIT_NUMA_SRCS)
UNIT_SRCS_renew := $(UNIT_NUMA_SRCS)
UNIT_SRCS_waiting := $(UNIT_NUMA_SRCS)
UNIT_SRCS_give_up := $(UNIT_NUMA_SRCS)
UNIT_SRCS_zero := $(UNIT_NUMA_SRCS)
UNIT_SRCS_shared := $(UNIT_NUMA_SRCS)
UNIT_SRCS_nodemem := numa/nodemem.c numa/topology.c numa/heat.c kernel/mem/memmap.c
UNIT_SRCS_left := $(UNIT_SRCS_nodemem)
UNIT_SRCS_vcpu := kernel/vm/vcpu.c
UNIT_SRCS_words := kernel/words.c
UNIT_SRCS_options := kernel/words.c kernel/format.c
UNIT_SRCS_device := kernel/vm/device.c
UNIT_SRCS_life := kernel/vm/life.c kernel/vm/pause.c kernel/vm/vcpu.c
UNIT_SRCS_make := kernel/vm/make.c
UNIT_SRCS_vcpu_move := kernel/format.c kernel/words.c kernel/sched/spread.c kernel/sched/affinity.c kernel/sched/fetch.c arch/mips/flush.c kernel/vm/move.c kernel/vm/vcpu.c kernel/vm/life.c kernel/vm/pause.c kernel/sched/sched.c kernel/sched/members.c kernel/sched/account.c kernel/sched/direct.c kernel/sched/hasten.c
UNIT_SRCS_shootdown := kernel/mem/shootdown.c
UNIT_SRCS_sched := kernel/sched/sched.c kernel/sched/members.c kernel/sched/account.c kernel/sched/direct.c kernel/sched/hasten.c
UNIT_SRCS_sched_yield := $(UNIT_SRCS_sched)
UNIT_SRCS_sched_wide := kernel/sched/sched.c kernel/sched/members.c kernel/sched/account.c kernel/sched/direct.c kernel/sched/hasten.c
UNIT_SRCS_machine := kernel/sched/spread.c kernel/sched/account.c
UNIT_SRCS_direct := kernel/sched/direct.c kernel/sched/account.c
UNIT_SRCS_spread := kernel/sched/spread.c
UNIT_SRCS_affinity := kernel/sched/affinity.c kernel/sched/spread.c
UNIT_SRCS_tick := kernel/sched/tick.c
UNIT_SRCS_lock := kernel/lock.c
UNIT_SRCS_account := kernel/sched/account.c
UNIT_SRCS_filter := numa/filter.c
UNIT_SRCS_latency := kernel/words.c numa/topology.c numa/filter.c kernel/format.c
UNIT_SRCS_topology := numa/topology.c
UNIT_SRCS_policy := kernel/words.c numa/policy.c kernel/format.c
UNIT_SRCS_balance := kernel/words.c numa/policy.c numa/ledger.c numa/heat.c kernel/mem/pmap_state.c kernel/mem/memmap.c kernel/format.c
UNIT_SRCS_heat := numa/heat.c kernel/mem/memmap.c
UNIT_SRCS_ledger := numa/ledger.c numa/policy.c numa/heat.c kernel/mem/memmap.c kernel/words.c kernel/format.c
UNIT_SRCS_text := kernel/console/text.c
UNIT_SRCS_edit := kernel/console/edit.c kernel/console/keys.c kernel/console/text.c
UNIT_SRCS_answer := kernel/console/answer.c kernel/words.c
UNIT_SRCS_vcons := drivers/vcons.c kernel/console/text.c kernel/format.c
UNIT_SRCS_vqueue := drivers/virtio/queue.c
UNIT_SRCS_patch := kernel/reloc/patch.c kernel/reloc/tramp.c kernel/reloc/call.c kernel/reloc/jump.c kernel/reloc/cp0move.c
UNIT_SRCS_pair := kernel/reloc/pair.c arch/mips/branch.c
UNIT_SRCS_tramp := kernel/reloc/tramp.c arch/mips/branch.c
UNIT_SRCS_call := kernel/reloc/call.c kernel/reloc/jump.c kernel/reloc/tramp.c
UNIT_SRCS_cp0move := kernel/reloc/cp0move.c kernel/reloc/tramp.c
UNIT_SRCS_rtc := drivers/host/rtc.c
UNIT_SRCS_board := drivers/board.c drivers/malta.c
UNIT_SRCS_host_disk := drivers/host/disk.c drivers/host/virtio_blk.c kernel/words.c
UNIT_SRCS_virtio_net := drivers/host/virtio_net.c
UNIT_SRCS_blockmap := drivers/disk/blockmap.c
UNIT_SRCS_alike := drivers/disk/alike.c
UNIT_SRCS_disk := drivers/disk/disk.c drivers/disk/deliver.c drivers/disk/own.c drivers/disk/alike.c drivers/disk/cache.c drivers/disk/transfer.c drivers/disk/image.c drivers/disk/blockmap.c
UNIT_SRCS_disk_rows := $(UNIT_SRCS_disk)
UNIT_SRCS_subnet := drivers/subnet/subnet.c drivers/subnet/transfer.c drivers/subnet/habit.c
UNIT_SRCS_fair := drivers/subnet/fair.c
UNIT_SRCS_habit := drivers/subnet/habit.c
UNIT_SRCS_wallclock :=
UNIT_SRCS_seed :=
UNIT_LIBFDT := vmdesc vmdesc_disk vmdesc_net gdtb
# With fake/ in place of the machine's registers, TLB and memory.
UNIT_FAKE := vcpu_move make native window fill dma alike disk disk_rows stale mmu tlb remote cp0 inject emul walk nodemem left renew pmap block first_pages pmap_view move waiting share pass share_many share_random give_up zero heat ledger balance vtimer fpu host_disk virtio_net shared
UNIT_FAKE_SRCS := tests/unit/fake.c arch/mips/mmu.c arch/mips/forget.c arch/mips/tlb.c arch/mips/walk.c arch/mips/flush.c arch/mips/vtlb.c arch/mips/vcp0.c arch/mips/inject.c arch/mips/asid.c \
	kernel/mem/l2tlb.c kernel/format.c
UNIT_SRCS_mmu := $(UNIT_FAKE_SRCS)
UNIT_SRCS_window := $(UNIT_FAKE_SRCS)
UNIT_SRCS_fill := $(UNIT_FAKE_SRCS)
UNIT_SRCS_vtimer := $(UNIT_FAKE_SRCS) arch/mips/vtimer.c
UNIT_SRCS_fpu := $(UNIT_FAKE_SRCS) arch/mips/fpu.c
UNIT_SRCS_tlb := $(UNIT_FAKE_SRCS)
UNIT_SRCS_remote := $(UNIT_FAKE_SRCS)
UNIT_SRCS_walk := $(UNIT_FAKE_SRCS)
UNIT_SRCS_stale := $(UNIT_FAKE_SRCS)
UNIT_SRCS_cp0 := $(UNIT_FAKE_SRCS)
UNIT_SRCS_inject := $(UNIT_FAKE_SRCS)
UNIT_SRCS_native := $(UNIT_FAKE_SRCS) arch/mips/native.c arch/mips/emul.c arch/mips/branch.c arch/mips/access.c
UNIT_SRCS_emul := $(UNIT_FAKE_SRCS) arch/mips/emul.c arch/mips/branch.c arch/mips/access.c

UNIT_NAMES := $(patsubst UNIT_SRCS_%,%,$(filter UNIT_SRCS_%,$(.VARIABLES)))
UNIT_BINS := $(UNIT_NAMES:%=build/host/unit/test_%)
HOST_LIBFDT := build/host/libfdt.a
HOST_LIBFDT_OBJS := $(patsubst %,build/host/libfdt/%.o,fdt fdt_ro fdt_rw fdt_sw fdt_wip fdt_strerror fdt_empty_tree)

$(HOST_LIBFDT_OBJS): build/host/libfdt/%.o: build/libfdt.ok
	@mkdir -p $(@D)
	$(Q)$(HOST_CC) -g -O1 -w $(HOST_SANITIZE) -Ibuild/libfdt -c -o $T build/libfdt/$*.c && $(whole)

$(HOST_LIBFDT): $(HOST_LIBFDT_OBJS)
	$(call say,AR,$@)
	$(Q)ar rcs $T $^ && $(whole)

UNIT_TEST = $(wildcard tests/unit/*/test_$(1).c) $(UNIT_SRCS_$(1))
UNIT_FAKE_CFLAGS := -Itests/unit/fake -include tests/unit/fake/host.h
UNIT_CC = $(HOST_CC) $(if $(filter $(1),$(UNIT_FAKE)),$(UNIT_FAKE_CFLAGS)) $(HOST_CFLAGS)

define UNIT_RULE
build/host/unit/test_$(1): $(UNIT_TEST) $$(if $$(filter $(1),$$(UNIT_LIBFDT)),$$(HOST_LIBFDT)) | build/libfdt.ok
	@mkdir -p $$(@D)
	$$(call say,HOSTCC,$$@)
	$$(Q)$$(call all_deps,$(UNIT_CC),$(UNIT_TEST)) && $(UNIT_CC) $$(HOST_SANITIZE) -o $$T $(UNIT_TEST) \
		$$(if $$(filter $(1),$$(UNIT_LIBFDT)),$$(HOST_LIBFDT)) -lcmocka && $$(whole_deps)
endef
$(foreach name,$(UNIT_NAMES),$(eval $(call UNIT_RULE,$(name))))

-include $(UNIT_BINS:%=%.d)

TEST_NEEDS += $(UNIT_BINS)
HELP += make unit           host unit tests of the pure parts, under ASan and UBSan\n

# SHARE_STEPS: of the random test of sharing
SHARE_STEPS ?= 10000000
HELP += make share-model    SHARE_STEPS=10000000 random steps of sharing, moves, ends and full memory against a model (some minutes)\n
.PHONY: share-model
share-model: build/host/unit/test_share_random
	$(Q)DISCO_STEPS=$(SHARE_STEPS) $<

.PHONY: unit
unit: $(UNIT_BINS)
	$(Q)$(PYTHON) -m pytest -q tests/unit
