import type { ReactNode, Ref } from "react";

type PageHeadingProps = {
  title: string;
  /** One line: how many, how fresh. */
  facts?: ReactNode;
  actions?: ReactNode;
  /** Takes the focus when what had it is gone. */
  headingRef?: Ref<HTMLHeadingElement>;
};

export function PageHeading({ title, facts, actions, headingRef }: PageHeadingProps) {
  return (
    <header className="mb-5 flex items-start justify-between gap-4">
      <div className="min-w-0">
        <h1 ref={headingRef} tabIndex={-1} className="font-semibold text-ink text-xl outline-none">
          {title}
        </h1>
        {facts && <div className="mt-0.5 flex flex-wrap items-center gap-x-2 text-dim text-sm">{facts}</div>}
      </div>
      {actions && <div className="flex items-center gap-2">{actions}</div>}
    </header>
  );
}
