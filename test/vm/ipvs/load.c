/*
 * Load for the scenes of test/vm/ipvs: keeps CONNECTIONS busy until its standard input ends or SECONDS are over, and says what came of
 * each request. It is C because the virtual machine is emulated in software.
 *
 *   load new|keep MS ADDRESS PORT CONNECTIONS SECONDS LIMIT_MS FIRST_PORT PORTS
 *
 * Each of the connections has a request every MS milliseconds, or as soon as the one before is answered: `new` opens a connection for
 * each (HTTP/1.0), `keep` never closes it. Each connection has a port of its own, from FIRST_PORT on: the kernel of a director sends a
 * port that it knows to the server that it had, whatever the weights are by then (a connection by direct routing is known for two
 * minutes after its end, one that was broken for fifteen). After PORTS of them the load gives up.
 *
 * Lines on stdout, a tenth of a second later at most, with milliseconds of CLOCK_BOOTTIME:
 *   = BEGAN AT CONNECTION NAME      a request that was answered, and by whom (the first word of the body)
 *   ! BEGAN AT CONNECTION WHY       one that failed: refused, reset, timeout, closed, cut, status N, other errors by number
 * A request fails when it has not been answered within LIMIT_MS. On a kept connection a failure ends that connection for good.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct connection {
  int number, fd, connecting, dead, waiting;
  long long began, next;
  size_t got;
  char answer[1024];
};

/* Of either family. */
static union { struct sockaddr any; struct sockaddr_in four; struct sockaddr_in6 six; } target;
static long long every, limit;
static int kept, loop, port, last_port;

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void watch(struct connection *c, int operation, unsigned events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  epoll_ctl(loop, operation, c->fd, &event);
}

static void over(struct connection *c) {
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
  c->waiting = 0;
}

static void failed(struct connection *c, int number, const char *why) {
  char text[64];
  if (number) {
    snprintf(text, sizeof text, "error %d", number);
    why = number == ECONNREFUSED ? "refused" : number == ECONNRESET ? "reset" : number == ETIMEDOUT ? "timeout" : text;
  }
  printf("! %lld %lld %d %s\n", c->began, now(), c->number, why);
  over(c);
  c->dead = kept;
  /* Where nobody answers, this is not to be all that happens. */
  c->next = now() + 20;
}

static void ask(struct connection *c) {
  const char *request = !kept ? "GET / HTTP/1.0\r\n\r\n" : "GET / HTTP/1.1\r\nHost: lab\r\n\r\n";
  c->got = 0;
  c->waiting = 1;
  if (send(c->fd, request, strlen(request), MSG_NOSIGNAL) < 0) failed(c, errno, "");
  else watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

static void begin(struct connection *c) {
  c->began = now();
  if (c->fd >= 0) {
    ask(c);
    return;
  }
  int family = target.any.sa_family;
  c->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) {
    failed(c, errno, "");
    return;
  }
  /* The port is at the same place in both. */
  struct sockaddr_in6 from = {.sin6_family = family, .sin6_port = htons(port++)};
  socklen_t size = family == AF_INET ? sizeof target.four : sizeof target.six;
  if (port > last_port) {
    fprintf(stderr, "load: every port has been used\n");
    exit(1);
  }
  if (bind(c->fd, (struct sockaddr *)&from, size) < 0) {
    failed(c, errno, "");
    return;
  }
  c->waiting = c->connecting = 1;
  if (connect(c->fd, &target.any, size) < 0 && errno != EINPROGRESS) {
    failed(c, errno, "");
    return;
  }
  watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

/* The body's first word, where the answer is whole; else null. */
static const char *body(struct connection *c, int ended) {
  static char word[32];
  c->answer[c->got] = 0;
  char *end = strstr(c->answer, "\r\n\r\n"), *length = strstr(c->answer, "Content-Length: ");
  if (!end || (!ended && (!length || c->got < (size_t)(end + 4 - c->answer) + atol(length + 16)))) return NULL;
  return sscanf(end + 4, "%31s", word) == 1 ? word : NULL;
}

static void hear(struct connection *c) {
  ssize_t n = recv(c->fd, c->answer + c->got, sizeof c->answer - 1 - c->got, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n < 0) {
    failed(c, errno, "");
    return;
  }
  c->got += n;
  if (!c->waiting) {
    if (n == 0) failed(c, 0, "closed");
    return;
  }
  const char *who = body(c, n == 0);
  if (!who) {
    if (n == 0) failed(c, 0, c->got ? "cut" : "closed");
    return;
  }
  int status = 0;
  sscanf(c->answer, "HTTP/%*s %d", &status);
  if (status != 200) {
    char text[32];
    snprintf(text, sizeof text, "status %d", status);
    failed(c, 0, text);
    return;
  }
  printf("= %lld %lld %d %s\n", c->began, now(), c->number, who);
  c->waiting = 0;
  c->next = c->began + every;
  if (!kept) over(c);
}

static void event(struct connection *c) {
  if (c->fd < 0) return;
  if (!c->connecting) {
    hear(c);
    return;
  }
  int number = 0;
  socklen_t size = sizeof number;
  getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &number, &size);
  c->connecting = 0;
  if (number) failed(c, number, "");
  else ask(c);
}

int main(int argc, char **argv) {
  if (argc != 10) return 64;
  kept = !strcmp(argv[1], "keep");
  every = atoll(argv[2]);
  limit = atoll(argv[7]);
  port = atoi(argv[8]);
  last_port = port + atoi(argv[9]);
  int six = strchr(argv[3], ':') != NULL;
  target.six.sin6_family = six ? AF_INET6 : AF_INET;
  target.six.sin6_port = htons(atoi(argv[4]));
  if (inet_pton(target.any.sa_family, argv[3], six ? (void *)&target.six.sin6_addr : &target.four.sin_addr) != 1) return 64;
  int all = atoi(argv[5]);
  long long end = now() + atoll(argv[6]) * 1000, told = now();
  struct connection *list = calloc(all, sizeof *list);
  loop = epoll_create1(0);
  fcntl(0, F_SETFL, O_NONBLOCK);
  struct epoll_event events[64];
  for (int n = 0; n < all; n++) {
    list[n].number = n;
    list[n].fd = -1;
    /* They do not all ask at the same moment. */
    list[n].next = now() + every * n / all;
  }
  for (;;) {
    long long at = now();
    char byte;
    int stop = at >= end || read(0, &byte, 1) == 0;
    if (at - told >= 100) {
      fflush(stdout);
      told = at;
    }
    int busy = 0;
    for (int n = 0; n < all; n++) {
      struct connection *c = &list[n];
      if (c->waiting && at - c->began >= limit) failed(c, 0, "timeout");
      if (!stop && !c->waiting && !c->dead && at >= c->next) begin(c);
      busy += c->waiting;
    }
    /* What has been asked is answered, or fails, before the end. */
    if (stop && !busy) break;
    int n = epoll_wait(loop, events, 64, 5);
    for (int e = 0; e < n; e++) event(events[e].data.ptr);
  }
  return fflush(stdout);
}
