import { Callout } from "@/components/ui/callout";

/** Stands beside "Revoke without the log": what that means. */
export function WithoutLogNote() {
  return (
    <Callout tone="info" title="If it is urgent, revoke without the log">
      <p>
        The revocation goes to RingCX and is proven as always. Its record is kept in a spool on the server, and is
        appended to the audit log as soon as that can be written.
      </p>
    </Callout>
  );
}

/** After it was done. */
export function SpooledNote() {
  return (
    <p>
      What was done without the log waits in the spool, and is appended to the audit log as soon as that can be written.
    </p>
  );
}
