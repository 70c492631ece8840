/* SPDX-License-Identifier: MIT */
/* What newlib's <dirent.h> wants of a system. */
#ifndef THIN_SYS_DIRENT_H
#define THIN_SYS_DIRENT_H

#include <sys/types.h>

/* The disk's own numbers. */
#define DT_UNKNOWN 0
#define DT_REG	   1
#define DT_DIR	   2
#define DT_CHR	   3
#define DT_BLK	   4
#define DT_FIFO	   5
#define DT_SOCK	   6
#define DT_LNK	   7

struct dirent {
	unsigned d_ino;
	unsigned char d_type;
	char d_name[256];
};

typedef struct thin_dir DIR;

#endif /* THIN_SYS_DIRENT_H */
