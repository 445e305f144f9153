// Every function of WASI preview 1 by its own name, with plain numbers and pointers, so that a program can pass what
// libc never would; and how the programs of this folder show what they see. Source: wasi_snapshot_preview1.witx.

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wasi/api.h>

#ifndef WASI_MODULE
#define WASI_MODULE "wasi_snapshot_preview1"
#endif

#define IMPORT(name, ...)                                                                          \
  __attribute__((import_module(WASI_MODULE), import_name(#name))) int32_t name(__VA_ARGS__)

typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

IMPORT(args_get, void *argv, void *buf);
IMPORT(args_sizes_get, void *count, void *len);
IMPORT(environ_get, void *environ, void *buf);
IMPORT(environ_sizes_get, void *count, void *len);
IMPORT(clock_res_get, u32 clock, void *ns);
IMPORT(clock_time_get, u32 clock, u64 precision, void *ns);
IMPORT(fd_advise, u32 fd, u64 offset, u64 len, u32 advice);
IMPORT(fd_allocate, u32 fd, u64 offset, u64 len);
IMPORT(fd_close, u32 fd);
IMPORT(fd_datasync, u32 fd);
IMPORT(fd_fdstat_get, u32 fd, void *stat);
IMPORT(fd_fdstat_set_flags, u32 fd, u32 flags);
IMPORT(fd_fdstat_set_rights, u32 fd, u64 base, u64 inheriting);
IMPORT(fd_filestat_get, u32 fd, void *stat);
IMPORT(fd_filestat_set_size, u32 fd, u64 size);
IMPORT(fd_filestat_set_times, u32 fd, u64 atim, u64 mtim, u32 flags);
IMPORT(fd_pread, u32 fd, const void *iovs, u32 iovs_len, u64 offset, void *n);
IMPORT(fd_prestat_get, u32 fd, void *prestat);
IMPORT(fd_prestat_dir_name, u32 fd, void *path, u32 path_len);
IMPORT(fd_pwrite, u32 fd, const void *iovs, u32 iovs_len, u64 offset, void *n);
IMPORT(fd_read, u32 fd, const void *iovs, u32 iovs_len, void *n);
IMPORT(fd_readdir, u32 fd, void *buf, u32 buf_len, u64 cookie, void *n);
IMPORT(fd_renumber, u32 fd, u32 to);
IMPORT(fd_seek, u32 fd, i64 delta, u32 whence, void *offset);
IMPORT(fd_sync, u32 fd);
IMPORT(fd_tell, u32 fd, void *offset);
IMPORT(fd_write, u32 fd, const void *iovs, u32 iovs_len, void *n);
IMPORT(path_create_directory, u32 fd, const char *path, u32 len);
IMPORT(path_filestat_get, u32 fd, u32 flags, const char *path, u32 len, void *stat);
IMPORT(path_filestat_set_times, u32 fd, u32 flags, const char *path, u32 len, u64 atim, u64 mtim, u32 fst);
IMPORT(path_link, u32 fd, u32 flags, const char *path, u32 len, u32 to, const char *new_path, u32 new_len);
IMPORT(path_open, u32 fd, u32 dirflags, const char *path, u32 len, u32 oflags, u64 base, u64 inheriting, u32 fdflags, void *opened);
IMPORT(path_readlink, u32 fd, const char *path, u32 len, void *buf, u32 buf_len, void *n);
IMPORT(path_remove_directory, u32 fd, const char *path, u32 len);
IMPORT(path_rename, u32 fd, const char *path, u32 len, u32 to, const char *new_path, u32 new_len);
IMPORT(path_symlink, const char *target, u32 target_len, u32 fd, const char *path, u32 len);
IMPORT(path_unlink_file, u32 fd, const char *path, u32 len);
IMPORT(poll_oneoff, const void *subscriptions, void *events, u32 count, void *n);
IMPORT(proc_raise, u32 signal);
IMPORT(sched_yield, void);
IMPORT(random_get, void *buf, u32 len);
IMPORT(sock_accept, u32 fd, u32 flags, void *accepted);
IMPORT(sock_recv, u32 fd, const void *iovs, u32 iovs_len, u32 flags, void *n, void *ro_flags);
IMPORT(sock_send, u32 fd, const void *iovs, u32 iovs_len, u32 flags, void *n);
IMPORT(sock_shutdown, u32 fd, u32 how);
__attribute__((import_module(WASI_MODULE), import_name("proc_exit"), noreturn)) void proc_exit(u32 status);

static const char *const ERRNO[] = {
    "success", "2big", "acces", "addrinuse", "addrnotavail", "afnosupport", "again", "already", "badf",
    "badmsg", "busy", "canceled", "child", "connaborted", "connrefused", "connreset", "deadlk", "destaddrreq",
    "dom", "dquot", "exist", "fault", "fbig", "hostunreach", "idrm", "ilseq", "inprogress", "intr", "inval",
    "io", "isconn", "isdir", "loop", "mfile", "mlink", "msgsize", "multihop", "nametoolong", "netdown",
    "netreset", "netunreach", "nfile", "nobufs", "nodev", "noent", "noexec", "nolck", "nolink", "nomem",
    "nomsg", "noprotoopt", "nospc", "nosys", "notconn", "notdir", "notempty", "notrecoverable", "notsock",
    "notsup", "notty", "nxio", "overflow", "ownerdead", "perm", "pipe", "proto", "protonosupport",
    "prototype", "range", "rofs", "spipe", "srch", "stale", "timedout", "txtbsy", "xdev", "notcapable"};

static const char *const FILETYPE[] = {"unknown", "block_device", "character_device", "directory",
                                       "regular_file", "socket_dgram", "socket_stream", "symbolic_link"};

static inline const char *errno_name(int32_t number) {
  return (u32)number < sizeof ERRNO / sizeof *ERRNO ? ERRNO[number] : "?";
}

static inline int32_t show(const char *call, int32_t number) {
  printf("%s: %s\n", call, errno_name(number));
  return number;
}

// Makes a call and prints it as it stands in the source, with the name of its errno.
#define SHOW(call) show(#call, call)
// A path as an address and a length.
#define P(text) (text), (sizeof(text) - 1)

// The directory that every program is given, as the first preopened one.
enum { D = 3 };
enum { FOLLOW = 1 };
enum { CREAT = 1, DIRECTORY = 2, EXCL = 4, TRUNC = 8 };
enum { APPEND = 1, DSYNC = 2, NONBLOCK = 4, RSYNC = 8, SYNC = 16 };
enum { SET = 0, CUR = 1, END = 2 };
enum { ATIM = 1, ATIM_NOW = 2, MTIM = 4, MTIM_NOW = 8 };

#define READ (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL | __WASI_RIGHTS_FD_FILESTAT_GET | __WASI_RIGHTS_POLL_FD_READWRITE)
#define WRITE                                                                                                   \
  (__WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL | __WASI_RIGHTS_FD_FILESTAT_GET |    \
   __WASI_RIGHTS_FD_DATASYNC | __WASI_RIGHTS_FD_SYNC | __WASI_RIGHTS_FD_ALLOCATE | __WASI_RIGHTS_FD_ADVISE |   \
   __WASI_RIGHTS_FD_FILESTAT_SET_SIZE | __WASI_RIGHTS_FD_FILESTAT_SET_TIMES |                                  \
   __WASI_RIGHTS_FD_FDSTAT_SET_FLAGS | __WASI_RIGHTS_POLL_FD_READWRITE)
#define RW (READ | WRITE)
// What a directory can be asked for, without what only files have.
#define LIST                                                                                                    \
  (__WASI_RIGHTS_FD_READDIR | __WASI_RIGHTS_PATH_OPEN | __WASI_RIGHTS_PATH_CREATE_FILE | __WASI_RIGHTS_PATH_CREATE_DIRECTORY | \
   __WASI_RIGHTS_PATH_UNLINK_FILE | __WASI_RIGHTS_PATH_FILESTAT_GET | __WASI_RIGHTS_FD_FILESTAT_GET)

// Writes a text; prints nothing unless it fails.
static inline void put(u32 fd, const char *text) {
  __wasi_ciovec_t iov = {(const uint8_t *)text, strlen(text)};
  u32 n = 0;
  int32_t number = fd_write(fd, &iov, 1, &n);
  if (number != 0 || n != iov.buf_len) printf("  write of %zu bytes: %s, %u bytes\n", iov.buf_len, errno_name(number), n);
}

// Makes a file of a text.
static inline void make(const char *path, const char *text) {
  u32 fd = 0;
  int32_t number = path_open(D, 0, path, strlen(path), CREAT | TRUNC, RW, RW, 0, &fd);
  if (number != 0) {
    printf("  cannot make %s: %s\n", path, errno_name(number));
    return;
  }
  put(fd, text);
  fd_close(fd);
}

// Prints the whole of a file.
static inline void content(const char *path) {
  static char buf[256];
  u32 fd = 0, n = 0;
  int32_t number = path_open(D, FOLLOW, path, strlen(path), 0, READ, READ, 0, &fd);
  if (number != 0) {
    printf("  %s: %s\n", path, errno_name(number));
    return;
  }
  __wasi_iovec_t iov = {(uint8_t *)buf, sizeof buf};
  number = fd_read(fd, &iov, 1, &n);
  printf("  %s holds %u bytes:", path, n);
  for (u32 at = 0; at < n; at++) {
    if (buf[at] >= ' ' && buf[at] < 127) {
      printf("%s%c", at == 0 ? " " : "", buf[at]);
    } else {
      printf("%s\\%02x", at == 0 ? " " : "", (unsigned char)buf[at]);
    }
  }
  printf("\n");
  fd_close(fd);
}

static inline void stat_line(const char *what, int32_t number, const __wasi_filestat_t *stat) {
  if (number != 0) {
    printf("  stat %s: %s\n", what, errno_name(number));
  } else if (stat->filetype == __WASI_FILETYPE_REGULAR_FILE) {
    printf("  stat %s: %s, %llu bytes, %llu links\n", what, FILETYPE[stat->filetype], stat->size, stat->nlink);
  } else {
    printf("  stat %s: %s\n", what, stat->filetype < 8 ? FILETYPE[stat->filetype] : "?");
  }
}

// Prints what of a file's attributes is the same everywhere.
static inline void stat_path(u32 flags, const char *path) {
  __wasi_filestat_t stat;
  memset(&stat, 0, sizeof stat);
  stat_line(path, path_filestat_get(D, flags, path, strlen(path), &stat), &stat);
}

static inline void stat_fd(u32 fd) {
  __wasi_filestat_t stat;
  memset(&stat, 0, sizeof stat);
  stat_line("fd", fd_filestat_get(fd, &stat), &stat);
}
