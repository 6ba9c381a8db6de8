// SPDX-License-Identifier: MIT
// The arguments' line: words between blanks, quotes hold blanks together. It is
// split here; no shell sees it.

export function splitArguments(line: string): string[] {
    const words: string[] = [];
    let word: string | null = null;
    let quote = '';
    for (let at = 0; at < line.length; at++) {
        const char = line.charAt(at);
        if (char === '\\' && quote !== "'" && at + 1 < line.length) word = (word ?? '') + line.charAt(++at);
        else if (quote) {
            if (char === quote) quote = '';
            else word += char;
        } else if (char === '"' || char === "'") {
            quote = char;
            word ??= '';
        } else if (/\s/.test(char)) {
            if (word !== null) words.push(word);
            word = null;
        } else word = (word ?? '') + char;
    }
    if (quote) throw new Error(`A ${quote} is not closed.`);
    if (word !== null) words.push(word);
    return words;
}
