import { Callout } from "@/components/ui/callout";

/** Stands beside "Revoke without the log": what that means. */
export function WithoutLogNote() {
  return (
    <Callout tone="info" title="If it is urgent, revoke without the log">
      <p>
        The revocation goes to RingCX and is proven as always. Its record is kept aside: in the server's log stream, and
        where the disk takes it in a file, from which it is appended to the audit log as soon as that can be written.
      </p>
    </Callout>
  );
}

/** After it was done. The log may have been back in time. */
export function WentOnNote() {
  return (
    <p>
      This did not wait for the audit log. What the log did not take is kept aside, to be appended as soon as it can be
      written.
    </p>
  );
}
