// SPDX-License-Identifier: MIT
// A document for xterm.js under a policy without inline styles.
//
// xterm.js writes its colours and cell sizes into <style> elements and some
// cells' colours into style attributes; the page's policy forbids both. It takes
// a document of ours to make elements with, and this one hands out
//   for <style>: an element that shows nothing, whose text goes into a
//                constructed style sheet;
//   for others:  elements whose setAttribute('style', …) goes through CSSOM.
// Neither can bring in anything but style declarations of xterm.js itself.

function setAttribute(this: HTMLElement, name: string, value: string): void {
    if (name.toLowerCase() === 'style') this.style.cssText = value;
    else Element.prototype.setAttribute.call(this, name, value);
}

function styleElement(): HTMLElement {
    const element = document.createElement('div');
    const sheet = new CSSStyleSheet();
    let text = '';
    element.hidden = true;
    Object.defineProperty(element, 'textContent', {
        get: () => text,
        set: (value: string) => {
            text = value;
            sheet.replaceSync(value);
        },
    });
    element.remove = () => {
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
        Element.prototype.remove.call(element);
    };
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    return element;
}

function createElement(name: string): HTMLElement {
    if (name === 'style') return styleElement();
    const element = document.createElement(name);
    element.setAttribute = setAttribute;
    return element;
}

export function strictDocument(): Document {
    return new Proxy(document, {
        get(target, name) {
            if (name === 'createElement') return createElement;
            const value: unknown = Reflect.get(target, name, target);
            /* The browser's own functions insist on the real document. */
            return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
        set: (target, name, value) => Reflect.set(target, name, value, target),
    });
}
