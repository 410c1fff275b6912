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

// Panels of a task, and the rows up to which a product without panels is the faster one.
#define MOST_PANELS 4
#define FEW_ROWS 2

// A product of weights as they are stored, without panels: y[rows][columns] (+)= bias + x[rows] · Wᵀ.
struct BlockProduct {
  const uint8_t *const *addresses;  // [panels][16], where each output's weights begin; any alignment
  size_t panels, columns;           // columns fill all panels but the last
  size_t blocks, blocksOfSum;       // of a row, and of them those of a sum of its own
  size_t ahead;                     // bytes from a row's address to that of one that is read soon
  int isCold;                       // nobody has asked for these rows yet
  int isAdded;
  size_t rows;
  const float *x;
  size_t xRow;
  float *y;
  size_t yRow;
  const float *bias;  // [columns], or NULL
};

// How a type is read: numbers without blocks are blocks of one.
struct BlockKernels {
  // Sixteen rows of blocks as a panel; `rows` has sixteen addresses.
  void (*unpack)(const uint8_t *const *rows, size_t blocks, float *panel);
  // NULL where there is none: the same bits as by a panel.
  void (*multiply)(const struct BlockProduct *product);
};

struct PanelKernels {
  const char *name;
  int isFused;  // fused multiplications and additions
  void (*multiply)(const struct PanelProduct *product);
  struct BlockKernels f32, f16, bf16, q4_0, q4_1, q5_0, q5_1, q8_0, q4_K, q5_K, q6_K;
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
