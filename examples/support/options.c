#include "options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wengert.h>

static const char *program = "";

const char *options_program(void)
{
    return program;
}

/* The last part of a path, of Windows, too. */
static const char *name_of(const char *path)
{
    const char *slash = path != NULL ? path + strlen(path) : NULL;
    while (slash != NULL && slash > path && slash[-1] != '/' && slash[-1] != '\\')
        slash--;
    return slash != NULL ? slash : "";
}

void options_called(const char *by)
{
    program = name_of(by);
}

/* ---- --help ------------------------------------------------------------------------------------------- */

/* Where the bounds say something. */
static void print_range(const option *o)
{
    bool low = o->low > 1e-200, high = o->high < 1e9;
    if (o->kind < OPTION_REAL || o->kind == OPTION_TEXTS)
        return;
    if (high)
        printf("; %g to %g", o->low > 1e-200 ? o->low : 0, o->high);
    else if (low)
        printf("; from %g on", o->low);
    else if (o->low > 0)
        printf("; above 0");
}

static void print_option(const option *o)
{
    enum { COLUMN = 24 };
    int width = printf("  %s %s", o->name, o->value != NULL ? o->value : "");
    if (width >= COLUMN) {
        putchar('\n');
        width = 0;
    }
    printf("%*s%s", COLUMN - width, "", o->help);
    print_range(o);
    putchar('\n');
}

static int print_help(const command *c)
{
    printf("usage: %s%s%s%s\n%s\n", program, c->n_options > 0 ? " [options]" : "",
           *c->operands != '\0' ? " " : "", c->operands, c->about);
    for (int i = 0; i < c->n_options; i++)
        print_option(&c->options[i]);
    return fflush(stdout) == 0 ? 0 : 1;
}

void options_complain(const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    wg_tape *t = wg_tape_new(NULL);
    wg_fail(t, WG_E_VALUE, "%s", text);
    fprintf(stderr, "%s%s%s\n", program, *program != '\0' ? ": " : "", wg_tape_message(t));
    wg_tape_free(t);
}

int options_fail(const char *what, const char *which)
{
    options_complain("%s '%s'; see %s --help", what, which, program);
    return 2;
}

/* ---- Values ------------------------------------------------------------------------------------------- */

static bool read_real(const option *o, const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && *value >= o->low && *value <= o->high;
}

static bool read_whole(const option *o, const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    *value = number;
    return end != text && *end == '\0' && errno == 0 && (double)number >= o->low &&
           (double)number <= o->high;
}

static bool read_char(const char *text, char *value)
{
    *value = strcmp(text, "tab") == 0 ? '\t' : text[0];
    return *value == '\t' || (text[0] > 0 && text[1] == '\0');
}

static bool is_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);
    for (; choices != NULL; choices = strchr(choices, '|')) {
        choices += *choices == '|';
        if (strncmp(choices, text, length) == 0 && strcspn(choices, "|") == length)
            return true;
    }
    return false;
}

/* The comma behind the item that begins at *text, of which quotes, as in a CSV file, are taken off; NULL: none. */
static char *item_end(char **text)
{
    char *quote = **text == '"' ? strchr(*text + 1, '"') : NULL;
    if (quote == NULL || (quote[1] != ',' && quote[1] != '\0'))
        return strchr(*text, ',');
    ++*text;
    *quote = '\0';
    return quote[1] == ',' ? quote + 1 : NULL;
}

/* Cuts the text at its commas; NULL, or the item that is wrong. Texts may be empty: a column without a name. */
static const char *read_list(const option *o, char *text, option_list *list)
{
    char *comma = text;
    for (list->n = 0; comma != NULL && list->n < OPTION_MOST; text = comma + 1) {
        comma = item_end(&text);
        if (comma != NULL)
            *comma = '\0';
        if ((*text == '\0' && o->kind != OPTION_TEXTS) ||
            (o->kind == OPTION_WHOLES && !read_whole(o, text, &list->number[list->n])) ||
            (o->kind == OPTION_REALS && !read_real(o, text, &list->real[list->n])))
            return text;
        list->text[list->n++] = text;
        if (comma == NULL)
            break;
    }
    list->text[list->n] = NULL;
    return comma == NULL ? NULL : text;
}

/* NULL, or what is wrong. */
static const char *read_value(const option *o, char *text)
{
    bool good = true;
    switch (o->kind) {
    case OPTION_REAL: good = read_real(o, text, o->to); break;
    case OPTION_WHOLE: good = read_whole(o, text, o->to); break;
    case OPTION_CHAR: good = read_char(text, o->to); break;
    case OPTION_WHOLES:
    case OPTION_REALS:
    case OPTION_TEXTS: return read_list(o, text, o->to);
    case OPTION_CHOICE: good = is_choice(o->value, text); /* fall through */
    default: *(const char **)o->to = text;
    }
    return good ? NULL : text;
}

/* ---- The command line --------------------------------------------------------------------------------- */

static const option *find_option(const command *c, const char *argument, size_t length)
{
    for (int i = 0; i < c->n_options; i++)
        if (strlen(c->options[i].name) == length &&
            strncmp(c->options[i].name, argument, length) == 0)
            return &c->options[i];
    return NULL;
}

static bool is_full(const option *o)
{
    const bool list = o->kind == OPTION_WHOLES || o->kind == OPTION_REALS ||
                      o->kind == OPTION_TEXTS;
    return list && ((const option_list *)o->to)->n == OPTION_MOST;
}

