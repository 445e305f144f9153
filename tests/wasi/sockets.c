// Sockets are absent: nothing that a program can hold is one.
#include "wasi.h"

static u32 f, n;
static char buf[16];
static __wasi_iovec_t iov = {(uint8_t *)buf, sizeof buf};

int main(void) {
  uint16_t flags = 0;
  make("file", "text");
  path_open(D, 0, P("file"), 0, RW, RW, 0, &f);
  SHOW(sock_accept(99, 0, &n));
  SHOW(sock_recv(99, &iov, 1, 0, &n, &flags));
  SHOW(sock_send(99, &iov, 1, 0, &n));
  SHOW(sock_shutdown(99, 3));
  SHOW(sock_accept(f, 0, &n));
  SHOW(sock_recv(f, &iov, 1, 0, &n, &flags));
  SHOW(sock_send(f, &iov, 1, 0, &n));
  SHOW(sock_shutdown(f, 3));
  SHOW(sock_accept(D, 0, &n));
  SHOW(sock_shutdown(1, 1));
  return 0;
}
