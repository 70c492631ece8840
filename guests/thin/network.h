/* SPDX-License-Identifier: MIT */
/* The network, between its files: lwIP over the VM's virtio network devices. */
#ifndef GUESTS_THIN_NETWORK_H
#define GUESTS_THIN_NETWORK_H

#include "kernel/types.h"

/* Starts lwIP, and each port with the address that the description gives it. By any thread, as often as one likes. */
void network_begin(void);
u32 network_ports(void); /* that were started */

/* The name of the VM with this address, in the host's order, on one of the subnets, or "localhost"; NULL: there is none. */
const char *network_name_of(u32 address);

#endif /* GUESTS_THIN_NETWORK_H */
