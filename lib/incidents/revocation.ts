import "server-only";
import { setTimeout as delay } from "node:timers/promises";
import { isTokendeskError } from "@/lib/errors";
import { inTime } from "@/lib/in-time";
import { answerTo, Control, meaningOf } from "@/lib/incidents/control";
import { maxFindings, type StepOutcome, type StepProof } from "@/lib/incidents/schema";
import { sameness } from "@/lib/incidents/values";
import { logger } from "@/lib/logger";
import type { RingcxClient, TokenClient } from "@/lib/ringcx/client";
import { UpstreamError } from "@/lib/ringcx/errors";
import { markToken } from "@/lib/tokens/fingerprint";
import { answered } from "@/lib/tokens/held";
import { type Said, saidInWords } from "@/lib/tokens/revocation";

/**
 * Kills tokens that are at hand and proves each death, many at once and within the vendor's budget: about two calls for
 * each. It knows nothing of databases and logs (lib/incidents/run.ts does), so the command line can use it alone.
 * What counts as a proof: docs/decisions/0008-proof.md and 0014-incident-run.md.
 */

/** A token that is to die. */
export type Target = {
  tokenId: string;
  /** A secret. null: a sibling of an interrupted run, known by its ID alone. */
  value: string | null;
  /** It stood in the text; false: it is a sibling of one that did. */
  leaked: boolean;
  /** A deletion may have been sent before. */
  maybeSent: boolean;
  /** It lived when it was last looked at. */
  seenAlive: boolean;
  /** The inventory knows it as active. */
  knownActive: boolean;
  /** Names the RingCX user behind it, where that is known. */
  user: string | null;
  /** An earlier run has seen its user's list, and so its siblings. */
  siblingsKnown?: boolean;
};

/** What became of it. `deletedAt`: when RingCX last answered a deletion, or none came; epoch milliseconds. */
export type Settled = {
  outcome: StepOutcome;
  proof: StepProof | null;
  detail: string;
  deletedAt: number | null;
  /** Nothing but its own refusals says so, and nothing was known of it: not enough to mark it anywhere else. */
  uncontrolled?: true;
};

export type Revocation = {
  holding(value: string): TokenClient;
  /** The signed-in connection: another authority, and a witness for its own user's tokens. */
  owner: RingcxClient | null;
  targets: readonly Target[];
  /** Also all other tokens of the users of these. */
  siblings: boolean;
  /**
   * Siblings have been found: they are targets from now on. `beyond`: values of those that are left alone, because a run
   * has at most {@link maxFindings} targets; or, with `endless`, because more are made as fast as they are revoked.
   */
  onSiblings(found: Target[], beyond: readonly string[], endless: boolean): void;
  /**
   * This one dies, and whether its user has others is not known: their list did not come. `unreadable`: so many entries
   * of the list that came make no sense.
   */
  onUnlisted(target: Target, unreadable: number): void;
  /** Where the siblings are to die too: these have been told, all that the list of the user of these targets shows. */
  onListed(targets: readonly Target[]): void;
  /** Runs the step of a token; `work` tells what came of it, and calls `sending` before a deletion goes out. */
  step(target: Target, work: (sending: () => Promise<void>) => Promise<Settled>): Promise<void>;
  pace?: Pace;
};

export type Pace = {
  /** Steps at work at the same time; those that wait for a witness or for a second look are not counted. */
  inFlight: number;
  /** How often a token is looked at again before the question is left open. */
  rounds: number;
  firstBackoffMs: number;
  maxBackoffMs: number;
  /** Between two looks that are to say the same. */
  spacingMs: number;
  /** A list is asked for when it can speak for so many, or after so long. */
  batch: number;
  batchMs: number;
  /** The last token of a user, whose list is the witness for the others, lives no longer than that for their sake. */
  lastAfterMs: number;
  /** Where the siblings are to die too, and their list does not come, it is asked for again no longer than that. */
  listMs: number;
  /** RingCX may keep a token for so long after it said that it deleted it: the question is not left open before. */
  graceMs: number;
};

export const usualPace: Pace = {
  inFlight: 12,
  rounds: 8,
  firstBackoffMs: 500,
  maxBackoffMs: 15_000,
  spacingMs: 1_000,
  batch: 25,
  batchMs: 15_000,
  lastAfterMs: 15_000,
  listMs: 60_000,
  graceMs: 15_000,
};

