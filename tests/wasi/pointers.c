// Addresses outside of memory, lengths that overflow, addresses that are not aligned.
#include "wasi.h"

static u32 f, n;
static char buf[256];
static __wasi_iovec_t empty[2048];

int main(void) {
  void *const far = (void *)0xfffffff0u;
  __wasi_iovec_t good = {(uint8_t *)buf, 4};
  __wasi_iovec_t bad = {(uint8_t *)far, 64};
  __wasi_iovec_t huge = {(uint8_t *)buf, 0xffffffffu};
  make("file", "0123456789");
  path_open(D, 0, P("file"), 0, RW, RW, 0, &f);

  SHOW(args_sizes_get(far, &n));
  SHOW(args_get(far, far));
  SHOW(environ_sizes_get(&n, far));
  SHOW(clock_res_get(1, far));
  SHOW(clock_time_get(1, 1, far));
  SHOW(random_get(far, 64));
  SHOW(random_get(buf, 0xffffffffu));
  SHOW(fd_fdstat_get(f, far));
  SHOW(fd_filestat_get(f, far));
  SHOW(fd_prestat_get(D, far));
  SHOW(fd_prestat_dir_name(D, far, 64));
  SHOW(fd_seek(f, 0, SET, far));
  SHOW(fd_tell(f, far));
  SHOW(fd_read(f, far, 1, &n));
  SHOW(fd_read(f, &bad, 1, &n));
  SHOW(fd_read(f, &huge, 1, &n));
  SHOW(fd_read(f, &good, 1, far));
  // More vectors than memory holds: an engine may read some of them, or none.
  SHOW(fd_read(f, empty, 0x20000000u, &n));
  SHOW(fd_write(f, far, 1, &n));
  SHOW(fd_write(f, &bad, 1, &n));
  SHOW(fd_write(f, &huge, 1, &n));
  SHOW(fd_write(f, empty, 0xffffffffu, &n));
  SHOW(fd_pread(f, &bad, 1, 0, &n));
  SHOW(fd_pwrite(f, &bad, 1, 0, &n));
  SHOW(fd_readdir(D, far, 64, 0, &n));
  SHOW(fd_readdir(D, buf, 64, 0, far));
  SHOW(path_open(D, 0, far, 64, 0, READ, READ, 0, &f));
  SHOW(path_open(D, 0, P("file"), 0, READ, READ, 0, far));
  SHOW(path_create_directory(D, far, 64));
  SHOW(path_filestat_get(D, 0, P("file"), far));
  SHOW(path_filestat_get(D, 0, far, 64, buf));
  SHOW(path_filestat_set_times(D, 0, far, 64, 0, 0, 0));
  SHOW(path_link(D, 0, far, 64, D, P("x")));
  SHOW(path_link(D, 0, P("file"), D, far, 64));
  SHOW(path_readlink(D, far, 64, buf, sizeof buf, &n));
  SHOW(path_remove_directory(D, far, 64));
  SHOW(path_rename(D, far, 64, D, P("x")));
  SHOW(path_rename(D, P("file"), D, far, 64));
  SHOW(path_symlink(far, 64, D, P("x")));
  SHOW(path_symlink(P("file"), D, far, 64));
  SHOW(path_unlink_file(D, far, 64));
  SHOW(poll_oneoff(far, buf, 1, &n));
  SHOW(poll_oneoff(buf, far, 1, &n));
  SHOW(poll_oneoff(buf, buf, 0xffffffffu, &n));
  // A name that could be read whole is not enough: nothing was made.
  stat_path(0, "x");
  stat_path(0, "file");

  // Structures may stand at any address.
  static char memory[128];
  char *const odd = memory + 1;
  __wasi_iovec_t iov = {(uint8_t *)buf, 4};
  memcpy(odd + 16, &iov, sizeof iov);
  SHOW(fd_pread(f, odd + 16, 1, 2, odd));
  memcpy(&n, odd, 4);
  printf("  %u bytes: %.4s\n", n, buf);
  SHOW(fd_filestat_get(f, odd));
  __wasi_filestat_t stat;
  memcpy(&stat, odd, sizeof stat);
  printf("  %s, %llu bytes\n", FILETYPE[stat.filetype & 7], stat.size);
  return 0;
}
