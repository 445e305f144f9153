// Counts lines, words and bytes of the files that it is given, or of its standard input: an ordinary C program, with a
// bug. `tests/wasi/build.sh` compiles it.

#include <stdio.h>

struct counts {
  long lines, words, bytes;
};

static struct counts count(FILE *file) {
  struct counts counts = {0, 0, 0};
  int in_word = 0;
  for (int c; (c = getc(file)) != EOF;) {
    int is_space = c == ' ' || c == '\n' || c == '\t';
    counts.bytes++;
    counts.lines += c == '\n';
    counts.words += in_word == 0 && !is_space;
    in_word = !is_space;
  }
  return counts;
}

// Nothing has no mean: a file without words divides by zero.
__attribute__((noinline)) static long mean_length(struct counts counts) {
  return counts.bytes / counts.words;
}

static void report(const char *name, FILE *file) {
  struct counts counts = count(file);
  printf("%s: %ld lines, %ld words, %ld bytes\n", name, counts.lines, counts.words, counts.bytes);
  printf("%s: %ld bytes a word\n", name, mean_length(counts));
}

int main(int argc, char **argv) {
  if (argc < 2) report("stdin", stdin);
  for (int at = 1; at < argc; at++) {
    FILE *file = fopen(argv[at], "r");
    if (!file) {
      perror(argv[at]);
      return 1;
    }
    report(argv[at], file);
    fclose(file);
  }
  return 0;
}
