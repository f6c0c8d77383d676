// Finds the public key in an X.509 certificate, and wraps a bare RSA key (RFC 8017) as one. WebCrypto reads only SubjectPublicKeyInfo (RFC 5280 §4.1).

type Bytes = Uint8Array<ArrayBuffer>;

interface Value {
  readonly tag: number;
  /** With its tag and length. */
  readonly whole: Bytes;
  readonly content: Bytes;
}

/** The SubjectPublicKeyInfo of a certificate; `undefined` if it has none. Nothing else of it is read. */
export function keyOfCertificate(der: Bytes): Bytes | undefined {
  const [certificate] = values(der);
  const [toBeSigned] = values(certificate?.content);
  const members = values(toBeSigned?.content);
  // The version is optional: serialNumber, signature, issuer, validity, subject and the key follow it.
  return members[members[0]?.tag === VERSION ? 6 : 5]?.whole;
}

const VERSION = 0xa0;

/** The SubjectPublicKeyInfo of an RSAPublicKey: the same key with its algorithm before it. */
export function keyOfRsa(der: Bytes): Bytes {
  return encode(0x30, [...RSA, ...encode(0x03, [0, ...der])]);
}

/** AlgorithmIdentifier of rsaEncryption. */
const RSA = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

function encode(tag: number, content: readonly number[]): Bytes {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return new Uint8Array([tag, ...size, ...content]);
}

/** The values that follow each other; those before a fault. */
function values(der: Bytes | undefined): Value[] {
  const found: Value[] = [];
  let at = 0;
  while (der && at + 2 <= der.length) {
    const [tag = 0, first = 0] = der.subarray(at);
    const sizes = first < 0x80 ? 0 : first & 0x7f;
    if (sizes > 3) break;
    const length = sizes === 0 ? first : der.subarray(at + 2, at + 2 + sizes).reduce((sum, byte) => sum * 256 + byte, 0);
    const begin = at + 2 + sizes;
    if (begin + length > der.length) break;
    found.push({ tag, whole: der.slice(at, begin + length), content: der.slice(begin, begin + length) });
    at = begin + length;
  }
  return found;
}
