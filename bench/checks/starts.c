/*
 * When checks begin, seen from outside and for every engine alike: the first packets (SYN) of connections over loopback to
 * one port, with the kernel's time stamps. Usage: starts PORT FIRST COUNT INTERVAL_MS SECONDS, as root. Addresses are
 * FIRST (as a number) and the COUNT - 1 that follow. Prints one line of JSON, times in ms: by how much the time between two
 * beginnings of one address was longer than the interval (p50, p99, worst), its mean, and the shortest one.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct start {
  uint32_t address;
  double ms;
};

static int by_address(const void *a, const void *b) {
  const struct start *x = a, *y = b;
  if (x->address != y->address) return x->address < y->address ? -1 : 1;
  return x->ms < y->ms ? -1 : x->ms > y->ms;
}

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double clock_ms(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* IPv4 without options, TCP, SYN without ACK, this destination port. */
static int open_capture(unsigned port) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, 0, 6),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 22),   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 4),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 33),   BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 1), BPF_STMT(BPF_RET | BPF_K, 40),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
  const int fd = socket(AF_PACKET, SOCK_DGRAM, 0), one = 1, room = 64 << 20;
  const struct timeval patience = {0, 100000};
  const struct sockaddr_ll at = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = if_nametoindex("lo")};
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
      setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0 ||
      setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one) < 0 ||
      setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
      bind(fd, (const struct sockaddr *)&at, sizeof at) < 0) {
    perror("starts");
    exit(1);
  }
  return fd;
}

/* False where nothing came for a while. */
static int take(int fd, struct start *start) {
  unsigned char packet[64];
  char control[128];
  struct iovec part = {packet, sizeof packet};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(fd, &message, 0) < 40) return 0;
  struct timespec at = {0, 0};
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) memcpy(&at, CMSG_DATA(c), sizeof at);
  memcpy(&start->address, packet + 16, 4);
  start->address = ntohl(start->address);
  start->ms = at.tv_sec * 1e3 + at.tv_nsec / 1e6;
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: starts PORT FIRST COUNT INTERVAL_MS SECONDS\n");
    return 64;
  }
  const uint32_t first = strtoul(argv[2], NULL, 0), count = atoi(argv[3]);
  const double interval = atof(argv[4]), seconds = atof(argv[5]);
  const size_t most = (size_t)(count * (seconds * 1000 / interval + 2) * 1.5) + 1024;
  struct start *starts = malloc(most * sizeof *starts);
  double *late = malloc(most * sizeof *late);
  size_t seen = 0;
  const int fd = open_capture(atoi(argv[1]));
  /* What was seen in time counts, also where this process had its turn late. */
  const double end = clock_ms(CLOCK_MONOTONIC) + seconds * 1000, last = clock_ms(CLOCK_REALTIME) + seconds * 1000;
  while (seen < most) {
    if (!take(fd, &starts[seen])) {
      if (clock_ms(CLOCK_MONOTONIC) >= end) break;
      continue;
    }
    if (starts[seen].ms > last) break;
    if (starts[seen].address - first < count) seen++;
  }
  struct tpacket_stats lost = {0, 0};
  socklen_t length = sizeof lost;
  getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &lost, &length);
  qsort(starts, seen, sizeof *starts, by_address);
  size_t known = 0;
  double closest = 1e300, sum = 0;
  for (size_t i = 1; i < seen; i++) {
    if (starts[i].address != starts[i - 1].address) continue;
    const double gap = starts[i].ms - starts[i - 1].ms;
    if (gap < closest) closest = gap;
    sum += gap;
    late[known++] = gap > interval ? gap - interval : 0;
  }
  qsort(late, known, sizeof *late, by_size);
  if (known == 0) {
    fprintf(stderr, "starts: no two beginnings of one address were seen\n");
    return 1;
  }
  printf("{\"seen\":%zu,\"lost\":%u,\"p50\":%.3f,\"p99\":%.3f,\"worst\":%.3f,\"mean\":%.3f,\"closest\":%.3f}\n", known,
         lost.tp_drops, late[known / 2], late[(size_t)(known * 0.99)], late[known - 1], sum / known, closest);
  return 0;
}
