import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { RichText } from "@/components/ui/rich-text";

const shown = (element: React.ReactElement) => renderToStaticMarkup(element);

test("the slots of a sentence are filled where the language has them", () => {
  const slots = { name: <b>Ana</b>, time: <i>noon</i> };
  expect(shown(<RichText text="Made by {name}, {time}." slots={slots} />)).toBe("Made by <b>Ana</b>, <i>noon</i>.");
  expect(shown(<RichText text="{time}: {name} made it" slots={slots} />)).toBe("<i>noon</i>: <b>Ana</b> made it");
  expect(shown(<RichText text="{name} and {name}" slots={{ name: "Ana" }} />)).toBe("Ana and Ana");
  expect(shown(<RichText text="Nothing to fill" slots={{}} />)).toBe("Nothing to fill");
});

test("what fills a slot is never taken for a text with slots, nor for markup", () => {
  expect(shown(<RichText text="By {name}" slots={{ name: "{time} <b>" }} />)).toBe("By {time} &lt;b&gt;");
});

test("a slot that nothing fills is a mistake that does not go out", () => {
  // @ts-expect-error: the compiler knows the text's slots.
  expect(() => shown(<RichText text="By {name}" slots={{}} />)).toThrow("{name}");
  expect(() => shown(<RichText text={"By {name}" as string} slots={{}} />)).toThrow("{name}");
});
