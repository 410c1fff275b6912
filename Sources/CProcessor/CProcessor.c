// Chooses the program for the processor, before any code that was compiled for AVX2 runs: where the
// processor lacks it, PREFIX/libexec/NAME-portable takes over from PREFIX/bin/NAME.
// ICL_PROBE_PORTABLE=1 asks for that anywhere.

#if defined(NEEDS_AVX2) && defined(__linux__)
#include <cpuid.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// `__builtin_cpu_supports` also asks whether the system keeps the wide registers.
static int isSupported(void) {
  unsigned a, b, c, d;
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
         && __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

static const char *processorName(void) {
  static unsigned words[13];
  if (__get_cpuid_max(0x80000000, NULL) < 0x80000004) return "unknown";
  for (unsigned part = 0; part < 3; part++) {
    unsigned *w = words + 4 * part;
    __get_cpuid(0x80000002 + part, w, w + 1, w + 2, w + 3);
  }
  const char *name = (const char *)words;
  return name + strspn(name, " ");
}

// Before every other constructor. glibc gives constructors the arguments of main.
__attribute__((constructor(101)))
static void chooseProgram(int count, char **arguments, char **environment) {
  (void)count;
  const char *wish = getenv("ICL_PROBE_PORTABLE");
  int isWished = wish != NULL && strcmp(wish, "1") == 0;
  int canRun = isSupported();
  if (canRun && !isWished) return;

  char program[PATH_MAX], portable[PATH_MAX + 32] = "";
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  program[length < 0 ? 0 : length] = 0;
  char *slash = strrchr(program, '/');
  const char *name = slash != NULL ? slash + 1 : "icl-probe";
  if (slash != NULL) {
    *slash = 0;
    snprintf(portable, sizeof portable, "%s/../libexec/%s-portable", program, name);
    execve(portable, arguments, environment);
  }
  if (canRun) {
    fprintf(stderr, "%s: ICL_PROBE_PORTABLE is set, and there is no portable program; unset it, "
            "or install one at: %s\n", name, portable);
  } else {
    fprintf(stderr, "%s: this build needs AVX2, FMA and F16C, which this processor lacks (%s); "
            "build with ICL_PROBE_PORTABLE=1\n", name, processorName());
  }
  _exit(1);
}
#endif
