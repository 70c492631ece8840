/* SPDX-License-Identifier: MIT */
/*
 * What vvp calls to load a module, for a static vvp that has the module "system" linked in: every
 * module is that one. Loads nothing.
 */
#include <string.h>

extern void (*vlog_startup_routines[])(void);

void *dlopen(const char *name, int flags)
{
	(void)name;
	(void)flags;
	return vlog_startup_routines;
}

void *dlsym(void *module, const char *name)
{
	return strcmp(name, "vlog_startup_routines") ? NULL : module;
}

int dlclose(void *module)
{
	(void)module;
	return 0;
}

char *dlerror(void) { return "this vvp has only the module system"; }
