/* peak MB COMMAND...: runs a command in that much address space and prints, on the last line of standard error, its
 * exit status (a signal's number negative) and the largest resident set that it had, in bytes. Of its own it adds
 * nothing: a child's peak begins with that of whom it is a copy of, and this program is small. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int wait4(int pid, int *status, int options, struct rusage *usage); /* not of POSIX */

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    const rlim_t most = (rlim_t)strtoul(argv[1], NULL, 10) << 20;
    const pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_AS, &(struct rlimit){most, most});
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return 1;
    fprintf(stderr, "\n%d %ld\n", WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status),
            usage.ru_maxrss * 1024);
    return 0;
}
