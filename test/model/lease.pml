/*
 * The majority lease of hastmon for three voters: who may have the resource running, and when.
 *
 * This file owns the rules of the voter and of the holder, the network, the clocks and the crashes, as small as they
 * can be without losing a behaviour. It does not know hooks, roles, complaints, pre-vote, reservations or changes of
 * the voter set. README.md beside it says what each simplification leaves out and why that is allowed; check.mjs runs it.
 *
 * The state is finite although nothing in it is counted to an end: acquisitions, renewals, crashes and time go on for
 * ever. Epochs are kept as ranks (only their order matters), and of request numbers only "the latest" and "an older
 * one" are told apart (nothing else depends on them).
 */

/* ---- Times, in ticks of the fastest clock -------------------------------------------------------------------- */

#ifndef LEASE
#define LEASE 2 /* leaseMs */
#endif
#ifndef STOP
#define STOP 1 /* stopBudgetMs */
#endif
#define DRIFT 1 /* the most that a holder's clock falls behind a voter's during lease and stop */

#if defined(GRANT_WITHOUT_STOP)
#define GRANT (LEASE + DRIFT)
#elif defined(NO_DRIFT)
#define GRANT (LEASE + STOP)
#else
#define GRANT (LEASE + STOP + DRIFT)
#endif

/* What clocks and stops really do. Where this is worse than what the arithmetic reckons with, safety is gone. */
#ifdef WORLD_SLOWER_CLOCK
#define SLOW (DRIFT + 1)
#else
#define SLOW DRIFT
#endif
#ifdef WORLD_LONGER_STOP
#define STOPPING (STOP + 1)
#else
#define STOPPING STOP
#endif

/* How long a holder goes by one answer. Its clock may be slow, and it may give up at any earlier moment, so all rates
 * within the bound are covered by the slowest. With SKIP_TICKS it counts LEASE ticks of a clock of its own instead, which
 * stands still for a tick now and then, but never twice within STEADY ticks. */
#ifdef SKIP_TICKS
#define HELD LEASE
#define STEADY (LEASE + STOP + DRIFT)
#else
#define HELD (LEASE + SLOW)
#endif

/* How many attempts (epochs asked for) may have messages in the network at one moment. */
#ifndef ATTEMPTS
#define ATTEMPTS 3
#endif
#define TOP 7 /* the greatest rank of an epoch; 0 is "no epoch" */

#ifdef MINORITY
#define MAJORITY 1
#else
#define MAJORITY 2
#endif

/* ---- State --------------------------------------------------------------------------------------------------- */

/* A voter: node A's, B's and C's. Its grant, where it has one, is for the epoch epochMax, which names the holder too. */
byte epochMax[3]; /* durable: stored before the answer */
byte left[3];     /* of the grant, or of the wait after a restart; 0: nothing in force */
bit released[3];  /* the holder of epochMax has released it here */

/* A holder: whatever runs on node A and on node B, through all incarnations. */
byte epoch[2];   /* of its attempt or of its lease; 0: neither */
byte runs[2];    /* HOLDS: runs under its lease; 1 .. STOPPING: runs, the stop takes so long at most; 0: stopped */
byte age[2];     /* ticks since the moment before the latest request was sent, or NONE */
byte support[6]; /* for each voter, how long it supports the lease: HELD less the age of the request it answered */
#ifdef SKIP_TICKS
byte steady[2]; /* ticks until its clock may stand still again */
#endif

#define NONE HELD /* the age of a request whose answers are of no use any more, or of no request */
#define HOLDS (STOPPING + 1)
#define SUPPORT(h, v) support[3 * (h) + (v)]
#define IN_FORCE(h) ((SUPPORT(h, 0) > 0) + (SUPPORT(h, 1) > 0) + (SUPPORT(h, 2) > 0) >= MAJORITY)

/* The network: a mask of epochs. The requests for such an epoch, and its release once it is given up, may arrive at each
 * voter at any later time, any number of times, in any order, or never. */
byte requests;

#define BIT(n) (1 << (n))
#define BELOW(n) (BIT(n) - 1)
#define COUNT(m) (((m) & 1) + (((m) >> 1) & 1) + (((m) >> 2) & 1) + (((m) >> 3) & 1) + \
                  (((m) >> 4) & 1) + (((m) >> 5) & 1) + (((m) >> 6) & 1) + (((m) >> 7) & 1))

