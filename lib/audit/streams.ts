import "server-only";
import { type Actor, audited, type Intent, type Subject } from "@/lib/audit/log";
import { logger } from "@/lib/logger";

const chunkBytes = 32 * 1024;
/** A reader that takes nothing for so long has gone. */
const patienceMs = 120_000;

/**
 * A stream that is an audited act: its intent is recorded before this returns, its outcome when the last piece has been
 * taken, when it fails (`lastWords` are then sent, or else the connection is cut), or when its reader goes away.
 * @param options.urgent goes on when the log cannot be written; the records follow
 * @throws {TokendeskError} `audit_unavailable`
 */
export async function auditedStream(
  actor: Actor,
  subject: Subject,
  pieces: (intent: Intent) => AsyncGenerator<string>,
  lastWords?: (error: unknown) => string,
  options?: { urgent: boolean },
): Promise<ReadableStream<Uint8Array>> {
  const begun = Promise.withResolvers<Intent>();
  const ended = Promise.withResolvers<void>();
  const act = audited(
    actor,
    subject,
    (intent) => {
      begun.resolve(intent);
      return ended.promise;
    },
    options,
  );
  // Who waits for `begun` learns of it; later on the stream tells.
  act.catch((error: unknown) => begun.reject(error));
  const intent = await begun.promise;
  const recorded = act.catch(() => {});

  const source = pieces(intent);
  const encoder = new TextEncoder();
  let timer: NodeJS.Timeout | undefined;
  const leave = async () => {
    clearTimeout(timer);
    intent.outcome = "failed";
    intent.details = { ...intent.details, stopped: "reader_gone" };
    ended.resolve();
    await recorded;
    await source.return(undefined);
  };
  const watch = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      controller.error(new Error("nobody reads"));
      leave().catch((error: unknown) => logger().error({ err: error }, "a stream that nobody reads did not end"));
    }, patienceMs);
    timer.unref();
  };
  return new ReadableStream<Uint8Array>(
    {
      start: watch,
      async pull(controller) {
        // Its reader is here, however long the source takes.
        clearTimeout(timer);
        try {
          let text = "";
          while (text.length < chunkBytes) {
            const next = await source.next();
            if (next.done) {
              ended.resolve();
              // The end is seen only when it is recorded.
              await recorded;
              if (text !== "") controller.enqueue(encoder.encode(text));
              controller.close();
              return;
            }
            text += next.value;
            // A line of progress is not held back.
            if (lastWords) break;
          }
          controller.enqueue(encoder.encode(text));
          watch(controller);
        } catch (error) {
          ended.reject(error);
          await recorded;
          if (!lastWords) return controller.error(error);
          controller.enqueue(encoder.encode(lastWords(error)));
          controller.close();
        }
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  );
}
