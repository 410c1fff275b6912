// Before main: large blocks of memory go back to the system as soon as they are freed.
//
// Left to itself, glibc keeps blocks of the sizes that a program has freed once. Small ones that live on
// then lie among them, and each time the next large block is new: a process of thousands of runs grew to a
// gigabyte with 5 MB in use (`make test-soak`).

#ifdef __linux__
#include <malloc.h>

#ifdef M_MMAP_THRESHOLD
__attribute__((constructor(102)))
static void returnLargeBlocks(void) { mallopt(M_MMAP_THRESHOLD, 128 << 10); }
#endif
#endif
