#ifndef WG_MODELS_FILES_SAFETENSORS_INTERNAL_H
#define WG_MODELS_FILES_SAFETENSORS_INTERNAL_H

#include "models/files/safetensors.h"

#include <stddef.h>

#define WG_SAFETENSORS_HEADER                                                                      \
    100000000 /* bytes of the longest header, as the format's own reader has it */
#define WG_SAFETENSORS_METADATA "__metadata__"

/* wg_safetensors_dtype: the format's name of a dtype. */
static inline const char *wg_safetensors_dtype(wg_dtype dtype)
{
    return dtype == WG_F32 ? "F32" : dtype == WG_F64 ? "F64" : "I64";
}

#endif
