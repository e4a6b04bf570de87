/** Stands between a process and PostgreSQL, and lets nothing through for a while: the server is there and does not answer. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export type HangingGate = {
  /** The database's address through the gate. */
  url: string;
  /** From now on nothing is answered on the connections that there are, and on new ones neither, unless they are let through. */
  hang(options?: { letNewThrough: boolean }): void;
  /** What was said meanwhile arrives. */
  goOn(): void;
  close(): Promise<void>;
};

export async function openHangingGate(databaseUrl: string): Promise<HangingGate> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const held = new Set<Socket>();
  let hangs = false;
  const hold = (socket: Socket) => {
    held.add(socket);
    socket.pause();
  };
  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("data", (bytes) => void other.write(bytes));
      socket.on("end", () => void other.end());
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        if (!held.delete(socket)) other.destroy();
      });
      if (hangs) hold(socket);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    hang: ({ letNewThrough } = { letNewThrough: false }) => {
      hangs = !letNewThrough;
      for (const socket of sockets) hold(socket);
    },
    goOn: () => {
      hangs = false;
      for (const socket of held) socket.resume();
      held.clear();
    },
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
