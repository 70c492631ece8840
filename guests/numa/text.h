/* SPDX-License-Identifier: MIT */
/* The large program of shared_text: many functions of one size. C and assembly. */
#ifndef GUESTS_NUMA_TEXT_H
#define GUESTS_NUMA_TEXT_H

#define TEXT_FUNCTIONS	    640
#define TEXT_FUNCTION_BYTES 1024
#define TEXT_RECORD_BYTES   1024
#define TEXT_LINES	    8 /* of a record: one in each pass of a function */

#ifndef __ASSEMBLER__
#include "kernel/types.h"

/* Reads and writes a word of each line of the record; a hash of these and of x. */
typedef u64 text_function(u64 x, u64 *record);
extern char text_functions[]; /* TEXT_FUNCTION_BYTES each */
#endif

#endif /* GUESTS_NUMA_TEXT_H */
