// SPDX-License-Identifier: MIT
// Elements made by script. Text is only ever text: nothing here becomes markup.

type Child = Node | string | null | false;
type Attributes = Record<string, string | number | boolean | null | undefined>;

const SVG = 'http://www.w3.org/2000/svg';

function fill(element: Element, attributes: Attributes, children: Child[]): void {
    for (const [name, value] of Object.entries(attributes)) {
        if (value === false || value === null || value === undefined) continue;
        element.setAttribute(name, value === true ? '' : String(value));
    }
    for (const child of children) if (child !== null && child !== false) element.append(child);
}

export function make<Tag extends keyof HTMLElementTagNameMap>(
    tag: Tag,
    attributes: Attributes = {},
    ...children: Child[]
): HTMLElementTagNameMap[Tag] {
    const element = document.createElement(tag);
    fill(element, attributes, children);
    return element;
}

export function makeSvg<Tag extends keyof SVGElementTagNameMap>(
    tag: Tag,
    attributes: Attributes = {},
    ...children: Child[]
): SVGElementTagNameMap[Tag] {
    const element = document.createElementNS(SVG, tag);
    fill(element, attributes, children);
    return element;
}

export function button(text: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
    const element = make('button', { type: 'button', ...attributes }, text);
    element.addEventListener('click', onClick);
    return element;
}

/* Names and values; those without a value are left out. */
export function facts(rows: [string, Child][]): HTMLDListElement {
    const shown = rows.filter(([, value]) => value !== null && value !== false && value !== '');
    return make('dl', { class: 'facts' }, ...shown.map(([name, value]) =>
        make('div', {}, make('dt', {}, name), make('dd', {}, value))));
}

/* Wider than a phone it scrolls by itself, with keys too. */
export function table(name: string, heads: string[], rows: HTMLTableRowElement[]): HTMLElement {
    const head = make('tr', {}, ...heads.map((text) => make('th', { scope: 'col' }, text)));
    return make('div', { class: 'scrolls', tabindex: 0, role: 'region', 'aria-label': name },
        make('table', {}, make('thead', {}, head), make('tbody', {}, ...rows)));
}

export function row(...cells: Child[]): HTMLTableRowElement {
    return make('tr', {}, ...cells.map((cell) => make('td', {}, cell)));
}
