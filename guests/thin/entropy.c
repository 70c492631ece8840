/* SPDX-License-Identifier: MIT */
/* Random bytes of the VM's entropy device, for getentropy(), which newlib's arc4random() begins with. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "guests/thin/files.h"
#include "guests/thin/thin.h"
#include "guests/thin/virtio.h"

#define ENTROPY_ID 4 /* of the device */
#define AT_ONCE	   64u
#define MOST	   256u /* POSIX's: more is an error */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct virtio_device device;
static volatile struct virtio_queue queue;
static u8 bytes[AT_ONCE];

static bool start(void)
{
	if (device.registers)
		return true;
	if (!virtio_nth(ENTROPY_ID, 0, &device) || !virtio_begin(&device, 0)) {
		device.registers = NULL;
		return false;
	}
	virtio_set_up(&device, 0, &queue);
	queue.available.flags = VIRTIO_NO_INTERRUPT;
	virtio_go(&device);
	return true;
}

int getentropy(void *to, size_t n)
{
	size_t done = 0;
	s64 part = 1;

	if (n > MOST)
		return fail(EIO);
	pthread_mutex_lock(&lock);
	if (!start())
		part = 0;
	while (done < n && part > 0) {
		part = virtio_read(&device, 0, &queue, bytes, AT_ONCE);
		if (part > 0) {
			part = (s64)MIN((u64)part, n - done);
			memcpy((u8 *)to + done, bytes, (size_t)part);
			done += (size_t)part;
		}
	}
	memset(bytes, 0, sizeof(bytes));
	pthread_mutex_unlock(&lock);
	return done == n ? 0 : fail(EIO);
}

ssize_t getrandom(void *to, size_t n, unsigned flags)
{
	if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM))
		return fail(EINVAL);
	for (size_t done = 0; done < n; done += MIN(n - done, MOST))
		if (getentropy((u8 *)to + done, MIN(n - done, MOST)))
			return -1;
	return (ssize_t)n;
}
