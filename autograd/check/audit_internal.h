#ifndef WG_AUTOGRAD_CHECK_AUDIT_INTERNAL_H
#define WG_AUTOGRAD_CHECK_AUDIT_INTERNAL_H

#include "autograd/check/audit.h"
#include "autograd/op.h"

/* wg_audit_explain: sets pattern and cure of a row by the ops at its node and before it; false:
 * none is known. */
bool wg_audit_explain(wg_audit_row *row);

#endif
