import "server-only";
import { isTokendeskError } from "@/lib/errors";
import type { RingcxClient, TokenClient } from "@/lib/ringcx/client";
import { UpstreamError } from "@/lib/ringcx/errors";
import { answered } from "@/lib/tokens/held";

/** In an outage everybody asks: what was answered "nobody" is not asked again for so long. */
const momentMs = 5_000;

/** Who was let in: a token, or no more than a signed-in connection, which goes by another credential. */
export type LetIn = "token" | "connection";

/**
 * Whether RingCX lets tokens in at all: while it, or what stands before it, refuses every `X-Auth-Token`, a refusal says
 * nothing of the token that is refused. Asked with an own token of the signed-in person that is not in question; whoever
 * has no other is asked for by the signed-in connection.
 */
export class Control {
  readonly #holding: (value: string) => TokenClient;
  readonly #owner: RingcxClient | null;
  readonly #inQuestion: (value: string) => boolean;
  /** Asked before the connection, where the person has no other token. A secret. */
  #accepted: string | null = null;
  #acceptedAt = 0;
  #connectedAt = 0;
  #refusedAt = 0;
  /** What was last asked with is refused, though RingCX lists it. */
  #contradicted = false;
  #asking: Promise<void> | null = null;

  constructor(
    by: { holding(value: string): TokenClient; owner: RingcxClient | null },
    inQuestion: (value: string) => boolean,
  ) {
    this.#holding = (value) => by.holding(value);
    this.#owner = by.owner;
    this.#inQuestion = inQuestion;
  }

  /**
   * A token was accepted that was asked with at `askedAt`: an answer that was long on its way says nothing of what came
   * meanwhile. `value`: it goes on to live, and can be asked with again.
   */
  accepted(askedAt: number, value: string | null = null): void {
    this.#acceptedAt = Math.max(this.#acceptedAt, askedAt);
    this.#accepted = value ?? this.#accepted;
  }

  /** Whom RingCX has accepted since a time, epoch milliseconds; null: nobody. */
  async acceptsSomebody(since: number): Promise<LetIn | null> {
    const letIn = () => (this.#acceptedAt >= since ? "token" : this.#connectedAt >= since ? "connection" : null);
    if (letIn() !== null) return letIn();
    if (this.#asking === null && Date.now() - this.#refusedAt < momentMs) return null;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    await this.#asking;
    return letIn();
  }

  /** Whether RingCX refuses, just now, an own token of the signed-in person that it lists at the same time. */
  async refusesEverybody(): Promise<boolean> {
    return (await this.acceptsSomebody(Date.now() - momentMs)) === null && this.#contradicted;
  }

  async #ask(): Promise<void> {
    const at = Date.now();
    const own = this.#owner && (await answered(this.#owner.listTokenValues({ fresh: true })));
    const listed = own?.items.find((value) => !this.#inQuestion(value)) ?? null;
    const other = listed ?? this.#accepted;
    const answer = other === null ? null : await answerTo(this.#holding(other));
    this.#contradicted = listed !== null && answer === "refused";
    if (answer === "accepted") this.accepted(at);
    else if (other === null && own !== null) this.#connectedAt = at;
    else this.#refusedAt = Date.now();
  }
}

/** What RingCX says to a token; null: nothing. */
export async function answerTo(token: TokenClient): Promise<"refused" | "accepted" | null> {
  try {
    return (await token.isAlive()) ? "accepted" : "refused";
  } catch (error) {
    return meaningOf(error);
  }
}

/** A refusal of the token, or one in RingCX's own words for another reason, which accepts it; null: it says nothing. */
export function meaningOf(error: unknown): "refused" | "accepted" | null {
  if (!isTokendeskError(error)) throw error;
  if (!(error instanceof UpstreamError)) return null;
  if (error.reason === "unauthorized") return "refused";
  return error.reason === "forbidden" && error.explained ? "accepted" : null;
}
