# SPDX-License-Identifier: MIT
# configs/NAME.dts -> build/NAME.cpio, the boot archive: the description and the images it names. Descriptions whose names make
# cannot handle are not among these; `make run SCENARIO='FILE'` takes them, as it takes a file in any other folder.

SCENARIOS := $(sort $(call plain_names,configs,.dts))
SCENARIO_CPIOS := $(SCENARIOS:%=build/%.cpio)
ALL += $(SCENARIO_CPIOS)

$(SCENARIO_CPIOS): build/%.cpio: configs/%.dts tools/mkimage.sh build/host/dtscheck
	$(call say,IMAGE,$@)
	$(Q)tools/mkimage.sh $< $@

# Which images a description names, as make rules; those of disks must be there, but guests may have written to them since. A
# description that dtc refuses names none, and is refused when its archive is made. Before setup.mk there may be no dtc.
$(SCENARIOS:%=build/needs/%.mk): build/needs/%.mk: configs/%.dts tools/mkimage.sh configs/module.mk | build/setup.mk
	@mkdir -p $(@D)
	@names() { tools/mkimage.sh $$1 $< 2>/dev/null | sed 's/[^A-Za-z0-9_.,+@=/-]/\\&/g' | tr '\n' ' '; }; \
		echo "build/$*.cpio: $$(names --needs) | $$(names --disks)" >$T && $(whole)
ifneq ($(filter-out $(NO_SETUP),$(or $(MAKECMDGOALS),help)),)
include $(SCENARIOS:%=build/needs/%.mk)
endif
