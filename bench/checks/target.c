/*
 * What is checked in the measurements: a server that costs little. Usage: target. It listens on two free ports of all of
 * loopback and prints them: on the first one it accepts and waits for the other side to go, on the second one it
 * answers every request with 200 and closes. Runs until its standard input ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, TCP = 0, HTTP = 1 };

static const char answer[] =
    "HTTP/1.0 200 OK\r\nServer: target\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";

static int set;
static int listeners[2];
/* By descriptor: which listener it came from. */
static unsigned char kind[1 << 20];

static int watch(int fd) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};
  return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

static int listen_anywhere(void) {
  const int one = 1;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
  socklen_t length = sizeof at;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&at, length) < 0 || listen(fd, 65535) < 0 ||
      getsockname(fd, (struct sockaddr *)&at, &length) < 0) {
    perror("target");
    exit(1);
  }
  printf("%d\n", ntohs(at.sin_port));
  watch(fd);
  return fd;
}

static void serve(int fd) {
  char request[4096];
  const ssize_t length = recv(fd, request, sizeof request, 0);
  if (length > 0 && kind[fd] == HTTP) send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
  if (length <= 0 || kind[fd] == HTTP) close(fd);
}

int main(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  set = epoll_create1(EPOLL_CLOEXEC);
  listeners[TCP] = listen_anywhere();
  listeners[HTTP] = listen_anywhere();
  fflush(stdout);
  watch(STDIN_FILENO);
  for (;;) {
    struct epoll_event events[EVENTS];
    const int happened = epoll_wait(set, events, EVENTS, -1);
    for (int i = 0; i < happened; i++) {
      const int fd = events[i].data.fd;
      if (fd == STDIN_FILENO) return 0;
      if (fd != listeners[TCP] && fd != listeners[HTTP]) {
        serve(fd);
        continue;
      }
      int client;
      while ((client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        kind[client] = fd == listeners[HTTP];
        watch(client);
      }
    }
  }
}