#ifdef STORE_AFTER_ANSWER
byte stored[3]; /* what the disk knows of epochMax */
#define STORED(v) stored[v]
#else
#define STORED(v) epochMax[v]
#endif

#if defined(COUNT_OLD_ANSWERS) || defined(COUNT_OTHER_EPOCHS)
#define COUNT_STALE
byte stale[3]; /* mask of the holders that an answer to something older is under way to */
#endif

#ifdef DISK_LOSS
bit blank[3];  /* this voter has no valid state: history false */
byte heard[3]; /* mask of the voters it has learned from */
#define BLANK(v) blank[v]
#else
#define BLANK(v) 0
#endif

#include "claims.pml"
#include "normal.pml"

/* ---- Holder -------------------------------------------------------------------------------------------------- */

inline clearSupport(h) {
  SUPPORT(h, 0) = 0;
  SUPPORT(h, 1) = 0;
  SUPPORT(h, 2) = 0
}

inline rememberStale(h) {
#ifdef COUNT_STALE
  stale[0] = stale[0] | (SUPPORT(h, 0) > 0) << h;
  stale[1] = stale[1] | (SUPPORT(h, 1) > 0) << h;
  stale[2] = stale[2] | (SUPPORT(h, 2) > 0) << h
#else
  skip
#endif
}

/* Neither holds nor asks; also what is left after a crash: an incarnation remembers nothing of an earlier one. */
inline becomeIdle(h) {
  reachEnd(h);
#ifdef COUNT_OTHER_EPOCHS
  rememberStale(h);
#endif
#ifdef COUNT_OLD_ANSWERS
  stale[0] = stale[0] & ~BIT(h);
  stale[1] = stale[1] & ~BIT(h);
  stale[2] = stale[2] & ~BIT(h);
#endif
  epoch[h] = 0;
  runs[h] = 0;
  age[h] = NONE;
#ifdef SKIP_TICKS
  steady[h] = 0;
#endif
  clearSupport(h)
}

/* An epoch of any rank may be chosen, however old the chooser's knowledge is. What is below every epochMax is refused
 * everywhere, so it is left out. */
#define MAY_CHOOSE(e) ((RANKS >> ((e) - 1)) && (epochMax[0] < (e) || epochMax[1] < (e) || epochMax[2] < (e)))
#ifdef NAMES
#define MAY_ATTEMPT(h) (!epoch[h] && COUNT(requests) < ATTEMPTS && !(RANKS >> TOP))
#else
#define MAY_ATTEMPT(h) (!epoch[h] && COUNT(requests) < ATTEMPTS)
#endif

/* Asks for the lease under a new epoch of rank e. */
inline attempt(h, e) {
  assert(!(RANKS >> TOP)); /* there is room for one more rank */
  insertRank(e);
  requests = requests | BIT(e);
  epoch[h] = e;
  age[h] = 0;
  printf("holder %d asks for epoch %d\n", h, e)
}

/* Sends a newer request for the same epoch: a renewal, or a repetition of the first request. */
#define MAY_REQUEST(h) (epoch[h] && age[h] > 0 && (runs[h] == 0 || runs[h] == HOLDS))
inline request(h) {
#ifdef COUNT_OLD_ANSWERS
  rememberStale(h);
#endif
  if
  :: runs[h] == 0 -> clearSupport(h) /* a candidate counts the answers to its latest request alone */
  :: else
  fi;
  age[h] = 0;
  printf("holder %d sends a newer request for epoch %d\n", h, epoch[h])
}

/* Counts a majority of answers for the first time; the resource is taken as running from here on. */
#define MAY_ACQUIRE(h) (epoch[h] && runs[h] == 0 && IN_FORCE(h))
inline acquire(h) {
  printf("holder %d acquires the lease, epoch %d\n", h, epoch[h]);
  reachAcquisition(h);
  claimsOfAcquisition(h);
#ifdef LEASE_FROM_ANSWER
  SUPPORT(h, 0) = (SUPPORT(h, 0) -> HELD : 0);
  SUPPORT(h, 1) = (SUPPORT(h, 1) -> HELD : 0);
  SUPPORT(h, 2) = (SUPPORT(h, 2) -> HELD : 0);
#endif
  runs[h] = HOLDS
}

