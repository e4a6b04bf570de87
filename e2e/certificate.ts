/** A certificate that signs itself, made here: neither Node nor a bare machine has a command for it. */
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** One value of ASN.1 in DER: its tag, its length, its content. */
function der(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const size: number[] = [];
  for (let rest = body.length; rest > 0; rest >>= 8) size.unshift(rest & 0xff);
  const length = body.length < 128 ? [body.length] : [0x80 | size.length, ...size];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...content: Uint8Array[]) => der(0x30, ...content);
const objectId = (hex: string) => der(0x06, Buffer.from(hex, "hex"));
/** As X.509 wants it: `YYYYMMDDHHMMSSZ`. */
const time = (ms: number) =>
  der(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`));

const ecdsaWithSha256 = sequence(objectId("2a8648ce3d040302"));
const dayMs = 86_400_000;

export type Certificate = {
  /** Both in PEM. */
  certificate: string;
  key: string;
  /** Of its public key, as Chromium's `--ignore-certificate-errors-spki-list` takes it. */
  pin: string;
};

/** For an address, `127.0.0.1`, good from yesterday until tomorrow. */
export function selfSigned(address: string): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const commonName = sequence(objectId("550403"), der(0x0c, Buffer.from(address)));
  const name = sequence(der(0x31, commonName));
  const alternatives = sequence(
    objectId("551d11"),
    der(0x04, sequence(der(0x87, Buffer.from(address.split(".").map(Number))))),
  );
  const authority = sequence(objectId("551d13"), der(0x04, sequence(der(0x01, Buffer.from([0xff])))));
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    name,
    sequence(time(Date.now() - dayMs), time(Date.now() + dayMs)),
    name,
    spki,
    der(0xa3, sequence(alternatives, authority)),
  );
  const signature = sign("sha256", content, privateKey);
  const certificate = sequence(content, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature));
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    pin: createHash("sha256").update(spki).digest("base64"),
  };
}
