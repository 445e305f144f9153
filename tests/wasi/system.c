// Arguments, environment, clocks, random numbers, signals: what is there without a file.
#include "wasi.h"

static char argv_buf[4096], env_buf[4096];
static char *pointers[64];

static void arguments(void) {
  u32 count = 0, len = 0;
  SHOW(args_sizes_get(&count, &len));
  printf("  %u arguments, %u bytes\n", count, len);
  SHOW(args_get(pointers, argv_buf));
  for (u32 at = 0; at < count; at++) {
    printf("  %u at %u: %s\n", at, (u32)(pointers[at] - argv_buf), pointers[at]);
  }
  SHOW(environ_sizes_get(&count, &len));
  printf("  %u variables, %u bytes\n", count, len);
  SHOW(environ_get(pointers, env_buf));
  for (u32 at = 0; at < count; at++) {
    printf("  %u at %u: %s\n", at, (u32)(pointers[at] - env_buf), pointers[at]);
  }
}

static void clocks(void) {
  u64 ns = 0, before = 0, after = 0;
  SHOW(clock_res_get(0, &ns));
  printf("  resolution of the real-time clock: %s\n", ns > 0 && ns <= 1000000000 ? "at most a second" : "?");
  SHOW(clock_res_get(1, &ns));
  printf("  resolution of the monotonic clock: %s\n", ns > 0 && ns <= 1000000000 ? "at most a second" : "?");
  SHOW(clock_res_get(4, &ns));
  SHOW(clock_res_get(~0u, &ns));
  SHOW(clock_time_get(0, 1, &before));
  SHOW(clock_time_get(0, 0, &after));
  printf("  the real-time clock goes %s\n", after >= before ? "forward" : "back");
  SHOW(clock_time_get(1, 1, &before));
  SHOW(clock_time_get(1, ~0ull, &after));
  printf("  the monotonic clock goes %s\n", after >= before ? "forward" : "back");
  SHOW(clock_time_get(4, 1, &ns));
  SHOW(clock_time_get(~0u, 1, &ns));
}

static void random_numbers(void) {
  static unsigned char a[4096], b[4096];
  SHOW(random_get(a, sizeof a));
  SHOW(random_get(b, sizeof b));
  u32 seen[256] = {0}, values = 0;
  for (u32 at = 0; at < sizeof a; at++) {
    values += seen[a[at]]++ == 0;
  }
  printf("  of 256 values %s, and the second time %s\n", values > 200 ? "most" : "few",
         memcmp(a, b, sizeof a) != 0 ? "others" : "the same");
  a[0] = 7;
  SHOW(random_get(a, 0));
  printf("  a[0] is %u\n", a[0]);
}

int main(void) {
  arguments();
  clocks();
  random_numbers();
  SHOW(sched_yield());
  return 0;
}
