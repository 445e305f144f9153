// How a program ends: `exit STATUS`, `raise SIGNAL`, `abort`, or by the end of main.
#include "wasi.h"
#include <stdlib.h>

static void at_exit(void) { printf("at exit\n"); }

int main(int argc, char **argv) {
  atexit(at_exit);
  if (argc > 2 && strcmp(argv[1], "exit") == 0) exit((int)strtoul(argv[2], NULL, 0));
  if (argc > 2 && strcmp(argv[1], "proc_exit") == 0) proc_exit(strtoul(argv[2], NULL, 0));
  if (argc > 2 && strcmp(argv[1], "raise") == 0) {
    SHOW(proc_raise(strtoul(argv[2], NULL, 0)));
    return 0;
  }
  if (argc > 1 && strcmp(argv[1], "abort") == 0) abort();
  return 0;
}
