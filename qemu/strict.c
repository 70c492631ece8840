/* SPDX-License-Identifier: MIT */
/*
 * Loaded into QEMU beside an image that a disk of a VM names (LD_PRELOAD, run.sh). If the image's file
 * shrinks while the machine runs, QEMU would read zeroes behind its end and let a write grow it again,
 * with a hole where data was. Here both are what they are: I/O errors. Only what QEMU does to regular
 * files by offset is looked at, which is images alone.
 *
 * And beside an uplink: QEMU's user network has one connection wait until QEMU looks. Of more that begin
 * before, as they do on a busy host, the kernel answers some with cookies and then with resets.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

ssize_t pread64(int fd, void *to, size_t bytes, off64_t at);
ssize_t preadv64(int fd, const struct iovec *to, int n, off64_t at);
ssize_t pwrite64(int fd, const void *from, size_t bytes, off64_t at);
ssize_t pwritev64(int fd, const struct iovec *from, int n, off64_t at);

#define WAITING 128 /* connections, at least */

/* The C library's function of that name. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static size_t bytes_of(const struct iovec *piece, int n)
{
	size_t bytes = 0;

	for (int i = 0; i < n; i++)
		bytes += piece[i].iov_len;
	return bytes;
}

static ssize_t io_error(void)
{
	errno = EIO;
	return -1;
}

static int ends_before(int fd, off64_t end)
{
	struct stat64 st;

	return fstat64(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < end;
}

/* Of a read: nothing came, though something was asked for. */
static ssize_t came(int fd, ssize_t got, size_t bytes, off64_t at)
{
	return got == 0 && bytes && ends_before(fd, at + 1) ? io_error() : got;
}

ssize_t pread64(int fd, void *to, size_t bytes, off64_t at)
{
	return came(fd, REAL(pread64)(fd, to, bytes, at), bytes, at);
}

ssize_t preadv64(int fd, const struct iovec *to, int n, off64_t at)
{
	return came(fd, REAL(preadv64)(fd, to, n, at), bytes_of(to, n), at);
}

ssize_t pwrite64(int fd, const void *from, size_t bytes, off64_t at)
{
	return ends_before(fd, at + (off64_t)bytes) ? io_error()
						    : REAL(pwrite64)(fd, from, bytes, at);
}

ssize_t pwritev64(int fd, const struct iovec *from, int n, off64_t at)
{
	return ends_before(fd, at + (off64_t)bytes_of(from, n)) ? io_error()
								: REAL(pwritev64)(fd, from, n, at);
}

int listen(int fd, int waiting) { return REAL(listen)(fd, waiting < WAITING ? WAITING : waiting); }
