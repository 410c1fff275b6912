// Writes a line for each collective call of a process: what it is, when it was entered, the seconds that it waited for
// the others, the seconds that it took from there, and the bytes that it sent to others.
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static FILE *file;
static int rank, count;

static double begin(double *entered) {
  if (file == NULL) {
    char path[4096];
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    PMPI_Comm_size(MPI_COMM_WORLD, &count);
    snprintf(path, sizeof path, "%s-%d", getenv("RANKS_TIMES"), rank);
    file = fopen(path, "w");
    if (file == NULL) exit(1);
    setvbuf(file, NULL, _IOLBF, 0);
  }
  *entered = PMPI_Wtime();
  // Without it, the time of a call would be that of the slowest process.
  PMPI_Barrier(MPI_COMM_WORLD);
  return PMPI_Wtime();
}

static void end(const char *name, double entered, double started, double bytes) {
  fprintf(file, "%s %.6f %.6f %.6f %.0f\n", name, entered, started - entered, PMPI_Wtime() - started, bytes);
}

int MPI_Allgatherv(
    const void *values, int own, MPI_Datatype type, void *all, const int *counts, const int *starts,
    MPI_Datatype others, MPI_Comm comm) {
  double entered, started = begin(&entered);
  int result = PMPI_Allgatherv(values, own, type, all, counts, starts, others, comm);
  end("gather", entered, started, 4.0 * own * (count - 1));
  return result;
}

int MPI_Alltoallv(
    const void *values, const int *sent, const int *starts, MPI_Datatype type, void *all,
    const int *received, const int *their_starts, MPI_Datatype others, MPI_Comm comm) {
  double entered, started = begin(&entered), numbers = 0;
  for (int other = 0; other < count; other++) {
    if (other != rank) numbers += sent[other];
  }
  int result =
      PMPI_Alltoallv(values, sent, starts, type, all, received, their_starts, others, comm);
  end("exchange", entered, started, 4.0 * numbers);
  return result;
}
