/* A tensor's values, laid out as NumPy prints an array (numpy.array2string's defaults). */
#include "autograd/print/print.h"

#include "autograd/number_text_internal.h"
#include "autograd/tape_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    PRINT_DIGITS = 8,  /* behind the point, at most */
    PRINT_SCALAR = 17, /* the same of a single number */
    PRINT_ALL = 1000,  /* so many elements are printed; of more the edges of each axis */
    PRINT_EDGE = 3,    /* so many at an edge */
    PRINT_LINE = 75,   /* columns */
    PRINT_NUMBER = 400 /* bytes: the largest double has 309 digits before the point */
};

/* How all numbers of a tensor are written, and where the line is. */
typedef struct print_layout {
    FILE *stream;
    const wg_tensor *x;
    bool summary, scientific;
    int digits, width; /* behind the point, at most; of a number, blanks included */
    int column;
} print_layout;

/* ---- Numbers. -------------------------------------------------------------------------------- */

/* The fewest digits behind the point that give the number back; of those that are cut off no zeros
 * at the end. */
static int print_digits(const print_layout *p, double value)
{
    const int most = p->x->shape.ndim == 0 ? PRINT_SCALAR : PRINT_DIGITS;
    char text[PRINT_NUMBER];
    for (int digits = 0; digits < most; digits++) {
        wg_format(text, sizeof text, p->scientific ? "%.*e" : "%.*f", digits, value);
        if (wg_scans_as(text, value, p->x->dtype == WG_F32))
            return digits;
    }
    wg_format(text, sizeof text, p->scientific ? "%.*e" : "%.*f", most, value);
    int digits = most;
    for (const char *end = text + strcspn(text, "e") - 1; digits > 0 && *end == '0'; end--)
        digits--;
    return digits;
}

