/* An elementwise op's formula as a C expression in the file's own names. */
#include "autograd/compile/c_writer_internal.h"
#include "autograd/print/formula_internal.h"

#include <stdio.h>
#include <string.h>

/* Of an op's own formula: every attribute must be named, since the value may depend on it. */
static bool c_formula_of(const wg_op *op, wg_formula *f)
{
    return wg_formula_read(op, op->formula, f) &&
           (op->attr_size == 0 || f->n_names > f->n_operands);
}

int wg_c_formula_uses(const wg_tensor *y, int k)
{
    wg_formula f;
    char word[WG_FORMULA_NAME];
    int uses = 0;
    if (y->op == &wg_op_add_n || !c_formula_of(y->op, &f))
        return 1;
    for (const char *s = f.expression; *s != '\0';) {
        size_t n = wg_formula_word(s, word);
        uses += n > 0 && wg_formula_find(&f, word) == k;
        s += n > 0 ? n : 1;
    }
    return uses;
}

/* The length of a number without a sign: digits, a point among them, an exponent behind them. */
static size_t c_formula_digits(const char *s)
{
    const size_t n = strspn(s, "0123456789.");
    const size_t sign = n + 1 + (s[n] == 'e' && (s[n + 1] == '-' || s[n + 1] == '+'));
    const size_t digits = s[n] == 'e' ? strspn(s + sign, "0123456789") : 0;
    return digits > 0 ? sign + digits : n;
}

/* A number with a point or an exponent has the digits of a double: a float's has an f behind it. */
static size_t c_formula_number(const wg_tensor *y, const char *s, wg_c_text *text)
{
    const size_t n = c_formula_digits(s);
    wg_c_add(text, s, n);
    if (y->dtype == WG_F32 && (memchr(s, '.', n) != NULL || memchr(s, 'e', n) != NULL))
        wg_c_add(text, "f", 1);
    return n;
}

/* K(0.5), K( -2 ): the constants 0.5 and (-2.0), of y's type. Its length; 0: there is no number
 * between the parentheses. */
static size_t c_formula_constant(const wg_tensor *y, const char *s, wg_c_text *text)
{
    const char *at = s + 2;
    at += strspn(at, " ");
    const bool minus = *at == '-';
    at += minus ? 1 + strspn(at + 1, " ") : 0;
    const size_t n = c_formula_digits(at), blanks = strspn(at + n, " ");
    if (n == 0 || at[n + blanks] != ')')
        return 0;
    wg_c_print(text, minus ? "(-" : "");
    c_formula_number(y, at, text);
    if (memchr(at, '.', n) == NULL && memchr(at, 'e', n) == NULL)
        wg_c_print(text, ".0%s", y->dtype == WG_F32 ? "f" : "");
    wg_c_print(text, minus ? ")" : "");
    return (size_t)(at - s) + n + blanks + 1;
}

/* A name: an operand, an attribute, or a function of libm. */
static bool c_formula_name(const wg_tensor *y, const wg_formula *f, const char *word, bool call,
                           const char *const element[], wg_c_text *text)
{
    int k = wg_formula_find(f, word);
    if (k >= f->n_operands)
        wg_c_print(text, "%s",
                   wg_c_number(y->dtype, ((const double *)y->attrs)[k - f->n_operands]).s);
    else if (k >= 0)
        wg_c_print(text, "%s", element[k]);
    else if (call)
        wg_c_print(text, "%s%s", word, y->dtype == WG_F32 ? "f" : "");
    return k >= 0 || call;
}

static bool c_formula_is_of_integers(const wg_tensor *y)
{
    bool integers = true;
    for (int k = 0; k < y->n_operands; k++)
        integers = integers && y->operand[k]->dtype == WG_I64;
    return integers;
}

/* Sums and products of integers wrap around, which unsigned ones do by C's own rules. All else they
 * have different rules for. */
static bool c_formula_wraps(const wg_tensor *y, const wg_formula *f)
{
    return y->dtype == WG_I64 && c_formula_is_of_integers(y) &&
           strpbrk(f->expression, "?/%<>=!&|^~,.") == NULL;
}