/* The option at argv[*i], its value included; -1 to go on, or the exit status. */
static int read_option(const command *c, int argc, char **argv, int *i)
{
    char *argument = argv[*i], *value = strchr(argument, '=');
    const option *o = find_option(c, argument, strcspn(argument, "="));
    if (o == NULL)
        return options_fail("there is no option", argument);
    if (o->kind == OPTION_FLAG) {
        *(bool *)o->to = true;
        return value == NULL ? -1 : options_fail("takes no value:", argument);
    }
    value = value != NULL ? value + 1 : *i + 1 < argc ? argv[++*i] : NULL;
    if (value == NULL)
        return options_fail("wants a value:", argument);
    const char *wrong = read_value(o, value);
    if (wrong == NULL)
        return -1;
    if (is_full(o))
        options_complain("%s takes %d at most, and '%s' is one more", o->name, OPTION_MOST, wrong);
    else
        options_complain("%s %s: not '%s'; see %s --help", o->name, o->value, wrong, program);
    return 2;
}

static int count_words(const char *text)
{
    int n = 0;
    for (; *text != '\0'; text += strcspn(text, " "), text += strspn(text, " "))
        n++;
    return n;
}

int options_read(const command *c, int argc, char **argv, const char **operand)
{
    int n = 0, most = count_words(c->operands), status = -1;
    options_called(argc > 0 ? argv[0] : NULL);
    bool options = true;
    for (int i = 1; i < argc && status < 0; i++) {
        if (options && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0))
            return print_help(c);
        if (options && strcmp(argv[i], "--version") == 0)
            return printf("%s (Wengert %s)\n", program, wg_version()) > 0 ? 0 : 1;
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && argv[i][0] == '-' && argv[i][1] != '\0')
            status = read_option(c, argc, argv, &i);
        else if (n < most)
            operand[n++] = argv[i];
        else
            status = options_fail("one too many:", argv[i]);
    }
    return status >= 0 || n == most ? status : options_fail("wanted:", c->operands);
}

enum { MOST_LINKS = 40 };         /* as Linux follows */
enum { LONGEST_NAME = 255 - 21 }; /* the library writes NAME.0123456789abcdef.tmp first */

/* The directory of a path, cut to what fits. */
static void directory_of(const char *path, char directory[4096])
{
    const char *slash = strrchr(path, '/');
    int length = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    snprintf(directory, 4096, "%.*s", length, slash == NULL ? "." : path);
}

static bool same_inode(const char *a, const char *b)
{
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino && one.st_ino != 0; /* as all have on Windows */
}

#ifdef _WIN32 /* has no such links */
#define readlink(path, text, size) ((ssize_t)-1)
#endif

/* Where a link leads, whether something is there or not, cut to what fits: files are written to there. */
static void follow_links(const char *path, char target[4096])
{
    char link[4096];
    ssize_t length;
    snprintf(target, 4096, "%s", path);
    for (int i = 0; i < MOST_LINKS && (length = readlink(target, link, sizeof link - 1)) >= 0;
         i++) {
        link[length] = '\0';
        const char *slash = link[0] != '/' ? strrchr(target, '/') : NULL;
        const size_t directory = slash != NULL ? (size_t)(slash + 1 - target) : 0;
        snprintf(target + directory, 4096 - directory, "%s", link);
    }
}

/* Files that are not there yet are one where they have one name in one directory. */
bool options_same_file(const char *a, const char *b)
{
    char target_a[4096], target_b[4096], of_a[4096], of_b[4096];
    if (strcmp(a, b) == 0 || same_inode(a, b))
        return true;
    follow_links(a, target_a);
    follow_links(b, target_b);
    directory_of(target_a, of_a);
    directory_of(target_b, of_b);
    const char *slash_a = strrchr(target_a, '/'), *slash_b = strrchr(target_b, '/');
    return strcmp(slash_a != NULL ? slash_a + 1 : target_a,
                  slash_b != NULL ? slash_b + 1 : target_b) == 0 &&
           same_inode(of_a, of_b);
}

bool options_writable(const char *path, const char *data)
{
    return options_writable_beside(path, data, "the data");
}

bool options_writable_beside(const char *path, const char *data, const char *what)
{
    char directory[4096];
    struct stat about;
    if (path == NULL)
        return true;
    if (strcmp(path, "-") == 0) {
        options_complain("a result is written to a file, not to '-'");
        return false;
    }
    directory_of(path, directory);
    bool there = stat(path, &about) == 0;
    if (there && data != NULL && options_same_file(path, data)) {
        options_complain("%s: is %s, which would be lost", path, what);
        return false;
    }
    const char *slash = strrchr(path, '/');
    if (there && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)) {
        options_complain("%s: is not a regular file", path);
        return false;
    }
    if (there && S_ISDIR(about.st_mode))
        errno = EISDIR;
    else if (strlen(slash != NULL ? slash + 1 : path) > LONGEST_NAME)
        errno = ENAMETOOLONG;
    else if ((there || errno == ENOENT) && access(there ? path : directory, W_OK) == 0)
        return true;
    options_complain("%s: %s", *path != '\0' ? path : "''", strerror(errno));
    return false;
}

bool options_finish(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    options_complain("standard output: %s", strerror(errno));
    return false;
}