/* "1." rather than "1", and blanks where other numbers have more digits. */
static void print_text(const print_layout *p, int64_t i, char text[PRINT_NUMBER])
{
    double value = wg_element(p->x, i);
    if (p->x->dtype == WG_I64) {
        snprintf(text, PRINT_NUMBER, "%" PRId64, ((const int64_t *)p->x->data)[i]);
    } else if (!isfinite(value)) {
        snprintf(text, PRINT_NUMBER, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
    } else if (p->scientific) {
        wg_format(text, PRINT_NUMBER, "%#.*e", p->digits, value);
    } else {
        int own = print_digits(p, value);
        int n = wg_format(text, PRINT_NUMBER, "%#.*f", own, value);
        snprintf(text + n, (size_t)(PRINT_NUMBER - n), "%*s", p->digits - own, "");
    }
}

/* ---- Which elements. ------------------------------------------------------------------------- */

/* Is place i of an axis left out? */
static bool print_skips(const print_layout *p, int64_t i, int64_t n)
{
    return p->summary && n > 2 * PRINT_EDGE && i >= PRINT_EDGE && i < n - PRINT_EDGE;
}

/* The first of those that are left out, where "..." stands. */
static bool print_is_gap(const print_layout *p, int64_t i, int64_t n)
{
    return print_skips(p, i, n) && i == PRINT_EDGE;
}

typedef void print_visit(print_layout *p, int64_t i, void *user);

/* Every element that is printed, from `i` on along the axes from `axis` on. */
static void print_walk(print_layout *p, int axis, int64_t i, print_visit *visit, void *user)
{
    const wg_shape *s = &p->x->shape;
    if (axis == s->ndim) {
        visit(p, i, user);
        return;
    }
    for (int64_t k = 0; k < s->dim[axis]; k++) {
        if (print_skips(p, k, s->dim[axis]))
            k = s->dim[axis] - PRINT_EDGE;
        print_walk(p, axis + 1, i * s->dim[axis] + k, visit, user);
    }
}

/* ---- Layout. --------------------------------------------------------------------------------- */

static void print_range(print_layout *p, int64_t i, void *user)
{
    double *range = user, size = fabs(wg_element(p->x, i));
    if (size > 0 && isfinite(size)) {
        range[0] = fmin(range[0], size);
        range[1] = fmax(range[1], size);
    }
}

static void print_most_digits(print_layout *p, int64_t i, void *user)
{
    double value = wg_element(p->x, i);
    int digits = isfinite(value) ? print_digits(p, value) : 0;
    (void)user;
    p->digits = digits > p->digits ? digits : p->digits;
}

static void print_widest(print_layout *p, int64_t i, void *user)
{
    char text[PRINT_NUMBER];
    (void)user;
    print_text(p, i, text);
    int width = (int)strlen(text);
    p->width = width > p->width ? width : p->width;
}

static void print_lay_out(print_layout *p)
{
    double range[] = {HUGE_VAL, 0};
    if (p->x->dtype != WG_I64) {
        print_walk(p, 0, 0, print_range, range);
        p->scientific = range[1] >= 1e8 || range[0] < 1e-4 || range[1] / range[0] > 1000;
        print_walk(p, 0, 0, print_most_digits, NULL);
    }
    print_walk(p, 0, 0, print_widest, NULL);
}

/* ---- Printing. ------------------------------------------------------------------------------- */

static void print_break(print_layout *p, int lines, int indent)
{
    for (int k = 0; k < lines; k++)
        fputc('\n', p->stream);
    p->column = fprintf(p->stream, "%*s", indent, "");
}

/* A word of the last axis, on a new line where it does not fit. */
static void print_word(print_layout *p, const char *text, bool first)
{
    int indent = p->x->shape.ndim, blank = !first;
    int width = strcmp(text, "...") == 0 ? 3 : p->width;
    if (!first && p->column + 1 + width > PRINT_LINE - indent) {
        print_break(p, 1, indent);
        blank = 0;
    }
    p->column += fprintf(p->stream, "%*s%*s", blank, "", width, text);
}

static void print_axis(print_layout *p, int axis, int64_t at)
{
    const wg_shape *s = &p->x->shape;
    char text[PRINT_NUMBER];
    fputc('[', p->stream);
    p->column++;
    for (int64_t k = 0; k < s->dim[axis]; k++) {
        bool last = axis == s->ndim - 1, gap = print_is_gap(p, k, s->dim[axis]);
        if (!last && k > 0)
            print_break(p, s->ndim - 1 - axis, axis + 1);
        if (gap && last)
            print_word(p, "...", k == 0);
        else if (gap)
            fputs("...", p->stream);
        else if (last) {
            print_text(p, at * s->dim[axis] + k, text);
            print_word(p, text, k == 0);
        } else
            print_axis(p, axis + 1, at * s->dim[axis] + k);
        if (gap)
            k = s->dim[axis] - PRINT_EDGE - 1;
    }
    fputc(']', p->stream);
    p->column++;
}

wg_status wg_print(FILE *stream, const wg_tensor *x)
{
    if (stream == NULL || wg_is_inert(x) || x->data == NULL)
        return WG_E_NULL;
    if (x->dtype == WG_WIDE)
        return WG_E_DTYPE;
    print_layout p = {.stream = stream, .x = x, .summary = x->size > PRINT_ALL};
    char text[PRINT_NUMBER];
    if (x->size > 0)
        print_lay_out(&p);
    if (x->size == 0) {
        fputs("[]", stream); /* whatever its shape */
    } else if (x->shape.ndim > 0) {
        print_axis(&p, 0, 0);
    } else {
        print_text(&p, 0, text);
        fputs(text, stream);
        if (p.digits == 0 && x->dtype != WG_I64 && strchr(text, '.') != NULL && !p.scientific)
            fputc('0', stream);
    }
    fputs(wg_is_stale(x) ? "  (stale)\n" : "\n", stream);
    return fflush(stream) != 0 || ferror(stream) ? WG_E_IO : WG_OK;
}
