#ifndef EXAMPLES_BUDGET_H
#define EXAMPLES_BUDGET_H

#include <wengert.h>

/* How much memory a program's tapes may take, whatever the files ask for that a stranger wrote. */
typedef struct budget {
    int64_t limit, live;    /* bytes; what the tapes have now */
    int64_t asked, beside;  /* the first request that was refused, and `live` then; 0: none was */
    int64_t least, files;   /* bytes that the limit follows from; 0: it was given */
    wg_allocator allocator; /* where it comes from */
} budget;

/* budget_new: of `megabytes` (2^20 bytes); where that is 0, of `least`, or of 40 times the bytes of these files (NULL
 * ends the list; "-" is the standard input), whichever is more, less what the program itself takes. */
budget budget_new(int64_t megabytes, int64_t least, const char *const files[]);

/* budget_allocator: for tapes; the budget must outlive them. Requests beyond the limit find no memory. */
wg_allocator budget_allocator(budget *b);

/* budget_explain: on standard error, where an error followed from a request that was refused: the limit, what was
 * asked for, and the option that lifts it. */
void budget_explain(const budget *b, const char *data);

#endif