static bool c_formula_is_of_one(const wg_tensor *y, const char *const element[])
{
    return y->n_operands == 2 && y->operand[0]->dtype == WG_I64 &&
           strcmp(element[0], element[1]) == 0;
}

/* Is what stands in the text from here on a factor of one, no divisor, and what it is multiplied by
 * no integer, which would be divided as one? */
static bool c_formula_is_one(const wg_c_text *text, size_t from, const char *behind)
{
    const char *s = text->s + from;
    const bool one = strcmp(s, "1.0") == 0 || strcmp(s, "1.0f") == 0;
    if (!one || strncmp(behind, " * ", 3) != 0 || (behind[3] >= '0' && behind[3] <= '9'))
        return false;
    while (from > 0 && text->s[from - 1] == ' ')
        from--;
    return from == 0 || text->s[from - 1] != '/';
}

static bool c_formula_expression(const wg_tensor *y, const wg_formula *f,
                                 const char *const element[], wg_c_text *text)
{
    char word[WG_FORMULA_NAME];
    for (const char *s = f->expression; *s != '\0';) {
        size_t n = wg_formula_word(s, word);
        if (n >= sizeof word)
            return false;
        if (strncmp(s, "K(", 2) == 0) {
            n = c_formula_constant(y, s, text);
            if (n == 0)
                return false;
        } else if (*s >= '0' && *s <= '9')
            n = c_formula_number(y, s, text);
        else if (n > 0) {
            const size_t from = text->size;
            if (!c_formula_name(y, f, word, s[n] == '(', element, text))
                return false;
            if (text->size > from && c_formula_is_one(text, from, s + n)) {
                text->size = from;
                n += 3;
            }
        } else
            wg_c_add(text, s, n = 1);
        s += n;
    }
    return true;
}

/* Operands [begin, end). Long sums are added up in halves: rounding errors grow with the logarithm
 * of their length, and no addition waits for all before it. */
static void c_formula_sum(const char *const element[], int begin, int end, wg_c_text *text)
{
    const int half = begin + (end - begin + 1) / 2;
    if (end - begin > 4) {
        c_formula_sum(element, begin, half, text);
        wg_c_print(text, " + (");
        c_formula_sum(element, half, end, text);
        wg_c_print(text, ")");
        return;
    }
    for (int k = begin; k < end; k++)
        wg_c_print(text, "%s%s", k > begin ? " + " : "", element[k]);
}

bool wg_c_formula(wg_c_writer *c, const wg_tensor *y, const char *const element[], wg_c_text *text)
{
    wg_formula f;
    char cast[2][sizeof(wg_text) + 32];
    const char *as_unsigned[] = {cast[0], cast[1]};
    if (y->op == &wg_op_add_n) {
        c_formula_sum(element, 0, y->n_operands, text);
        return true;
    }
    char again[sizeof(wg_text) + 32];
    const char *unlike[] = {element[0], again};
    bool written = c_formula_of(y->op, &f);
    if (c_formula_is_of_one(y, element)) { /* compilers warn of an integer compared with itself */
        snprintf(again, sizeof again, "+%s", element[1]);
        element = unlike;
    }
    bool wraps = written && y->n_operands <= 2 && c_formula_wraps(y, &f);
    const bool cast_to_integer = wraps ||
                                 (written && y->dtype == WG_I64 && !c_formula_is_of_integers(y) &&
                                  strchr(f.expression, '?') == NULL);
    for (int k = 0; wraps && k < y->n_operands; k++)
        snprintf(cast[k], sizeof cast[k], "(u%s)%s", c->common->i64, element[k]);
    if (cast_to_integer)
        wg_c_print(text, "(%s)(", c->common->i64);
    written = written && c_formula_expression(y, &f, wraps ? as_unsigned : element, text);
    if (cast_to_integer)
        wg_c_print(text, ")");
    if (!written)
        wg_fail(y->tape, WG_E_VALUE,
                "write: %s has no write_c, and its formula is no \"name(x; c) = expression\" in "
                "which K() holds numbers",
                y->op->name);
    return written;
}
