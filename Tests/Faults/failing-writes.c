// Makes one call fail that writes below a folder. Loaded before libc by LD_PRELOAD; see Tests/faults.
//
//   FAULT_FOLDER   the folder: only files below it count
//   FAULT_PROGRAM  the program: calls of processes that it starts do not count
//   FAULT_NUMBER   which call fails, from 1
//   FAULT_KIND     `list`, which makes none fail; the name of an error, `short` for a write that takes half of what it is given, or `full` for
//                  one that does and no room from then on
//   FAULT_REPORT   gets a line for the call that failed: its name, `room` if it needs room, and the path; of `list`
//                  for every call
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static const char *folder, *kind, *report;
static long chosen;
static atomic_long calls;
static atomic_int full;

__attribute__((constructor)) static void begin(void) {
  const char *program = getenv("FAULT_PROGRAM"), *number = getenv("FAULT_NUMBER");
  if (!program || strcmp(program, program_invocation_short_name) != 0) return;
  folder = getenv("FAULT_FOLDER");
  kind = getenv("FAULT_KIND");
  report = getenv("FAULT_REPORT");
  chosen = number ? atol(number) : 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// The path as the kernel has it: relative ones lie below the working folder.
static int isBelow(const char *path, char *place, size_t size) {
  if (!folder || !path) return 0;
  if (path[0] == '/') {
    snprintf(place, size, "%s", path);
  } else {
    char here[4096];
    if (!getcwd(here, sizeof here)) return 0;
    snprintf(place, size, "%s/%s", here, path);
  }
  size_t length = strlen(folder);
  return strncmp(place, folder, length) == 0 && (place[length] == '/' || place[length] == 0);
}

static int isOpenBelow(int descriptor, char *place, size_t size) {
  char link[64];
  if (!folder) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  char target[4096];
  ssize_t length = readlink(link, target, sizeof target - 1);
  if (length < 0 || target[0] != '/') return 0;  // A pipe or a socket.
  target[length] = 0;
  return isBelow(target, place, size);
}

static void tell(const char *call, int takesBytes, const char *place) {
  int saved = errno;
  int descriptor = REAL(open)(report, O_WRONLY | O_CREAT | O_APPEND, 0644);
  char line[4200];
  int length = snprintf(line, sizeof line, "%s %s %s\n", call, takesBytes ? "room" : "-", place);
  if (descriptor >= 0) {
    if (REAL(write)(descriptor, line, (size_t)length) < 0) abort();
    close(descriptor);
  }
  errno = saved;
}

enum { PASS, FAIL, HALF };

// `takesBytes`: whether the call needs room on the disk, which is not there once it is full.
static int decide(const char *call, const char *place, int isWrite, int takesBytes) {
  if (atomic_load(&full)) {
    if (!takesBytes) return PASS;
    errno = ENOSPC;
    return FAIL;
  }
  long number = atomic_fetch_add(&calls, 1) + 1;
  if (strcmp(kind, "list") == 0) tell(call, takesBytes, place);
  if (number != chosen) return PASS;
  if (strcmp(kind, "short") == 0 || strcmp(kind, "full") == 0) {
    tell(call, takesBytes, place);
    if (kind[0] == 'f') atomic_store(&full, 1);
    if (isWrite) return HALF;
    errno = ENOSPC;
    return FAIL;
  }
  tell(call, takesBytes, place);
  errno = strcmp(kind, "EIO") == 0 ? EIO : strcmp(kind, "EACCES") == 0 ? EACCES : ENOSPC;
  return FAIL;
}

#define DECIDE_PATH(call, path, isWrite, takesBytes)                                          \
  char place[8192];                                                                           \
  int decision = isBelow(path, place, sizeof place) ? decide(call, place, isWrite, takesBytes) : PASS; \
  if (decision == FAIL) return -1;

#define DECIDE_OPEN(call, descriptor, isWrite, takesBytes)                                    \
  char place[8192];                                                                           \
  int decision =                                                                              \
      isOpenBelow(descriptor, place, sizeof place) ? decide(call, place, isWrite, takesBytes) : PASS; \
  if (decision == FAIL) return -1;

static int writes(int flags) { return (flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0; }

int open(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;
  va_end(list);
  if (writes(flags)) {
    DECIDE_PATH("open", path, 0, (flags & O_CREAT) != 0)
  }
  return REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;
  va_end(list);
  if (writes(flags)) {
    DECIDE_PATH("open", path, 0, (flags & O_CREAT) != 0)
  }
  return REAL(open64)(path, flags, mode);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
  DECIDE_OPEN("write", descriptor, 1, 1)
  return REAL(write)(descriptor, bytes, decision == HALF && count > 1 ? count / 2 : count);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
  DECIDE_OPEN("pwrite", descriptor, 1, 1)
  return REAL(pwrite)(descriptor, bytes, decision == HALF && count > 1 ? count / 2 : count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
  DECIDE_OPEN("pwrite", descriptor, 1, 1)
  return REAL(pwrite64)(descriptor, bytes, decision == HALF && count > 1 ? count / 2 : count, offset);
}

int fsync(int descriptor) {
  DECIDE_OPEN("fsync", descriptor, 0, 0)
  return REAL(fsync)(descriptor);
}

int fdatasync(int descriptor) {
  DECIDE_OPEN("fdatasync", descriptor, 0, 0)
  return REAL(fdatasync)(descriptor);
}

int ftruncate(int descriptor, off_t length) {
  DECIDE_OPEN("ftruncate", descriptor, 0, 0)
  return REAL(ftruncate)(descriptor, length);
}

int ftruncate64(int descriptor, off64_t length) {
  DECIDE_OPEN("ftruncate", descriptor, 0, 0)
  return REAL(ftruncate64)(descriptor, length);
}

int rename(const char *old, const char *new) {
  DECIDE_PATH("rename", new, 0, 0)
  return REAL(rename)(old, new);
}

int link(const char *old, const char *new) {
  DECIDE_PATH("link", new, 0, 1)
  return REAL(link)(old, new);
}

int mkdir(const char *path, mode_t mode) {
  DECIDE_PATH("mkdir", path, 0, 1)
  return REAL(mkdir)(path, mode);
}

int unlink(const char *path) {
  DECIDE_PATH("unlink", path, 0, 0)
  return REAL(unlink)(path);
}