/* Gives the attempt up, or has stopped the resource, or has crashed and been stopped by its guard. From here on its
 * release is in the network: where it sent none, none arrives. */
inline leave(h) {
  printf("holder %d has stopped and gives epoch %d up\n", h, epoch[h]);
  becomeIdle(h)
}

/* The lease is over, or the operator wants a stop. Answers that come now count no more. */
inline beginStop(h) {
  printf("holder %d begins to stop\n", h);
  runs[h] = STOPPING;
  age[h] = NONE;
  clearSupport(h)
}

#ifdef RELEASE_BEFORE_STOPPED
#define RELEASED_BY(h, e) (epoch[h] != e || runs[h] && runs[h] < HOLDS)
#else
#define RELEASED_BY(h, e) (epoch[h] != e)
#endif
#define RELEASED(e) ((requests & BIT(e)) && RELEASED_BY(0, e) && RELEASED_BY(1, e))

/* ---- Voter --------------------------------------------------------------------------------------------------- */

#ifdef RENEW_RELEASED
#define RENEWS(v, e) (epochMax[v] == e)
#else
#define RENEWS(v, e) (epochMax[v] == e && !released[v])
#endif

#if defined(GRANT_TWO)
#define ACQUIRES(v, e) (epochMax[v] < e)
#elif defined(STALE_EPOCH)
#define ACQUIRES(v, e) (epochMax[v] != e && left[v] == 0)
#else
#define ACQUIRES(v, e) (epochMax[v] < e && left[v] == 0)
#endif

/* A refusal changes nothing, so it is no event of its own. */
#define GRANTS(v, e) (!BLANK(v) && (RENEWS(v, e) || ACQUIRES(v, e)))

inline grant(v, e) {
  claimsOfGrant(v, e);
#ifdef RENEW_RELEASED
  released[v] = released[v] && epochMax[v] == e;
#else
  released[v] = 0;
#endif
  epochMax[v] = e;
  left[v] = GRANT
}

#define SUPPORTS(h) (HELD - age[h])

/* The latest request arrives and is granted, and the answer arrives. An answer that is lost is one that the holder makes
 * no use of: it may stop at any time. One that is late is counted late, see acquire(). */
#define MAY_ANSWER(v, h) (epoch[h] && age[h] < NONE && GRANTS(v, epoch[h]) && (left[v] < GRANT || SUPPORT(h, v) < SUPPORTS(h)))
inline answer(v, h) {
  reachAnswer(v, h);
  grant(v, epoch[h]);
  SUPPORT(h, v) = SUPPORTS(h);
  printf("voter %d grants epoch %d to holder %d\n", v, epoch[h], h)
}

/* A request of an attempt that was given up arrives, or one that is older than a lease. */
#define FRESH(h, e) (epoch[h] == e && age[h] < NONE)
#define MAY_ANSWER_IN_VAIN(v, e) \
  ((requests & BIT(e)) && !FRESH(0, e) && !FRESH(1, e) && GRANTS(v, e) && left[v] < GRANT)
inline answerInVain(v, e) {
  reachLateAnswer(v, e);
  grant(v, e);
  printf("voter %d grants epoch %d, its answer does not count\n", v, e)
}

#ifdef COUNT_STALE
#define MAY_COUNT_STALE(v, h) ((stale[v] & BIT(h)) && epoch[h] && age[h] < NONE && SUPPORT(h, v) < SUPPORTS(h))
inline countStale(v, h) {
  SUPPORT(h, v) = SUPPORTS(h);
  printf("holder %d counts an old answer of voter %d\n", h, v)
}
#endif

#define MAY_TAKE_RELEASE(v, e) (RELEASED(e) && epochMax[v] == e && !released[v] && !BLANK(v))
inline takeRelease(v, e) {
  printf("voter %d takes the release of epoch %d\n", v, e);
  reachRelease(v);
  released[v] = 1;
  left[v] = 0
}

/* Crash and restart: others are refused during one full stored grant, the same epoch is renewed at once. Whether the
 * voter still knows of a release is left open: where it does, nothing has changed; here it does not. */
