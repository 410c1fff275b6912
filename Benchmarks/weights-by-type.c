// 10⁹ weights a second that one thread reads of each stored type: to panels, and multiplied by one row and by two
// without a panel, each in cache and from memory. Processor time, the fastest of some rounds.
//
//     clang -O3 -ISources/CPanels/include Benchmarks/weights-by-type.c Sources/CPanels/panels.c -lpthread \
//       -o weights-by-type && ./weights-by-type [SET]
//
// SET is 0 for the fastest set of kernels of this processor, 1 for the next one, and so on.
#include "CPanels.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INPUTS = 1536, BLOCK_OF_SUM = 768, ROUNDS = 7 };

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static uint32_t state = 1;
static uint32_t nextWord(void) { return state = state * 1664525u + 1013904223u; }

// All outputs, sixty-four at a time.
static void multiply(const struct BlockKernels *kernels, const uint8_t *weights, size_t outputs,
                     size_t row, size_t values, size_t rows, const float *x, float *y) {
  const uint8_t *addresses[16 * MOST_PANELS];
  for (size_t first = 0; first < outputs; first += 16 * MOST_PANELS) {
    for (size_t i = 0; i < 16 * MOST_PANELS; i++) addresses[i] = weights + (first + i) * row;
    const struct BlockProduct product = {
      .addresses = addresses, .panels = MOST_PANELS, .columns = 16 * MOST_PANELS,
      .blocks = INPUTS / values, .blocksOfSum = BLOCK_OF_SUM / values,
      .ahead = 16 * MOST_PANELS * row, .isCold = first == 0, .rows = rows, .x = x, .xRow = INPUTS,
      .y = y + first, .yRow = outputs};
    kernels->multiply(&product);
  }
}

int main(int count, char **arguments) {
  const struct PanelKernels *k = panelKernels(count > 1 ? (size_t)atoi(arguments[1]) : 0);
  if (k == NULL) return 1;
  const struct {
    const char *name;
    const struct BlockKernels *kernels;
    size_t bytes, values;
    int exponents[2];  // bytes that hold the high half of an f16 scale, -1 for none
  } types[] = {{"Q4_0", &k->q4_0, 18, 32, {1, -1}},  {"Q4_1", &k->q4_1, 20, 32, {1, 3}},
               {"Q5_0", &k->q5_0, 22, 32, {1, -1}},  {"Q5_1", &k->q5_1, 24, 32, {1, 3}},
               {"Q8_0", &k->q8_0, 34, 32, {1, -1}},  {"Q4_K", &k->q4_K, 144, 256, {1, 3}},
               {"Q5_K", &k->q5_K, 176, 256, {1, 3}}, {"Q6_K", &k->q6_K, 210, 256, {209, -1}}};
  printf("%s: to panels, one row, two rows\n", k->name);
  for (size_t type = 0; type < sizeof types / sizeof *types; type++) {
    const size_t row = INPUTS / types[type].values * types[type].bytes;
    // What a second-level cache holds, and several times what a third-level one does.
    const size_t sizes[] = {512, 1 << 17};
    uint8_t *weights = malloc((sizes[1] + 64) * row);
    float *x = malloc(2 * INPUTS * sizeof(float)), *y = malloc(2 * sizes[1] * sizeof(float));
    float *panel = aligned_alloc(64, 16 * INPUTS * sizeof(float));
    if (!weights || !x || !y || !panel) return 1;
    for (size_t i = 0; i < (sizes[1] + 64) * row; i++) weights[i] = nextWord() >> 24;
    for (size_t block = 0; block < (sizes[1] + 64) * row / types[type].bytes; block++)
      for (int place = 0; place < 2; place++)
        if (types[type].exponents[place] >= 0) {
          uint8_t *exponent = weights + block * types[type].bytes + types[type].exponents[place];
          *exponent = (*exponent & 0x80) | 0x24;
        }
    for (size_t i = 0; i < 2 * INPUTS; i++) x[i] = (float)(int32_t)nextWord() / 2147483648.f;
    for (size_t size = 0; size < 2; size++) {
      double best[3] = {1e9, 1e9, 1e9};
      for (int round = 0; round < ROUNDS; round++)
        for (size_t rows = 0; rows <= 2; rows++)
          // In cache the second time counts.
          for (int time = size; time < 2; time++) {
            const double start = seconds();
            if (rows > 0)
              multiply(types[type].kernels, weights, sizes[size], row, types[type].values, rows, x, y);
            for (size_t first = 0; rows == 0 && first < sizes[size]; first += 16) {
              const uint8_t *addresses[16];
              for (size_t i = 0; i < 16; i++) addresses[i] = weights + (first + i) * row;
              types[type].kernels->unpack(addresses, INPUTS / types[type].values, panel);
            }
            const double passed = (seconds() - start) / (double)(sizes[size] * INPUTS);
            if (passed < best[rows]) best[rows] = passed;
          }
      printf("%s %s: %.0f, %.0f, %.0f\n", types[type].name, size == 0 ? "in cache" : "from memory",
             1e-9 / best[0], 1e-9 / best[1], 1e-9 / best[2]);
    }
    free(weights);
    free(x);
    free(y);
    free(panel);
  }
}
