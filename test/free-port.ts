import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A port on loopback that nobody listens on, for a program that is told its port. It lies below those that systems take
 * for outgoing connections (from 32768 on Linux), since one of these would take it before the program is there.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 18_000 + Math.floor(Math.random() * 14_000);
    const server = createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") continue;
      throw error;
    }
    server.close();
    await once(server, "close");
    return port;
  }
}
