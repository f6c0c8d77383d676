// Certificates for the tests of mutual TLS: X.509 (RFC 5280) with keys of P-256.

import { createHash, generateKeyPairSync, sign } from "node:crypto";

const tlv = (tag, ...parts) => {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
};
const sequence = (...parts) => tlv(0x30, ...parts);
const oid = (hex) => tlv(6, Buffer.from(hex, "hex"));
const ECDSA_SHA256 = sequence(oid("2a8648ce3d040302"));
const name = (text) => sequence(tlv(0x31, sequence(oid("550403"), tlv(0x0c, Buffer.from(text)))));
const time = (date) => tlv(0x17, Buffer.from(date.toISOString().replaceAll(/[-:T]/g, "").replace(/\.\d+/, "").slice(2)));
const IS_CA = tlv(0xa3, sequence(sequence(oid("551d13"), tlv(1, Buffer.from([255])), tlv(4, sequence(tlv(1, Buffer.from([255])))))));
const DAY_MS = 86_400_000;
let serial = 0;

/** A certificate that `issuer` has signed, or the certificate itself: its PEM, its key, and its SHA-256. */
export function certify(subject, issuer) {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const validity = sequence(time(new Date(Date.now() - DAY_MS)), time(new Date(Date.now() + DAY_MS)));
  const by = issuer ?? { subject, privateKey };
  const content = sequence(tlv(0xa0, tlv(2, Buffer.from([2]))), tlv(2, Buffer.from([++serial])), ECDSA_SHA256, name(by.subject), validity, name(subject), publicKey.export({ type: "spki", format: "der" }), ...(issuer ? [] : [IS_CA]));
  const der = sequence(content, ECDSA_SHA256, tlv(3, Buffer.from([0]), sign("sha256", content, by.privateKey)));
  const pem = `-----BEGIN CERTIFICATE-----\n${der.toString("base64").match(/.{1,64}/g).join("\n")}\n-----END CERTIFICATE-----\n`;
  return { subject, privateKey, cert: pem, key: privateKey.export({ type: "pkcs8", format: "pem" }), thumbprint: createHash("sha256").update(der).digest("base64url") };
}
