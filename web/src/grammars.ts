// SPDX-License-Identifier: MIT
// The editor's grammar by the name that a language file gives it. Each is a
// chunk of its own: a visitor loads the one that is looked at.
import { StreamLanguage, type StreamParser } from '@codemirror/language';
import type { Extension } from '@codemirror/state';

const legacy = async (parser: Promise<StreamParser<unknown>>): Promise<Extension> =>
    StreamLanguage.define(await parser);

const clike = () => import('@codemirror/legacy-modes/mode/clike');
const cpp = async (): Promise<Extension> => (await import('@codemirror/lang-cpp')).cpp();

const grammars: Record<string, () => Promise<Extension>> = {
    c: cpp,
    cpp,
    csharp: () => legacy(clike().then((mode) => mode.csharp)),
    dart: () => legacy(clike().then((mode) => mode.dart)),
    go: async () => (await import('@codemirror/lang-go')).go(),
    java: async () => (await import('@codemirror/lang-java')).java(),
    javascript: async () => (await import('@codemirror/lang-javascript')).javascript(),
    nasm: () => legacy(import('./nasm.js').then((mode) => mode.nasm)),
    octave: () => legacy(import('@codemirror/legacy-modes/mode/octave').then((mode) => mode.octave)),
    php: async () => (await import('@codemirror/lang-php')).php(),
    python: async () => (await import('@codemirror/lang-python')).python(),
    ruby: () => legacy(import('@codemirror/legacy-modes/mode/ruby').then((mode) => mode.ruby)),
    rust: async () => (await import('@codemirror/lang-rust')).rust(),
    scala: () => legacy(clike().then((mode) => mode.scala)),
    shell: () => legacy(import('@codemirror/legacy-modes/mode/shell').then((mode) => mode.shell)),
};

/* A name that is unknown here is plain text. */
export async function grammar(name: string): Promise<Extension> {
    const load = Object.hasOwn(grammars, name) ? grammars[name] : undefined;
    return load ? load() : [];
}
