/** Along the upper edge of what is being asked for anew; not for answers that come at once. */
export function PendingBar() {
  return (
    <div className="absolute inset-x-0 -top-px z-10 h-0.5 animate-late overflow-hidden rounded-t-lg">
      <div className="h-full w-1/4 animate-sweep bg-accent" />
    </div>
  );
}
