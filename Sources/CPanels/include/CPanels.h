// Products over panels: sixteen columns of a matrix side by side, `panel[step][16]`, so that a vector
// holds the same step of sixteen columns. A sum is one chain of fused multiplications and additions in
// the order of its steps, whatever the shape of the product and the width of the processor's vectors:
// the same bits from every set of kernels that has fused operations.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define PANEL_COLUMNS 16

// A product's operands: y[rows][columns] = x[rows][steps] · panels, counted in floats.
struct PanelProduct {
  size_t rows, columns, steps;
  const float *x;
  size_t xRow, xStep;  // from a row of x to the next, from a step to the next
  const float *panels;
  size_t panelStride, panelStep;  // from a panel to the next, from a step to the next in a panel
  float *y;
  size_t yRow;
  const float *start;  // what is added to the sums: 0 where NULL
  size_t startRow;     // from a row of it to the next, 0 for the same in every row, as a bias is
  int isChained;       // the sums go on from `start` instead: the same bits as one longer product
};

// How sixteen rows of blocks become a panel. `rows` has sixteen addresses; any alignment.
typedef void (*PanelUnpacker)(const uint8_t *const *rows, size_t blocks, float *panel);

struct PanelKernels {
  const char *name;
  int isFused;  // fused multiplications and additions
  void (*multiply)(const struct PanelProduct *product);
  // For each stored type; numbers without blocks are blocks of one.
  PanelUnpacker unpackF32, unpackF16, unpackBF16;
  PanelUnpacker unpackQ4_0, unpackQ4_1, unpackQ5_0, unpackQ5_1, unpackQ8_0;
  PanelUnpacker unpackQ4_K, unpackQ5_K, unpackQ6_K;
  // What a loop of independent fused multiplications and additions does: operations in all.
  double (*spin)(long iterations, float *result);
};

// The sets of kernels that this processor can run, the fastest first; NULL behind the last.
const struct PanelKernels *panelKernels(size_t index);

// A moment in a loop that waits for another thread.
static inline void restProcessor(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Values of a thread's own scratch memory.
#define PANEL_SCRATCH_COUNT (5 * 16 * 768)
// That memory, at a boundary of 64 bytes, undefined contents; NULL where there is none left.
float *panelScratch(void);
