/* Archives: the sorted map of names to strings, numbers and tensors. safetensors_load.c and
 * safetensors_save.c turn it into a file and back. */
#include "models/files/archive_internal.h"

#include "autograd/number_text_internal.h"
#include "autograd/op.h"
#include "models/files/bytes_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A node of an AA tree, whose entries are also a list in their order. A left child is of the level
 * below its parent's, a right child of that or the parent's own, a right child's right child below
 * it: so n nodes are at most 2 log2(n + 1) deep, whatever the order in which they come.
 * Source: A. Andersson, "Balanced search trees made simple", WADS 1993. */
typedef struct archive_node {
    wg_archive_entry entry; /* first: a node's address is its entry's */
    struct archive_node *left, *right;
    int level;
} archive_node;

struct wg_archive {
    wg_tape *tape;
    archive_node *root;
    const wg_archive_entry *first;
    int64_t count;
    const char *path; /* of the file that it was loaded from; NULL: of none */
};

static const wg_archive archive_inert = {.tape = NULL};

/* The way around the cast's warning is safe: nothing writes an archive without a tape. */
wg_archive *wg_archive_inert(void)
{
    return (wg_archive *)(uintptr_t)&archive_inert;
}

wg_archive *wg_archive_new(wg_tape *t)
{
    wg_archive *a = wg_tape_take(t, sizeof *a);
    if (a == NULL)
        return wg_archive_inert();
    a->tape = t;
    return a;
}

const wg_archive_entry *wg_archive_first(const wg_archive *a)
{
    return a != NULL ? a->first : NULL;
}

int64_t wg_archive_count(const wg_archive *a)
{
    return a != NULL ? a->count : 0;
}

wg_tape *wg_archive_tape(const wg_archive *a)
{
    return a != NULL ? a->tape : NULL;
}

void wg_archive_set_path(wg_archive *a, const char *path)
{
    if (a->tape != NULL)
        a->path = wg_tape_copy_text(a->tape, path);
}

void wg_archive_fail(const wg_archive *a, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    if (a == NULL)
        return;
    va_start(arguments, format);
    wg_format_list(message, sizeof message, format, arguments);
    va_end(arguments);
    wg_fail(a->tape, WG_E_FORMAT, "%s%s%s", a->path != NULL ? a->path : "",
            a->path != NULL ? ": " : "", message);
}

/* ---- The tree. ------------------------------------------------------------------------------- */

/* By name; of one name the string comes first. */
static int archive_order(const char *name, bool string, const archive_node *node)
{
    int order = strcmp(name, node->entry.name);
    return order != 0 ? order : (node->entry.string != NULL) - string;
}

/* The entry of that name and kind; NULL where there is none, and then *before is the entry after
 * which it would come, NULL for the first place. */
static archive_node *archive_find(const wg_archive *a, const char *name, bool string,
                                  archive_node **before)
{
    archive_node *node = a->root;
    *before = NULL;
    while (node != NULL) {
        int order = archive_order(name, string, node);
        if (order == 0)
            return node;
        if (order > 0)
            *before = node;
        node = order < 0 ? node->left : node->right;
    }
    return NULL;
}

/* A left child of the node's own level becomes its parent. */
static archive_node *archive_skew(archive_node *node)
{
    archive_node *left = node->left;
    if (left == NULL || left->level < node->level)
        return node;
    node->left = left->right;
    left->right = node;
    return left;
}

/* Of three nodes of one level to the right, the middle one rises. */
static archive_node *archive_split(archive_node *node)
{
    archive_node *right = node->right;
    if (right == NULL || right->right == NULL || right->right->level < node->level)
        return node;
    node->right = right->left;
    right->left = node;
    right->level++;
    return right;
}

static archive_node *archive_insert(archive_node *at, archive_node *node)
{
    if (at == NULL)
        return node;
    if (archive_order(node->entry.name, node->entry.string != NULL, at) < 0)
        at->left = archive_insert(at->left, node);
    else
        at->right = archive_insert(at->right, node);
    return archive_split(archive_skew(at));
}

/* ---- Putting. -------------------------------------------------------------------------------- */

static char *archive_append(char *to, const char *text, const char **copy)
{
    if (text == NULL)
        return to;
    size_t size = strlen(text) + 1;
    *copy = memcpy(to, text, size);
    return to + size;
}

