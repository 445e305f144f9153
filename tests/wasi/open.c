// path_open: each flag, what it does and when it fails.
#include "wasi.h"

static u32 f, n;
static char buf[16];
static __wasi_iovec_t iov = {(uint8_t *)buf, sizeof buf};

static void oflags(void) {
  SHOW(path_open(D, 0, P("new"), 0, RW, RW, 0, &f));
  SHOW(path_open(D, 0, P("new"), CREAT, RW, RW, 0, &f));
  put(f, "text");
  fd_close(f);
  SHOW(path_open(D, 0, P("new"), CREAT, RW, RW, 0, &f));
  fd_close(f);
  content("new");
  SHOW(path_open(D, 0, P("new"), CREAT | EXCL, RW, RW, 0, &f));
  SHOW(path_open(D, 0, P("fresh"), CREAT | EXCL, RW, RW, 0, &f));
  fd_close(f);
  SHOW(path_open(D, 0, P("new"), TRUNC, RW, RW, 0, &f));
  fd_close(f);
  content("new");
  SHOW(path_open(D, 0, P("missing"), TRUNC, RW, RW, 0, &f));
  SHOW(path_open(D, 0, P("none/new"), CREAT, RW, RW, 0, &f));
  SHOW(path_open(D, 0, P("new/below"), CREAT, RW, RW, 0, &f));
  SHOW(path_open(D, 0, P("new"), DIRECTORY, READ, READ, 0, &f));
  SHOW(path_open(D, 0, P("missing"), DIRECTORY, READ, READ, 0, &f));
}

static void directories(void) {
  SHOW(path_create_directory(D, P("dir")));
  SHOW(path_open(D, 0, P("dir"), DIRECTORY, LIST, RW, 0, &f));
  stat_fd(f);
  u32 inner = 0;
  SHOW(path_open(f, 0, P("inner"), CREAT, RW, RW, 0, &inner));
  fd_close(inner);
  fd_close(f);
  stat_path(0, "dir/inner");
  SHOW(path_open(D, 0, P("dir"), 0, LIST, 0, 0, &f));
  SHOW(fd_read(f, &iov, 1, &n));
  fd_close(f);
  SHOW(path_open(D, 0, P("dir"), CREAT | EXCL, READ, READ, 0, &f));
  SHOW(path_open(D, 0, P("dir"), 0, WRITE, WRITE, 0, &f));
  SHOW(path_open(D, 0, P("."), DIRECTORY, LIST, 0, 0, &f));
  fd_close(f);
  SHOW(path_open(D, 0, P("dir/"), DIRECTORY, LIST, 0, 0, &f));
  fd_close(f);
  SHOW(path_open(D, 0, P("dir/."), DIRECTORY, LIST, 0, 0, &f));
  fd_close(f);
  SHOW(path_open(D, 0, P("dir/.."), DIRECTORY, LIST, 0, 0, &f));
  fd_close(f);
  SHOW(path_open(D, 0, P("dir//inner"), 0, READ, READ, 0, &f));
  fd_close(f);
  SHOW(path_open(D, 0, P("dir/inner/"), 0, READ, READ, 0, &f));
  SHOW(path_open(D, 0, P("slash/"), CREAT, RW, RW, 0, &f));
}

static void links(void) {
  make("target", "behind the link");
  SHOW(path_symlink(P("target"), D, P("link")));
  SHOW(path_open(D, 0, P("link"), 0, READ, READ, 0, &f));
  SHOW(path_open(D, FOLLOW, P("link"), 0, READ, READ, 0, &f));
  SHOW(fd_read(f, &iov, 1, &n));
  printf("  %.*s\n", (int)n, buf);
  fd_close(f);
  SHOW(path_open(D, FOLLOW, P("link"), CREAT | EXCL, RW, RW, 0, &f));
  SHOW(path_symlink(P("nowhere"), D, P("dangling")));
  SHOW(path_open(D, FOLLOW, P("dangling"), 0, READ, READ, 0, &f));
  SHOW(path_open(D, 0, P("dangling"), 0, READ, READ, 0, &f));
  SHOW(path_open(D, 0, P("dangling"), CREAT | EXCL, RW, RW, 0, &f));
  SHOW(path_symlink(P("loop"), D, P("loop")));
  SHOW(path_open(D, FOLLOW, P("loop"), 0, READ, READ, 0, &f));
  SHOW(path_open(D, FOLLOW, P("loop/below"), 0, READ, READ, 0, &f));
  SHOW(path_symlink(P("dir"), D, P("way")));
  SHOW(path_open(D, 0, P("way/inner"), 0, READ, READ, 0, &f));
  fd_close(f);
  SHOW(path_open(D, 0, P("way"), DIRECTORY, LIST, 0, 0, &f));
  SHOW(path_open(D, FOLLOW, P("way"), DIRECTORY, LIST, 0, 0, &f));
  fd_close(f);
}

static void names(void) {
  static char long_name[300];
  memset(long_name, 'n', sizeof long_name);
  SHOW(path_open(D, 0, P(""), 0, READ, READ, 0, &f));
  SHOW(path_open(D, 0, P("a\0b"), CREAT, RW, RW, 0, &f));
  SHOW(path_open(D, 0, long_name, sizeof long_name, CREAT, RW, RW, 0, &f));
  SHOW(path_open(D, 0, long_name, 255, CREAT | EXCL, RW, RW, 0, &f));
  fd_close(f);
  SHOW(path_open(D, 0, P("\xff\xfe"), CREAT, RW, RW, 0, &f));
  SHOW(path_open(D, 0, P("ü"), CREAT | EXCL, RW, RW, 0, &f));
  fd_close(f);
  SHOW(path_open(99, 0, P("new"), 0, READ, READ, 0, &f));
  SHOW(path_open(1, 0, P("new"), 0, READ, READ, 0, &f));
  SHOW(path_open(D, 0, P("new"), 0, READ, READ, 0, &f));
  u32 file = f;
  SHOW(path_open(file, 0, P("new"), 0, READ, READ, 0, &f));
  fd_close(file);
}

// What is opened for reading cannot write, and the other way round.
static void modes(void) {
  make("mode", "abc");
  SHOW(path_open(D, 0, P("mode"), 0, READ, READ, 0, &f));
  SHOW(fd_write(f, &iov, 1, &n));
  SHOW(fd_filestat_set_size(f, 0));
  fd_close(f);
  SHOW(path_open(D, 0, P("mode"), 0, WRITE, WRITE, 0, &f));
  SHOW(fd_read(f, &iov, 1, &n));
  fd_close(f);
  SHOW(path_open(D, 0, P("mode"), 0, RW, RW, APPEND | NONBLOCK, &f));
  __wasi_fdstat_t stat;
  SHOW(fd_fdstat_get(f, &stat));
  printf("  %s, append %s, nonblock %s\n", FILETYPE[stat.fs_filetype], stat.fs_flags & APPEND ? "on" : "off",
         stat.fs_flags & NONBLOCK ? "on" : "off");
  fd_close(f);
}

int main(void) {
  oflags();
  directories();
  links();
  names();
  modes();
  return 0;
}
