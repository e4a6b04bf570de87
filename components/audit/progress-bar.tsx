type ProgressBarProps = { label: string; value: number /** Null: nobody knows yet. */; max: number | null };

export function ProgressBar({ label, value, max }: ProgressBarProps) {
  const known = max !== null && max > 0;
  return (
    <div className="relative overflow-hidden rounded-full forced-color-adjust-none">
      <progress
        {...(known ? { value: Math.min(value, max), max } : {})}
        aria-label={label}
        className="block h-1.5 w-full appearance-none overflow-hidden rounded-full bg-hover [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-hover [&::-webkit-progress-value]:bg-accent"
      />
      {!known && <div className="absolute inset-y-0 left-0 w-1/4 animate-sweep bg-accent" />}
    </div>
  );
}
