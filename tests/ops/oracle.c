#include "tests/ops/oracle.h"

#include "tests/support/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool wgt_line_is(const wgt_line *line, const char *kind)
{
    return strcmp(line->kind, kind) == 0;
}

int wgt_case_end(const wgt_cases *cases, int at)
{
    for (at++; at < cases->n && !wgt_line_is(&cases->line[at], "case");)
        at++;
    return at;
}

void wgt_cases_free(wgt_cases *cases)
{
    free(cases->line);
    free(cases->text);
    free(cases->integers);
    free(cases->numbers);
}

/* The whole file, and a 0. */
static char *oracle_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s cannot be opened (tests run in the root of the tree)", path);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    const long size = ftell(file);
    ck_assert_int_gt(size, 0);
    rewind(file);
    char *text = calloc((size_t)size + 1, 1);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(fread(text, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    return text;
}

/* The next word of *at, which it moves behind; NULL behind the last. */
static char *oracle_word(char **at)
{
    char *word = *at + strspn(*at, " ");
    if (*word == '\0')
        return NULL;
    char *end = word + strcspn(word, " ");
    *at = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

/* Splits one line; its integers and numbers stand from integer and number on. */
static wgt_line oracle_line(char *text, int place, int64_t *integer, double *number)
{
    static char none[] = "";
    wgt_line l = {.name = none, .integer = integer, .number = number, .place = place};
    char *word = oracle_word(&text), *end;
    l.kind = word;
    if (wgt_line_is(&l, "case") || wgt_line_is(&l, "op"))
        l.name = oracle_word(&text);
    ck_assert_msg(l.name != NULL, "line %d: a name is missing", place);
    while ((word = oracle_word(&text)) != NULL && strcmp(word, ":") != 0) {
        l.integer[l.n_integers++] = strtoll(word, &end, 10);
        ck_assert_msg(*end == '\0', "line %d: \"%s\" is no integer", place, word);
    }
    while ((word = oracle_word(&text)) != NULL) {
        l.number[l.n_numbers++] = strtod(word, &end);
        ck_assert_msg(*end == '\0', "line %d: \"%s\" is no number", place, word);
    }
    return l;
}

wgt_cases wgt_cases_read(const char *path)
{
    wgt_cases c = {.text = oracle_text(path)};
    size_t words = 1, lines = 1;
    for (const char *p = c.text; *p != '\0'; p++) {
        words += *p == ' ';
        lines += *p == '\n';
    }
    c.line = calloc(lines, sizeof *c.line);
    c.integers = calloc(words, sizeof *c.integers);
    c.numbers = calloc(words, sizeof *c.numbers);
    ck_assert_ptr_nonnull(c.line);
    ck_assert_ptr_nonnull(c.integers);
    ck_assert_ptr_nonnull(c.numbers);

    int64_t *integer = c.integers;
    double *number = c.numbers;
    char *next = c.text;
    for (int place = 1; next != NULL; place++) {
        char *text = next, *end = strchr(text, '\n');
        next = end == NULL ? NULL : end + 1;
        if (end != NULL)
            *end = '\0';
        if (*text == '\0' || *text == '#')
            continue;
        const wgt_line l = c.line[c.n++] = oracle_line(text, place, integer, number);
        integer += l.n_integers;
        number += l.n_numbers;
    }
    return c;
}
