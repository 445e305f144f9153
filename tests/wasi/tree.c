// What names files: directories, listings, links, renames, removals.
#include "wasi.h"

static u32 f, n;
static char buf[4096];

// Lists a directory through a buffer of a size, as libc does: an entry that is cut off is asked for again.
static void list(u32 fd, u32 size) {
  struct entry {
    char name[64];
    u32 len;
    uint8_t type;
  } entries[64];
  u32 count = 0;
  u64 cookie = 0;
  for (u32 round = 0; round < 200; round++) {
    memset(buf, 0xee, sizeof buf);
    int32_t number = fd_readdir(fd, buf, size, cookie, &n);
    if (number != 0) {
      printf("  fd_readdir: %s\n", errno_name(number));
      return;
    }
    u32 at = 0;
    while (at + sizeof(__wasi_dirent_t) <= n) {
      __wasi_dirent_t dirent;
      memcpy(&dirent, buf + at, sizeof dirent);
      if (at + sizeof dirent + dirent.d_namlen > n) break;
      const char *name = buf + at + sizeof dirent;
      // Whether a directory lists itself and the one above is the file system's choice.
      u32 is_dots = dirent.d_namlen <= 2 && memcmp(name, "..", dirent.d_namlen) == 0;
      if (count < 64 && dirent.d_namlen < 64 && !is_dots) {
        memcpy(entries[count].name, name, dirent.d_namlen);
        entries[count].name[dirent.d_namlen] = 0;
        entries[count].type = dirent.d_type;
        count++;
      }
      at += sizeof dirent + dirent.d_namlen;
      cookie = dirent.d_next;
    }
    if (n < size) break;
    if (at == 0) {
      printf("  not one entry fits into %u bytes\n", size);
      return;
    }
  }
  // The order is the file system's.
  for (u32 i = 0; i < count; i++) {
    for (u32 j = i + 1; j < count; j++) {
      if (strcmp(entries[j].name, entries[i].name) < 0) {
        struct entry swap = entries[i];
        entries[i] = entries[j];
        entries[j] = swap;
      }
    }
  }
  printf("  %u entries:", count);
  for (u32 i = 0; i < count; i++) {
    printf(" %s (%s)", entries[i].name, FILETYPE[entries[i].type & 7]);
  }
  printf("\n");
}

static void directories(void) {
  SHOW(path_create_directory(D, P("a")));
  SHOW(path_create_directory(D, P("a")));
  SHOW(path_create_directory(D, P("a/b/")));
  SHOW(path_create_directory(D, P("missing/b")));
  SHOW(path_create_directory(D, P("")));
  SHOW(path_create_directory(D, P(".")));
  SHOW(path_create_directory(99, P("a")));
  make("a/file", "1");
  SHOW(path_create_directory(D, P("a/file")));
  SHOW(path_create_directory(D, P("a/file/below")));
  SHOW(path_remove_directory(D, P("a")));
  SHOW(path_remove_directory(D, P("a/file")));
  SHOW(path_remove_directory(D, P("missing")));
  SHOW(path_remove_directory(D, P("")));
  SHOW(path_remove_directory(99, P("a")));
  SHOW(path_remove_directory(D, P("a/b/")));
  stat_path(0, "a/b");
}

static void listings(void) {
  path_create_directory(D, P("list"));
  make("list/one", "1");
  make("list/three", "3");
  path_create_directory(D, P("list/two"));
  path_symlink(P("one"), D, P("list/way"));
  SHOW(path_open(D, 0, P("list"), DIRECTORY, LIST, 0, 0, &f));
  list(f, 4096);
  list(f, 64);
  list(f, 40);
  SHOW(fd_readdir(f, buf, 0, 0, &n));
  printf("  %u bytes\n", n);
  SHOW(fd_readdir(f, buf, 10, 0, &n));
  printf("  %u bytes\n", n);
  SHOW(fd_readdir(f, buf, sizeof buf, 1ull << 40, &n));
  printf("  %u bytes behind the end\n", n);
  fd_close(f);
  SHOW(fd_readdir(99, buf, 64, 0, &n));
  SHOW(fd_readdir(1, buf, 64, 0, &n));
  path_create_directory(D, P("list/empty"));
  path_open(D, 0, P("list/empty"), DIRECTORY, LIST, 0, 0, &f);
  list(f, 4096);
  SHOW(path_remove_directory(D, P("list/empty")));
  fd_close(f);
}

static void hard_links(void) {
  make("original", "shared");
  SHOW(path_link(D, 0, P("original"), D, P("second")));
  stat_path(0, "original");
  SHOW(path_open(D, 0, P("second"), 0, WRITE, WRITE, 0, &f));
  put(f, "SHARED");
  fd_close(f);
  content("original");
  SHOW(path_link(D, 0, P("original"), D, P("second")));
  SHOW(path_link(D, 0, P("missing"), D, P("third")));
  SHOW(path_link(D, 0, P("original"), D, P("missing/third")));
  SHOW(path_link(D, 0, P("original"), D, P("third/")));
  SHOW(path_link(D, 0, P("original/"), D, P("third")));
  SHOW(path_link(99, 0, P("original"), D, P("third")));
  SHOW(path_link(D, 0, P("original"), 99, P("third")));
  path_symlink(P("original"), D, P("soft"));
  SHOW(path_link(D, 0, P("soft"), D, P("soft2")));
  stat_path(0, "soft2");
  SHOW(path_unlink_file(D, P("original")));
  content("second");
  stat_path(0, "second");
}

