/* An allocator that counts. */
#include "budget.h"

#include "options.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

enum { HEAD = 64 };                /* bytes before a block: its size, aligned as the block is */
enum { TIMES = 40, OWN = 5 };      /* of the files' bytes; MB of code, stacks and buffers */
static const int64_t MB = 1 << 20; /* bytes */

/* ---- Counting -------------------------------------------------------------------------------------------- */

/* May so many bytes more be taken? */
static bool allowed(budget *b, size_t more)
{
    if (more <= (size_t)(b->limit - b->live))
        return true;
    if (b->asked == 0) {
        b->asked = (int64_t)more;
        b->beside = b->live;
    }
    return false;
}

/* The block behind the head, from now on counted. */
static void *count(budget *b, void *head, size_t bytes)
{
    if (head == NULL)
        return NULL;
    memcpy(head, &bytes, sizeof bytes);
    b->live += (int64_t)bytes;
    return (char *)head + HEAD;
}

static size_t counted(const void *memory)
{
    size_t bytes;
    memcpy(&bytes, (const char *)memory - HEAD, sizeof bytes);
    return bytes;
}

static void *take(size_t size, void *user)
{
    budget *b = user;
    if (size > PTRDIFF_MAX / 2 || !allowed(b, size + HEAD))
        return NULL;
    return count(b, b->allocator.allocate(size + HEAD, b->allocator.user), size + HEAD);
}

/* Moved pages are not there twice. */
static void *move(void *memory, size_t size, void *user)
{
    budget *b = user;
    const size_t before = counted(memory);
    if (size > PTRDIFF_MAX / 2 || (size + HEAD > before && !allowed(b, size + HEAD - before)))
        return NULL;
    void *moved = b->allocator.reallocate((char *)memory - HEAD, size + HEAD, b->allocator.user);
    if (moved != NULL)
        b->live -= (int64_t)before;
    return count(b, moved, size + HEAD);
}

static void give_back(void *memory, void *user)
{
    budget *b = user;
    if (memory == NULL)
        return;
    b->live -= (int64_t)counted(memory);
    b->allocator.release((char *)memory - HEAD, b->allocator.user);
}

wg_allocator budget_allocator(budget *b)
{
    return (wg_allocator){take, move, give_back, b};
}

/* ---- How much -------------------------------------------------------------------------------------------- */

static int64_t size_of(const char *path)
{
    struct stat about;
    const bool there = strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &about) == 0
                                              : stat(path, &about) == 0;
    return there && S_ISREG(about.st_mode) ? (int64_t)about.st_size : 0;
}

budget budget_new(int64_t megabytes, int64_t least, const char *const files[])
{
    budget b = {.limit = megabytes * MB, .allocator = wg_allocator_default()};
#ifdef M_MMAP_THRESHOLD /* what is given back goes back to the system: freed pages would count, too */
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
    if (megabytes > 0)
        return b;
    for (int i = 0; files[i] != NULL; i++)
        b.files += size_of(files[i]);
    b.least = least * MB;
    b.limit = (b.files > b.least / TIMES ? TIMES * b.files : b.least) - OWN * MB;
    return b;
}

/* ---- What is said of it ---------------------------------------------------------------------------------- */

static double in_mb(int64_t bytes)
{
    return (double)bytes / (double)MB;
}

void budget_explain(const budget *b, const char *data)
{
    const double asked = in_mb(b->asked), limit = in_mb(b->limit);
    if (b->asked > 0 && b->least == 0)
        options_complain(
            "%s: %.1f MB of memory were asked for beside %.1f MB, but --memory allows %.0f MB",
            data, asked, in_mb(b->beside), limit);
    else if (b->asked > 0)
        options_complain("%s: %.1f MB of memory were asked for beside %.1f MB, but %.0f MB are "
                         "allowed (%.0f, or "
                         "%d times the file, whichever is more); --memory MB allows more",
                         data, asked, in_mb(b->beside) + OWN, limit + OWN, in_mb(b->least), TIMES);
}
