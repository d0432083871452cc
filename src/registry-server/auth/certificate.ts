import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';

const validYears = 10;

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const lengthBytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));

function name(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName)))));
}

function utcTime(date: Date): Buffer {
  return der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replaceAll(/[-T:]/g, '')}Z`));
}

function basicConstraintsOfAuthority(): Buffer {
  const isAuthority = sequence(der(0x01, Buffer.from([0xff])));
  return der(0xa3, sequence(sequence(oid('551d13'), der(0x01, Buffer.from([0xff])), der(0x04, isAuthority))));
}

/**
 * A self-signed certificate (DER) of a P-256 key: what other registries take as the root that our tokens are verified by.
 *
 * @see RFC 5280
 */
export function selfSignedCertificate(privateKey: KeyObject, commonName: string): Buffer {
  const now = new Date();
  const end = new Date(now);
  end.setUTCFullYear(now.getUTCFullYear() + validYears);
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const subject = name(commonName);
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaWithSha256,
    subject,
    sequence(utcTime(now), utcTime(end)),
    subject,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    basicConstraintsOfAuthority(),
  );
  const signature = sign('sha256', body, privateKey);
  return sequence(body, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature));
}

/** PEM of a DER certificate. */
export function certificatePem(certificate: Uint8Array): string {
  const base64 = Buffer.from(certificate).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/(.{64})/g, '$1\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
}

/** The key id that Docker's registry computes: 240 bits of the public key's hash in base32, twelve groups of four. */
export function dockerKeyId(privateKey: KeyObject): string {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const bytes = createHash('sha256').update(spki).digest().subarray(0, 30);
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = bits.replaceAll(
    /.{5}/g,
    (five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five, 2)] ?? '',
  );
  return letters.replaceAll(/(.{4})(?=.)/g, '$1:');
}