static size_t archive_length(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

bool wg_archive_put(wg_archive *a, const wg_archive_entry *entry)
{
    archive_node *before;
    if (archive_find(a, entry->name, entry->string != NULL, &before) != NULL)
        return false;
    archive_node *node = wg_tape_take(a->tape, sizeof *node + archive_length(entry->name) +
                                                   archive_length(entry->string) +
                                                   archive_length(entry->type));
    if (node == NULL)
        return false;
    node->entry = *entry;
    node->level = 1;
    char *text = archive_append((char *)(node + 1), entry->name, &node->entry.name);
    text = archive_append(text, entry->string, &node->entry.string);
    archive_append(text, entry->type, &node->entry.type);
    const wg_archive_entry **link = before != NULL ? &before->entry.next : &a->first;
    node->entry.next = *link;
    *link = &node->entry;
    a->root = archive_insert(a->root, node);
    a->count++;
    return true;
}

/* Puts what the caller gave; value: the string or tensor, NULL where that is none. */
static wg_status archive_put(wg_archive *a, const wg_archive_entry *entry, const void *value)
{
    wg_tape *t = wg_archive_tape(a);
    if (t == NULL || entry->name == NULL || value == NULL)
        wg_fail(t, WG_E_NULL, "archive: nothing to put, or nowhere");
    else if (entry->tensor != NULL && entry->tensor->tape != t)
        wg_fail(t, WG_E_TAPE, "archive: '%s' is of another tape", entry->name);
    else if (wg_tape_status(t) == WG_OK && !wg_archive_put(a, entry))
        wg_fail(t, WG_E_VALUE, "archive: there is a '%s' already", entry->name);
    return wg_tape_status(t);
}

wg_status wg_archive_put_tensor(wg_archive *a, const char *name, wg_tensor *x)
{
    bool inert = wg_is_inert(x);
    const wg_archive_entry entry = {.name = name != NULL || inert ? name : x->name, .tensor = x};
    return archive_put(a, &entry, inert ? NULL : x);
}

wg_status wg_archive_put_string(wg_archive *a, const char *name, const char *string)
{
    return archive_put(a, &(wg_archive_entry){.name = name, .string = string}, string);
}

wg_status wg_archive_put_integer(wg_archive *a, const char *name, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    return wg_archive_put_string(a, name, text);
}

wg_status wg_archive_put_real(wg_archive *a, const char *name, double value)
{
    wg_c_locale c;
    char text[40] = "";
    if (!wg_c_locale_enter(&c)) {
        wg_fail(wg_archive_tape(a), WG_E_NOMEM, "archive: no locale");
        return wg_tape_status(wg_archive_tape(a));
    }
    wg_format(text, sizeof text, "%.17g", value);
    wg_c_locale_leave(&c);
    return wg_archive_put_string(a, name, text);
}

/* ---- Getting. -------------------------------------------------------------------------------- */

static const wg_archive_entry *archive_get(const wg_archive *a, const char *name, bool string)
{
    archive_node *before, *node = NULL;
    if (a != NULL && name != NULL)
        node = archive_find(a, name, string, &before);
    return node != NULL ? &node->entry : NULL;
}

wg_tensor *wg_archive_tensor(const wg_archive *a, const char *name)
{
    const wg_archive_entry *entry = archive_get(a, name, false);
    return entry != NULL ? entry->tensor : NULL;
}

const char *wg_archive_type(const wg_archive *a, const char *name)
{
    const wg_archive_entry *entry = archive_get(a, name, false);
    return entry != NULL ? entry->type : NULL;
}

const char *wg_archive_string(const wg_archive *a, const char *name)
{
    const wg_archive_entry *entry = archive_get(a, name, true);
    return entry != NULL ? entry->string : NULL;
}

/* The text of a number that must be there; NULL, and an error, where it is not. */
static const char *archive_needed(const wg_archive *a, const char *who, const char *name)
{
    const char *text = wg_archive_string(a, name);
    if (text == NULL)
        wg_archive_fail(a, "%s: '%s' is missing", who, name);
    return text;
}

static bool archive_no_number(const wg_archive *a, const char *who, const char *name,
                              const char *text)
{
    wg_archive_fail(a, "%s: '%s' is no number, or out of its range: '%.40s'", who, name, text);
    return false;
}

/* Digits, with a minus before them or not: strtoll would take blanks and a plus as well. */
bool wg_archive_integer(const wg_archive *a, const char *who, const char *name, int64_t low,
                        int64_t high, int64_t *value)
{
    const char *text = archive_needed(a, who, name);
    if (text == NULL)
        return false;
    const char *digit = text + (*text == '-');
    char *end = NULL;
    errno = 0;
    long long number = *digit >= '0' && *digit <= '9' ? strtoll(text, &end, 10) : 0;
    if (end == NULL || *end != '\0' || errno != 0 || number < low || number > high)
        return archive_no_number(a, who, name, text);
    *value = number;
    return true;
}

bool wg_archive_real(const wg_archive *a, const char *who, const char *name, double low,
                     double high, double *value)
{
    const char *text = archive_needed(a, who, name);
    if (text == NULL)
        return false;
    wg_c_locale c;
    if (!wg_c_locale_enter(&c)) {
        wg_fail(a->tape, WG_E_NOMEM, "archive: no locale");
        return false;
    }
    double number = (double)NAN;
    wg_number_kind kind = wg_number_read(text, &number);
    wg_c_locale_leave(&c);
    if (kind != WG_NUMBER_FINITE || !(number >= low && number <= high))
        return archive_no_number(a, who, name, text);
    *value = number;
    return true;
}
