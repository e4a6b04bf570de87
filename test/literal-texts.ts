import { parseSync } from "@swc/core";

type LiteralText = { text: string; line: number };

type Node = { type: string; span: { start: number; end: number }; [key: string]: unknown };

/** What a person sees or hears of an element, or of something that an object describes. */
const said = new Set([
  ...[
    "title",
    "label",
    "aria-label",
    "aria-description",
    "aria-roledescription",
    "aria-valuetext",
    "placeholder",
    "alt",
  ],
  ...["action", "description", "detail", "facts", "header", "help", "name", "none", "note", "text", "what", "word"],
]);

const ofLetters = (text: string) => /\p{L}/u.test(text);
/** `name="password"` and `code: "not_found"` are for machines, and so is `AUDIT_RETENTION`. */
const ofProse = (text: string) =>
  !/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(text) && (/^\P{L}*\p{Lu}/u.test(text) || /\p{L}[,;:.]? \p{L}/u.test(text));
/** Wherever it stands: `RingCX did not answer`, `Copied …`, `Time`. */
const ofSentence = (text: string) => /^\p{Lu}(\p{L}*(['’]\p{L}+)?[,:]? (\p{L}|…)|\p{Ll}+$)/u.test(text);

/** The texts for people that stand in a module of TypeScript or TSX instead of in lib/texts. */
export function literalTexts(source: string): LiteralText[] {
  const prefix = "0;\n";
  const module = parseSync(prefix + source, { syntax: "typescript", tsx: true, target: "esnext" });
  // The parser counts bytes, from where it stopped in the source before.
  const base = (module.body[0]?.span.start ?? 0) + prefix.length;
  const bytes = Buffer.from(source);
  const found = new Map<number, LiteralText>();

  function take(node: Node, text: string): void {
    const at = node.span.start - base;
    const line = bytes.subarray(0, at).toString().split("\n").length;
    found.set(at, { text: text.trim().replace(/\s+/g, " "), line });
  }

  /** The texts that an expression may come to. */
  function takeValue(value: unknown, isText: (text: string) => boolean): void {
    if (!isNode(value)) return;
    const each = (...values: unknown[]) => {
      for (const one of values) takeValue(one, isText);
    };
    switch (value.type) {
      case "StringLiteral":
      case "TemplateLiteral":
        if (isText(textOf(value))) take(value, textOf(value));
        else if (Array.isArray(value.expressions)) each(...value.expressions);
        break;
      case "JSXExpressionContainer":
      case "ParenthesisExpression":
        each(value.expression);
        break;
      case "ConditionalExpression":
        each(value.consequent, value.alternate);
        break;
      case "BinaryExpression":
        if (!isComparison(value)) each(value.left, value.right);
        break;
      case "ArrayExpression":
        each(...expressionsIn(value.elements));
        break;
    }
  }

  function visit(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    let children = Object.values(value);
    if (isNode(value)) {
      switch (value.type) {
        case "ImportDeclaration":
        case "TsLiteralType":
          return;
        case "JSXText":
          if (ofLetters(textOf(value))) take(value, textOf(value));
          break;
        case "JSXElement":
        case "JSXFragment":
          for (const child of value.children as Node[]) {
            if (child.type === "JSXExpressionContainer") takeValue(child, ofLetters);
          }
          break;
        case "JSXAttribute":
          if (said.has(nameOf(value.name))) takeValue(value.value, ofProse);
          break;
        case "KeyValueProperty":
          if (said.has(nameOf(value.key))) takeValue(value.value, ofProse);
          break;
        case "CallExpression":
          if (nameOf(value.callee) === "plural") {
            for (const argument of expressionsIn(value.arguments)) takeValue(argument, ofLetters);
          }
          // `types.includes("Files")` asks for a name of the browser's.
          if (memberOf(value.callee) === "includes") children = [];
          break;
        case "NewExpression":
          // Of a mistake in the code, for who made it.
          if (nameOf(value.callee) === "Error") children = [];
          break;
        case "BinaryExpression":
          // `key === "Escape"`
          if (isComparison(value)) children = [value.left, value.right].filter((side) => !isLiteral(side));
          break;
        case "SwitchCase":
          children = [value.consequent];
          break;
        case "StringLiteral":
        case "TemplateLiteral":
          if (ofSentence(textOf(value))) take(value, textOf(value));
          break;
      }
    }
    for (const child of children) visit(child);
  }

  visit(module.body);
  return [...found].sort(([a], [b]) => a - b).map(([, text]) => text);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

const isLiteral = (value: unknown) => isNode(value) && value.type === "StringLiteral";
const isComparison = ({ operator }: Node) => /^([!=]==?|[<>]=?|in|instanceof)$/.test(String(operator));

/** Of an identifier, or of an attribute. */
function nameOf(node: unknown): string {
  return isNode(node) && typeof node.value === "string" ? node.value : "";
}

/** Of a literal; for what a template computes stands an ellipsis. */
function textOf(node: Node): string {
  if (node.type !== "TemplateLiteral") return String(node.value);
  return (node.quasis as { cooked?: string; raw: string }[]).map(({ cooked, raw }) => cooked ?? raw).join("…");
}

/** Of `a.b` and `a?.b`: `b`. */
function memberOf(node: unknown): string {
  if (!isNode(node)) return "";
  return node.type === "OptionalChainingExpression" ? memberOf(node.base) : nameOf(node.property);
}

function expressionsIn(list: unknown): unknown[] {
  return (list as ({ expression: unknown } | undefined)[]).map((item) => item?.expression);
}
