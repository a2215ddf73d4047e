/* A recorded tensor's computation as mathematics: each op's notation, with its operands put in. */
#include "autograd/number_text_internal.h"
#include "autograd/print/formula_internal.h"
#include "autograd/print/print.h"
#include "autograd/tape_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FORMULA_LONG   100 /* what is longer has a line of its own */
#define FORMULA_SHORT  12  /* what is no longer may be repeated */
#define FORMULA_MOST   20  /* of so many terms or operands the rest is only counted */
#define FORMULA_DETAIL 256 /* bytes of described attributes */

/* What binds loosest in a text: the product of matrices is told from that of entries, though both
 * are written alike. */
typedef enum formula_level {
    FORMULA_SUM,
    FORMULA_PRODUCT,
    FORMULA_MATRICES,
    FORMULA_ATOM
} formula_level;

/* factor times the text; NULL: the number alone. */
typedef struct formula_term {
    double factor;
    const char *text;
    formula_level level;
} formula_term;

/* The printing of one formula, and the reading of one op's notation. */
typedef struct formula_print {
    wg_arena *scratch;
    bool no_memory;
    formula_term *term; /* of each node */

    const wg_tensor *y;
    wg_formula notation;
    const char *at; /* in the notation */
    bool fits;      /* it is arithmetic so far */
    bool calls;     /* ... and may call functions */
    char detail[FORMULA_DETAIL];
} formula_print;

