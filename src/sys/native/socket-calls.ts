import { nativeFunction, type Pointer } from './koffi.ts';

/** send(2) */
export const cSend: (fd: number, data: Pointer, lengthBytes: number, flags: number) => number = nativeFunction<
  [number, Pointer, number, number],
  number
>('send', 'long', ['int', 'const void *', 'size_t', 'int']);

/** recv(2) */
export const cRecv: (fd: number, into: Pointer, lengthBytes: number, flags: number) => number = nativeFunction<
  [number, Pointer, number, number],
  number
>('recv', 'long', ['int', 'void *', 'size_t', 'int']);
