"use client";

import { BellOff, RotateCw, Send } from "lucide-react";
import { useRouter } from "next/navigation";
import { type ReactNode, useRef, useState } from "react";
import { call } from "@/components/http";
import { receiverName, typeName } from "@/components/notifications/notification-text";
import { useSubmission } from "@/components/submission";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Callout } from "@/components/ui/callout";
import { EmptyState } from "@/components/ui/empty-state";
import { FailureNote } from "@/components/ui/failure-note";
import { ProblemPanel } from "@/components/ui/problem-panel";
import { RichText } from "@/components/ui/rich-text";
import { Time } from "@/components/ui/time";
import type { Problem } from "@/lib/errors";

import {
  type DeliveryView,
  type NotificationsView,
  type ReceiverView,
  resentSchema,
  type Tested,
  testedSchema,
} from "@/lib/notify/schema";
import { notificationsTexts } from "@/lib/texts/notifications";

const texts = notificationsTexts.section;

/** The receivers and what was sent to them, or why that could not be read. */
type NotificationsSectionProps = {
  found: { value: NotificationsView; problem: null } | { value: null; problem: Problem };
};

/** What the person has just had sent. */
type Result = { what: "test"; tested: Tested } | { what: "again"; trouble: string | null };

export function NotificationsSection({ found: { value, problem } }: NotificationsSectionProps) {
  const router = useRouter();
  const heading = useRef<HTMLHeadingElement>(null);
  const { pending, failure, submit } = useSubmission();
  /** `test`, or the ID of the message that is being sent again. */
  const [sending, setSending] = useState<string | null>(null);
  const [result, setResult] = useState<Result | null>(null);

  async function sendTest() {
    setSending("test");
    setResult(null);
    const tested = await submit(() => call("/api/notifications/test", { method: "POST", answer: testedSchema }));
    setSending(null);
    if (tested === null) return;
    setResult({ what: "test", tested });
    router.refresh();
  }

  async function sendAgain(id: string) {
    setSending(id);
    setResult(null);
    const path = `/api/notifications/${encodeURIComponent(id)}/resend`;
    const resent = await submit(() => call(path, { method: "POST", answer: resentSchema }));
    setSending(null);
    if (resent === null) return;
    setResult({ what: "again", trouble: resent.trouble });
    // Its button goes away with it.
    heading.current?.focus();
    router.refresh();
  }

  return (
    <section aria-labelledby="notifications">
      <div className="mb-2 flex flex-wrap items-end justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <h2 id="notifications" ref={heading} tabIndex={-1} className="font-semibold text-base text-ink">
            {texts.title}
          </h2>
          <p className="text-dim text-sm">{texts.about}</p>
        </div>
        {value !== null && value.receivers.length > 0 && (
          <Button pending={pending && sending === "test"} disabled={pending} onClick={sendTest}>
            <Send className="size-3.5" aria-hidden="true" />
            {texts.test}
          </Button>
        )}
      </div>
      {problem ? (
        <ProblemPanel problem={problem} />
      ) : (
        <div className="flex flex-col gap-4">
          <div role="status" className="empty:-mb-4">
            {result && <ResultNote result={result} />}
          </div>
          {failure && <FailureNote failure={failure} />}
          <Receivers receivers={value.receivers} />
          {value.dead.length > 0 && (
            <div>
              <h3 id="dead-letters" className="mb-1 font-medium text-ink text-sm">
                {texts.dead}
              </h3>
              <p className="mb-2 text-dim text-sm">{texts.counted(value.dead.length, value.deadTotal)}</p>
              <ul
                aria-labelledby="dead-letters"
                className="divide-y divide-line rounded-lg border border-line bg-surface"
              >
                {value.dead.map((delivery) => (
                  <DeliveryItem key={delivery.id} delivery={delivery}>
                    {delivery.receiver !== null && (
                      <Button
                        variant="ghost"
                        size="sm"
                        pending={pending && sending === delivery.id}
                        disabled={pending}
                        aria-label={texts.sendAgainTo(typeName(delivery.type), receiverName(delivery.receiver))}
                        onClick={() => sendAgain(delivery.id)}
                      >
                        <RotateCw className="size-3.5 sm:hidden" aria-hidden="true" />
                        <span className="max-sm:hidden">{texts.sendAgain}</span>
                      </Button>
                    )}
                  </DeliveryItem>
                ))}
              </ul>
            </div>
          )}
          {(value.receivers.length > 0 || value.deliveries.length > 0) && (
            <div>
              <h3 id="last-messages" className="mb-2 font-medium text-ink text-sm">
                {texts.last}
              </h3>
              {value.deliveries.length === 0 ? (
                <p className="text-dim text-sm">{texts.nothingYet}</p>
              ) : (
                <ul
                  aria-labelledby="last-messages"
                  className="divide-y divide-line rounded-lg border border-line bg-surface"
                >
                  {value.deliveries.map((delivery) => (
                    <DeliveryItem key={delivery.id} delivery={delivery} />
                  ))}
                </ul>
              )}
            </div>
          )}
        </div>
      )}
    </section>
  );
}

