/* SPDX-License-Identifier: MIT */
/* POSIX semaphores without names; newlib has no such header. */
#ifndef THIN_SEMAPHORE_H
#define THIN_SEMAPHORE_H

#include <sys/types.h>
#include <time.h>

typedef struct {
	__uint32_t value;
} sem_t;

#define SEM_VALUE_MAX 0x7fffffff

int sem_init(sem_t *sem, int shared, unsigned value);
int sem_destroy(sem_t *sem);
int sem_wait(sem_t *sem);
int sem_trywait(sem_t *sem);
int sem_timedwait(sem_t *sem, const struct timespec *until);
int sem_post(sem_t *sem);
int sem_getvalue(sem_t *sem, int *value);

#endif /* THIN_SEMAPHORE_H */
