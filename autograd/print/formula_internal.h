#ifndef WG_AUTOGRAD_PRINT_FORMULA_INTERNAL_H
#define WG_AUTOGRAD_PRINT_FORMULA_INTERNAL_H

#include "autograd/op.h"

enum { WG_FORMULA_NAMES = WG_ELEMENTWISE_OPERANDS + 4, WG_FORMULA_NAME = 32 };

/* "leaky_relu(x; c) = ...": the names before and behind the semicolon, and where the expression
 * begins. */
typedef struct wg_formula {
    char name[WG_FORMULA_NAMES][WG_FORMULA_NAME];
    int n_operands, n_names;
    const char *expression;
} wg_formula;

/* wg_formula_read: false where the text (NULL, too) is no such formula of op->arity operands and
 * attributes that are all named doubles; with no attribute named, of any. */
bool wg_formula_read(const wg_op *op, const char *text, wg_formula *f);

/* wg_formula_is_word: is it a letter, a digit or an underscore, in C's locale? */
static inline bool wg_formula_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* wg_formula_word: the word that s begins with, cut to fit; its length, 0: there is none. */
size_t wg_formula_word(const char *s, char word[WG_FORMULA_NAME]);

/* wg_formula_find: which name is the word? -1: none. */
int wg_formula_find(const wg_formula *f, const char *word);

#endif
