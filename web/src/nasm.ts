// SPDX-License-Identifier: MIT
// NASM's own notation: CodeMirror brings GNU's only.
import type { StreamParser } from '@codemirror/language';

const REGISTER =
    /^(?:[re]?(?:[abcd]x|[sd]i|[sbi]p|flags)|[abcd][lh]|[sd]il|[sb]pl|r(?:8|9|1[0-5])[dwb]?|[xyz]mm(?:\d|[12]\d|3[01])|st[0-7]?|[cdefgs]s|cr\d|dr\d)$/i;
const DIRECTIVE =
    /^(?:section|segment|global|extern|default|rel|abs|bits|use64|org|align|alignb|equ|times|incbin|struc|endstruc|istruc|iend|at|d[bwdqtoyz]|res[bwdqtoyz]|common|static)$/i;
/* What may stand behind a label without a colon. */
const NAMED = /^\s+(?:d[bwdqtoyz]|res[bwdqtoyz]|equ|times)\b/i;
const SIZE = /^(?:byte|word|dword|qword|tword|oword|yword|zword|ptr|short|near|far|strict)$/i;

interface State {
    /* Only blanks and labels so far: the next word is the instruction. */
    atStart: boolean;
}

export const nasm: StreamParser<unknown> = {
    name: 'nasm',
    languageData: { commentTokens: { line: ';' } },
    startState: (): State => ({ atStart: true }),
    token(stream, anyState) {
        const state = anyState as State;
        if (stream.sol()) state.atStart = true;
        if (stream.eatSpace()) return null;
        if (stream.peek() === ';') {
            stream.skipToEnd();
            return 'comment';
        }
        if (stream.match(/^"[^"]*"?|^'[^']*'?|^`(?:[^`\\]|\\.)*`?/)) return 'string';
        if (stream.match(/^%[A-Za-z_+!]+/)) return 'meta';
        if (stream.match(/^\d[\dA-Fa-f_]*h\b|^0[xbodqhXBODQH][\dA-Fa-f_]+|^\$?\d[\d_.]*/)) return 'number';
        const word = stream.match(/^[A-Za-z_.?@$][\w.?@$#~]*/) as RegExpMatchArray | null;
        if (!word) {
            stream.next();
            return null;
        }
        if (stream.peek() === ':' || (state.atStart && stream.match(NAMED, false))) return 'labelName';
        if (DIRECTIVE.test(word[0])) {
            state.atStart = false;
            return 'def';
        }
        if (REGISTER.test(word[0])) return 'variableName.special';
        if (SIZE.test(word[0])) return 'typeName';
        if (!state.atStart) return 'variableName';
        state.atStart = false;
        return 'keyword';
    },
};
