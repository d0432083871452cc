/**
 * A failure that ends the command: `message` goes to standard error as it stands (nothing is printed when it is
 * empty) and the process exits with `exitCode`.
 */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}

/** What a flag's parser throws: the part of Docker's message after `invalid argument "x" for "--flag" flag: `. */
export class FlagValueError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FlagValueError';
  }
}
