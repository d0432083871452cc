/** Who asks a registry. All empty: anonymous. */
export interface RegistryAuth {
  username: string;
  password: string;
  /** A refresh token, sent to the token service instead of a password. */
  identityToken: string;
  /** A bearer token, sent as it is. */
  registryToken: string;
}

/** Answer of `POST /auth`. */
export interface AuthAnswer {
  IdentityToken: string;
  Status: string;
}

/** One row of `GET /images/search`. */
export interface SearchRow {
  star_count: number;
  is_official: boolean;
  name: string;
  is_automated: boolean;
  description: string;
}