static void symlinks(void) {
  SHOW(path_symlink(P("second"), D, P("sym")));
  SHOW(path_symlink(P("second"), D, P("sym")));
  SHOW(path_symlink(P(""), D, P("empty")));
  SHOW(path_symlink(P("x"), D, P("")));
  SHOW(path_symlink(P("x"), D, P("missing/sym")));
  SHOW(path_symlink(P("x"), 99, P("sym2")));
  stat_path(0, "sym");
  stat_path(FOLLOW, "sym");
  SHOW(path_readlink(D, P("sym"), buf, sizeof buf, &n));
  printf("  %.*s\n", (int)n, buf);
  memset(buf, '?', 8);
  SHOW(path_readlink(D, P("sym"), buf, 3, &n));
  printf("  %u bytes: %.4s\n", n, buf);
  SHOW(path_readlink(D, P("sym"), buf, 0, &n));
  printf("  %u bytes\n", n);
  SHOW(path_readlink(D, P("second"), buf, sizeof buf, &n));
  SHOW(path_readlink(D, P("missing"), buf, sizeof buf, &n));
  SHOW(path_readlink(99, P("sym"), buf, sizeof buf, &n));
  SHOW(path_symlink(P("not/there"), D, P("dangling")));
  stat_path(0, "dangling");
  stat_path(FOLLOW, "dangling");
  __wasi_filestat_t stat;
  SHOW(path_filestat_set_times(D, FOLLOW, P("dangling"), 1, 1, MTIM));
  SHOW(path_filestat_set_times(D, 0, P("dangling"), 1, 4000000000, MTIM));
  path_filestat_get(D, 0, P("dangling"), &stat);
  printf("  mtim %llu\n", stat.mtim);
  // Forty are followed, one more is not: the number of Linux.
  SHOW(path_symlink(P("second"), D, P("chain00")));
  for (int at = 1; at <= 45; at++) {
    char target[8], name[8];
    snprintf(target, sizeof target, "chain%02d", at - 1);
    snprintf(name, sizeof name, "chain%02d", at);
    int32_t number = path_symlink(target, 7, D, name, 7);
    if (number != 0) printf("  %s: %s\n", name, errno_name(number));
  }
  stat_path(FOLLOW, "chain30");
  stat_path(FOLLOW, "chain45");
}

static void renames(void) {
  make("from", "moved");
  SHOW(path_rename(D, P("from"), D, P("to")));
  content("to");
  stat_path(0, "from");
  SHOW(path_rename(D, P("from"), D, P("to")));
  SHOW(path_rename(D, P("to"), D, P("to")));
  make("over", "old");
  SHOW(path_rename(D, P("to"), D, P("over")));
  content("over");
  SHOW(path_rename(D, P("over"), D, P("missing/over")));
  SHOW(path_rename(D, P("over"), D, P("slash/")));
  SHOW(path_rename(99, P("over"), D, P("to")));
  SHOW(path_rename(D, P("over"), 99, P("to")));
  path_create_directory(D, P("d1"));
  path_create_directory(D, P("d2"));
  make("d2/full", "1");
  SHOW(path_rename(D, P("over"), D, P("d1")));
  SHOW(path_rename(D, P("d1"), D, P("over")));
  SHOW(path_rename(D, P("d1"), D, P("d2")));
  SHOW(path_rename(D, P("d2"), D, P("d2/below")));
  SHOW(path_rename(D, P("d2"), D, P("d1")));
  stat_path(0, "d1/full");
  stat_path(0, "d2");
  SHOW(path_rename(D, P("sym"), D, P("moved")));
  stat_path(0, "moved");
}

static void removals(void) {
  SHOW(path_unlink_file(D, P("over")));
  SHOW(path_unlink_file(D, P("over")));
  SHOW(path_unlink_file(D, P("d1")));
  SHOW(path_unlink_file(D, P("d1/")));
  SHOW(path_unlink_file(D, P("d1/full/")));
  SHOW(path_unlink_file(D, P("")));
  SHOW(path_unlink_file(99, P("over")));
  SHOW(path_unlink_file(D, P("moved")));
  content("second");
  // A file without a name lives on while it is open.
  make("ghost", "boo");
  SHOW(path_open(D, 0, P("ghost"), 0, RW, RW, 0, &f));
  SHOW(path_unlink_file(D, P("ghost")));
  stat_fd(f);
  __wasi_iovec_t iov = {(uint8_t *)buf, sizeof buf};
  SHOW(fd_read(f, &iov, 1, &n));
  printf("  %.*s\n", (int)n, buf);
  fd_close(f);
  SHOW(path_open(D, 0, P("ghost"), 0, RW, RW, 0, &f));
}

static void stats(void) {
  __wasi_filestat_t stat;
  SHOW(path_filestat_get(D, 0, P("missing"), &stat));
  SHOW(path_filestat_get(D, 0, P(""), &stat));
  SHOW(path_filestat_get(99, 0, P("second"), &stat));
  SHOW(path_filestat_get(D, 0, P("second/"), &stat));
  SHOW(path_filestat_get(D, 0, P("second/below"), &stat));
  stat_path(0, ".");
  stat_path(0, "d1/");
  __wasi_filestat_t other;
  path_link(D, 0, P("second"), D, P("twin"));
  path_filestat_get(D, 0, P("second"), &stat);
  path_filestat_get(D, 0, P("twin"), &other);
  printf("  a hard link has %s inode\n", stat.ino == other.ino && stat.dev == other.dev ? "the same" : "another");
  make("third", "");
  path_filestat_get(D, 0, P("third"), &other);
  printf("  another file has %s inode\n", stat.ino == other.ino && stat.dev == other.dev ? "the same" : "another");
}

int main(void) {
  directories();
  listings();
  hard_links();
  symlinks();
  renames();
  removals();
  stats();
  return 0;
}
