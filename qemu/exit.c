/* SPDX-License-Identifier: MIT */
/*
 * $(exit-with N): make ends with status N. Of its own make knows only 0, 1 and 2, but `make run
 * PROGRAM=...` ends as the program did. An object for make's `load` (module.mk).
 */
#include <gnumake.h>
#include <stdlib.h>

int plugin_is_GPL_compatible; /* make asks for it by this name */
int exit_gmk_setup(void);     /* and for this one, made of the file's */

static char *exit_with(const char *name, unsigned int argc, char **argv)
{
	(void)name;
	(void)argc;
	exit(atoi(argv[0]));
}

int exit_gmk_setup(void)
{
	gmk_add_function("exit-with", exit_with, 1, 1, GMK_FUNC_DEFAULT);
	return 1;
}
