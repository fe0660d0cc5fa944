/*
 * Keeps the states of lease.pml few without changing what they mean: drops messages that have no effect any more, keeps
 * epochs as ranks without gaps, and forgets names. Owns no rule and no claim. With NAMES it does nothing, and the
 * stories of trails are easier to follow.
 */

byte tmp; /* scratch, 0 in every stored state; so are those below */

#ifdef HISTORY
#define LAST_BIT BIT(last)
#else
#define LAST_BIT 0
#endif
#define RANKS (requests | BIT(epochMax[0]) | BIT(epochMax[1]) | BIT(epochMax[2]) | LAST_BIT | \
               BIT(STORED(0)) | BIT(STORED(1)) | BIT(STORED(2)))

inline moveUp(x, e) {
  x = x + (x >= e)
}

inline moveDown(x, e) {
  x = x - (x > e)
}

/* Makes room for a new epoch of rank e. */
inline insertRank(e) {
  moveUp(epochMax[0], e);
  moveUp(epochMax[1], e);
  moveUp(epochMax[2], e);
  moveUp(epoch[0], e);
  moveUp(epoch[1], e);
#ifdef HISTORY
  moveUp(last, e);
#endif
#ifdef STORE_AFTER_ANSWER
  moveUp(stored[0], e);
  moveUp(stored[1], e);
  moveUp(stored[2], e);
#endif
  requests = (requests & BELOW(e)) | ((requests >> e) << (e + 1))
}

inline removeRank(e) {
  moveDown(epochMax[0], e);
  moveDown(epochMax[1], e);
  moveDown(epochMax[2], e);
  moveDown(epoch[0], e);
  moveDown(epoch[1], e);
#ifdef HISTORY
  moveDown(last, e);
#endif
#ifdef STORE_AFTER_ANSWER
  moveDown(stored[0], e);
  moveDown(stored[1], e);
  moveDown(stored[2], e);
#endif
  requests = (requests & BELOW(e)) | ((requests >> (e + 1)) << e)
}

/* Messages of epochs that every voter has left behind change nothing, whenever they arrive. */
inline dropDead() {
  tmp = (epochMax[1] < epochMax[0] -> epochMax[1] : epochMax[0]);
  tmp = (epochMax[2] < tmp -> epochMax[2] : tmp);
#ifdef STORE_AFTER_ANSWER
  tmp = 0; /* what the disk does not know is not left behind */
#endif
  requests = (requests & ~BELOW(tmp)) | (requests & (BIT(epoch[0]) | BIT(epoch[1])));
#ifdef HISTORY
  /* Nor need an epoch be remembered when no attempt below it is left or will be made. */
  last = (last <= tmp && !(requests & BELOW(last)) -> 0 : last)
#endif
}

inline exchange(a, b) {
  tmp = a;
  a = b;
  b = tmp
}

inline exchangeBits(m, a, b) {
  m = (m & ~BIT(a) & ~BIT(b)) | (((m >> a) & 1) << b) | (((m >> b) & 1) << a)
}

inline exchangeVoters(a, b) {
  exchange(epochMax[a], epochMax[b]);
  exchange(left[a], left[b]);
  exchange(released[a], released[b]);
  exchange(SUPPORT(0, a), SUPPORT(0, b));
  exchange(SUPPORT(1, a), SUPPORT(1, b));
#ifdef STORE_AFTER_ANSWER
  exchange(stored[a], stored[b]);
#endif
#ifdef COUNT_STALE
  exchange(stale[a], stale[b]);
#endif
#ifdef DISK_LOSS
  exchange(blank[a], blank[b]);
  exchange(heard[a], heard[b]);
  exchangeBits(heard[0], a, b);
  exchangeBits(heard[1], a, b);
  exchangeBits(heard[2], a, b)
#endif
}

inline exchangeHolders() {
  exchange(epoch[0], epoch[1]);
  exchange(runs[0], runs[1]);
  exchange(age[0], age[1]);
#ifdef SKIP_TICKS
  exchange(steady[0], steady[1]);
#endif
  exchange(SUPPORT(0, 0), SUPPORT(1, 0));
  exchange(SUPPORT(0, 1), SUPPORT(1, 1));
  exchange(SUPPORT(0, 2), SUPPORT(1, 2));
#ifdef COUNT_STALE
  exchangeBits(stale[0], 0, 1);
  exchangeBits(stale[1], 0, 1);
  exchangeBits(stale[2], 0, 1)
#endif
}

#if defined(STORE_AFTER_ANSWER)
#define MORE(v) stored[v]
#elif defined(COUNT_STALE)
#define MORE(v) stale[v]
#elif defined(DISK_LOSS)
#define MORE(v) (heard[v] * 2 + blank[v])
#else
#define MORE(v) 0
#endif
#define VOTER_KEY(v) (((((epochMax[v] * 8 + left[v]) * 2 + released[v]) * 8 + SUPPORT(0, v)) * 8 + SUPPORT(1, v)) * 16 + MORE(v))
#ifdef SKIP_TICKS
#define HOLDER_MORE(h) steady[h]
#else
#define HOLDER_MORE(h) 0
#endif
#define HOLDER_KEY(h) (((epoch[h] * 8 + runs[h]) * 8 + age[h]) * 8 + HOLDER_MORE(h))

inline sortVoters(a, b) {
  if
  :: VOTER_KEY(a) > VOTER_KEY(b) -> exchangeVoters(a, b)
  :: else
  fi
}

#ifdef NAMES

#define DIFFERENT_VOTERS(a, b) 1
#define DIFFERENT_HOLDERS 1

inline normalise() {
  dropDead();
  tmp = 0
}

#else

#define DIFFERENT_VOTERS(a, b) (VOTER_KEY(a) != VOTER_KEY(b))
#define DIFFERENT_HOLDERS (epoch[1] || epoch[0])

byte i, ranks;

inline closeGaps() {
  i = 1;
  ranks = RANKS;
  do
  :: ranks & BIT(i) -> i++
  :: !(ranks >> i) -> break
  :: else ->
     removeRank(i);
     ranks = RANKS
  od
}

/* The rules know no voter and no holder by name, so states that differ by names alone are one. */
inline normalise() {
  dropDead();
  closeGaps();
  if
  :: HOLDER_KEY(0) > HOLDER_KEY(1) -> exchangeHolders()
  :: else
  fi;
  sortVoters(0, 1);
  sortVoters(1, 2);
  sortVoters(0, 1);
  i = 0;
  ranks = 0;
  tmp = 0
}

#endif
