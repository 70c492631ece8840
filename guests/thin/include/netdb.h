/* SPDX-License-Identifier: MIT */
/* lwIP's, and the way from an address to a name. */
#ifndef THIN_NETDB_H
#define THIN_NETDB_H

#include_next <netdb.h>
#include <sys/socket.h>

/* Errors that lwIP does not know: POSIX's others. */
#define EAI_AGAIN    205
#define EAI_BADFLAGS 206
#define EAI_OVERFLOW 207
#define EAI_SYSTEM   208

#define NI_NUMERICHOST 1
#define NI_NUMERICSERV 2 /* always: there are no names of services */
#define NI_NAMEREQD    4
#define NI_NOFQDN      8
#define NI_DGRAM       16
#define NI_MAXHOST     1025
#define NI_MAXSERV     32

const char *gai_strerror(int error);
int getnameinfo(const struct sockaddr *address, socklen_t bytes, char *host, socklen_t host_room,
		char *service, socklen_t service_room, int flags);

#endif /* THIN_NETDB_H */
