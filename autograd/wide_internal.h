#ifndef WG_AUTOGRAD_WIDE_INTERNAL_H
#define WG_AUTOGRAD_WIDE_INTERNAL_H

#include "autograd/wide.h"

#endif
