/* SPDX-License-Identifier: MIT */
/* Of sockets: FIONREAD, an int, and FIONBIO. */
#ifndef THIN_SYS_IOCTL_H
#define THIN_SYS_IOCTL_H

#include <sys/socket.h>

int ioctl(int number, unsigned long what, ...);

#endif /* THIN_SYS_IOCTL_H */
