/*
 * What must hold in every state of lease.pml, and what must be possible in it. Owns claims alone, no rule.
 */

#ifdef HISTORY
byte last; /* the epoch of the last acquisition, whoever's it was */
#endif

/* ---- What must hold ------------------------------------------------------------------------------------------ */

#define BOUND(v, h) ((epochMax[v] == epoch[h] && left[v]) || BLANK(v))

inline claims() {
  assert(!(runs[0] && runs[1])); /* P1: never two nodes with the resource running */
#ifndef MUTATION
  /* P3: the resource is stopped before the grants of a majority end. */
  assert(!runs[0] || BOUND(0, 0) + BOUND(1, 0) + BOUND(2, 0) >= 2);
  assert(!runs[1] || BOUND(0, 1) + BOUND(1, 1) + BOUND(2, 1) >= 2);
#endif
  assert(!(released[0] && left[0])); /* P4: what was released binds nobody */
  assert(!(released[1] && left[1]));
  assert(!(released[2] && left[2]))
}

/* P2: epochs of successive holders strictly increase. With HISTORY this is claimed as it stands. Without, in a form that
 * needs no memory and implies it: a majority has stored the epoch when it is acquired, and no epochMax goes back. (Any
 * two majorities share a voter.) */
inline claimsOfAcquisition(h) {
#if defined(HISTORY)
  assert(epoch[h] > last);
  last = epoch[h]
#elif defined(MUTATION) || defined(DISK_LOSS)
  skip
#else
  assert((STORED(0) == epoch[h]) + (STORED(1) == epoch[h]) + (STORED(2) == epoch[h]) >= 2)
#endif
}

inline claimsOfGrant(v, e) {
#if defined(HISTORY) || defined(MUTATION) || defined(DISK_LOSS)
  skip
#else
  assert(epochMax[v] <= e)
#endif
}

/* ---- What must be possible, or the claims would be empty: each macro makes one event an "error" to be found ---- */

#if defined(REACH_FAILOVER) || defined(REACH_HANDOVER)
#define REACH_NEXT
byte holder; /* 1 + the last holder */
byte ended;  /* 0 not yet, 1 just now, 2 just now and a release has arrived, 3 without a release so far, 4 otherwise */
#endif
#ifdef REACH_RESTART
bit restarted[3]; /* this voter waits after a restart */
#endif

inline reachAcquisition(h) {
#ifdef REACH_FAILOVER
  assert(!(holder == 2 - h && ended == 3));
#endif
#ifdef REACH_HANDOVER
  assert(!(holder == 2 - h && ended == 2));
#endif
#ifdef REACH_NEXT
  holder = h + 1;
  ended = 0
#else
  skip
#endif
}

inline reachEnd(h) {
#ifdef REACH_NEXT
  ended = (runs[h] -> 1 : ended)
#else
  skip
#endif
}

inline reachRelease(v) {
#ifdef REACH_NEXT
  ended = (ended == 1 -> 2 : (ended == 3 -> 4 : ended))
#else
  skip
#endif
}

inline reachRestart(v) {
#ifdef REACH_RESTART
  restarted[v] = 1
#else
  skip
#endif
}

inline reachAnswer(v, h) {
#ifdef REACH_RENEWAL
  assert(!(runs[h] == HOLDS && age[h] == 0 && SUPPORT(h, v)));
#endif
#ifdef REACH_RESTART
  assert(!(restarted[v] && left[v] && runs[h] == HOLDS));
#endif
  skip
}

inline reachLateAnswer(v, e) {
#ifdef REACH_LATE
  assert(!(epochMax[v] < e && epoch[0] != e && epoch[1] != e && (runs[0] || runs[1])));
#endif
  skip
}

inline reachTick() {
#ifdef REACH_NEXT
  ended = (ended == 1 -> 3 : (ended == 2 -> 4 : ended));
#endif
#ifdef REACH_RESTART
  restarted[0] = restarted[0] && left[0];
  restarted[1] = restarted[1] && left[1];
  restarted[2] = restarted[2] && left[2];
#endif
#ifdef REACH_TIGHT
  assert(!(runs[0] == 1 && left[0] <= 1 && left[1] <= 1 && left[2] <= 1));
#endif
  skip
}
