// The same through libc: what ordinary programs do.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void check(const char *what, int result) {
  if (result < 0) {
    printf("%s: %s\n", what, strerror(errno));
  } else {
    printf("%s: ok\n", what);
  }
}

static void lines(void) {
  char line[64];
  int count = 0;
  size_t bytes = 0;
  while (fgets(line, sizeof line, stdin)) {
    count++;
    bytes += strlen(line);
  }
  printf("stdin has %d lines, %zu bytes\n", count, bytes);
}

static void files(void) {
  FILE *file = fopen("/d/notes.txt", "w");
  if (!file) {
    check("fopen", -1);
    return;
  }
  for (int at = 0; at < 1000; at++) fprintf(file, "line %d\n", at);
  check("fclose", fclose(file));
  file = fopen("/d/notes.txt", "r");
  fseek(file, -9, SEEK_END);
  char line[16] = {0};
  fgets(line, sizeof line, file);
  printf("the last line is %s", line);
  fseek(file, 0, SEEK_END);
  printf("%ld bytes\n", ftell(file));
  fclose(file);
  file = fopen("/d/notes.txt", "a");
  fputs("appended\n", file);
  fclose(file);
  struct stat stat_of;
  check("stat", stat("/d/notes.txt", &stat_of));
  printf("%lld bytes, %s\n", (long long)stat_of.st_size, S_ISREG(stat_of.st_mode) ? "a file" : "no file");
  check("open of what is missing", open("/d/missing", O_RDONLY));
  check("open outside", open("/etc/passwd", O_RDONLY));
  check("truncate", truncate("/d/notes.txt", 10));
  check("access", access("/d/notes.txt", R_OK));
  check("remove", remove("/d/notes.txt"));
  check("remove again", remove("/d/notes.txt"));
}

static void directories(void) {
  check("mkdir", mkdir("/d/dir", 0777));
  check("mkdir again", mkdir("/d/dir", 0777));
  for (int at = 0; at < 300; at++) {
    char name[32];
    snprintf(name, sizeof name, "/d/dir/file-%03d", at);
    int fd = open(name, O_CREAT | O_WRONLY, 0666);
    if (fd < 0) check(name, fd);
    close(fd);
  }
  DIR *dir = opendir("/d/dir");
  int seen = 0, others = 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    if (strncmp(entry->d_name, "file-", 5) == 0 && entry->d_type == DT_REG) {
      seen++;
    } else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      others++;
    }
  }
  closedir(dir);
  printf("%d files, %d others\n", seen, others);
  check("rmdir of what is full", rmdir("/d/dir"));
  check("chdir", chdir("/d/dir"));
  check("rename", rename("file-000", "/d/moved"));
  check("symlink", symlink("moved", "/d/link"));
  char target[16] = {0};
  check("readlink", (int)readlink("/d/link", target, sizeof target - 1));
  printf("it leads to %s\n", target);
  check("link", link("/d/moved", "/d/hard"));
  check("unlink", unlink("/d/link"));
  check("unlink of a directory", unlink("/d/dir"));
}

static void rest(void) {
  printf("HOME is %s, NOTHING is %s\n", getenv("HOME") ? getenv("HOME") : "absent", getenv("NOTHING") ? "there" : "absent");
  struct timespec nap = {0, 1000000};
  check("nanosleep", nanosleep(&nap, NULL));
  printf("time is %s\n", time(NULL) >= 0 ? "known" : "unknown");
  char bytes[16] = {0};
  check("getentropy", getentropy(bytes, sizeof bytes));
  printf("stdin is %s terminal\n", isatty(0) ? "a" : "no");
  fprintf(stderr, "this goes to stderr\n");
}

int main(int argc, char **argv) {
  for (int at = 1; at < argc; at++) printf("argument %d is %s\n", at, argv[at]);
  lines();
  files();
  directories();
  rest();
  return 3;
}
