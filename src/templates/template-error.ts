/** A template that does not parse; the message is Go's, with the line of `pos`. */
export class TemplateError extends Error {
  constructor(source: string, pos: number, why: string, name = '') {
    const line = source.slice(0, pos).split('\n').length;
    super(`template: ${name}:${line}: ${why}`);
    this.name = 'TemplateError';
  }
}

/** Execution stopped at a node; the message is Go's, with line, column and the node's source. */
export class TemplateExecError extends Error {
  constructor(template: { readonly source: string; readonly name: string }, pos: number, node: string, why: string) {
    const { source, name } = template;
    const before = source.slice(0, pos);
    const line = before.split('\n').length;
    const lineStart = before.lastIndexOf('\n');
    const column = Buffer.byteLength(lineStart < 0 ? before : before.slice(lineStart));
    const shown = node.length > 20 ? `${node.slice(0, 20)}...` : node;
    super(`template: ${name}:${line}:${column}: executing ${JSON.stringify(name)} at <${shown}>: ${why}`);
    this.name = 'TemplateExecError';
  }
}

/** What a template function or a method throws; it is told with the place of the call. */
export class CallError extends Error {
  /** Bad arguments are told plainly, failures inside as "error calling f: …". */
  readonly atArgument: boolean;

  constructor(message: string, atArgument = false) {
    super(message);
    this.name = 'CallError';
    this.atArgument = atArgument;
  }
}
