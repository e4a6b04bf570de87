/** What the exit codes mean. They are promises: scripts decide by them. */
export const exits = {
  /** Nothing is alive, or all that was to die is proven dead. */
  fine: 0,
  /** A scan found a live token. */
  live: 1,
  usage: 2,
  /** Something could not be checked, or is not proven dead. */
  unproven: 3,
  /** Tokendesk, RingCX, the network or a permission. */
  failure: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exits)[keyof typeof exits];

/** Ends the command with a sentence on stderr. The sentence holds no secret. */
export class Stop extends Error {
  readonly code: ExitCode;

  constructor(code: ExitCode, message: string) {
    super(message);
    this.name = "Stop";
    this.code = code;
  }
}
