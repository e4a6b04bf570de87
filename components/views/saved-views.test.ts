import { beforeEach, expect, test, vi } from "vitest";
import {
  deleteView,
  describeQuery,
  renameView,
  type SavedView,
  savedViews,
  saveView,
} from "@/components/views/saved-views";

/** A browser's storage; `off`: as browsers do that keep nothing for a site. */
class Storage {
  readonly items = new Map<string, string>();
  off = false;
  getItem(key: string) {
    this.#reach();
    return this.items.get(key) ?? null;
  }
  setItem(key: string, text: string) {
    this.#reach();
    this.items.set(key, text);
  }
  removeItem(key: string) {
    this.#reach();
    this.items.delete(key);
  }
  #reach() {
    if (this.off) throw new DOMException("The operation is insecure.", "SecurityError");
  }
}

let storage: Storage;

beforeEach(() => {
  storage = new Storage();
  vi.stubGlobal("localStorage", storage);
  vi.stubGlobal("document", new EventTarget());
});

const due: SavedView = { page: "/tokens", name: "Due soon", query: "?state=due&sort=rotateBy&order=asc" };
const value = "aws80:3f2c9b1e-7a4d-4c8e-9b2f-0d1e2f3a4b5c";

test("a view is kept, renamed and deleted, by page and name", () => {
  expect(saveView({ ...due, name: "  Due soon " })).toBeNull();
  expect(saveView({ ...due, page: "/audit", query: "?outcome=failed" })).toBeNull();
  expect(savedViews()).toEqual([due, { page: "/audit", name: "Due soon", query: "?outcome=failed" }]);
  expect(renameView(due, "Soon")).toBeNull();
  expect(savedViews()).toContainEqual({ ...due, name: "Soon" });
  expect(savedViews()).toContainEqual({ page: "/audit", name: "Due soon", query: "?outcome=failed" });
  expect(deleteView({ ...due, name: "Soon" })).toBeNull();
  expect(deleteView({ ...due, page: "/audit" })).toBeNull();
  expect(savedViews()).toEqual([]);
  expect(storage.items.size).toBe(0);
});

test("a name that is empty, too long or taken is refused; its own name in other letters is not", () => {
  expect(saveView(due)).toBeNull();
  expect(saveView({ ...due, name: " " })).toBe("Give the view a name.");
  expect(saveView({ ...due, name: "x".repeat(61) })).toBe("A name has 60 characters at most.");
  expect(saveView({ ...due, name: "due SOON", query: "" })).toMatch(/^There is a view of that name/);
  expect(renameView(due, "DUE SOON")).toBeNull();
  expect(savedViews()).toHaveLength(1);
});

test.each([
  ["a value with its prefix", value],
  ["a value without it", value.slice(6)],
  ["half a value", value.slice(6, 20)],
  ["an access token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0"],
])("nothing that looks like a secret is kept: %s", (_, secret) => {
  expect(saveView({ ...due, query: `?${new URLSearchParams({ q: secret })}` })).toMatch(/looks like a token value/);
  expect(saveView({ ...due, name: secret })).toMatch(/looks like a token value/);
  expect(storage.items.size).toBe(0);
});

test("where nothing is kept, that is said, and what somebody else wrote there is not believed", () => {
  for (const text of ["nonsense", "{}", '[{"page":"https://elsewhere.example","name":"x","query":""}]']) {
    storage.items.set("tokendesk-views", text);
    expect(savedViews()).toEqual([]);
  }
  storage.items.set("tokendesk-views", JSON.stringify([{ ...due, name: "x".repeat(61) }, due]));
  expect(savedViews()).toEqual([due]);
  storage.off = true;
  expect(savedViews()).toBeNull();
  expect(saveView(due)).toMatch(/^This browser keeps nothing/);
  expect(deleteView(due)).toMatch(/^This browser keeps nothing/);
});

test("what a view shows is told in words", () => {
  expect(describeQuery(due.query)).toBe("State due, Sorted by rotateBy, Order asc");
  expect(describeQuery("")).toBe("Everything, in the usual order");
});
