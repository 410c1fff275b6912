// Every kernel of this processor's fastest set: products against plain loops, bit for bit; what is unpacked of every stored
// type as a digest, which must be the same on every processor with fused operations; and one row and two
// against panels.
#include "CPanels.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 512

static uint32_t state = 1;
static uint32_t nextWord(void) { return state = state * 1664525u + 1013904223u; }
static float nextFloat(void) { return (float)(int32_t)(nextWord() >> 8) / 8388608.f - 1.f; }

static float *floats(size_t count) {
  float *values = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
  if (values == NULL) abort();
  for (size_t i = 0; i < count; i++) values[i] = nextFloat();
  return values;
}

// FNV-1a.
static uint64_t digest(uint64_t start, const void *bytes, size_t count) {
  for (size_t i = 0; i < count; i++)
    start = (start ^ ((const uint8_t *)bytes)[i]) * 1099511628211u;
  return start;
}

static int productsAgree(const struct PanelKernels *kernels, uint64_t *sum) {
  for (size_t rows = 1; rows <= 27; rows++)
    for (size_t columns = 1; columns <= 70; columns += 23)
      for (size_t steps = 1; steps <= 65; steps += 32) {
        const size_t panels = (columns + 15) / 16;
        float *x = floats(rows * steps), *p = floats(16 * steps * panels);
        float *y = floats(rows * columns);
        const struct PanelProduct product = {
          .rows = rows, .columns = columns, .steps = steps, .x = x, .xRow = steps, .xStep = 1,
          .panels = p, .panelStride = 16 * steps, .panelStep = 16, .y = y, .yRow = columns};
        kernels->multiply(&product);
        for (size_t row = 0; row < rows; row++)
          for (size_t column = 0; column < columns; column++) {
            float exact = 0;
            for (size_t i = 0; i < steps; i++) {
              const float a = x[row * steps + i], b = p[(column / 16 * steps + i) * 16 + column % 16];
              exact = kernels->isFused ? fmaf(a, b, exact) : a * b + exact;
            }
            if (memcmp(&exact, y + row * columns + column, sizeof exact) != 0) {
              printf("product of %zu rows, %zu columns, %zu steps differs\n", rows, columns, steps);
              return 0;
            }
          }
        *sum = digest(*sum, y, rows * columns * sizeof(float));
        free(x);
        free(p);
        free(y);
      }
  return 1;
}

int main(void) {
  const struct PanelKernels *k = panelKernels(0);
  fprintf(stderr, "kernels: %s\n", k->name);
  const struct {
    const char *name;
    const struct BlockKernels *kernels;
    size_t values, bytes;
    int exponents[2];  // bytes that hold the high half of an f16 scale, -1 for none
  } types[] = {
    {"f32", &k->f32, 1, 4, {3, -1}},        {"f16", &k->f16, 1, 2, {1, -1}},
    {"bf16", &k->bf16, 1, 2, {1, -1}},      {"q4_0", &k->q4_0, 32, 18, {1, -1}},
    {"q4_1", &k->q4_1, 32, 20, {1, 3}},     {"q5_0", &k->q5_0, 32, 22, {1, -1}},
    {"q5_1", &k->q5_1, 32, 24, {1, 3}},     {"q8_0", &k->q8_0, 32, 34, {1, -1}},
    {"q4_K", &k->q4_K, 256, 144, {1, 3}},   {"q5_K", &k->q5_K, 256, 176, {1, 3}},
    {"q6_K", &k->q6_K, 256, 210, {209, -1}}};
  const uint64_t start = 14695981039346656037u;
  int agrees = 1;
  for (size_t type = 0; type < sizeof types / sizeof *types; type++) {
    const size_t blocks = STEPS / types[type].values, bytes = blocks * types[type].bytes;
    uint8_t *weights = malloc(16 * bytes);
    if (weights == NULL) abort();
    for (size_t i = 0; i < 16 * bytes; i++) weights[i] = nextWord() >> 24;
    // Finite scales of about 1/64.
    for (size_t block = 0; block < 16 * blocks; block++)
      for (int place = 0; place < 2; place++)
        if (types[type].exponents[place] >= 0) {
          uint8_t *exponent = weights + block * types[type].bytes + types[type].exponents[place];
          *exponent = (*exponent & 0x80) | 0x24;
        }
    const uint8_t *rows[16];
    for (size_t row = 0; row < 16; row++) rows[row] = weights + row * bytes;
    float *panel = floats(16 * STEPS), *x = floats(2 * STEPS), direct[32], byPanel[32];
    types[type].kernels->unpack(rows, blocks, panel);
    printf("%s %016llx\n", types[type].name,
           (unsigned long long)digest(start, panel, 16 * STEPS * sizeof(float)));
    if (types[type].kernels->multiply) {
      const struct BlockProduct few = {
        .addresses = rows, .panels = 1, .columns = 16, .blocks = blocks, .blocksOfSum = blocks,
        .rows = 2, .x = x, .xRow = STEPS, .y = direct, .yRow = 16};
      types[type].kernels->multiply(&few);
      const struct PanelProduct many = {
        .rows = 2, .columns = 16, .steps = STEPS, .x = x, .xRow = STEPS, .xStep = 1,
        .panels = panel, .panelStep = 16, .y = byPanel, .yRow = 16};
      k->multiply(&many);
      if (memcmp(direct, byPanel, sizeof direct) != 0) {
        printf("two rows of %s differ from those by a panel\n", types[type].name);
        agrees = 0;
      }
    }
    free(weights);
    free(panel);
    free(x);
  }
  uint64_t sum = start;
  agrees = productsAgree(k, &sum) && agrees;
  printf("products %016llx\n", (unsigned long long)sum);
  return agrees ? 0 : 1;
}
