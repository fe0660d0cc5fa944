/** Exit codes: those of sysexits(3), and what grep(1) and test(1) end with where the answer is no. */

export const exitCode = {
  ok: 0,
  no: 1,
  usage: 64,
  dataErr: 65,
  noInput: 66,
  noUser: 67,
  noHost: 68,
  unavailable: 69,
  software: 70,
  osErr: 71,
  osFile: 72,
  cantCreate: 73,
  ioErr: 74,
  tempFail: 75,
  protocol: 76,
  noPerm: 77,
  config: 78,
} as const;
