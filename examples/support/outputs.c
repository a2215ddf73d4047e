/* Outputs that are no numbers: finite ones of a row, large enough, become infinite on their way through a model. */
#include "outputs.h"

#include <inttypes.h>
#include <math.h>

bool outputs_finite(const wg_tensor *Z, const char *file, const char *part, int64_t first)
{
    const int64_t n = wg_is_inert(Z) ? 0 : wg_size(Z);
    for (int64_t i = 0; i < n; i++) {
        const double z = wg_at(Z, i);
        if (isfinite(z))
            continue;
        wg_fail(Z->tape, WG_E_NOT_FINITE,
                "%s: row %" PRId64 "%s%s%s: the model's output is not finite (%s): numbers of the "
                "row are too large for it",
                file, first + i / (n / wg_dim(Z, 0)) + 1, part != NULL ? " of the " : "",
                part != NULL ? part : "", part != NULL ? " rows" : "",
                isnan(z) ? "nan"
                : z > 0  ? "inf"
                         : "-inf");
        return false;
    }
    return !wg_is_inert(Z);
}
