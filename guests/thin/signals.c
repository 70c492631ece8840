/* SPDX-License-Identifier: MIT */
/*
 * Signals that a program sends itself: raise(), abort(), kill() of itself. The handlers are the program's, not one thread's as newlib
 * has them, and run in the thread that calls, which may block some for a while. Nothing else sends any: a fault and Ctrl-C end the program (fault.c).
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guests/thin/files.h"
#include "guests/thin/thin.h"

static struct sigaction actions[NSIG]; /* SIG_DFL is 0; under lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int sigaction(int number, const struct sigaction *restrict action, struct sigaction *restrict was)
{
	if (number <= 0 || number >= NSIG || (action && (number == SIGKILL || number == SIGSTOP)))
		return fail(EINVAL);
	pthread_mutex_lock(&lock);
	if (was)
		*was = actions[number];
	if (action)
		actions[number] = *action;
	pthread_mutex_unlock(&lock);
	return 0;
}

/* As 4.4BSD and Linux have it: the handler stays. */
_sig_func_ptr signal(int number, _sig_func_ptr handler)
{
	const struct sigaction action = { .sa_handler = handler };
	struct sigaction was = { 0 };

	return sigaction(number, &action, &was) ? SIG_ERR : was.sa_handler;
}

static bool is_ignored(int number)
{
	return number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT;
}

/* ---- masks ---- */
static _Thread_local u64 blocked, pending;

static int deliver(int number)
{
	struct sigaction action = { 0 };

	if (sigaction(number, NULL, &action))
		return -1;
	if (action.sa_handler == SIG_DFL && !is_ignored(number))
		fault_signal(number);
	else if (action.sa_handler != SIG_IGN && action.sa_handler != SIG_DFL)
		action.sa_handler(number);
	return 0;
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *was)
{
	u64 before = blocked;

	if (set && how == SIG_BLOCK)
		blocked |= *set;
	else if (set && how == SIG_UNBLOCK)
		blocked &= ~*set;
	else if (set && how == SIG_SETMASK)
		blocked = *set;
	else if (set)
		return EINVAL;
	if (was)
		*was = before;
	for (int i = 1; pending & ~blocked; i++)
		if (pending & ~blocked & 1ul << i) {
			pending &= ~(1ul << i);
			deliver(i);
		}
	return 0;
}

int sigprocmask(int how, const sigset_t *set, sigset_t *was)
{
	int error = pthread_sigmask(how, set, was);

	return error ? fail(error) : 0;
}

int sigpending(sigset_t *set)
{
	*set = pending;
	return 0;
}

int raise(int number)
{
	if (number > 0 && number < NSIG && (blocked & 1ul << number)) {
		pending |= 1ul << number;
		return 0;
	}
	return deliver(number);
}

int kill(pid_t pid, int number)
{
	if (pid != getpid() && pid != 0 && pid != -1)
		return fail(ESRCH);
	return number ? raise(number) : 0;
}

/* Also if the handler comes back. */
void abort(void)
{
	deliver(SIGABRT);
	fault_signal(SIGABRT);
}
