// The sets of kernels: one source, compiled for each kind of processor.
#include "CPanels.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// Weights are unpacked as ggml does it: a multiplication, then an addition, never fused.
#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline))
#define SPLAT(s) ((Lanes){s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s})
#define CACHED_ROWS 192

// The compiler cuts them into the registers that the processor has.
typedef float Lanes __attribute__((vector_size(64), aligned(4)));
typedef float HalfLanes __attribute__((vector_size(32), aligned(1)));
typedef uint32_t Words __attribute__((vector_size(64), aligned(4)));
typedef int32_t SignedWords __attribute__((vector_size(64), aligned(4)));
typedef uint32_t HalfWords __attribute__((vector_size(32), aligned(4)));
typedef uint16_t HalfShorts __attribute__((vector_size(16), aligned(1)));
typedef uint32_t FourWords __attribute__((vector_size(16), aligned(1)));

#if defined(__x86_64__)
#include <immintrin.h>

// 32 registers of 16 floats.
#define NAME "avx512"
#define SET(name) name##AVX512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx2,fma")))
#define FUSED 1
#define ROWS 12
#define WIDTH(rows) ((rows) <= 6 ? 4 : 2)
// Looked up, which looks at the low four bits alone.
#define NIBBLES(words)                                                                            \
  ((Lanes)_mm512_permutexvar_ps(                                                                  \
    (__m512i)(words), (__m512)(Lanes){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}))
#define TILES                                                                                     \
  TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1) TILE(7, 1) TILE(8, 1)         \
  TILE(9, 1) TILE(10, 1) TILE(11, 1) TILE(12, 1)                                                  \
  TILE(1, 2) TILE(2, 2) TILE(3, 2) TILE(4, 2) TILE(5, 2) TILE(6, 2) TILE(7, 2) TILE(8, 2)         \
  TILE(9, 2) TILE(10, 2) TILE(11, 2) TILE(12, 2)                                                  \
  TILE(1, 4) TILE(2, 4) TILE(3, 4) TILE(4, 4) TILE(5, 4) TILE(6, 4)
#include "kernels.inc"

// 16 registers of 8 floats.
#define NAME "avx2"
#define SET(name) name##AVX2
#define TARGET __attribute__((target("avx2,fma")))
#define FUSED 1
#define ROWS 6
#define WIDTH(rows) ((rows) <= 1 ? 4 : (rows) <= 3 ? 2 : 1)
#define NIBBLES(words) FLOATS((words) & 15)
#define TILES                                                                                     \
  TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1)                               \
  TILE(1, 2) TILE(2, 2) TILE(3, 2) TILE(1, 4)
#include "kernels.inc"

// 16 registers of 4 floats.
#define NAME "sse2"
#define SET(name) name##SSE2
#define TARGET
#define FUSED 0
#define ROWS 3
#define WIDTH(rows) ((rows) <= 1 ? 2 : 1)
#define NIBBLES(words) FLOATS((words) & 15)
#define TILES TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(1, 2)
#include "kernels.inc"

static const struct PanelKernels *const sets[] = {&kernelsAVX512, &kernelsAVX2, &kernelsSSE2};

static int canRun(const struct PanelKernels *kernels) {
  __builtin_cpu_init();
  if (kernels == &kernelsAVX512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
           && __builtin_cpu_supports("avx512vl");
  if (kernels == &kernelsAVX2)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return 1;
}

#else

// 32 registers of 4 floats, as of NEON.
#define NAME "portable"
#define SET(name) name##Portable
#define TARGET
#if defined(__aarch64__)
#define FUSED 1
#else
#define FUSED 0
#endif
#define ROWS 6
#define WIDTH(rows) ((rows) <= 1 ? 4 : (rows) <= 3 ? 2 : 1)
#define NIBBLES(words) FLOATS((words) & 15)
#define TILES                                                                                     \
  TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1)                               \
  TILE(1, 2) TILE(2, 2) TILE(3, 2) TILE(1, 4)
#include "kernels.inc"

static const struct PanelKernels *const sets[] = {&kernelsPortable};

static int canRun(const struct PanelKernels *kernels) { return kernels != NULL; }

#endif

const struct PanelKernels *panelKernels(size_t index) {
  for (size_t set = 0; set < sizeof sets / sizeof *sets; set++)
    if (canRun(sets[set]) && index-- == 0) return sets[set];
  return NULL;
}

static _Thread_local float *scratch;
static pthread_key_t ownersKey;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void makeKey(void) { pthread_key_create(&ownersKey, free); }

float *panelScratch(void) {
  if (scratch == NULL) {
    pthread_once(&once, makeKey);
    scratch = aligned_alloc(64, PANEL_SCRATCH_COUNT * sizeof(float));
    // Freed when the thread ends.
    pthread_setspecific(ownersKey, scratch);
  }
  return scratch;
}