function Receivers({ receivers }: { receivers: ReceiverView[] }) {
  if (receivers.length === 0) {
    return (
      <div className="rounded-lg border border-line bg-surface">
        <EmptyState icon={<BellOff className="size-5" />} title={texts.nobody}>
          <p>
            <RichText
              text={texts.howTo}
              slots={{
                webhooks: <Variable name="NOTIFY_WEBHOOKS" />,
                secret: <Variable name="NOTIFY_WEBHOOK_SECRET" />,
                slack: <Variable name="NOTIFY_SLACK_WEBHOOKS" />,
              }}
            />
          </p>
        </EmptyState>
      </div>
    );
  }
  return (
    <ul aria-label={texts.receivers} className="divide-y divide-line rounded-lg border border-line bg-surface">
      {receivers.map(({ channel, origin, mark }) => (
        <li key={mark} className="flex flex-wrap items-center gap-x-3 gap-y-0.5 px-4 py-2.5 text-sm">
          <span className="min-w-0 break-all font-medium text-ink">{origin}</span>
          <span className="font-mono text-faint text-xs">{mark}</span>
          <Badge>{notificationsTexts.channels[channel]}</Badge>
        </li>
      ))}
    </ul>
  );
}

function Variable({ name }: { name: string }) {
  return <code className="break-all font-mono text-ink text-xs">{name}</code>;
}

function ResultNote({ result }: { result: Result }) {
  if (result.what === "again") {
    return result.trouble === null ? (
      <Callout tone="good" title={texts.messageArrived} />
    ) : (
      <Callout tone="warn" title={texts.messageFailed}>
        <p>{texts.mayPass(result.trouble)}</p>
      </Callout>
    );
  }
  const { results } = result.tested;
  const arrived = results.filter(({ trouble }) => trouble === null).length;
  return (
    <Callout tone={arrived === results.length ? "good" : "warn"} title={texts.testArrived(arrived, results.length)}>
      {results.map(({ receiver, trouble }) => (
        <p key={receiver.mark} className="break-words">
          {texts.testResult(receiverName(receiver), trouble)}
        </p>
      ))}
    </Callout>
  );
}

const tones = { pending: "warn", sent: "good", dead: "danger" } as const;

function DeliveryItem({ delivery, children }: { delivery: DeliveryView; children?: ReactNode }) {
  const { type, receiver, channel, state, attempts, createdAt, nextAt, trouble } = delivery;
  return (
    <li className="flex items-center gap-3 px-4 py-2.5 text-sm">
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
          <span className="font-medium text-ink">{typeName(type)}</span>
          <Badge tone={tones[state]}>{notificationsTexts.states[state]}</Badge>
        </p>
        <p className="flex flex-wrap gap-x-3 text-dim text-xs tabular-nums">
          <Time iso={createdAt} as="instant" />
          <span className="min-w-0 break-all">{receiver ? receiverName(receiver) : texts.formerReceiver(channel)}</span>
          {trouble && <span className="min-w-0 break-words text-ink">{texts.attempts(trouble, attempts)}</span>}
          {nextAt && attempts > 0 && (
            <span>
              <RichText text={texts.next} slots={{ time: <Time iso={nextAt} as="instant" /> }} />
            </span>
          )}
        </p>
      </div>
      {children}
    </li>
  );
}
