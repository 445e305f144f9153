// The table of descriptors: what they are, rights, numbers, the preopened directory.
#include "wasi.h"

static u32 f, g, n;
static char buf[16];
static __wasi_iovec_t iov = {(uint8_t *)buf, sizeof buf};
static __wasi_fdstat_t stat;
static u64 offset;

static void streams(void) {
  for (u32 fd = 0; fd < 3; fd++) {
    int32_t number = fd_fdstat_get(fd, &stat);
    printf("fd %u: %s, reads %s, writes %s\n", fd, errno_name(number), stat.fs_rights_base & __WASI_RIGHTS_FD_READ ? "yes" : "no",
           stat.fs_rights_base & __WASI_RIGHTS_FD_WRITE ? "yes" : "no");
  }
  SHOW(fd_fdstat_get(99, &stat));
  SHOW(fd_fdstat_get(~0u, &stat));
  SHOW(fd_close(99));
  SHOW(fd_close(~0u));
}

static void preopened(void) {
  __wasi_prestat_t prestat;
  SHOW(fd_prestat_get(D, &prestat));
  printf("  tag %u, %zu bytes\n", prestat.tag, prestat.u.dir.pr_name_len);
  SHOW(fd_prestat_dir_name(D, buf, prestat.u.dir.pr_name_len));
  printf("  %.*s\n", (int)prestat.u.dir.pr_name_len, buf);
  SHOW(fd_prestat_dir_name(D, buf, 1));
  SHOW(fd_prestat_get(D + 1, &prestat));
  SHOW(fd_prestat_get(0, &prestat));
  SHOW(fd_prestat_dir_name(D + 1, buf, sizeof buf));
  SHOW(fd_fdstat_get(D, &stat));
  printf("  %s\n", FILETYPE[stat.fs_filetype & 7]);
}

static void rights(void) {
  make("file", "0123456789");
  SHOW(path_open(D, 0, P("file"), 0, RW, 0, 0, &f));
  SHOW(fd_fdstat_get(f, &stat));
  printf("  %s, reads %s, writes %s, inherits %s\n", FILETYPE[stat.fs_filetype & 7],
         stat.fs_rights_base & __WASI_RIGHTS_FD_READ ? "yes" : "no", stat.fs_rights_base & __WASI_RIGHTS_FD_WRITE ? "yes" : "no",
         stat.fs_rights_inheriting ? "some" : "none");
  SHOW(fd_fdstat_set_rights(f, READ, 0));
  SHOW(fd_write(f, &iov, 1, &n));
  SHOW(fd_read(f, &iov, 1, &n));
  SHOW(fd_fdstat_set_rights(f, RW, 0));
  SHOW(fd_fdstat_set_rights(f, __WASI_RIGHTS_FD_READ, 0));
  SHOW(fd_seek(f, 0, SET, &offset));
  SHOW(fd_tell(f, &offset));
  SHOW(fd_fdstat_set_rights(f, 0, 0));
  SHOW(fd_read(f, &iov, 1, &n));
  SHOW(fd_close(f));
  SHOW(fd_fdstat_set_rights(99, 0, 0));
  // A directory hands on no more than it may.
  SHOW(path_create_directory(D, P("dir")));
  SHOW(path_open(D, 0, P("dir"), DIRECTORY, __WASI_RIGHTS_PATH_OPEN | __WASI_RIGHTS_PATH_CREATE_FILE, READ, 0, &f));
  SHOW(path_open(f, 0, P("x"), CREAT, RW, 0, 0, &g));
  SHOW(path_open(f, 0, P("x"), CREAT, READ, 0, 0, &g));
  SHOW(fd_write(g, &iov, 1, &n));
  SHOW(fd_close(g));
  SHOW(path_unlink_file(f, P("x")));
  SHOW(path_create_directory(f, P("y")));
  SHOW(fd_readdir(f, buf, sizeof buf, 0, &n));
  SHOW(fd_close(f));
}

static void flags(void) {
  SHOW(path_open(D, 0, P("file"), 0, RW, 0, 0, &f));
  SHOW(fd_fdstat_set_flags(f, APPEND | NONBLOCK));
  fd_fdstat_get(f, &stat);
  printf("  flags %u\n", stat.fs_flags);
  SHOW(fd_fdstat_set_flags(f, 0));
  fd_fdstat_get(f, &stat);
  printf("  flags %u\n", stat.fs_flags);
  SHOW(fd_fdstat_set_flags(99, 0));
  SHOW(fd_close(f));
}

static void numbers(void) {
  make("first", "first");
  make("second", "second");
  SHOW(path_open(D, 0, P("first"), 0, RW, 0, 0, &f));
  SHOW(path_open(D, 0, P("second"), 0, RW, 0, 0, &g));
  printf("  %s numbers\n", f != g && f > D && g > D ? "two new" : "?");
  SHOW(fd_renumber(f, g));
  SHOW(fd_read(f, &iov, 1, &n));
  SHOW(fd_read(g, &iov, 1, &n));
  printf("  %.*s\n", (int)n, buf);
  SHOW(fd_renumber(g, g));
  SHOW(fd_tell(g, &offset));
  SHOW(fd_renumber(f, g));
  SHOW(fd_renumber(g, 99));
  SHOW(fd_renumber(99, g));
  SHOW(fd_renumber(g, ~0u));
  SHOW(fd_close(g));
  SHOW(fd_tell(g, &offset));
  // The number is free again, and nothing is lost by opening often.
  u32 highest = 0;
  for (int at = 0; at < 5000; at++) {
    if (path_open(D, 0, P("first"), 0, RW, 0, 0, &f) != 0) {
      printf("  open %d failed\n", at);
      break;
    }
    if (f > highest) highest = f;
    fd_close(f);
  }
  printf("  the highest number of 5000 is %s\n", highest < 16 ? "below 16" : "16 or more");
}

int main(void) {
  streams();
  preopened();
  rights();
  flags();
  numbers();
  return 0;
}
