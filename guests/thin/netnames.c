/* SPDX-License-Identifier: MIT */
/* What addresses and errors of the network are called: the other way of getaddrinfo(), which is lwIP's. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "guests/thin/network.h"
#include "guests/thin/thin.h"

const char *gai_strerror(int error)
{
	switch (error) {
	case 0: return "no error";
	case EAI_NONAME: return "no such name on the subnets";
	case EAI_SERVICE: return "no such service: ports are numbers here";
	case EAI_FAIL: return "the name cannot be found";
	case EAI_MEMORY: return "no memory left";
	case EAI_FAMILY: return "no such family of addresses: there is IPv4";
	case EAI_AGAIN: return "no answer for now";
	case EAI_BADFLAGS: return "no such flags";
	case EAI_OVERFLOW: return "no room for the name";
	case EAI_SYSTEM: return "see errno";
	}
	return "no such error";
}

/* A text into the caller's room, if he wants it. */
static int put(char *to, size_t room, const char *text)
{
	if (!to || !room)
		return 0;
	return strlcpy(to, text, room) < room ? 0 : EAI_OVERFLOW;
}

int getnameinfo(const struct sockaddr *address, socklen_t bytes, char *host, socklen_t host_room,
		char *service, socklen_t service_room, int flags)
{
	const int known = NI_NUMERICHOST | NI_NUMERICSERV | NI_NAMEREQD | NI_NOFQDN | NI_DGRAM;
	char number[INET_ADDRSTRLEN], port[8];
	struct sockaddr_in in;
	const char *name;
	int error;

	if (flags & ~known)
		return EAI_BADFLAGS;
	if (bytes < sizeof(in) || address->sa_family != AF_INET)
		return EAI_FAMILY;
	memcpy(&in, address, sizeof(in));
	network_begin();
	name = flags & NI_NUMERICHOST ? NULL : network_name_of(ntohl(in.sin_addr.s_addr));
	if (!name && flags & NI_NAMEREQD)
		return EAI_NONAME;
	snprintf(port, sizeof(port), "%u", ntohs(in.sin_port));
	error = put(host, host_room,
		    name ? name : inet_ntop(AF_INET, &in.sin_addr, number, sizeof(number)));
	return error ? error : put(service, service_room, port);
}
