/** Stands between the dashboard and the sandbox, sees every call, and holds, drops or forwards it as a test says. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type GatedCall = {
  kind: "create" | "delete" | "list" | "proof" | "other";
  /** Has the sandbox answer it; the dashboard sees nothing yet. */
  forward(): Promise<void>;
  /** Gives the dashboard what the sandbox answered; resolves when it is on its way. */
  answer(): Promise<void>;
  /** Ends the connection without an answer. */
  drop(): void;
};

export type Gate = {
  url: string;
  /** What to do with each call; by default it is forwarded and answered. */
  watch(handle: (call: GatedCall) => Promise<void>): void;
  unwatch(): void;
  close(): Promise<void>;
};

const tokens = /^\/voice\/api\/v1\/admin\/token(\/|$)/;

function kindOf({ method, url = "", headers }: IncomingMessage): GatedCall["kind"] {
  if (!tokens.test(url)) return "other";
  if (method === "POST") return "create";
  if (method === "DELETE") return "delete";
  return headers["x-auth-token"] === undefined ? "list" : "proof";
}

type Answer = { status: number; headers: IncomingHttpHeaders; body: Buffer };

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function ask(target: string, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  const { method, url } = incoming;
  const { connection: _, host: __, ...headers } = incoming.headers;
  const outgoing = request(`${target}${url}`, { method, headers, agent: false });
  outgoing.end(body);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await bodyOf(response) };
}

export async function startGate(target: string): Promise<Gate> {
  const pass = async (call: GatedCall) => {
    await call.forward();
    await call.answer();
  };
  let handle = pass;

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming);
    let answer: Answer | null = null;
    await handle({
      kind: kindOf(incoming),
      forward: async () => {
        answer = await ask(target, incoming, body);
      },
      answer: async () => {
        if (answer === null) throw new Error("the sandbox was not asked");
        const { connection: _, "keep-alive": __, "transfer-encoding": ___, ...headers } = answer.headers;
        response.writeHead(answer.status, { ...headers, "content-length": answer.body.length });
        const { promise, resolve } = Promise.withResolvers<void>();
        // Written out, or nobody is there to take it.
        response.once("finish", resolve).once("close", resolve).end(answer.body);
        await promise;
      },
      drop: () => incoming.socket.destroy(),
    });
  }

  const server = createServer({ maxHeaderSize: 65_536 }, (incoming, response) => {
    serve(incoming, response).catch(() => incoming.socket.destroy());
  });
  server.keepAliveTimeout = 65_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    watch: (next) => {
      handle = next;
    },
    unwatch: () => {
      handle = pass;
    },
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
