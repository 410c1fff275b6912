// What becomes of large blocks of memory when they are freed.

#include "CProcessor.h"

#ifdef __linux__
#include <malloc.h>

// Before main: they go back to the system at once.
//
// Left to itself, glibc keeps blocks of the sizes that a program has freed once. Small ones that live on
// then lie among them, and each time the next large block is new: a process of thousands of runs grew to a
// gigabyte with 5 MB in use (`make test-soak`).
#ifdef M_MMAP_THRESHOLD
__attribute__((constructor(102)))
static void returnLargeBlocks(void) { mallopt(M_MMAP_THRESHOLD, 128 << 10); }
#endif
#endif

void keepLargeBlocks(void) {
#if defined(__linux__) && defined(M_MMAP_THRESHOLD)
  // The most that every glibc takes.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}
