import { describe, expect, test } from "vitest";
import { TokendeskError } from "@/lib/errors";
import { askEach } from "@/lib/ringcx/each";
import { freshProcess } from "@/test/process";

freshProcess();

type Owner = { connectionId: string | null };
const view = (id: string, state = "live") => ({
  ...{ id, state, kind: "ringcx", host: "https://engage.example" },
  ...{ username: `${id}@example.com`, mainAccountId: "1" },
});

function reader(live: string[], lost: string[] = []) {
  return {
    connectionId: live[0] ?? null,
    connections: [...live.map((id) => view(id)), ...lost.map((id) => view(id, "lost"))],
    each: (): Owner[] => live.map((connectionId) => ({ connectionId })),
  };
}

const down = () => Promise.reject(new TokendeskError("upstream_unavailable", "Down.", { retryAfter: 7 }));

describe("a question to all connections", () => {
  test("of one is that one's answer, or its failure", async () => {
    const one = await askEach(reader(["a"]), async ({ connectionId }) => connectionId);
    expect(one.answers).toEqual([{ connection: "a", value: "a" }]);
    expect(one.connections).toMatchObject([{ id: "a", problem: null, legacy: false }]);
    await expect(askEach(reader(["a"]), down)).rejects.toMatchObject({ code: "upstream_unavailable" });
  });

  test("of several tells which did not answer, and why", async () => {
    const { answers, connections } = await askEach(reader(["a", "b", "c"], ["d"]), async ({ connectionId }) =>
      connectionId === "b" ? down() : connectionId,
    );
    expect(answers.map(({ value }) => value)).toEqual(["a", "c"]);
    expect(connections.map(({ id, problem }) => [id, problem?.code ?? null, problem?.retryAfter ?? null])).toEqual([
      ["a", null, null],
      ["b", "upstream_unavailable", 7],
      ["c", null, null],
      ["d", "connection_required", null],
    ]);
  });

  test("does not wait long for one that hangs while another has answered", async () => {
    const hangs = ({ connectionId }: Owner) =>
      connectionId === "b" ? new Promise<never>(() => {}) : Promise.resolve(1);
    const { connections } = await askEach(reader(["a", "b"]), hangs, 20);
    expect(connections.map(({ problem }) => problem?.code ?? null)).toEqual([null, "upstream_timeout"]);
  });

  test("fails as the active one does when all fail, and always when the sign-in itself is over", async () => {
    await expect(askEach(reader(["a", "b"]), down)).rejects.toMatchObject({ code: "upstream_unavailable" });
    const over = ({ connectionId }: Owner) =>
      connectionId === "b" ? Promise.reject(new TokendeskError("session_expired", "Over.")) : Promise.resolve(1);
    await expect(askEach(reader(["a", "b"]), over)).rejects.toMatchObject({ code: "session_expired" });
  });
});
