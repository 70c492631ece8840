/* SPDX-License-Identifier: MIT */
/* The static C library's own look-up needs its shared libraries, which the guests' root is without. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "guests/linux/names.h"

struct in_addr address_of(const char *host)
{
	char line[128], address[64], name[64];
	struct in_addr found;
	FILE *hosts = fopen("/etc/hosts", "r");

	while (hosts && fgets(line, sizeof(line), hosts))
		if (sscanf(line, "%63s %63s", address, name) == 2 && !strcmp(name, host) &&
		    inet_aton(address, &found)) {
			fclose(hosts);
			return found;
		}
	fprintf(stderr, "found %s, needed: a name in /etc/hosts\n", host);
	exit(1);
}
