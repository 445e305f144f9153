// Regular files through their descriptors: reading, writing, seeking, sizes, times, hints.
#include "wasi.h"

static u32 f, n;
static char buf[64];
static __wasi_iovec_t iov = {(uint8_t *)buf, sizeof buf};
static u64 offset;

static void got(void) { printf("  %u bytes: %.*s\n", n, (int)n, buf); }

static void writes(void) {
  SHOW(path_open(D, 0, P("file"), CREAT | EXCL, RW, RW, 0, &f));
  __wasi_ciovec_t parts[] = {{(const uint8_t *)"hello", 5}, {(const uint8_t *)"", 0}, {(const uint8_t *)", world", 7}};
  SHOW(fd_write(f, parts, 3, &n));
  printf("  %u bytes\n", n);
  SHOW(fd_write(f, parts, 0, &n));
  printf("  %u bytes\n", n);
  SHOW(fd_tell(f, &offset));
  printf("  at %llu\n", offset);
  SHOW(fd_pwrite(f, parts, 1, 7, &n));
  printf("  %u bytes\n", n);
  SHOW(fd_tell(f, &offset));
  printf("  at %llu\n", offset);
  content("file");
  SHOW(fd_pwrite(f, parts, 1, 20, &n));
  content("file");
  stat_fd(f);
}

static void seeks(void) {
  SHOW(fd_seek(f, 3, SET, &offset));
  printf("  at %llu\n", offset);
  SHOW(fd_seek(f, -2, CUR, &offset));
  printf("  at %llu\n", offset);
  SHOW(fd_seek(f, -5, END, &offset));
  printf("  at %llu\n", offset);
  SHOW(fd_read(f, &iov, 1, &n));
  got();
  SHOW(fd_read(f, &iov, 1, &n));
  got();
  SHOW(fd_seek(f, 100, END, &offset));
  printf("  at %llu\n", offset);
  SHOW(fd_read(f, &iov, 1, &n));
  got();
  SHOW(fd_seek(f, -1, SET, &offset));
  SHOW(fd_seek(f, -1000, CUR, &offset));
  SHOW(fd_seek(f, 0, 3, &offset));
  SHOW(fd_tell(f, &offset));
  printf("  at %llu\n", offset);
}

static void reads(void) {
  char a[3], b[4];
  __wasi_iovec_t parts[] = {{(uint8_t *)a, 3}, {(uint8_t *)0, 0}, {(uint8_t *)b, 4}};
  SHOW(fd_pread(f, parts, 3, 0, &n));
  printf("  %u bytes: %.3s|%.4s\n", n, a, b);
  SHOW(fd_pread(f, &iov, 1, 22, &n));
  got();
  SHOW(fd_pread(f, &iov, 1, 25, &n));
  got();
  SHOW(fd_pread(f, &iov, 1, 1ull << 40, &n));
  got();
  SHOW(fd_pread(f, &iov, 1, ~0ull, &n));
  SHOW(fd_pread(f, &iov, 0, 0, &n));
  got();
  SHOW(fd_read(99, &iov, 1, &n));
  SHOW(fd_write(99, &iov, 1, &n));
  SHOW(fd_pread(99, &iov, 1, 0, &n));
  SHOW(fd_pwrite(99, &iov, 1, 0, &n));
  SHOW(fd_seek(99, 0, SET, &offset));
  SHOW(fd_tell(99, &offset));
}