__attribute__((format(printf, 2, 3))) static const char *formula_text(formula_print *p,
                                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int n = wg_format_list(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = n < 0 ? NULL : wg_arena_take(p->scratch, (size_t)n + 1, 1);
    p->no_memory = p->no_memory || text == NULL;
    if (text == NULL)
        return "";
    va_start(arguments, format);
    wg_format_list(text, (size_t)n + 1, format, arguments);
    va_end(arguments);
    return text;
}

/* ---- Arithmetic of terms --------------------------------------------------------------------- */

static formula_term formula_number(double value)
{
    return (formula_term){value, NULL, FORMULA_ATOM};
}

/* The text, in parentheses where it binds looser than wanted. */
static const char *formula_inside(formula_print *p, formula_term a, formula_level wanted)
{
    return a.level < wanted ? formula_text(p, "(%s)", a.text) : a.text;
}

/* m where c = 1/m for a whole m; else 0. */
static double formula_divisor(double c)
{
    const double m = c != 0 ? round(1 / c) : 0;
    return m > 1 && m < 0x1p53 && 1 / m == c ? m : 0;
}

/* The term as text with its factor. */
static formula_term formula_whole(formula_print *p, formula_term a)
{
    const char *sign = a.factor < 0 ? "-" : "";
    const double c = fabs(a.factor), m = formula_divisor(c);
    const formula_level level = a.factor < 0 ? FORMULA_SUM : FORMULA_PRODUCT;
    if (a.text == NULL && m > 0)
        return (formula_term){1, formula_text(p, "%s1/%.17g", sign, m), level};
    if (a.text == NULL)
        return (formula_term){1, formula_text(p, "%s%.6g", sign, c),
                              a.factor < 0 ? FORMULA_SUM : FORMULA_ATOM};
    if (a.factor == 1)
        return a;
    const char *text = formula_inside(p, a, FORMULA_PRODUCT);
    return (formula_term){1,
                          m > 0    ? formula_text(p, "%s%s/%.17g", sign, text, m)
                          : c == 1 ? formula_text(p, "-%s", text)
                                   : formula_text(p, "%s%.6g·%s", sign, c, text),
                          level};
}

/* Of entries, or of matrices; a square of entries is written as such. */
static formula_term formula_product(formula_print *p, formula_term a, formula_term b, bool matrices)
{
    const formula_level left = matrices ? FORMULA_MATRICES : FORMULA_PRODUCT;
    const formula_level right = b.level == FORMULA_MATRICES && !matrices ? FORMULA_ATOM : left;
    const double factor = a.factor * b.factor;
    if (factor == 0)
        return formula_number(0);
    if (a.text == NULL || b.text == NULL)
        return (formula_term){factor, a.text != NULL ? a.text : b.text,
                              a.text != NULL ? a.level : b.level};
    if (!matrices && strcmp(a.text, b.text) == 0)
        return (formula_term){factor, formula_text(p, "%s^2", formula_inside(p, a, FORMULA_ATOM)),
                              FORMULA_PRODUCT};
    return (formula_term){
        factor, formula_text(p, "%s·%s", formula_inside(p, a, left), formula_inside(p, b, right)),
        left};
}

static formula_term formula_quotient(formula_print *p, formula_term a, formula_term b)
{
    const double factor = a.factor / b.factor;
    if (b.text == NULL)
        return (formula_term){factor, a.text, a.level};
    return (formula_term){factor,
                          formula_text(p, "%s/%s",
                                       a.text != NULL ? formula_inside(p, a, FORMULA_PRODUCT) : "1",
                                       formula_inside(p, b, FORMULA_ATOM)),
                          FORMULA_PRODUCT};
}

/* a + b; a number that is 0 is left out. */
static formula_term formula_sum(formula_print *p, formula_term a, formula_term b)
{
    if (b.factor == 0 || a.factor == 0)
        return b.factor == 0 ? a : b;
    if (a.text == NULL && b.text == NULL)
        return formula_number(a.factor + b.factor);
    const char *sign = b.factor < 0 ? "-" : "+";
    const formula_level wanted = b.factor < 0 ? FORMULA_PRODUCT : FORMULA_SUM;
    b.factor = fabs(b.factor);
    return (formula_term){1,
                          formula_text(p, "%s %s %s", formula_whole(p, a).text, sign,
                                       formula_inside(p, formula_whole(p, b), wanted)),
                          FORMULA_SUM};
}

static formula_term formula_negative(formula_term a)
{
    a.factor = -a.factor;
    return a;
}

/* Of a linear function the factor goes before it. */
static formula_term formula_call(formula_print *p, const char *name, formula_term a)
{
    const bool linear = strcmp(name, "t") == 0 || strcmp(name, "sum") == 0;
    const double factor = linear && a.text != NULL ? a.factor : 1;
    if (linear && a.text != NULL)
        a.factor = 1;
    return (formula_term){factor, formula_text(p, "%s(%s)", name, formula_whole(p, a).text),
                          FORMULA_ATOM};
}

/* ---- Reading a notation ---------------------------------------------------------------------- */

static formula_term formula_read_sum(formula_print *p);

static bool formula_take(formula_print *p, char c)
{
    p->at += strspn(p->at, " ");
    if (*p->at != c)
        return false;
    p->at++;
    return true;
}

/* A name: a function's, an operand's, which its description may call transposed, or an
 * attribute's. */
static formula_term formula_read_name(formula_print *p)
{
    char word[WG_FORMULA_NAME], transposed[WG_FORMULA_NAME + 16];
    p->at += wg_formula_word(p->at, word);
    const int k = wg_formula_find(&p->notation, word);
    if (k >= p->notation.n_operands)
        return formula_number(((const double *)p->y->attrs)[k - p->notation.n_operands]);
    if (k >= 0) {
        const formula_term x = p->term[p->y->operand[k]->index];
        snprintf(transposed, sizeof transposed, "%s transposed", word);
        return strstr(p->detail, transposed) != NULL ? formula_call(p, "t", x) : x;
    }
    p->fits = p->fits && p->calls && formula_take(p, '(');
    const formula_term x = p->fits ? formula_read_sum(p) : formula_number(0);
    p->fits = p->fits && formula_take(p, ')');
    return formula_call(p, word, x);
}

static formula_term formula_read_atom(formula_print *p)
{
    p->at += strspn(p->at, " ");
    if (formula_take(p, '-'))
        return formula_negative(formula_read_atom(p));
    if (formula_take(p, '(')) {
        const formula_term x = formula_read_sum(p);
        p->fits = p->fits && formula_take(p, ')');
        return x;
    }
    if (wg_formula_is_word(*p->at) && !(*p->at >= '0' && *p->at <= '9'))
        return formula_read_name(p);
    char *end;
    const double value = wg_scan_double(p->at, &end);
    p->fits = p->fits && end != p->at;
    p->at = end;
    return formula_number(value);
}

static formula_term formula_read_product(formula_print *p)
{
    formula_term a = formula_read_atom(p);
    while (p->fits) {
        if (formula_take(p, '*'))
            a = formula_product(p, a, formula_read_atom(p), false);
        else if (formula_take(p, '@'))
            a = formula_product(p, a, formula_read_atom(p), true);
        else if (formula_take(p, '/'))
            a = formula_quotient(p, a, formula_read_atom(p));
        else
            break;
    }
    return a;
}

static formula_term formula_read_sum(formula_print *p)
{
    formula_term a = formula_read_product(p);
    while (p->fits) {
        if (formula_take(p, '+'))
            a = formula_sum(p, a, formula_read_product(p));
        else if (formula_take(p, '-'))
            a = formula_sum(p, a, formula_negative(formula_read_product(p)));
        else
            break;
    }
    return a;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

static formula_term formula_own_name(formula_print *p, const wg_tensor *y)
{
    const char *text = y->name != NULL ? formula_text(p, "%s", wg_shown_text(y->name).s)
                                       : formula_text(p, "%s#%" PRId64, y->op->name, y->index);
    return (formula_term){1, text, FORMULA_ATOM};
}

/* A constant without a name that is one number throughout is that number. */
static formula_term formula_leaf(formula_print *p, const wg_tensor *y)
{
    bool one = y->op == &wg_op_constant && y->name == NULL && y->size > 0;
    for (int64_t i = 1; i < y->size && one; i++)
        one = wg_element(y, i) == wg_element(y, 0);
    return one ? formula_number(wg_element(y, 0)) : formula_own_name(p, y);
}

static int formula_shown(const wg_tensor *y)
{
    return y->n_operands < FORMULA_MOST ? y->n_operands : FORMULA_MOST;
}

/* "softmax(x; axis 1)"; of a scalar what is reduced needs no telling. */
static formula_term formula_op_call(formula_print *p, const wg_tensor *y)
{
    const char *list = "";
    for (int k = 0; k < formula_shown(y); k++)
        list = formula_text(p, "%s%s%s", list, k > 0 ? ", " : "",
                            formula_whole(p, p->term[y->operand[k]->index]).text);
    if (formula_shown(y) < y->n_operands)
        list = formula_text(p, "%s, ... (%d operands)", list, y->n_operands);
    const bool tell = p->detail[0] != '\0' && y->shape.ndim > 0;
    return (formula_term){
        1,
        formula_text(p, "%s(%s%s%s)", y->op->name, list, tell ? "; " : "", tell ? p->detail : ""),
        FORMULA_ATOM};
}

static formula_term formula_add_n(formula_print *p, const wg_tensor *y)
{
    formula_term sum = p->term[y->operand[0]->index];
    for (int k = 1; k < formula_shown(y); k++)
        sum = formula_sum(p, sum, p->term[y->operand[k]->index]);
    if (formula_shown(y) == y->n_operands)
        return sum;
    const char *first = formula_whole(p, sum).text;
    return (formula_term){1, formula_text(p, "%s + ... (%d terms)", first, y->n_operands),
                          FORMULA_SUM};
}

static formula_term formula_of_node(formula_print *p, const wg_tensor *y)
{
    const char *notation = y->op->notation != NULL ? y->op->notation : y->op->formula;
    if (y->n_operands == 0)
        return formula_leaf(p, y);
    p->y = y;
    p->detail[0] = '\0';
    if (y->op->describe != NULL)
        y->op->describe(y, p->detail, sizeof p->detail);
    if (y->op == &wg_op_add_n)
        return formula_add_n(p, y);
    p->fits = wg_formula_read(y->op, notation, &p->notation);
    p->calls = y->op->notation != NULL;
    p->at = p->fits ? p->notation.expression : "";
    const formula_term x = p->fits ? formula_read_sum(p) : formula_number(0);
    return p->fits && *p->at == '\0' ? x : formula_op_call(p, y);
}

/* Does y, read so often, have a line of its own? */
static bool formula_stands_alone(const wg_tensor *y, formula_term x, int64_t uses)
{
    const size_t length = x.text != NULL ? strlen(x.text) : 0;
    return y->n_operands > 0 && x.text != NULL &&
           (y->name != NULL || length > FORMULA_LONG || (uses > 1 && length > FORMULA_SHORT));
}

static void formula_print_all(formula_print *p, FILE *stream, const wg_tensor *y,
                              const bool *needed, int64_t *uses)
{
    const wg_tape *t = y->tape;
    for (int64_t i = 0; i <= y->index; i++)
        for (int k = 0; needed[i] && k < t->node[i]->n_operands; k++)
            uses[t->node[i]->operand[k]->index]++;
    for (int64_t i = 0; i <= y->index && !p->no_memory; i++) {
        const wg_tensor *x = t->node[i];
        if (!needed[i])
            continue;
        p->term[i] = formula_of_node(p, x);
        if (x == y)
            fprintf(stream, "%s\n", formula_whole(p, p->term[i]).text);
        else if (formula_stands_alone(x, p->term[i], uses[i])) {
            const formula_term name = formula_own_name(p, x);
            fprintf(stream, "%s = %s\n", name.text, formula_whole(p, p->term[i]).text);
            p->term[i] = name;
        }
    }
}

wg_status wg_print_formula(FILE *stream, const wg_tensor *y)
{
    if (stream == NULL || wg_is_inert(y))
        return WG_E_NULL;
    wg_tape *t = y->tape;
    const size_t n = (size_t)y->index + 1;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    formula_print p = {.scratch = &t->scratch};
    p.term = wg_arena_take(p.scratch, n * sizeof *p.term, 16);
    int64_t *uses = wg_arena_take(p.scratch, n * sizeof *uses, sizeof *uses);
    bool *needed = wg_arena_take(p.scratch, n, 1);
    p.no_memory = p.term == NULL || uses == NULL || needed == NULL;
    if (!p.no_memory) {
        memset(uses, 0, n * sizeof *uses);
        wg_mark_needed(t, (wg_tensor *[]){t->node[y->index]}, 1, y->index, needed);
        formula_print_all(&p, stream, y, needed, uses);
    }
    wg_arena_rewind(&t->scratch, empty);
    if (p.no_memory)
        return WG_E_NOMEM;
    return fflush(stream) != 0 || ferror(stream) ? WG_E_IO : WG_OK;
}

#undef FORMULA_LONG
#undef FORMULA_SHORT
#undef FORMULA_MOST
#undef FORMULA_DETAIL
