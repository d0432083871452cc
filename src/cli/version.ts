/** The version of this client; the same as the package's, pinned by a test. */
export const clientVersion = '0.1.0';