#ifdef MUTATION
#define MAY_RESTART(v) (epochMax[v] && !BLANK(v))
#else
#define MAY_RESTART(v) (epochMax[v] && !BLANK(v) && (left[v] < GRANT || released[v]))
#endif
inline restart(v) {
  printf("voter %d restarts\n", v);
#ifdef NO_DURABLE_EPOCH
  epochMax[v] = 0;
#else
  epochMax[v] = STORED(v);
#endif
#ifdef NO_RESTART_WAIT
  left[v] = 0;
#else
  left[v] = (epochMax[v] -> GRANT : 0);
#endif
  released[v] = 0;
  reachRestart(v)
}

#ifdef STORE_AFTER_ANSWER
inline store(v) {
  stored[v] = epochMax[v];
  printf("voter %d stores epoch %d\n", v, epochMax[v])
}
#endif

#ifdef DISK_LOSS
/* Restart without valid state: the voter waits out a grant, then learns from both others, and only then takes part. */
inline wipe(v) {
  printf("voter %d restarts without its state\n", v);
  blank[v] = 1;
  heard[v] = 0;
  epochMax[v] = 0;
  released[v] = 0;
#ifdef LEARN_WITHOUT_WAIT
  left[v] = 0
#else
  left[v] = GRANT
#endif
}

#if defined(LEARN_WITHOUT_WAIT) || defined(LEARN_BEFORE_WAIT) || defined(RENEW_BEFORE_WAIT)
#define MAY_LEARN(v, w) (blank[v] && !blank[w] && v != w)
#else
#define MAY_LEARN(v, w) (blank[v] && !blank[w] && v != w && left[v] == 0)
#endif
inline learn(v, w) {
#ifdef LEARN_WITHOUT_WAIT
  left[v] = (left[w] -> GRANT : left[v]); /* it respects the grants it hears of, at least */
#endif
  epochMax[v] = (epochMax[w] > epochMax[v] -> epochMax[w] : epochMax[v]);
  heard[v] = heard[v] | BIT(w);
  printf("voter %d learns from voter %d: epochMax %d\n", v, w, epochMax[v])
}

#ifdef LEARN_BEFORE_WAIT
#define MAY_TAKE_PART(v) (blank[v] && COUNT(heard[v]) == 2 && left[v] == 0)
#else
#define MAY_TAKE_PART(v) (blank[v] && COUNT(heard[v]) == 2)
#endif
inline takePart(v) {
  printf("voter %d takes part again\n", v);
  blank[v] = 0;
  heard[v] = 0
}
#endif

/* ---- Network and clocks -------------------------------------------------------------------------------------- */

/* All messages of an attempt that was given up are lost for good, which makes room for another attempt. */
#define MAY_LOSE(e) ((requests & BIT(e)) && epoch[0] != e && epoch[1] != e)
inline lose(e) {
  requests = requests & ~BIT(e)
}

inline passSupport(h, v) {
  SUPPORT(h, v) = SUPPORT(h, v) - (SUPPORT(h, v) > 0)
}

inline advance(h) {
  age[h] = age[h] + (age[h] < NONE);
  passSupport(h, 0);
  passSupport(h, 1);
  passSupport(h, 2);
  if
  :: runs[h] == HOLDS && !IN_FORCE(h) -> beginStop(h) /* at the latest; main and worker both see to it */
  :: runs[h] == 1 -> leave(h)                         /* the stop, the kill or the fence is done at the very end */
  :: runs[h] > 1 && runs[h] < HOLDS -> runs[h]--
  :: else
  fi
}

#ifdef SKIP_TICKS
#define MAY_STAND(h) ((runs[h] || age[h] < NONE) && steady[h] == 0)
inline pass(h, stands) {
  if
  :: stands -> steady[h] = STEADY - 1
  :: epoch[h] && !stands ->
     steady[h] = steady[h] - (steady[h] > 0);
     advance(h)
  :: else
  fi
}
#else
inline pass(h, stands) {
  if
  :: epoch[h] -> advance(h)
  :: else
  fi
}
#endif

inline passVoter(v) {
  left[v] = left[v] - (left[v] > 0)
}

