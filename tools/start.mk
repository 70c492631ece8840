# SPDX-License-Identifier: MIT
# What comes before all else in the Makefile: a folder that the build can work in, an environment that changes nothing, and no
# options of make but those of the command line. Sets START_AGAIN if this make only starts another one.

SHELL := /bin/bash
# -p: neither BASH_ENV nor exported functions.
.SHELLFLAGS := -p -c

# Linux, newlib and make itself split the names of folders at blanks and more.
ifneq ($(shell LC_ALL=C; [[ $$(pwd -P) = *[!-A-Za-z0-9_./+@]* ]] && echo odd),)
$(error Disco cannot be built in the folder "$(CURDIR)": the sources it builds allow only letters, digits and - _ . / + @ \
	in the names of folders. Move it, for instance to $(HOME)/disco)
endif

# $(call plain_names,FOLDER,.SUFFIX): the files of FOLDER with that suffix, without both. A name that make cannot handle is left out.
plain_names = $(shell LC_ALL=C; cd $(1) && for f in *$(2); do [[ $$f = [-.]* || $$f = *[!-A-Za-z0-9_.+]* ]] || echo "$${f%$(2)}"; done)

START_KEPT := $(subst *,%,$(shell LC_ALL=C sed -e 's/\#.*//' -e 's/[[:space:]].*//' tools/environment.txt)) MAKE% MFLAGS
ifneq ($(TMPDIR),)
ifneq ($(shell [ -d "$$TMPDIR" ] && [ -w "$$TMPDIR" ] || echo bad),)
START_KEPT := $(filter-out TMPDIR,$(START_KEPT))
endif
endif
$(foreach name,$(.VARIABLES),$(if $(findstring environment,$(origin $(name))),\
	$(if $(filter-out $(START_KEPT),$(name)),$(eval override undefine $(name)))))
export LC_ALL := C

# Options and makefiles that somebody exported are in force already: begin again without them, with the same words. How many jobs
# to run is the one that may stay.
ifeq ($(MAKELEVEL),0)
START_OPTIONS := $(shell LC_ALL=C; tr '\0' '\n' </proc/$$PPID/environ 2>/dev/null | \
	sed -n -e 's/^\(GNU\)\{0,1\}MAKEFLAGS=//p' -e 's/^MAKEFILES=//p')
ifneq ($(filter-out -j%,$(START_OPTIONS)),)
START_AGAIN := yes
.PHONY: $(MAKECMDGOALS) start-again
$(or $(MAKECMDGOALS),start-again): start-again
start-again:
	+@exec tools/start-again.sh $$PPID
endif
endif
