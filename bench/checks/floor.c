/*
 * The floor that the check engine is measured against: a minimal epoll loop that makes the same system calls for a check as the engine
 * does, and nothing else. Usage: floor tcp|http COUNT INTERVAL_MS PORT. Check i goes to 127.1.0.0 + i, begins at its place in the
 * interval, and is good when the connection stands (tcp) or when the answer begins with HTTP/1.x 200 (http). Runs until it is ended;
 * on SIGUSR1 it prints how many checks were good and how many were not since the last time.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FLIGHTS = 65536, EVENTS = 256, TIMEOUT_MS = 1000, FIRST = 0x7f010000 };

struct flight {
  int fd;
  int connected;
  double deadline;
  uint32_t generation;
};

static struct flight flights[FLIGHTS];
static int free_slots[FLIGHTS], free_count;
/* All timeouts are alike, so that the order of their beginnings is that of their ends. */
static struct { uint32_t slot, generation; } ends[FLIGHTS];
static unsigned ends_head, ends_tail;
static long good, bad;
static int set, http, port;
static char answer[65536];
static const char request[] = "GET / HTTP/1.0\r\nHost: 127.0.0.1\r\nUser-Agent: hastmon\r\nAccept: */*\r\n\r\n";
static volatile sig_atomic_t asked;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void ask(int signal) {
  (void)signal;
  asked = 1;
}

static void land(struct flight *f, int ok) {
  static const struct linger none = {1, 0};
  setsockopt(f->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  close(f->fd);
  f->fd = -1;
  f->generation++;
  free_slots[free_count++] = f - flights;
  if (ok) good++;
  else bad++;
}

static void begin(int index, double time) {
  static const int zero = 0;
  if (free_count == 0) {
    bad++;
    return;
  }
  struct flight *f = &flights[free_slots[--free_count]];
  f->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  f->connected = 0;
  f->deadline = time + TIMEOUT_MS;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(FIRST + index)};
  setsockopt(f->fd, IPPROTO_TCP, TCP_QUICKACK, &zero, sizeof zero);
  if (connect(f->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) {
    land(f, 0);
    return;
  }
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
  event.data.u64 = (uint64_t)f->generation << 32 | (uint32_t)(f - flights);
  epoll_ctl(set, EPOLL_CTL_ADD, f->fd, &event);
  ends[ends_tail % FLIGHTS].slot = f - flights;
  ends[ends_tail++ % FLIGHTS].generation = f->generation;
}

static void happen(struct flight *f, uint32_t events) {
  if (!f->connected) {
    if (events & (EPOLLERR | EPOLLHUP)) {
      int error = 0;
      socklen_t length = sizeof error;
      getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &error, &length);
      if (error != 0) {
        land(f, 0);
        return;
      }
    }
    if (!(events & EPOLLOUT)) return;
    f->connected = 1;
    if (!http) {
      land(f, 1);
      return;
    }
    if (send(f->fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0) {
      land(f, 0);
      return;
    }
  }
  if (!(events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))) return;
  ssize_t length = recv(f->fd, answer, sizeof answer, 0);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  land(f, length >= 13 && memcmp(answer, "HTTP/1.", 7) == 0 && memcmp(answer + 8, " 200 ", 5) == 0 &&
              memmem(answer, length, "\r\n\r\n", 4) != NULL);
}

static void expire(double time) {
  while (ends_head != ends_tail) {
    struct flight *f = &flights[ends[ends_head % FLIGHTS].slot];
    if (f->generation == ends[ends_head % FLIGHTS].generation) {
      if (f->deadline > time) return;
      land(f, 0);
    }
    ends_head++;
  }
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: floor tcp|http COUNT INTERVAL_MS PORT\n");
    return 64;
  }
  http = strcmp(argv[1], "http") == 0;
  const int count = atoi(argv[2]);
  const double interval = atof(argv[3]);
  port = atoi(argv[4]);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  signal(SIGUSR1, ask);
  for (int slot = 0; slot < FLIGHTS; slot++) free_slots[free_count++] = FLIGHTS - 1 - slot;
  set = epoll_create1(EPOLL_CLOEXEC);
  /* Evenly spread, so that the schedule is a walk over the checks: check `next` is due at `due`. */
  const double begun = now();
  long next = 0;
  static struct epoll_event events[EVENTS];
  for (;;) {
    double time = now(), due;
    while ((due = begun + interval * next / count) <= time) begin(next++ % count, time);
    expire(time);
    double wait = due - now();
    int happened = epoll_wait(set, events, EVENTS, wait <= 0 ? 0 : (int)wait + 1);
    for (int i = 0; i < happened; i++) {
      struct flight *f = &flights[(uint32_t)events[i].data.u64];
      if (f->generation == events[i].data.u64 >> 32) happen(f, events[i].events);
    }
    if (asked) {
      asked = 0;
      printf("%ld %ld\n", good, bad);
      fflush(stdout);
      good = bad = 0;
    }
  }
}
