import "server-only";
import { z } from "zod";
import { send } from "@/lib/ringcx/http";

/** A RingEX access token: an opaque word that goes into a header, a form body and a sealed cookie. */
export const ringexToken = z.object({
  accessToken: z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .max(4_096),
  tokenType: z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .max(40),
});
export type RingexToken = z.infer<typeof ringexToken>;

const issued = z
  .object({ access_token: z.string(), token_type: z.string() })
  .transform(({ access_token, token_type }) => ({ accessToken: access_token, tokenType: token_type }))
  .pipe(ringexToken);

/**
 * `POST /restapi/oauth/token` with an authorization code and its PKCE verifier. The refresh token in the answer is dropped:
 * what is prolonged is the RingCX session. Sent once, since a code works once.
 * @throws {UpstreamError} `rejected`: the code is expired, used or another client's
 */
export function redeemRingexCode(
  { clientId, clientSecret, serverUrl }: { clientId: string; clientSecret: string; serverUrl: string },
  { code, redirectUri, codeVerifier }: { code: string; redirectUri: string; codeVerifier: string },
): Promise<RingexToken> {
  // RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
  const [id, secret] = [clientId, clientSecret].map((part) => new URLSearchParams({ v: part }).toString().slice(2));
  return send({
    operation: "rc.token",
    system: "ringex",
    host: serverUrl,
    method: "POST",
    path: "/restapi/oauth/token",
    headers: {
      authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: redirectUri,
      code_verifier: codeVerifier,
    }).toString(),
    parse: ({ body }) => issued.parse(JSON.parse(body)),
    kind: "effect",
  });
}