static void sizes(void) {
  SHOW(fd_filestat_set_size(f, 5));
  content("file");
  SHOW(fd_filestat_set_size(f, 8));
  content("file");
  SHOW(fd_filestat_set_size(f, ~0ull));
  SHOW(fd_filestat_set_size(99, 0));
  SHOW(fd_allocate(f, 0, 4));
  content("file");
  SHOW(fd_allocate(f, 4, 8));
  content("file");
  SHOW(fd_allocate(f, 0, 0));
  SHOW(fd_allocate(f, ~0ull, 2));
  SHOW(fd_allocate(99, 0, 1));
  SHOW(fd_allocate(D, 0, 1));
  SHOW(fd_advise(f, 0, 4, 0));
  SHOW(fd_advise(f, 0, 0, 1));
  SHOW(fd_advise(f, 0, 0, 2));
  SHOW(fd_advise(f, 0, 0, 3));
  SHOW(fd_advise(f, 0, 0, 4));
  SHOW(fd_advise(f, 0, 0, 5));
  SHOW(fd_advise(f, 0, 0, 6));
  SHOW(fd_advise(99, 0, 0, 0));
  SHOW(fd_sync(f));
  SHOW(fd_datasync(f));
  SHOW(fd_sync(99));
  SHOW(fd_datasync(99));
}

static void times_of(int32_t number, const __wasi_filestat_t *stat) {
  printf("  %s: atim %llu, mtim %llu\n", errno_name(number), stat->atim, stat->mtim);
}

static void times(void) {
  __wasi_filestat_t stat;
  SHOW(fd_filestat_set_times(f, 1000000000, 2000000000, ATIM | MTIM));
  times_of(fd_filestat_get(f, &stat), &stat);
  SHOW(fd_filestat_set_times(f, 5, 3000000000, MTIM));
  times_of(fd_filestat_get(f, &stat), &stat);
  SHOW(fd_filestat_set_times(f, 4000000000, 5, ATIM));
  times_of(fd_filestat_get(f, &stat), &stat);
  SHOW(fd_filestat_set_times(f, 5, 5, 0));
  times_of(fd_filestat_get(f, &stat), &stat);
  SHOW(fd_filestat_set_times(f, 0, 0, ATIM | ATIM_NOW));
  SHOW(fd_filestat_set_times(f, 0, 0, MTIM | MTIM_NOW));
  SHOW(fd_filestat_set_times(99, 0, 0, ATIM));
  SHOW(path_filestat_set_times(D, FOLLOW, P("file"), 6000000000, 7000000001, ATIM | MTIM));
  times_of(path_filestat_get(D, 0, P("file"), &stat), &stat);
  SHOW(path_filestat_set_times(D, 0, P("file"), 0, 0, ATIM_NOW));
  int32_t number = path_filestat_get(D, 0, P("file"), &stat);
  printf("  %s: atim %s, mtim %llu\n", errno_name(number), stat.atim != 6000000000 ? "now" : "as before", stat.mtim);
  SHOW(path_filestat_set_times(D, 0, P("missing"), 0, 0, ATIM));
  SHOW(path_filestat_set_times(D, 0, P("file"), 0, 0, ATIM | ATIM_NOW));
  SHOW(path_filestat_set_times(99, 0, P("file"), 0, 0, ATIM));
}

// Writes that append ignore the offset; so does a flag that is set later.
static void appends(void) {
  u32 g = 0;
  make("log", "one");
  SHOW(path_open(D, 0, P("log"), 0, RW, RW, APPEND, &g));
  put(g, " two");
  SHOW(fd_seek(g, 0, SET, &offset));
  put(g, " three");
  content("log");
  SHOW(fd_fdstat_set_flags(g, 0));
  SHOW(fd_seek(g, 0, SET, &offset));
  put(g, "ONE");
  content("log");
  SHOW(fd_fdstat_set_flags(g, APPEND));
  put(g, " four");
  content("log");
  SHOW(fd_close(g));
}

// A descriptor of a directory is no file.
static void directory(void) {
  SHOW(fd_read(D, &iov, 1, &n));
  SHOW(fd_write(D, &iov, 1, &n));
  SHOW(fd_seek(D, 0, SET, &offset));
  SHOW(fd_filestat_set_size(D, 0));
  stat_fd(D);
}

int main(void) {
  writes();
  seeks();
  reads();
  sizes();
  times();
  SHOW(fd_close(f));
  SHOW(fd_close(f));
  appends();
  directory();
  return 0;
}
