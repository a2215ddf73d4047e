/* train on several machines: processes of MPI share the training rows; the model is the same, bit for bit, for any
 * number of them. It takes train's arguments, in which the optimizer is one of all rows at once:
 *
 *     $ make deps-mpi mpi
 *     $ mpirun -n 4 build/train-mpi examples/data/iris.csv --save iris.safetensors
 *
 * A process that is lost ends the job; with --checkpoint, --resume goes on, with as many processes as there are. */
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <wengert.h>

#include "support/train_run.h"

/* Either number may be 0: there is then no message in that direction. */
static bool exchange(void *user, int partner, const void *send, size_t n_send, void *receive,
                     size_t n_receive)
{
    const MPI_Comm all = *(const MPI_Comm *)user;
    MPI_Status status;
    int taken = 0;
    if (n_send > INT_MAX || n_receive > INT_MAX)
        return false;
    if (n_receive == 0)
        return n_send == 0 || MPI_Send(send, (int)n_send, MPI_BYTE, partner, 0, all) == MPI_SUCCESS;
    if (n_send == 0)
        MPI_Recv(receive, (int)n_receive, MPI_BYTE, partner, 0, all, &status);
    else
        MPI_Sendrecv(send, (int)n_send, MPI_BYTE, partner, 0, receive, (int)n_receive, MPI_BYTE,
                     partner, 0, all, &status);
    MPI_Get_count(&status, MPI_BYTE, &taken);
    return (size_t)taken == n_receive;
}

int main(int argc, char **argv)
{
    MPI_Comm all;
    int threads;
    /* The pool's threads do not speak: one does, and MPI's own errors end the job. */
    if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &threads) != MPI_SUCCESS)
        return 1;
    MPI_Comm_dup(MPI_COMM_WORLD, &all);
    wg_ranks ranks = {.exchange = exchange, .user = &all};
    MPI_Comm_rank(all, &ranks.rank);
    MPI_Comm_size(all, &ranks.size);
    if (ranks.rank > 0 && freopen("/dev/null", "w", stdout) == NULL)
        MPI_Abort(all, 1);
    int status = train_run(argc, argv, &ranks);
    if (status != 0)
        MPI_Abort(all, status); /* or others would wait for this one */
    MPI_Finalize();
    return status;
}
