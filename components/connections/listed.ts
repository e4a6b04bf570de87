"use client";

import { createContext, useContext } from "react";
import type { ListedConnection } from "@/lib/session/schema";

const none: readonly ListedConnection[] = [];
const ListedContext = createContext(none);

/** The connections that a list came from. */
export const Listed = ListedContext.Provider;

/** Those connections when there are several, else none: then nothing has to say which one a row is of. */
export function useSeveral(): readonly ListedConnection[] {
  const listed = useContext(ListedContext);
  return listed.length > 1 ? listed : none;
}
