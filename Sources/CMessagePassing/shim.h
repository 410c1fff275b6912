// MPI's handles are macros that Swift does not see.
#include <mpi.h>

// 0 where the library lets any one thread call at a time, which training needs.
static inline int messages_begin(int *rank, int *count) {
  int provided = 0;
  if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS) return 1;
  MPI_Comm_rank(MPI_COMM_WORLD, rank);
  MPI_Comm_size(MPI_COMM_WORLD, count);
  return provided < MPI_THREAD_SERIALIZED;
}

static inline void messages_end(void) {
  int is_over = 0;
  MPI_Finalized(&is_over);
  if (!is_over) MPI_Finalize();
}

static inline void messages_abort(int status) { MPI_Abort(MPI_COMM_WORLD, status); }

static inline void messages_gather(
    const float *values, int count, float *all, const int *counts, const int *starts) {
  MPI_Allgatherv(values, count, MPI_FLOAT, all, counts, starts, MPI_FLOAT, MPI_COMM_WORLD);
}

static inline void messages_exchange(
    const float *values, const int *sent, const int *sent_starts, float *all, const int *received,
    const int *received_starts) {
  MPI_Alltoallv(
      values, sent, sent_starts, MPI_FLOAT, all, received, received_starts, MPI_FLOAT,
      MPI_COMM_WORLD);
}
