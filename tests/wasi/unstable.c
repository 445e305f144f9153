// wasi_unstable, which came before: the same functions with another order of whence and a filestat of 56 bytes.
#define WASI_MODULE "wasi_unstable"
#include "wasi.h"

enum { OLD_CUR = 0, OLD_END = 1, OLD_SET = 2 };

// Of witx/typenames of wasi_unstable: nlink has 32 bits.
struct old_filestat {
  u64 dev, ino;
  uint8_t filetype;
  u32 nlink;
  u64 size, atim, mtim, ctim;
};
_Static_assert(sizeof(struct old_filestat) == 56, "the layout of snapshot 0");

// Of its subscriptions: a clock has an identifier of its own in front.
struct old_subscription {
  u64 userdata;
  uint8_t type;
  union {
    struct {
      u64 identifier;
      u32 id;
      u64 timeout, precision;
      uint16_t flags;
    } clock;
    struct {
      u32 fd;
    } fd_readwrite;
  } u;
};
_Static_assert(sizeof(struct old_subscription) == 56, "the layout of snapshot 0");

int main(void) {
  u32 f = 0, n = 0;
  u64 offset = 0;
  SHOW(path_open(D, 0, P("file"), CREAT, RW, RW, 0, &f));
  __wasi_ciovec_t text = {(const uint8_t *)"0123456789", 10};
  SHOW(fd_write(f, &text, 1, &n));
  SHOW(fd_seek(f, 2, OLD_SET, &offset));
  printf("  at %llu\n", offset);
  SHOW(fd_seek(f, 3, OLD_CUR, &offset));
  printf("  at %llu\n", offset);
  SHOW(fd_seek(f, -1, OLD_END, &offset));
  printf("  at %llu\n", offset);
  SHOW(fd_seek(f, 0, 3, &offset));
  struct {
    struct old_filestat stat;
    u64 guard;
  } room;
  memset(&room, 0xee, sizeof room);
  SHOW(fd_filestat_get(f, &room.stat));
  printf("  %s, %u links, %llu bytes, %s\n", FILETYPE[room.stat.filetype & 7], room.stat.nlink, room.stat.size,
         room.guard == 0xeeeeeeeeeeeeeeeeull ? "nothing behind it" : "written behind it");
  memset(&room, 0xee, sizeof room);
  SHOW(path_filestat_get(D, 0, P("file"), &room.stat));
  printf("  %s, %u links, %llu bytes, %s\n", FILETYPE[room.stat.filetype & 7], room.stat.nlink, room.stat.size,
         room.guard == 0xeeeeeeeeeeeeeeeeull ? "nothing behind it" : "written behind it");
  struct old_subscription in;
  __wasi_event_t out;
  memset(&in, 0, sizeof in);
  in.userdata = 5;
  in.type = __WASI_EVENTTYPE_CLOCK;
  in.u.clock.id = 1;
  in.u.clock.timeout = 1000000;
  SHOW(poll_oneoff(&in, &out, 1, &n));
  printf("  event %llu: %s, type %u\n", out.userdata, errno_name(out.error), out.type);
  SHOW(args_sizes_get(&n, &n));
  SHOW(environ_sizes_get(&n, &n));
  SHOW(clock_time_get(1, 1, &offset));
  SHOW(random_get(&offset, 8));
  SHOW(sched_yield());
  SHOW(fd_close(f));
  return 0;
}
