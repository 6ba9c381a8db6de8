// SPDX-License-Identifier: MIT
// xterm.js under a policy without inline styles.
//
// It writes its colours and cell sizes into <style> elements, and the colours of
// some cells into style attributes; the page's policy forbids both, as it must:
// style that comes as text is style that an attacker may bring. Here both ways
// are led through CSSOM, which the policy allows, because only script that is
// already running can use it. (Its option documentOverride would be the narrower
// way, but in 6.0.0 neither its rows nor its scroll bar ask for that document.)

const createElement = document.createElement.bind(document);
const setAttribute = Element.prototype.setAttribute;

/* Shows nothing; its text becomes a constructed style sheet. */
function styleElement(): HTMLElement {
    const element = createElement('div');
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

/* Once, before the first terminal. */
export function allowStylesOfXterm(): void {
    document.createElement = ((name: string, options?: ElementCreationOptions) =>
        name === 'style' ? styleElement() : createElement(name, options)) as typeof document.createElement;
    Element.prototype.setAttribute = function (name: string, value: string): void {
        if (name === 'style' && this instanceof HTMLElement) this.style.cssText = value;
        else setAttribute.call(this, name, value);
    };
}
