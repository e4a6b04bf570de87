/** What is looked through: its name, and what else somebody may call it. */
type Named = { name: string; words?: string };

const split = /[\s\-_/:,.…]+/;

/**
 * The commands that fit what was typed, best first; all of them when it is nothing. Each word typed begins a word of the
 * command, or is made of the first letters of its name (`nt`: New token).
 */
export function matching<Command extends Named>(commands: readonly Command[], typed: string): Command[] {
  const wanted = plain(typed).split(split).filter(Boolean);
  if (wanted.length === 0) return [...commands];
  return commands
    .map((command, index) => ({ command, index, score: scoreOf(command, wanted) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map(({ command }) => command);
}

/** 0: it does not fit. */
function scoreOf({ name, words = "" }: Named, wanted: readonly string[]): number {
  const named = plain(name).split(split).filter(Boolean);
  const others = plain(words).split(split).filter(Boolean);
  const initials = named.map((word) => word[0]).join("");
  let score = plain(name).startsWith(wanted.join(" ")) ? 4 : 0;
  for (const word of wanted) {
    if (named.includes(word)) score += 4;
    else if (named.some((one) => one.startsWith(word))) score += 3;
    else if (word.length > 1 && initials.startsWith(word)) score += 2;
    else if (others.some((one) => one.startsWith(word))) score += 1;
    else return 0;
  }
  return score;
}

function plain(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
