// SPDX-License-Identifier: MIT
// The page's elements by their ids, and what it says to its visitor.

export function element<T extends HTMLElement>(id: string, type: abstract new () => T): T {
    const found = document.getElementById(id);
    if (!(found instanceof type)) throw new Error(`no ${type.name} with the id ${id}`);
    return found;
}

export type NoticeKind = 'info' | 'bad';

let timer = 0;

/* One at a time; what is no trouble goes away by itself. Screen readers say what
 * changes in a place that was there before, so both places always are. */
export function notify(text: string, kind: NoticeKind = 'info'): void {
    element('notice-info', HTMLElement).textContent = kind === 'info' ? text : '';
    element('notice-bad', HTMLElement).textContent = kind === 'bad' ? text : '';
    element('notice', HTMLElement).className = text && kind;
    element('notice-close', HTMLElement).hidden = text === '';
    clearTimeout(timer);
    if (text && kind === 'info') timer = window.setTimeout(() => notify(''), 6000);
}

/* What failed, as a sentence for the visitor. */
export function reasonOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}

let trouble = '';

/* Of something that is tried again: said until it is over. */
export function notifyTrouble(error: unknown): void {
    if (reasonOf(error) === trouble) return;
    trouble = reasonOf(error);
    notify(trouble, 'bad');
}

export function troubleIsOver(): void {
    if (trouble && element('notice-text', HTMLElement).textContent === trouble) notify('');
    trouble = '';
}

/* The clipboard's own interface exists on https and localhost only. */
export async function copyText(text: string): Promise<boolean> {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        const before = document.activeElement;
        const area = document.createElement('textarea');
        area.value = text;
        area.className = 'off-screen';
        document.body.append(area);
        area.select();
        const copied = document.execCommand('copy');
        area.remove();
        if (before instanceof HTMLElement) before.focus();
        return copied;
    }
}

export function downloadText(name: string, text: string): void {
    const url = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
