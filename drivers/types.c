/* SPDX-License-Identifier: MIT */
/*
 * Every type of device that a VM may have. The order is that of their registers in a guest; of two types that have
 * the same place on a board, the first has it.
 */
#include "drivers/dev.h"

const struct device_type *const device_types[] = {
	&vcons_type,	      &identity_type, &rng_type,   &blk_type,
	&balloon_type,	      &console_type,  &net_type,   &serial_type,
	&panel_type,	      &revision_type, &ports_type, &controller_type,
	&controller_old_type,
};
const unsigned device_ntypes = ARRAY_SIZE(device_types);
