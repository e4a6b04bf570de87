/** Stands between a process and PostgreSQL, and loses the answer to a commit when a test says so. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

type CommitGate = {
  /** The database's address through the gate. */
  url: string;
  /** The next commit is done, and its connection ends before the answer to it arrives. */
  loseNext(): void;
  /** Whether that has happened. */
  hasLost(): boolean;
  close(): Promise<void>;
};

export async function openCommitGate(databaseUrl: string): Promise<CommitGate> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let armed = false;
  let lost = false;
  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    let losing = false;
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (bytes) => {
      if (armed && bytes.includes("commit\0")) {
        armed = false;
        losing = true;
      }
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (!losing) return client.write(bytes);
      lost = true;
      client.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    loseNext: () => {
      armed = true;
      lost = false;
    },
    hasLost: () => lost,
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