/* One tick of the fastest clock, which all voters have. Of two things due at the same tick the stop comes first. */
inline tick(stands0, stands1) {
  printf("a tick\n");
  pass(0, stands0);
  pass(1, stands1);
  passVoter(0);
  passVoter(1);
  passVoter(2);
  reachTick()
}

/* ---- Whatever may happen next -------------------------------------------------------------------------------- */

/* Of neighbours that are alike, one will do. */
inline pickVoter() {
  if
  :: v = 0
  :: DIFFERENT_VOTERS(0, 1) -> v = 1
  :: DIFFERENT_VOTERS(1, 2) -> v = 2
  fi
}

inline pickMessage() {
  if
  :: requests & BIT(1) -> e = 1
  :: requests & BIT(2) -> e = 2
  :: requests & BIT(3) -> e = 3
  :: requests & BIT(4) -> e = 4
  :: requests & BIT(5) -> e = 5
  :: requests & BIT(6) -> e = 6
  :: requests & BIT(7) -> e = 7
  fi
}

inline pickNewEpoch() {
  if
  :: MAY_CHOOSE(1) -> e = 1
  :: MAY_CHOOSE(2) -> e = 2
  :: MAY_CHOOSE(3) -> e = 3
  :: MAY_CHOOSE(4) -> e = 4
  :: MAY_CHOOSE(5) -> e = 5
  :: MAY_CHOOSE(6) -> e = 6
  :: MAY_CHOOSE(7) -> e = 7
  fi
}

inline holderActs() {
  if
  :: MAY_ATTEMPT(h) ->
     pickNewEpoch();
     d_step { attempt(h, e) }
  :: d_step { MAY_REQUEST(h) -> request(h) }
  :: d_step { MAY_ACQUIRE(h) -> acquire(h) }
  :: d_step { epoch[h] -> leave(h) }
#ifdef RELEASE_BEFORE_STOPPED
  :: d_step { runs[h] == HOLDS -> beginStop(h) }
#endif
  :: epoch[h] && age[h] < NONE ->
     pickVoter();
     if
     :: d_step { MAY_ANSWER(v, h) -> answer(v, h) }
#ifdef COUNT_STALE
     :: d_step { MAY_COUNT_STALE(v, h) -> countStale(v, h) }
#endif
     :: else
     fi
  :: else
  fi
}

inline voterActs() {
  pickVoter();
  if
  :: d_step { MAY_RESTART(v) -> restart(v) }
#ifdef STORE_AFTER_ANSWER
  :: d_step { stored[v] != epochMax[v] -> store(v) }
#endif
#ifdef DISK_LOSS
  :: d_step { !blank[v] -> wipe(v) }
  :: d_step { MAY_LEARN(v, 0) -> learn(v, 0) }
  :: d_step { MAY_LEARN(v, 1) -> learn(v, 1) }
  :: d_step { MAY_LEARN(v, 2) -> learn(v, 2) }
  :: d_step { MAY_TAKE_PART(v) -> takePart(v) }
#endif
  :: requests ->
     pickMessage();
     if
     :: d_step { MAY_ANSWER_IN_VAIN(v, e) -> answerInVain(v, e) }
     :: d_step { MAY_TAKE_RELEASE(v, e) -> takeRelease(v, e) }
     :: else
     fi
  :: else
  fi
}

inline messagesAreLost() {
  pickMessage();
  if
  :: d_step { MAY_LOSE(e) -> lose(e) }
  :: else
  fi
}

active proctype world() {
  byte h = 0, v = 0, e = 0;

  d_step {
    age[0] = NONE;
    age[1] = NONE
  }
end:
  do
  :: atomic {
       if
       :: h = 0; holderActs()
       :: DIFFERENT_HOLDERS -> h = 1; holderActs()
       :: voterActs()
       :: d_step { tick(0, 0) }
#ifdef SKIP_TICKS
       :: d_step { MAY_STAND(0) -> tick(1, 0) }
       :: d_step { MAY_STAND(1) -> tick(0, 1) }
       :: d_step { MAY_STAND(0) && MAY_STAND(1) -> tick(1, 1) }
#endif
       :: requests -> messagesAreLost()
       fi;
       d_step {
         claims();
         normalise();
         h = 0;
         v = 0;
         e = 0
       }
     }
  od
}
