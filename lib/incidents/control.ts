import "server-only";
import { isTokendeskError } from "@/lib/errors";
import { unquoted } from "@/lib/incidents/values";
import type { RingcxClient, TokenClient } from "@/lib/ringcx/client";
import { UpstreamError } from "@/lib/ringcx/errors";
import { answered } from "@/lib/tokens/held";

/** In an outage everybody asks: what was answered "nobody" is not asked again for so long. */
const momentMs = 5_000;

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
  #refusedAt = 0;
  #asking: Promise<void> | null = null;

  constructor(
    by: { holding(value: string): TokenClient; owner: RingcxClient | null },
    inQuestion: (value: string) => boolean,
  ) {
    this.#holding = (value) => by.holding(value);
    this.#owner = by.owner;
    this.#inQuestion = inQuestion;
  }

  /** A token was accepted just now. `value`: it goes on to live, and can be asked with again. */
  accepted(value: string | null = null): void {
    this.#acceptedAt = Date.now();
    this.#accepted = value ?? this.#accepted;
  }

  /** Whether RingCX has accepted anybody since a time, epoch milliseconds. */
  async acceptsSomebody(since: number): Promise<boolean> {
    if (this.#acceptedAt >= since) return true;
    if (this.#asking === null && Date.now() - this.#refusedAt < momentMs) return false;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    await this.#asking;
    return this.#acceptedAt >= since;
  }

  async #ask(): Promise<void> {
    const at = Date.now();
    const own = this.#owner && (await answered(this.#owner.listTokenValues({ fresh: true })));
    const other = own?.items.find((value) => !this.#inQuestion(value)) ?? this.#accepted;
    const accepts = other === null ? own !== null : await this.#accepts(unquoted(other));
    if (accepts) this.#acceptedAt = Math.max(this.#acceptedAt, at);
    else this.#refusedAt = Date.now();
  }

  async #accepts(value: string): Promise<boolean> {
    try {
      return await this.#holding(value).isAlive();
    } catch (error) {
      return meaningOf(error) === "accepted";
    }
  }
}

/** A refusal of the token, or one in RingCX's own words for another reason, which accepts it; null: it says nothing. */
export function meaningOf(error: unknown): "refused" | "accepted" | null {
  if (!isTokendeskError(error)) throw error;
  if (!(error instanceof UpstreamError)) return null;
  if (error.reason === "unauthorized") return "refused";
  return error.reason === "forbidden" && error.explained ? "accepted" : null;
}
