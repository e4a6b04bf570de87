import { expect, test } from "./fixtures.ts";
import { hintOf, type ListedToken, type Visitor } from "./visitor.ts";

const people = {
  "ana@example.com": "333333",
  "other@example.com": "444444",
} as const;
type Person = keyof typeof people;
const names = Object.keys(people) as Person[];

/** Where each person's own data shows: three calls of the API and both pages. */
const views = ["/api/session", "/api/tokens", "/api/accounts", "/tokens", "/accounts"] as const;

test("two users at the same time see nothing of each other, whatever they do", async ({ sandbox, newVisitor }) => {
  test.slow();
  const visitors = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await newVisitor().signIn(name)] as const)),
  ) as Record<Person, Visitor>;
  const hints = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await sandbox.tokens(name)).map(hintOf)] as const)),
  ) as Record<Person, string[]>;
  const other = (name: Person) => names.find((candidate) => candidate !== name) as Person;

  async function look(name: Person, view: (typeof views)[number]): Promise<void> {
    const { status, text } = await visitors[name].get(view);
    expect(status, text.slice(0, 300)).toBe(200);
    const own = view === "/api/tokens" || view === "/tokens" ? hints[name] : [people[name]];
    for (const fact of own) expect(text).toContain(fact);
    for (const fact of [...hints[other(name)], people[other(name)], other(name)]) expect(text).not.toContain(fact);
  }

  async function work(name: Person, round: number): Promise<void> {
    const label = `${name} ${round}`;
    const made = await visitors[name].post("/api/tokens", { label });
    expect(made.status, made.text).toBe(201);
    const { token, value } = made.json<{ token: ListedToken; value: string }>();
    expect(token.label).toBe(label);
    expect((await visitors[name].post(`/api/tokens/${token.id}/reveal`)).json()).toEqual({ value });
    expect((await visitors[other(name)].post(`/api/tokens/${token.id}/reveal`)).status).toBe(404);
    expect((await visitors[name].delete(`/api/tokens/${token.id}`)).status).toBe(200);
  }

  for (let round = 0; round < 3; round += 1) {
    const looks = Array.from({ length: 6 }, () =>
      names.flatMap((name) => views.map((view) => look(name, view))),
    ).flat();
    await Promise.all([...looks, ...names.map((name) => work(name, round))]);
    await sandbox.expireAccessTokens();
  }
  for (const name of names) expect((await sandbox.tokens(name)).map(hintOf)).toEqual(hints[name]);
});

test("a sign-out in one browser leaves the same user's other session alone", async ({ sandbox, newVisitor }) => {
  const desk = await newVisitor().signIn();
  const laptop = await newVisitor().signIn();
  await desk.signOut();
  await sandbox.expireAccessTokens();
  expect(await laptop.tokens()).toHaveLength(3);
  expect((await desk.get("/api/session")).status).toBe(401);
});
