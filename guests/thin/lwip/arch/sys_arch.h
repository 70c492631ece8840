/* SPDX-License-Identifier: MIT */
/* lwIP's locks and mailboxes: guests/thin/lwipsys.c. */
#ifndef THIN_LWIP_ARCH_SYS_ARCH_H
#define THIN_LWIP_ARCH_SYS_ARCH_H

#include <pthread.h>

typedef struct thin_lwip_sem {
	volatile unsigned count; /* a word to wait on */
	int valid;
} sys_sem_t;

typedef struct {
	pthread_mutex_t mutex;
	int valid;
} sys_mutex_t;

typedef struct thin_lwip_mbox *sys_mbox_t;
typedef pthread_t sys_thread_t;
typedef int sys_prot_t;

#endif /* THIN_LWIP_ARCH_SYS_ARCH_H */
