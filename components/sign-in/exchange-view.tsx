"use client";

import { useEffect, useRef, useState } from "react";
import { z } from "zod";
import { arrivalText } from "@/components/arrival-text";
import { goThrough } from "@/components/doors";
import { call, type Failure } from "@/components/http";
import { BarePage } from "@/components/shell/bare-page";
import { Button, buttonClass } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { Spinner } from "@/components/ui/spinner";
import { signInTexts } from "@/lib/texts/sign-in";
import { uiTexts } from "@/lib/texts/ui";

const texts = signInTexts.exchange;

type Purpose = "sign_in" | "connect" | "confirm";

const answerSchema = z.union([
  z.object({ returnTo: z.string() }),
  z.object({ place: z.number(), waitSeconds: z.number() }),
]);

const problemSchema = z.object({
  /** A word of ours: what went wrong is said as the sign-in page says it. */
  problem: z.string().nullable().catch(null),
  again: z.boolean().catch(false),
  identity: z.string().nullable().catch(null),
  username: z.string().nullable().catch(null),
});

/** The server forgets who has not asked for twenty seconds. */
const longestPauseSeconds = 5;
const mostLostAnswers = 5;

type Place = { place: number; until: number };

const lostFailure: Failure = {
  code: "upstream_unavailable",
  ...texts.lost,
  requestId: null,
  retryAfter: null,
  body: { again: true },
};

type ExchangeViewProps = {
  purpose: Purpose;
  returnTo: string;
  /** It was tried once, and nobody knows what became of it: the person says whether it is tried again. */
  lost: boolean;
};

/** RingCentral has said who it is; RingCX takes a few of these sign-ins a minute, so this may wait for its turn. */
export function ExchangeView({ purpose, returnTo, lost }: ExchangeViewProps) {
  const [round, setRound] = useState(0);
  const [place, setPlace] = useState<Place | null>(null);
  const [failure, setFailure] = useState<Failure | null>(lost ? lostFailure : null);
  const summary = useRef<HTMLDivElement>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each round asks anew
  useEffect(() => {
    if (lost && round === 0) return;
    let over = false;
    let lostAnswers = 0;
    let timer: ReturnType<typeof setTimeout>;
    async function ask() {
      const answer = await call("/api/auth/exchange", { method: "POST", answer: answerSchema });
      if (over) return;
      if (!answer.ok) {
        const { code } = answer.failure;
        lostAnswers += 1;
        if ((code === "network" || code === "unreadable") && lostAnswers < mostLostAnswers) next(2);
        else setFailure(answer.failure);
        return;
      }
      lostAnswers = 0;
      if ("returnTo" in answer.value) {
        // A full page load, so that nothing of an earlier session stays in the router's memory.
        location.replace(answer.value.returnTo);
        return;
      }
      const { place, waitSeconds } = answer.value;
      setPlace({ place, until: Date.now() + waitSeconds * 1000 });
      next(Math.min(longestPauseSeconds, Math.max(1, waitSeconds / 4)));
    }
    const next = (seconds: number) => {
      timer = setTimeout(ask, seconds * 1000);
    };
    // Never twice: what is begun cannot be called back.
    next(0);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [round]);

  useEffect(() => {
    if (failure) summary.current?.focus();
  }, [failure]);

  function tryAgain() {
    setFailure(null);
    setPlace(null);
    setRound((before) => before + 1);
  }

  const startPath = purpose === "sign_in" ? `/sign-in?${new URLSearchParams({ returnTo })}` : returnTo;
  const startOver = (
    <a href={startPath} className={buttonClass("secondary")}>
      {purpose === "sign_in" ? texts.backToSignIn : texts.goBack}
    </a>
  );

  if (failure) {
    const { problem, again, identity, username } = problemSchema.parse(failure.body ?? {});
    const { title, detail } = problem === null ? failure : arrivalText(problem);
    const mayAsk = again || failure.code === "network" || failure.code === "unreadable";
    return (
      <BarePage
        title={purpose === "sign_in" ? texts.notSignedIn : texts.nothingChanged}
        action={
          <div className="flex justify-center gap-2">
            {mayAsk && (
              <Button variant="primary" onClick={tryAgain}>
                {uiTexts.actions.tryAgain}
              </Button>
            )}
            {failure.code === "link_unconfirmed" && <ConfirmLink returnTo={returnTo} />}
            {startOver}
          </div>
        }
      >
        <Callout ref={summary} tone="danger" role="alert" tabIndex={-1} title={title} className="mt-3 text-left">
          {failure.code === "link_unconfirmed" && identity && username ? (
            <p>{texts.otherName(identity, username)}</p>
          ) : (
            detail && <p>{detail}</p>
          )}
          {failure.requestId && <p className="font-mono text-2xs">{uiTexts.failure.requestId(failure.requestId)}</p>}
        </Callout>
      </BarePage>
    );
  }

  return (
    <BarePage title={texts.titles[purpose]} action={startOver}>
      <p role="status">{place === null ? texts.asking : texts.inLine(place.place)}</p>
      {place === null ? (
        <Spinner className="mx-auto mt-4" />
      ) : (
        <>
          <Countdown until={place.until} />
          <p className="mt-4">{texts.keepOpen}</p>
        </>
      )}
    </BarePage>
  );
}

function Countdown({ until }: { until: number }) {
  const [left, setLeft] = useState<number | null>(null);
  useEffect(() => {
    const tick = () => setLeft(Math.max(1, Math.ceil((until - Date.now()) / 1000)));
    tick();
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  }, [until]);
  return <p className="mt-1 font-medium text-ink text-lg tabular-nums">{left === null ? " " : texts.about(left)}</p>;
}

/** The exchange is used up: the way to RingCentral is gone once more, with the word that the user is theirs. */
function ConfirmLink({ returnTo }: { returnTo: string }) {
  const [pending, setPending] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);

  async function connect() {
    setPending(true);
    const failed = await goThrough("ringcentral", { purpose: "connect", returnTo, linkConfirmed: true });
    if (failed === null) return;
    setPending(false);
    setFailure(failed);
  }

  return (
    <>
      <Button variant="primary" onClick={connect} pending={pending}>
        {texts.mine}
      </Button>
      {failure && <p role="alert">{failure.title}</p>}
    </>
  );
}
