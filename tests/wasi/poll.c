// poll_oneoff: clocks, files and streams.
#include "wasi.h"

static __wasi_subscription_t in[8];
static __wasi_event_t out[8];
static u32 n;

static void clock_at(u32 at, u64 userdata, u32 id, u64 timeout, u32 flags) {
  memset(&in[at], 0, sizeof in[at]);
  in[at].userdata = userdata;
  in[at].u.tag = __WASI_EVENTTYPE_CLOCK;
  in[at].u.u.clock.id = id;
  in[at].u.u.clock.timeout = timeout;
  in[at].u.u.clock.flags = flags;
}

static void fd_at(u32 at, u64 userdata, u32 tag, u32 fd) {
  memset(&in[at], 0, sizeof in[at]);
  in[at].userdata = userdata;
  in[at].u.tag = tag;
  in[at].u.u.fd_read.file_descriptor = fd;
}

static void events(void) {
  for (u32 i = 0; i < n && i < 8; i++) {
    printf("  event %llu: %s, type %u", out[i].userdata, errno_name(out[i].error), out[i].type);
    if (out[i].error == 0 && out[i].type == __WASI_EVENTTYPE_FD_READ) printf(", %s", out[i].fd_readwrite.nbytes > 0 ? "there is something to read" : "nothing to read");
    printf("\n");
  }
}

static void clocks(void) {
  u64 before = 0, after = 0;
  clock_time_get(1, 1, &before);
  clock_at(0, 11, 1, 2000000, 0);
  SHOW(poll_oneoff(in, out, 1, &n));
  events();
  clock_time_get(1, 1, &after);
  printf("  it took %s\n", after - before >= 2000000 ? "two milliseconds or more" : "less than two milliseconds");
  // Of two clocks the earlier one ends the wait.
  clock_at(0, 21, 1, 60000000000, 0);
  clock_at(1, 22, 1, 1000000, 0);
  SHOW(poll_oneoff(in, out, 2, &n));
  events();
  clock_at(0, 31, 0, 1, __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
  SHOW(poll_oneoff(in, out, 1, &n));
  events();
  clock_time_get(1, 1, &before);
  clock_at(0, 32, 1, before + 2000000, __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
  SHOW(poll_oneoff(in, out, 1, &n));
  events();
  clock_time_get(1, 1, &after);
  printf("  it took %s\n", after - before >= 2000000 ? "two milliseconds or more" : "less than two milliseconds");
  clock_at(0, 33, 1, 0, 0);
  SHOW(poll_oneoff(in, out, 1, &n));
  events();
}

static void files(void) {
  u32 f = 0;
  make("file", "0123456789");
  path_open(D, 0, P("file"), 0, RW, RW, 0, &f);
  fd_at(0, 41, __WASI_EVENTTYPE_FD_READ, f);
  SHOW(poll_oneoff(in, out, 1, &n));
  events();
  fd_at(0, 42, __WASI_EVENTTYPE_FD_WRITE, f);
  SHOW(poll_oneoff(in, out, 1, &n));
  events();
  // What is ready wins over a clock that is not.
  fd_at(0, 43, __WASI_EVENTTYPE_FD_READ, f);
  clock_at(1, 44, 1, 60000000000, 0);
  SHOW(poll_oneoff(in, out, 2, &n));
  events();
  fd_close(f);
  fd_at(0, 45, __WASI_EVENTTYPE_FD_READ, f);
  SHOW(poll_oneoff(in, out, 1, &n));
  events();
}

static void streams(void) {
  fd_at(0, 51, __WASI_EVENTTYPE_FD_WRITE, 1);
  SHOW(poll_oneoff(in, out, 1, &n));
  for (u32 i = 0; i < n; i++) printf("  event %llu: %s, type %u\n", out[i].userdata, errno_name(out[i].error), out[i].type);
  fd_at(0, 52, __WASI_EVENTTYPE_FD_READ, 0);
  SHOW(poll_oneoff(in, out, 1, &n));
  for (u32 i = 0; i < n; i++) printf("  event %llu: %s, type %u\n", out[i].userdata, errno_name(out[i].error), out[i].type);
}

static void mistakes(void) {
  SHOW(poll_oneoff(in, out, 0, &n));
  clock_at(0, 61, 9, 1, 0);
  int32_t number = poll_oneoff(in, out, 1, &n);
  printf("a clock that is not there: %s\n", number != 0 ? errno_name(number) : errno_name(out[0].error));
  memset(&in[0], 0, sizeof in[0]);
  in[0].u.tag = 7;
  SHOW(poll_oneoff(in, out, 1, &n));
}

int main(void) {
  clocks();
  files();
  streams();
  mistakes();
  return 0;
}
