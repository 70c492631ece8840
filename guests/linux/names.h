/* SPDX-License-Identifier: MIT */
/* Other VMs of a subnet, by the names that /etc/hosts has for them. */
#ifndef GUESTS_LINUX_NAMES_H
#define GUESTS_LINUX_NAMES_H

#include <netinet/in.h>

/* The address of a name in /etc/hosts; there is none: says so, and ends the program with status 1. */
struct in_addr address_of(const char *host);

#endif /* GUESTS_LINUX_NAMES_H */
