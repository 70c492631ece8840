# SPDX-License-Identifier: MIT
# configs/NAME.dts -> build/NAME.cpio, the boot archive: the description and the images it names.

SCENARIOS := $(sort $(basename $(notdir $(wildcard configs/*.dts))))
SCENARIO_CPIOS := $(SCENARIOS:%=build/%.cpio)
ALL += $(SCENARIO_CPIOS)

$(SCENARIO_CPIOS): build/%.cpio: configs/%.dts tools/mkimage.sh build/host/dtscheck
	$(call say,IMAGE,$@)
	$(Q)tools/mkimage.sh $< $@

# Which images a description names, as make rules.
$(SCENARIOS:%=build/needs/%.mk): build/needs/%.mk: configs/%.dts tools/mkimage.sh
	@mkdir -p $(@D)
	@echo "build/$*.cpio: $$(tools/mkimage.sh --needs $< | tr '\n' ' ')" >$@
ifneq ($(filter-out $(NO_SETUP),$(or $(MAKECMDGOALS),help)),)
include $(SCENARIOS:%=build/needs/%.mk)
endif
