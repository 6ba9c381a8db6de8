// SPDX-License-Identifier: MIT
// A link that carries the code in its fragment: browsers do not send that part
// to any server. Nothing that comes from a link is run unasked.
import { readSetup, type Setup } from './setup.js';

const MARK = '#v1.';
/* A link of a few kilobytes must not unfold into a gigabyte. */
const UNFOLDED_MAX = 4 * 1024 * 1024;

function toBase64Url(bytes: Uint8Array): string {
    let text = '';
    for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
    const bytes = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
    return Uint8Array.from(bytes, (char) => char.charCodeAt(0));
}

async function readAll(stream: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    const reader = stream.getReader();
    for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        size += value.length;
        if (size > most) {
            await reader.cancel();
            throw new Error('too large');
        }
        parts.push(new Uint8Array(value));
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
}

export async function toFragment(setup: Setup): Promise<string> {
    const packed = new Blob([JSON.stringify(setup)]).stream().pipeThrough(new CompressionStream('deflate-raw'));
    return MARK + toBase64Url(await readAll(packed, Infinity));
}

/* From the address, where the program is no longer what the link says: the page
 * opened anew would be back at that. */
export function takeLinkOut(): void {
    if (location.hash.startsWith(MARK)) history.replaceState(null, '', location.pathname + location.search);
}

/* Null: the fragment carries no code. Throws when what it carries is broken. */
export async function fromFragment(fragment: string): Promise<Setup | null> {
    if (!fragment.startsWith(MARK)) return null;
    const packed = new Blob([fromBase64Url(fragment.slice(MARK.length))]).stream();
    const bytes = await readAll(packed.pipeThrough(new DecompressionStream('deflate-raw')), UNFOLDED_MAX);
    const setup = readSetup(JSON.parse(new TextDecoder().decode(bytes)));
    if (!setup) throw new Error('no code in it');
    return setup;
}
