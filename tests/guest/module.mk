# SPDX-License-Identifier: MIT
# Bare-metal tests: tests/guest/NAME.c -> build/guests/tests/NAME.elf (under the monitor) and build/guests/native/NAME.elf
# (the bare machine), and for those that run there build/guests/reloc/NAME.elf, which is the same with its relocations. Those that say
# `Runs: rewritten` call the monitor from KSEG0, too: build/guests/kseg0/NAME.elf, and kseg0-reloc with relocations.

GUEST_TESTS := $(call plain_names,tests/guest,.c)
GUEST_TEST_ELFS := $(foreach t,$(GUEST_TESTS),build/guests/tests/$(t).elf build/guests/native/$(t).elf)
NATIVE_TESTS := $(patsubst tests/guest/%.c,%,$(shell grep -L 'need_monitor()' tests/guest/*.c))
GUEST_TEST_ELFS += $(NATIVE_TESTS:%=build/guests/reloc/%.elf)
SMP_TESTS := $(patsubst tests/guest/%.c,%,$(shell grep -l 'Runs: rewritten' tests/guest/*.c))
GUEST_TEST_ELFS += $(foreach t,$(SMP_TESTS),build/guests/kseg0/$(t).elf build/guests/kseg0-reloc/$(t).elf)
TEST_NEEDS += $(GUEST_TEST_ELFS)
HELP += make guest-tests    build the bare-metal guest tests (tests/guest)\n

FUZZ_OPS ?= 1000000
HELP += make virtio-fuzz    FUZZ_OPS=1000000 random operations on every virtio device, plain and with moves and checks (10 minutes)\n
.PHONY: virtio-fuzz
virtio-fuzz: build/disco.elf $(GUEST_TEST_ELFS) build/host/dtscheck
	@PYTHONDONTWRITEBYTECODE=1 DISCO_VIRTIO_OPS=$(FUZZ_OPS) $(PYTHON) -m pytest -c tests/pytest.ini --rootdir=. tests/guest/test_virtio_fuzz.py

.PHONY: guest-tests
guest-tests: $(GUEST_TEST_ELFS)

build/guests/obj/tests/guest/%.o: GUEST_CFLAGS += -DGUEST_NAME='"$(notdir $*)"'

build/guests/tests/%.elf: build/guests/obj/tests/guest/%.o $(GUEST_LIB_OBJS) build/guests/obj/guests/lib/platform-disco.o guests/lib/guest.ld
	@mkdir -p $(@D)
	$(Q)$(call guest_link,$(GUEST_BASE_DISCO),$(filter %.o,$^))

build/guests/native/%.elf: build/guests/obj/tests/guest/%.o $(GUEST_LIB_OBJS) build/guests/obj/guests/lib/platform-malta.o guests/lib/guest.ld
	@mkdir -p $(@D)
	$(Q)$(call guest_link,$(GUEST_BASE_MALTA),$(filter %.o,$^))

build/guests/reloc/%.elf: build/guests/obj/tests/guest/%.o $(GUEST_LIB_OBJS) build/guests/obj/guests/lib/platform-malta.o guests/lib/guest.ld
	@mkdir -p $(@D)
	$(Q)$(call guest_link,$(GUEST_BASE_MALTA),$(filter %.o,$^),-Wl$(comma)--emit-relocs)

build/guests/kseg0/%.elf: build/guests/obj/tests/guest/%.o $(GUEST_LIB_OBJS) build/guests/obj/guests/lib/platform-kseg0.o guests/lib/guest.ld
	@mkdir -p $(@D)
	$(Q)$(call guest_link,$(GUEST_BASE_MALTA),$(filter %.o,$^))

build/guests/kseg0-reloc/%.elf: build/guests/obj/tests/guest/%.o $(GUEST_LIB_OBJS) build/guests/obj/guests/lib/platform-kseg0.o guests/lib/guest.ld
	@mkdir -p $(@D)
	$(Q)$(call guest_link,$(GUEST_BASE_MALTA),$(filter %.o,$^),-Wl$(comma)--emit-relocs)

HELP += make lives          VMs created, used and destroyed in a loop, and at random: LIVES=500\n

.PHONY: lives
lives: build/disco.elf build/linux/vmlinux $(GUEST_TEST_ELFS)
	@PYTHONDONTWRITEBYTECODE=1 DISCO_LIVES=$(or $(LIVES),500) DISCO_CHAOS=$(or $(LIVES),500) $(PYTHON) -m pytest -c tests/pytest.ini --rootdir=. -s tests/guest/test_lives.py \
		tests/guest/test_chaos.py

HELP += make off-on         VCPUs that go off and come back, paused, moved and ended meanwhile: OFF_ON=10000 times (2 minutes)\n
.PHONY: off-on
off-on: build/disco.elf $(GUEST_TEST_ELFS)
	@PYTHONDONTWRITEBYTECODE=1 DISCO_OFF_ON=$(or $(OFF_ON),10000) $(PYTHON) -m pytest -c tests/pytest.ini --rootdir=. tests/guest/test_off_on.py

.SECONDARY: $(patsubst %,build/guests/obj/tests/guest/%.o,$(GUEST_TESTS))
-include $(patsubst %,build/guests/obj/tests/guest/%.d,$(GUEST_TESTS))
