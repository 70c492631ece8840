/* SPDX-License-Identifier: MIT */
/* What every host test of the timing model includes. */
#ifndef TESTS_FLASH_FLASH_TEST_H
#define TESTS_FLASH_FLASH_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#endif /* TESTS_FLASH_FLASH_TEST_H */
