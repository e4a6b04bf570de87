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
    <header className="mb-5 grid grid-cols-[minmax(0,1fr)_auto] items-start gap-x-4">
      <h1 ref={headingRef} tabIndex={-1} className="font-semibold text-ink text-xl outline-none">
        {title}
      </h1>
      {facts && (
        <div className="mt-0.5 flex flex-wrap items-center gap-x-2 text-dim text-sm max-sm:col-span-2 max-sm:row-start-2 sm:col-start-1">
          {facts}
        </div>
      )}
      {actions && <div className="col-start-2 row-start-1 flex items-center gap-2 sm:row-end-3">{actions}</div>}
    </header>
  );
}
