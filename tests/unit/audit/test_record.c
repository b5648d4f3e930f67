/* SPDX-License-Identifier: Apache-2.0 */
/* Records: what crosses, what is cut, what is escaped, and that a hostile payload is refused. */
#include "audit/field.h"
#include "audit/record.h"
#include "base/own.h"
#include "base/wire.h"

#include <cmocka_first.h>
