// No name leads out of the directory that was given. The host has a file `outside` beside it.
#include "wasi.h"

static u32 f, n;
static char buf[64];

static void names(void) {
  SHOW(path_open(D, 0, P(".."), DIRECTORY, LIST, 0, 0, &f));
  SHOW(path_open(D, 0, P("../outside"), 0, READ, READ, 0, &f));
  SHOW(path_open(D, 0, P("/etc/passwd"), 0, READ, READ, 0, &f));
  SHOW(path_open(D, 0, P("/"), DIRECTORY, LIST, 0, 0, &f));
  path_create_directory(D, P("in"));
  SHOW(path_open(D, 0, P("in/../../outside"), 0, READ, READ, 0, &f));
  SHOW(path_open(D, 0, P("in/./.././../outside"), 0, READ, READ, 0, &f));
  SHOW(path_open(D, 0, P("in//..//..//outside"), 0, READ, READ, 0, &f));
  SHOW(path_open(D, 0, P("in/../in/.."), DIRECTORY, LIST, 0, 0, &f));
  fd_close(f);
  SHOW(path_open(D, 0, P("missing/../../outside"), 0, READ, READ, 0, &f));
  SHOW(path_open(D, 0, P("../made"), CREAT, RW, RW, 0, &f));
  SHOW(path_create_directory(D, P("../made")));
  SHOW(path_remove_directory(D, P("../made")));
  SHOW(path_unlink_file(D, P("../outside")));
  SHOW(path_rename(D, P("../outside"), D, P("stolen")));
  make("mine", "mine");
  SHOW(path_rename(D, P("mine"), D, P("../mine")));
  SHOW(path_link(D, 0, P("../outside"), D, P("stolen")));
  SHOW(path_link(D, 0, P("mine"), D, P("../mine")));
  SHOW(path_symlink(P("x"), D, P("../made")));
  SHOW(path_readlink(D, P("../outside"), buf, sizeof buf, &n));
  __wasi_filestat_t stat;
  SHOW(path_filestat_get(D, 0, P("../outside"), &stat));
  SHOW(path_filestat_set_times(D, 0, P("../outside"), 0, 0, ATIM | MTIM));
}

// A descriptor below is no way to what lies between.
static void below(void) {
  u32 in = 0;
  SHOW(path_open(D, 0, P("in"), DIRECTORY, LIST, RW, 0, &in));
  SHOW(path_open(in, 0, P("../mine"), 0, READ, READ, 0, &f));
  SHOW(path_open(in, 0, P("../../outside"), 0, READ, READ, 0, &f));
  fd_close(in);
}

static void links(void) {
  // Relative links out of the directory may be made, but not followed.
  SHOW(path_symlink(P("../outside"), D, P("way")));
  SHOW(path_open(D, FOLLOW, P("way"), 0, READ, READ, 0, &f));
  SHOW(path_open(D, 0, P("way"), 0, READ, READ, 0, &f));
  SHOW(path_symlink(P(".."), D, P("up")));
  SHOW(path_open(D, 0, P("up/outside"), 0, READ, READ, 0, &f));
  SHOW(path_open(D, FOLLOW, P("up"), DIRECTORY, LIST, 0, 0, &f));
  SHOW(path_symlink(P("../.."), D, P("in/up")));
  SHOW(path_open(D, 0, P("in/up/outside"), 0, READ, READ, 0, &f));
  SHOW(path_symlink(P("../mine"), D, P("in/fine")));
  SHOW(path_open(D, FOLLOW, P("in/fine"), 0, READ, READ, 0, &f));
  fd_close(f);
  SHOW(path_open(D, 0, P("up/made"), CREAT, RW, RW, 0, &f));
  SHOW(path_create_directory(D, P("up/made")));
  SHOW(path_unlink_file(D, P("up/outside")));
  SHOW(path_rename(D, P("up/outside"), D, P("stolen")));
  SHOW(path_link(D, 0, P("up/outside"), D, P("stolen")));
  __wasi_filestat_t stat;
  SHOW(path_filestat_get(D, FOLLOW, P("way"), &stat));
  SHOW(path_filestat_set_times(D, FOLLOW, P("way"), 0, 0, ATIM | MTIM));
  // A link itself can be looked at and taken away.
  SHOW(path_readlink(D, P("way"), buf, sizeof buf, &n));
  printf("  %.*s\n", (int)n, buf);
  SHOW(path_unlink_file(D, P("way")));
  SHOW(path_unlink_file(D, P("up")));
  // An absolute link is refused when it is made.
  SHOW(path_symlink(P("/etc/passwd"), D, P("absolute")));
  SHOW(path_open(D, FOLLOW, P("absolute"), 0, READ, READ, 0, &f));
}

int main(void) {
  names();
  below();
  links();
  stat_path(0, "stolen");
  content("mine");
  return 0;
}
