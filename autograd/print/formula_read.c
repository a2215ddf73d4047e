/* Reading an op's formula, "leaky_relu(x; c) = ...": its names, and where the expression begins. */
#include "autograd/print/formula_internal.h"

#include <stdio.h>
#include <string.h>

size_t wg_formula_word(const char *s, char word[WG_FORMULA_NAME])
{
    size_t n = 0;
    while (wg_formula_is_word(s[n]))
        n++;
    snprintf(word, WG_FORMULA_NAME, "%.*s", (int)n, s);
    return n;
}

bool wg_formula_read(const wg_op *op, const char *text, wg_formula *f)
{
    const char *s = text != NULL ? strchr(text, '(') : NULL;
    bool attributes = false;
    *f = (wg_formula){.n_operands = 0};
    while (s != NULL && *s != ')' && *s != '\0') {
        attributes = attributes || *s == ';';
        s += 1 + strspn(s + 1, " ");
        if (f->n_names == WG_FORMULA_NAMES || !wg_formula_is_word(*s))
            return false;
        const size_t n = wg_formula_word(s, f->name[f->n_names++]);
        if (n >= WG_FORMULA_NAME) /* cut off it might be another one */
            return false;
        s += n;
        f->n_operands += !attributes;
    }
    if (s == NULL || strncmp(s, ") = ", 4) != 0)
        return false;
    f->expression = s + 4;
    const size_t attributes_size = (size_t)(f->n_names - f->n_operands) * sizeof(double);
    return f->n_operands == op->arity && (!attributes || attributes_size == op->attr_size);
}

int wg_formula_find(const wg_formula *f, const char *word)
{
    for (int k = 0; k < f->n_names; k++)
        if (strcmp(f->name[k], word) == 0)
            return k;
    return -1;
}
