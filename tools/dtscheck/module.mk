# SPDX-License-Identifier: MIT
# dtscheck: machine descriptions checked on the host, by the monitor's own parsers.

DTSCHECK_SRCS := tools/dtscheck/dtscheck.c kernel/vm/vmdesc.c kernel/vm/vmdesc_vm.c kernel/vm/vmdesc_disk.c kernel/vm/vmdesc_net.c kernel/reloc/patch.c kernel/reloc/tramp.c kernel/reloc/call.c kernel/reloc/jump.c kernel/reloc/cp0move.c kernel/vm/props.c kernel/vm/cpio.c kernel/vm/elf.c kernel/format.c
DTSCHECK_OBJS := $(patsubst %,build/host/dtscheck.d/%.o,fdt fdt_ro fdt_strerror)

$(DTSCHECK_OBJS): build/host/dtscheck.d/%.o: build/libfdt.ok
	@mkdir -p $(@D)
	$(Q)gcc -O1 -g -w -Ibuild/libfdt -c -o $T build/libfdt/$*.c && $(whole)

build/host/dtscheck: $(DTSCHECK_SRCS) $(DTSCHECK_OBJS)
	@mkdir -p $(@D)
	$(call say,HOSTCC,$@)
	$(Q)gcc -I. -isystem build/libfdt -MM -MP -MT $@ $(DTSCHECK_SRCS) >$T.dep && \
		gcc $(WARN_CFLAGS) -O1 -g -I. -isystem build/libfdt -o $T $(DTSCHECK_SRCS) $(DTSCHECK_OBJS) && \
		mv -f $T.dep $@.dep && $(whole)

-include build/host/dtscheck.dep
