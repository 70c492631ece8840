# SPDX-License-Identifier: MIT
# What the workload Pmake makes, in the guest: Lua with tcc, twice. Each command goes through a shell and ends in a rename, as in
# makefiles that must survive an interruption.
SETS := plain debug
OPTIONS_plain :=
OPTIONS_debug := -g -DLUAI_ASSERT -DLUA_USE_APICHECK
# The C library's headers are MIPS's, told so; the code is for the target that tcc was built for.
TCC := tcc -nostdinc -Itcc -Iinclude -Isrc -D_MIPS_SZPTR=64 -D_MIPS_SIM=3 -D_ABI64=3 -D_ABIN32=2 -D_ABIO32=1 -D__mips=64 \
	-DLUA_USE_POSIX -DDEB_HOST_MULTIARCH='"guest"'
NAMES := $(filter-out luac,$(basename $(notdir $(wildcard src/*.c))))

.PHONY: all
all: $(SETS:%=%/lua.all.o)

define set
$(1)/%.o: src/%.c | $(1)
	$(TCC) $(OPTIONS_$(1)) -c -o $$@.tmp $$< && mv $$@.tmp $$@

$(1)/lua.all.o: $(NAMES:%=$(1)/%.o)
	tcc -r -o $$@.tmp $$^ && mv $$@.tmp $$@

$(1):
	mkdir $$@
endef
$(foreach s,$(SETS),$(eval $(call set,$(s))))
