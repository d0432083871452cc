import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { EngineError } from '#errors';
import { certificatePem, selfSignedCertificate } from './certificate.ts';

/** What tokens are signed with. */
export interface TokenKey {
  readonly privateKey: KeyObject;
  /** DER, the signer's first. */
  readonly certificates: readonly Buffer[];
}

export interface TokenKeyFiles {
  readonly key: string;
  readonly certificate: string;
}

/**
 * Reads key and certificate; makes those that are missing, a certificate for the key that is there.
 *
 * @throws {@link EngineError} invalidArgument when the key is no P-256 key or the certificate is another key's.
 */
export function ensureTokenKey(files: TokenKeyFiles, commonName: string): TokenKey {
  if (!existsSync(files.key)) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(files.key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  }
  const privateKey = createPrivateKey(readFileSync(files.key));
  if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new EngineError('invalidArgument', 'INVALID_CONFIG', `${files.key} is no elliptic-curve key on P-256`);
  }
  if (!existsSync(files.certificate)) {
    writeFileSync(files.certificate, certificatePem(selfSignedCertificate(privateKey, commonName)), { mode: 0o644 });
  }
  const pems = readFileSync(files.certificate, 'utf8').match(
    /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g,
  );
  const certificates = (pems ?? []).map((pem) => new X509Certificate(pem));
  if (certificates[0]?.checkPrivateKey(privateKey) !== true) {
    throw new EngineError(
      'invalidArgument',
      'INVALID_CONFIG',
      `the first certificate of ${files.certificate} is not for the key ${files.key}`,
    );
  }
  return { privateKey, certificates: certificates.map(({ raw }) => raw) };
}