const maxDiscoveries = 8;
/** So often a token lives on after a deletion, or RingCX says no to a list in its own words, before that is believed. */
const believedAfter = 5;
/** So often tokens that were made meanwhile are taken up. */
const maxWaves = 2;
const ownListWithinMs = 5_000;

/** Resolves when the fate of every target has been told. */
export async function revokeAll(revocation: Revocation): Promise<void> {
  await new Run(revocation).all();
}

/** Places at work; who comes back from a wait is served before who has not begun. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async take({ first = false } = {}): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((granted) => {
      if (first) this.#waiting.unshift(granted);
      else this.#waiting.push(granted);
    });
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}

class Run {
  readonly revocation: Revocation;
  readonly pace: Pace;
  readonly slots: Slots;
  /** Those that lived when this run looked at them. */
  readonly lived = new Set<Target>();
  readonly control: Control;
  readonly #targets: Set<Target>;
  /** By {@link sameness}. */
  readonly #byValue: Map<string, Target>;
  readonly #placed = new Set<Target>();
  /** Their lists did not come yet, and are asked for again. */
  readonly #awaited = new Set<Target>();
  /** Siblings that are left alone, by {@link sameness}. */
  readonly #spared = new Set<string>();
  readonly #untold: Set<Target>;
  readonly #jobs: Promise<void>[] = [];

  constructor(revocation: Revocation) {
    this.revocation = revocation;
    this.pace = revocation.pace ?? usualPace;
    this.slots = new Slots(this.pace.inFlight);
    this.#targets = new Set(revocation.targets);
    this.#byValue = new Map(
      revocation.targets.flatMap((one) => (one.value === null ? [] : [[sameness(one.value), one]])),
    );
    this.#untold = new Set(
      revocation.targets.filter(({ leaked, siblingsKnown }) => revocation.siblings && leaked && !siblingsKnown),
    );
    this.control = new Control(revocation, (value) => this.#byValue.has(sameness(value)));
  }

  async all(): Promise<void> {
    const { owner } = this.revocation;
    const own = owner && (await inTime(answered(owner.listTokenValues({ fresh: true })), ownListWithinMs));
    const isOwn = own?.items.some((value) => this.#byValue.has(sameness(value))) ?? false;
    if (own && isOwn) this.#found(readable(own), true);
    await this.#discover();
    // What no list shows: dead, or RingCX would not say.
    for (const target of this.#targets) {
      if (!this.#placed.has(target) && !this.#awaited.has(target)) this.#begin(new Group(this, [target], null));
    }
    // A job may add others.
    for (const job of this.#jobs) await job;
  }

  /** Asks tokens for the lists of their users: one first, for it may show all the others, then more at once. */
  async #discover(): Promise<void> {
    const queue = [...this.#targets].filter(({ value }) => value !== null);
    const workers: Promise<void>[] = [];
    const hire = () => workers.push(started(work()));
    const work = async (): Promise<void> => {
      for (;;) {
        const target = queue.shift();
        if (target === undefined) return;
        if (this.#placed.has(target)) continue;
        await this.#ask(target, target.value as string);
        if (workers.length < maxDiscoveries && queue.length > 0) hire();
      }
    };
    hire();
    for (const worker of workers) await worker;
  }

  async #ask(target: Target, value: string): Promise<void> {
    const list = await this.list(value);
    if (this.#isPlaced(target, list)) return;
    const { siblings } = this.revocation;
    // It was dead before, for all that is known: whose it was nobody can tell.
    if (list === "refused" && !(this.#untold.has(target) && target.seenAlive)) return;
    if (siblings && target.leaked) {
      this.#awaited.add(target);
      this.#jobs.push(started(this.#askAgain(target, value)));
    } else this.#begin(new Group(this, [target], null));
  }

  /** Its siblings are known by this list alone, which dies with it. */
  async #askAgain(target: Target, value: string): Promise<void> {
    const { rounds, listMs } = this.pace;
    const begun = Date.now();
    let denials = 1;
    for (let round = 1; round <= rounds && Date.now() - begun < listMs; round += 1) {
      await delay(pauseBefore(round, this.pace));
      if (this.#placed.has(target)) return;
      const list = await this.list(value);
      if (this.#isPlaced(target, list)) return;
      // It has died since it was looked up, and its list will not come any more.
      if (list === "refused" && round >= 2 && (await this.control.acceptsSomebody(begun))) break;
      denials = list === "denied" ? denials + 1 : 0;
      // Its user may not list tokens: it would only live on for as long as it is asked.
      if (denials >= believedAfter) break;
    }
    if (this.#placed.has(target)) return;
    this.#tellUnlisted(target);
    this.#begin(new Group(this, [target], null));
  }

  /** Whether it is known by now whose it is, with what its own list said. */
  #isPlaced(target: Target, list: List | NoList): boolean {
    if (list === "accepted" || list === "denied") this.lived.add(target);
    if (this.#placed.has(target)) return true;
    if (list === null || typeof list === "string") return false;
    this.#found(list, false);
    return true;
  }

  #tellUnlisted(target: Target, unreadable = 0): void {
    if (this.#untold.delete(target)) this.revocation.onUnlisted(target, unreadable);
  }

  /** What came of one whose list never came: if it was not dead from the beginning, it may have siblings. */
  noteAlone(target: Target, { outcome }: Settled): void {
    if (outcome !== "already_dead") this.#tellUnlisted(target);
  }

  /** The list of a token's user. */
  async list(value: string): Promise<List | NoList> {
    const askedAt = Date.now();
    try {
      const list = readable(await this.revocation.holding(value).listTokenValues());
      this.control.accepted(askedAt);
      return list.values.has(sameness(value)) ? list : "accepted";
    } catch (error) {
      const meaning = meaningOf(error);
      return meaning === "accepted" ? "denied" : meaning;
    }
  }

  /** A user's tokens, as a list shows them. */
  #found(list: List, own: boolean): void {
    const { siblings } = this.revocation;
    const shown = [...this.#targets].filter(({ value }) => value !== null && list.values.has(sameness(value)));
    for (const target of shown) this.lived.add(target);
    const user = shown.find((target) => target.user !== null)?.user ?? null;
    // One whose own list did not come is on its way already.
    const members = shown.filter((target) => !this.#placed.has(target));
    const unplaced = [...this.#targets].filter((target) => !this.#placed.has(target));
    // Of the same user, but not listed any more.
    const gone = unplaced.filter((one) => user !== null && one.user === user && !shown.includes(one));
    const others = [...list.values].flatMap(([same, value]) => (this.#byValue.has(same) ? [] : [value]));
    const adopted = siblings ? this.adopt(list, user) : [];
    const all = [...new Set([...members, ...gone, ...adopted])];
    const first = all.find((target) => this.#untold.has(target));
    if (first && list.unreadable > 0) this.#tellUnlisted(first, list.unreadable);
    for (const target of all) this.#untold.delete(target);
    if (siblings && list.unreadable === 0) this.revocation.onListed(all);
    const bystanders = siblings ? others.filter((value) => this.#spared.has(sameness(value))) : others;
    this.#begin(new Group(this, all, { list, bystanders, owner: own ? this.revocation.owner : null, user }));
  }

  /** Takes up what a list shows of a user and nobody has heard of. @returns what is a target by that */
  adopt(list: List, user: string | null, endless = false): Target[] {
    const unplaced = [...this.#targets].filter((target) => !this.#placed.has(target));
    const byId = new Map(unplaced.flatMap((one) => (one.value === null ? [[one.tokenId, one]] : [])));
    const added: Target[] = [];
    const recovered: Target[] = [];
    const beyond: string[] = [];
    for (const [same, value] of list.values) {
      if (this.#byValue.has(same) || this.#spared.has(same)) continue;
      const { id } = markToken(value);
      const known = byId.get(id);
      if (known === undefined && (endless || this.#targets.size >= maxFindings)) {
        this.#spared.add(same);
        beyond.push(value);
        continue;
      }
      const usual = { leaked: false, maybeSent: false, seenAlive: true, knownActive: false };
      const target = known ?? { tokenId: id, value, ...usual, user };
      target.value = value;
      this.lived.add(target);
      this.#byValue.set(same, target);
      this.#targets.add(target);
      (known === undefined ? added : recovered).push(target);
    }
    if (added.length + beyond.length > 0) this.revocation.onSiblings(added, beyond, endless);
    for (const target of [...recovered, ...added]) this.#placed.add(target);
    return [...recovered, ...added];
  }

  #begin(group: Group): void {
    for (const target of group.targets) this.#placed.add(target);
    this.#jobs.push(started(group.all()));
  }
}

/** Work that is waited for later; until then its failure is nobody's. */
function started(work: Promise<void>): Promise<void> {
  work.catch(() => {});
  return work;
}

/** Between a look and the next one. */
function pauseBefore(round: number, { firstBackoffMs, maxBackoffMs }: Pace): number {
  return Math.min(maxBackoffMs, firstBackoffMs * 2 ** (round - 1)) * (0.5 + Math.random() / 2);
}

/**
 * What came in place of a list. `refused`: 401; `denied`: the token lives, but its user may not list; `accepted`: it
 * lives, but what came makes no sense; null: no answer.
 */
type NoList = "refused" | "denied" | "accepted" | null;

/** `values`: by {@link sameness}. */
type List = { values: ReadonlyMap<string, string>; unreadable: number };

function readable({ items, unreadable }: { items: readonly string[]; unreadable: number }): List {
  return { values: new Map(items.map((value) => [sameness(value), value])), unreadable };
}

type Presence = {
  seen: "listed" | "absent" | "unclear";
  /** The list shows others. */
  telling: boolean;
  /** It shows others, or there need not be any: all that stood in it at first have been deleted. */
  sound: boolean;
};

const unclear: Presence = { seen: "unclear", telling: false, sound: false };

/** The tokens of one user, or one token alone of which nothing is known. */
class Group {
  readonly run: Run;
  readonly targets: Target[];
  /** A list showed them when it was found, or later; by {@link sameness}, as the next. */
  readonly #listed: Set<string>;
  /** Deletions of these may have had their effect. */
  readonly #deleted = new Set<string>();
  /** Null: nothing is known of its user. */
  readonly #user: { id: string | null } | null;
  /** Made since, as a list showed; they are to be begun. */
  readonly #late: Target[] = [];
  #waves = 0;
  /** Tokens whose lists can be asked for: those that stay alive, and the one that dies last. */
  readonly #witnesses: string[];
  readonly #owner: RingcxClient | null;
  readonly #last: Target | null;
  readonly #queue: { target: Target; since: number; answer: (presence: Presence) => void }[] = [];
  /** Steps that may come to ask for a list before long. */
  #working = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    run: Run,
    targets: Target[],
    user: { list: List; bystanders: string[]; owner: RingcxClient | null; user: string | null } | null,
  ) {
    this.run = run;
    this.targets = targets;
    this.#user = user && { id: user.user };
    this.#listed = new Set(user?.list.values.keys());
    this.#owner = user?.owner ?? null;
    this.#witnesses = [...(user?.bystanders ?? [])];
    const mortal = targets.filter(({ value, leaked }) => leaked && value !== null && this.#listed.has(sameness(value)));
    this.#last = this.#witnesses.length === 0 && targets.length > 1 ? (mortal.at(-1) ?? null) : null;
    if (this.#last?.value) this.#witnesses.push(this.#last.value);
  }

  /** Siblings first, then those that leaked, and the one whose list is the witness at the very end. */
  async all(): Promise<void> {
    const siblings = this.targets.filter(({ leaked }) => !leaked);
    const leaked = this.targets.filter((target) => target.leaked && target !== this.#last);
    const steps = this.#start(siblings);
    await Promise.all(steps.map(({ attempted }) => attempted));
    steps.push(...this.#start(leaked));
    if (this.#last) {
      if (!(await this.#mostly(steps))) await this.#lookForLate();
      steps.push(...(await this.#startLate()));
      this.#forget(this.#last.value as string);
      steps.push(...this.#start([this.#last]));
    }
    // Their owner's own list may show more.
    for (let open = steps; open.length > 0; open = await this.#startLate()) {
      await Promise.all(open.map(({ over }) => over));
    }
  }

  /** All are attempted, and over, unless that takes too long. @returns whether they are over */
  async #mostly(steps: readonly Started[]): Promise<boolean> {
    await Promise.all(steps.map(({ attempted }) => attempted));
    return (await inTime(Promise.all(steps.map(({ over }) => over)), this.run.pace.lastAfterMs)) !== null;
  }

  /** Those that are over have asked for a list; where some are not, nobody may have looked for what was made meanwhile. */
  async #lookForLate(): Promise<void> {
    if (this.run.revocation.siblings) await this.#answers([]);
  }

  /** Whoever makes tokens faster than they are revoked is left behind, which is said. */
  async #startLate(): Promise<Started[]> {
    const steps: Started[] = [];
    while (this.#late.length > 0) {
      this.#waves += 1;
      const wave = this.#start(this.#late.splice(0));
      steps.push(...wave);
      await this.#mostly(wave);
    }
    return steps;
  }

  #start(targets: Target[]): Started[] {
    // Counted before the first begins: one list is to serve them all.
    this.#working += targets.length;
    return targets.map((target) => {
      const { promise: attempted, resolve } = Promise.withResolvers<void>();
      return { attempted, over: started(this.#step(target, resolve).finally(resolve)) };
    });
  }

  async #step(target: Target, attempted: () => void): Promise<void> {
    const { slots, revocation } = this.run;
    await slots.take();
    try {
      await revocation.step(target, async (sending) => {
        const settled = await new Step(this, target, sending, attempted).settle();
        if (this.#user === null) this.run.noteAlone(target, settled);
        return settled;
      });
    } finally {
      slots.leave();
      this.#working -= 1;
      this.#look();
    }
  }

  isListed(target: Target): boolean {
    return target.value !== null && this.#listed.has(sameness(target.value));
  }

  /** A deletion may have had its effect. */
  noteDeleted(value: string): void {
    this.#deleted.add(sameness(value));
  }

  /** Lets others work meanwhile. */
  async rest<T>(wait: () => Promise<T>): Promise<T> {
    this.run.slots.leave();
    try {
      return await wait();
    } finally {
      await this.run.slots.take({ first: true });
    }
  }

  /** Whether a list of this user that is asked for from now on has the token. */
  async presence(target: Target): Promise<Presence> {
    if (this.#witnesses.length === 0 && this.#owner === null) return unclear;
    return this.rest(async () => {
      this.#working -= 1;
      const answer = new Promise<Presence>((resolve) => {
        this.#queue.push({ target, since: Date.now(), answer: resolve });
      });
      this.#look();
      try {
        return await answer;
      } finally {
        this.#working += 1;
      }
    });
  }

  /** Asks for a list when it can speak for all who will want one soon, for many, or when somebody has waited long. */
  #look(): void {
    const [first] = this.#queue;
    if (first === undefined) return;
    const { batch, batchMs } = this.run.pace;
    const waited = Date.now() - first.since;
    if (this.#working === 0 || this.#queue.length >= batch || waited >= batchMs) {
      if (this.#timer) clearTimeout(this.#timer);
      this.#timer = null;
      const asking = this.#queue.splice(0);
      void this.#answers(asking.map(({ target }) => target)).then((presences) => {
        for (const [index, { answer }] of asking.entries()) answer(presences[index] ?? unclear);
      });
    } else {
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        this.#look();
      }, batchMs - waited);
    }
  }

  async #answers(targets: readonly Target[]): Promise<Presence[]> {
    try {
      return await this.#answer(targets);
    } catch (error) {
      logger().error({ err: error }, "a list of tokens could not be taken up");
      return [];
    }
  }

  async #answer(targets: readonly Target[]): Promise<Presence[]> {
    const list = await this.#witnessList().catch(() => null);
    if (list === null) return targets.map(() => unclear);
    this.#takeUp(list);
    const ids = targets.some(({ value }) => value === null)
      ? new Set([...list.values.values()].map((value) => markToken(value).id))
      : new Set();
    const telling = list.values.size > 0;
    const left = [...this.#listed].filter((same) => !this.#deleted.has(same));
    return targets.map(({ value, tokenId }) => {
      const listed = value === null ? ids.has(tokenId) : list.values.has(sameness(value));
      const sound = telling || left.every((same) => value !== null && same === sameness(value));
      if (listed) return { seen: "listed", telling, sound };
      return list.unreadable === 0 ? { seen: "absent", telling, sound } : unclear;
    });
  }

  #takeUp(list: List): void {
    if (this.#user === null || !this.run.revocation.siblings) return;
    const late = this.#adopt(list, this.#user.id);
    for (const target of late) this.#listed.add(sameness(target.value as string));
    this.targets.push(...late);
    this.#late.push(...late);
  }

  #adopt(list: List, user: string | null): Target[] {
    try {
      return this.run.adopt(list, user, this.#waves >= maxWaves);
    } catch (error) {
      // Nobody works on what it shows.
      const [one] = this.targets;
      if (one) this.run.revocation.onUnlisted(one, 0);
      throw error;
    }
  }

  async #witnessList(): Promise<List | null> {
    for (const witness of [...this.#witnesses].slice(0, 3)) {
      const list = await this.run.list(witness);
      if (list === "refused") this.#forget(witness);
      else if (typeof list === "object" && list !== null) return list;
    }
    const own = this.#owner && (await answered(this.#owner.listTokenValues({ fresh: true })));
    return own && readable(own);
  }

  #forget(witness: string): void {
    const at = this.#witnesses.indexOf(witness);
    if (at !== -1) this.#witnesses.splice(at, 1);
  }
}

/** A step on its way. `attempted`: its first deletion has been answered, or none goes out. */
type Started = { attempted: Promise<void>; over: Promise<void> };

/** One token on its way to a proof. */
class Step {
  readonly #group: Group;
  readonly #target: Target;
  readonly #client: TokenClient | null;
  readonly #sending: () => Promise<void>;
  readonly #attempted: () => void;
  /** The last word on a deletion; null: none went out. */
  #said: Said | null = null;
  /** A deletion may have had its effect. */
  #sent: boolean;
  /** Since when the first of those that this run knows of may. */
  #sentAt: number | null;
  #deletedAt: number | null = null;
  /** When RingCX first said that it deleted it. */
  #acceptedAt: number | null = null;
  /** RingCX says that it deleted it. A `false` soon after that does not take it back: nothing is left to delete. */
  #acceptedLately = false;
  /** RingCX has accepted or listed it after it said that it deleted it: its word is worth nothing any more. */
  #belied = false;
  /** What RingCX last answered to the token itself. */
  #alive: boolean | null = null;
  /** Since when it is refused, without having been accepted in between. */
  #refusedAt: number | null = null;
  /** How often in a row RingCX has accepted it after a deletion. */
  #survivals = 0;
  #evidence = "";

  constructor(group: Group, target: Target, sending: () => Promise<void>, attempted: () => void) {
    this.#group = group;
    this.#target = target;
    this.#client = target.value === null ? null : group.run.revocation.holding(target.value);
    this.#sending = sending;
    this.#attempted = attempted;
    this.#sent = target.maybeSent;
    this.#sentAt = target.maybeSent ? Date.now() : null;
  }

  get #run(): Run {
    return this.#group.run;
  }

  /** RingCX says that it deleted it, and nothing has contradicted that. */
  get #hasWord(): boolean {
    return this.#acceptedLately && !this.#belied;
  }

  get #hasLived(): boolean {
    return this.#target.seenAlive || this.#run.lived.has(this.#target);
  }

  async settle(): Promise<Settled> {
    if (this.#target.value === null) return this.#settleUnseen();
    const { rounds } = this.#run.pace;
    // What may be dead by a deletion of before is looked at first, and so is what its user's list no longer shows.
    const unlisted =
      this.#target.user !== null && this.#group.targets.length > 1 && !this.#group.isListed(this.#target);
    let next: "look" | "delete" = this.#target.maybeSent || unlisted ? "look" : "delete";
    let deletions = 0;
    for (let round = 0; ; ) {
      if (next === "delete") {
        deletions += 1;
        next = "look";
        const clear = await this.#delete(this.#target.value);
        this.#attempted();
        if (clear) continue;
      } else {
        const verdict = await this.#look(round);
        if (typeof verdict === "object") return verdict;
        next = verdict;
        if (next === "delete" && deletions === 0) continue;
        if ((round >= rounds || this.#isHopeless()) && !this.#inGrace()) return this.#open();
      }
      this.#attempted();
      round += 1;
      await this.#wait(pauseBefore(round, this.#run.pace));
    }
  }

  /** RingCX may still be about to do what it said it did. */
  #inGrace(): boolean {
    return this.#acceptedAt !== null && Date.now() - this.#acceptedAt < this.#run.pace.graceMs;
  }

  /** It lives on, deletion after deletion, and none of before can be on its way any more. */
  #isHopeless(): boolean {
    const over = this.#sentAt === null || Date.now() - this.#sentAt >= this.#run.pace.graceMs;
    return over && this.#survivals >= believedAfter;
  }

  #wait(ms: number): Promise<void> {
    return this.#group.rest(() => delay(ms));
  }

  /** Looks whether it is dead; if not, says what to do next. */
  async #look(round: number): Promise<Settled | "look" | "delete"> {
    const alive = await this.#isAlive();
    if (alive === true) {
      this.#evidence = "RingCX still accepts it.";
      this.#survivals += this.#said === null ? 0 : 1;
      // It may take a moment to forget what it said it deleted.
      return this.#acceptedLately && round < 2 ? "look" : "delete";
    }
    this.#survivals = 0;
    if (alive === null) {
      this.#evidence = "RingCX gave no answer that would prove it dead.";
      // Where the token itself gets no answer, lists must decide, and more than once.
      const { seen, telling, sound } = round < 2 ? unclear : await this.#presence();
      if (seen === "listed") return "delete";
      const denied = this.#said === "refused" && !this.#acceptedLately;
      const confirmed = this.#hasWord ? sound : this.#sent && !denied && telling;
      if (seen === "absent" && confirmed)
        return this.#dead("absent_from_list", "its user's list no longer has it, although it gets no answer itself");
      // Deleting it once more does no harm to a dead one; asking for ever would leave a living one alive.
      return this.#hasWord || round < 2 ? "look" : "delete";
    }
    const { seen, telling, sound } = await this.#presence();
    if (seen === "listed") {
      this.#evidence = "RingCX refuses it, but still lists it.";
      return "delete";
    }
    if (seen === "absent" && (this.#hasWord ? sound : telling)) {
      return this.#dead("token_refused", "RingCX refuses it, and its user's list no longer has it");
    }
    return this.#lookAgain();
  }

  /** It is refused, and nobody else can bear witness: what it says must be said again after a while. */
  async #lookAgain(): Promise<Settled | "look" | "delete"> {
    const { spacingMs } = this.#run.pace;
    await this.#wait(spacingMs);
    if ((await this.#isAlive()) !== false) return this.#contradicted();
    const untouched = !this.#sent && this.#said === null;
    // Of a token that refuses itself from the start, RingCX has not been asked to delete it yet: it may be a gateway's word.
    if (untouched) return "delete";
    if (this.#hasWord) return this.#dead("token_refused", "RingCX refuses it, asked twice");
    await this.#wait(spacingMs * 2);
    const refusedAt = this.#refusedAt ?? Date.now();
    const letIn = await this.#run.control.acceptsSomebody(refusedAt);
    // After that, or it could have been refused with all others until just now.
    if ((await this.#isAlive()) !== false) return this.#contradicted();
    const isRecent = Date.now() - refusedAt < this.#run.pace.graceMs;
    if (letIn === "connection" && isRecent && this.#hasLived && this.#acceptedAt === null) {
      // Nobody has said that it was deleted, and no other token is at hand: tokens may be refused for a while.
      this.#evidence = "RingCX refuses it, but nothing shows that it does not refuse every token just now.";
      return "look";
    }
    if (letIn !== null) {
      return this.#dead("token_refused", "RingCX refuses it, asked three times, and accepts others");
    }
    const { host } = this.#client as TokenClient;
    const nothingKnown = !this.#sent && !this.#hasLived && !this.#target.knownActive;
    if (nothingKnown && this.#run.revocation.owner === null) {
      const dead = this.#dead("token_refused", `RingCX at ${new URL(host).host} refuses it, asked three times`);
      return { ...dead, uncontrolled: true };
    }
    this.#evidence = "RingCX refuses it, but nothing shows that it does not refuse everybody just now.";
    return "look";
  }

  #contradicted(): "look" | "delete" {
    this.#evidence = this.#alive ? "RingCX still accepts it." : "RingCX gave no answer that would prove it dead.";
    return this.#alive ? "delete" : "look";
  }

  async #presence(): Promise<Presence> {
    const presence = await this.#group.presence(this.#target);
    if (presence.seen === "listed" && this.#acceptedAt !== null) this.#belied = true;
    return presence;
  }

  async #isAlive(): Promise<boolean | null> {
    const askedAt = Date.now();
    const answer = this.#client && (await answerTo(this.#client));
    this.#alive = answer === null ? null : answer === "accepted";
    if (this.#alive === true) {
      this.#run.control.accepted(askedAt);
      this.#run.lived.add(this.#target);
      this.#refusedAt = null;
      if (this.#acceptedAt !== null) this.#belied = true;
    } else if (this.#alive === false) this.#refusedAt ??= Date.now();
    return this.#alive;
  }

  /** By its own authority, else by the signed-in connection's. @returns whether it makes sense to look at once */
  async #delete(value: string): Promise<boolean> {
    const { owner } = this.#run.revocation;
    const client = this.#client as TokenClient;
    let answer: Said | null = null;
    if (this.#alive !== false || owner === null) answer = await this.#send(() => client.delete());
    const useless = answer === "refused" || (answer instanceof UpstreamError && isRefusal(answer));
    if (owner !== null && (useless || this.#alive === false)) {
      answer = await this.#send(() => owner.deleteTokenValue(value));
    }
    return !(answer instanceof UpstreamError) || isRefusal(answer);
  }

  /** @returns null: nothing went out, because the connection has ended */
  async #send(deletion: () => Promise<Exclude<Said, UpstreamError>>): Promise<Said | null> {
    await this.#sending();
    const said = await deletion().catch((error: unknown) => {
      if (!isTokendeskError(error)) throw error;
      return error instanceof UpstreamError ? error : null;
    });
    if (said === null) return null;
    this.#said = said;
    if (said === "accepted") this.#acceptedAt ??= Date.now();
    this.#acceptedLately = said === "accepted" || (this.#acceptedLately && this.#inGrace());
    if (said instanceof UpstreamError && said.failure !== "unknown") return said;
    this.#deletedAt = Date.now();
    if (said === "refused") return said;
    this.#sent = true;
    this.#sentAt ??= Date.now();
    if (this.#target.value !== null) this.#group.noteDeleted(this.#target.value);
    return said;
  }

  #dead(method: StepProof["method"], evidence: string): Settled {
    const proof = { method, checkedAt: new Date().toISOString() };
    if (!this.#sent && !this.#run.lived.has(this.#target)) {
      return { outcome: "already_dead", proof, detail: `It was dead already: ${evidence}.`, deletedAt: null };
    }
    // A `false` that comes after it does not make it untrue.
    const said =
      this.#acceptedAt === null
        ? (this.#inWords() ?? "A deletion was sent before, and its answer was lost.")
        : saidInWords("accepted");
    const detail = `${said} ${evidence[0]?.toUpperCase()}${evidence.slice(1)}.`;
    return { outcome: "revoked", proof, detail, deletedAt: this.#deletedAt };
  }

  #inWords(): string | null {
    if (this.#acceptedLately) return saidInWords("accepted");
    return this.#said === null ? null : saidInWords(this.#said);
  }

  /** The question stays open, or it lives. */
  #open(): Settled {
    // What RingCX says it deleted, and accepts all the same, may be dead a moment later.
    const outcome = this.#alive === true && !this.#acceptedLately ? "alive" : "unknown";
    const said = this.#inWords() ?? "No deletion went out.";
    const advice = outcome === "alive" ? "Try again." : "Treat this token as alive and try again.";
    return { outcome, proof: null, detail: `${said} ${this.#evidence} ${advice}`, deletedAt: this.#deletedAt };
  }

  /** Known by its ID alone: only the lists of its user can tell. */
  async #settleUnseen(): Promise<Settled> {
    this.#attempted();
    for (let look = 1; look <= 2; look += 1) {
      const { seen, telling } = await this.#group.presence(this.#target);
      if (seen !== "absent" || !telling) {
        const detail = "Its value is not at hand any more. Paste the text again, and revoke the siblings too.";
        return { outcome: "unknown", proof: null, detail, deletedAt: null };
      }
      if (look === 1) await this.#wait(this.#run.pace.spacingMs);
    }
    return this.#dead("absent_from_list", "its user's list no longer has it, asked twice");
  }
}

/** RingCX, or what stands before it, does not let this credential do it. */
function isRefusal({ failure }: UpstreamError): boolean {
  return failure === "credentials" || failure === "terminal";
}
