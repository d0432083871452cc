import { createRequire } from 'node:module';
import type * as koffiModule from 'koffi';

type Koffi = typeof koffiModule;
type LibraryFunction = ReturnType<koffiModule.LibraryHandle['func']>;

/** A pointer argument: a NUL-terminated path, memory to read or write, an address, or NULL. */
export type Pointer = string | Uint8Array | bigint | null;

const require = createRequire(import.meta.url);

let loaded: Koffi | undefined;
const libraries = new Map<string, koffiModule.LibraryHandle>();

/** koffi, loaded at the first call to the kernel in this thread (20 ms) and not before; each thread has its own. */
export function koffi(): Koffi {
  loaded ??= require('koffi') as Koffi;
  return loaded;
}

function library(name: string): koffiModule.LibraryHandle {
  let handle = libraries.get(name);
  if (handle === undefined) {
    handle = koffi().load(name);
    libraries.set(name, handle);
  }
  return handle;
}

/**
 * A C function as a JavaScript one, resolved at its first call.
 *
 * Integers come back as `number` while they are safe, else as `bigint`. Buffers are passed by address, not copied.
 *
 * @param parameters - C types in koffi's notation; variadic functions are given the types of one way to call them,
 *   which is the same calling convention on Linux x86_64 and aarch64.
 */
export function nativeFunction<A extends readonly unknown[], R>(
  name: string,
  result: string,
  parameters: readonly string[],
  libraryName = 'libc.so.6',
): (...args: A) => R {
  let bound: ((...args: A) => R) | undefined;
  return (...args) => {
    bound ??= library(libraryName).func(name, result, [...parameters]);
    return bound(...args);
  };
}

/**
 * Like {@link nativeFunction}, but the call runs on a thread of Node's pool: for the few that wait for disks.
 * The errno of a failure is lost with that thread.
 */
export function nativeAsyncFunction<A extends readonly unknown[], R>(
  name: string,
  result: string,
  parameters: readonly string[],
  libraryName = 'libc.so.6',
): (...args: A) => Promise<R> {
  let bound: LibraryFunction | undefined;
  return (...args) =>
    new Promise((resolve, reject) => {
      bound ??= library(libraryName).func(name, result, [...parameters]);
      bound.async(...args, (error: Error | null, answer: R) => (error === null ? resolve(answer) : reject(error)));
    });
}

/** A system call that the C library has no function for; numbers from 424 on are the same on all architectures. */
export function systemCall<A extends readonly unknown[]>(
  number: number,
  parameters: readonly string[],
): (...args: A) => number {
  const call = nativeFunction<[number, ...A], number>('syscall', 'long', ['long', ...parameters]);
  return (...args) => call(number, ...args);
}

/** The address of a buffer's memory, for pointers inside structures. The caller keeps the buffer alive during the call. */
export function addressOf(memory: Uint8Array): bigint {
  return koffi().address(memory);
}
